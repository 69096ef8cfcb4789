package access

import "sync/atomic"

// A tally counts answers from memory: each of them as long as they are few. When they are many, it counts those about one
// part of all users in accounts, for all parts: otherwise all cores would write to one place. Which part it is changes with
// each turn, and so does how many parts there are, up to 256.
type tally struct {
	mask    atomic.Uint32 // the bits of a fingerprint that say in which part it is
	part    atomic.Uint32 // these bits in the part that is counted
	_       [56]byte      // so that who reads them doesn't wait for those who count
	hits    atomic.Uint64
	counted atomic.Uint64 // of the part, in this turn
}

const (
	firstPart = counters // the lowest of these bits; those below are the counter's
	manyParts = 256
	manyHits  = 4096 // are so many counted in a turn that there are to be twice as many parts
	fewHits   = manyHits / 8
)

// has reports whether an answer about a place is to be counted.
func (t *tally) has(p place) bool {
	return uint32(p.pair.low)&t.mask.Load() == t.part.Load()
}

// count counts an answer from memory, for all parts.
func (t *tally) count() {
	mask := t.mask.Load()
	parts := uint64(mask/firstPart) + 1
	t.hits.Add(parts)
	if t.counted.Add(1) == manyHits && parts < manyParts {
		t.counted.Store(0)
		t.mask.Store(mask<<1 | firstPart)
	}
}

// turn has the next part counted, and makes half as many if few answers of this one were.
func (t *tally) turn() {
	mask := t.mask.Load()
	if t.counted.Swap(0) < fewHits {
		mask = mask >> 1 &^ (firstPart - 1)
	}
	t.part.Store((t.part.Load() + firstPart) & mask)
	t.mask.Store(mask)
}

package access

import "sync/atomic"

// hits counts the answers from memory that are given one by one: each of them while there is one part, until there are 4096 in
// a turn, which is from one poll to the next. From then on it counts those about one part of all users in accounts, for all
// parts: otherwise all cores would write to one place. There are twice as many parts whenever 4096 more were counted, up to 256,
// and half as many after a turn with few. Which part it is chance says, in each turn anew.
type hits struct {
	_       [56]byte      // so that who reads the next two waits neither for who writes what is before nor for who counts
	mask    atomic.Uint32 // the bits of a fingerprint that say in which part it is
	part    atomic.Uint32 // drawn by chance at each turn: of these bits it has those of the part that is counted
	_       [56]byte
	total   atomic.Uint64 // with those that are given together
	counted atomic.Uint64 // since the last turn
}

const (
	partBit   = counters // the lowest bit that says in which part a fingerprint is: those below are the counter's
	manyParts = 256
	manyHits  = 4096         // if so many are counted there are to be twice as many parts
	fewHits   = manyHits / 8 // in a turn, half as many: far below, so that they don't go up and down
)

// counts reports whether an answer about a place is to be counted.
func (h *hits) counts(p place) bool {
	return h.mask.Load()&(uint32(p.pair.low)^h.part.Load()) == 0
}

// count counts an answer, for all parts.
func (h *hits) count() {
	mask := h.mask.Load()
	parts := uint64(mask/partBit) + 1
	h.total.Add(parts)
	if h.counted.Add(1)%manyHits == 0 && parts < manyParts {
		h.mask.CompareAndSwap(mask, mask<<1|partBit)
	}
}

// turn begins a turn. As the part is a random number, each doubling shows a bit of it that nobody has seen: so it doesn't
// matter for which answers the parts were doubled.
func (h *hits) turn(part uint32) {
	mask, few := h.mask.Load(), h.counted.Swap(0) < fewHits
	h.part.Store(part)
	if few {
		h.mask.CompareAndSwap(mask, mask>>1&^(partBit-1))
	}
}

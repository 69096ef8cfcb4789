package access

import "sync/atomic"

// hits counts the answers from memory that are given one by one: each of them until there are 4096 in a turn, which is from
// one poll to the next. From then on it counts those about one part of all users in accounts, for all parts: otherwise all
// cores would write to one place. There are twice as many parts whenever 4096 more were counted, up to 256, and half as many
// after a turn with few. Which part it is chance says, in each turn anew.
type hits struct {
	_       [56]byte      // so that who reads the next two waits neither for who writes what is before nor for who counts
	mask    atomic.Uint32 // the bits of a fingerprint that say in which part it is
	part    atomic.Uint32 // drawn by chance: of these bits it has those of the part that is counted
	_       [56]byte
	total   atomic.Uint64
	counted atomic.Uint64 // since the last turn, or since there are as many parts
}

const (
	partBit   = counters // the lowest bit that says in which part a fingerprint is: those below are the counter's
	manyParts = 256
	manyHits  = 4096         // if so many are counted there are to be twice as many parts
	fewHits   = manyHits / 8 // in a turn, half as many: far below, so that they don't go up and down
)

// counts reports whether an answer about a place is to be counted.
func (h *hits) counts(p place) bool {
	return (uint32(p.pair.low)^h.part.Load())&h.mask.Load() == 0
}

// count counts an answer, for all parts.
func (h *hits) count() {
	mask := h.mask.Load()
	parts := uint64(mask/partBit) + 1
	h.total.Add(parts)
	if h.counted.Add(1) == manyHits && parts < manyParts && h.mask.CompareAndSwap(mask, mask<<1|partBit) {
		h.counted.Store(0)
	}
}

// turn begins a turn. As the part is a random number, each doubling shows a bit of it that nobody has seen: so it doesn't
// matter for which answers the parts were doubled.
func (h *hits) turn(part uint32) {
	if mask := h.mask.Load(); h.counted.Swap(0) < fewHits {
		h.mask.CompareAndSwap(mask, mask>>1&^(partBit-1))
	}
	h.part.Store(part)
}

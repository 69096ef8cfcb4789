package access

import (
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
)

// A table is what a Cache remembers: by fingerprint, which bits a user may use in an account. It has two parts. Slots hold
// the answers. Epochs say whether they still hold: an account has one of 16,384 counters, and a slot counts only while the
// counter is where it was before the answer was read. So whatever happens to an account is over with one addition, for
// all users, for answers that are being read at the moment, and at the price that accounts which share a counter are
// asked for again.
//
// Looking up takes no lock and allocates nothing. Slots are written under the lock of their shard. The fingerprint in a
// slot never changes once it is there; a shard that is full is copied without what is dead, and replaced.
type table struct {
	shards  [1 << shardBits]shard // first, for their places in the lines of the processor's cache
	epochs  [counters]atomic.Uint32
	key     sipKey
	loading atomic.Bool // while Preload runs: shards grow to twice instead of half more, as fit takes back what is too much
}

// A place is where the answer about one user in one account is or would be.
type place struct{ pair fingerprint }

const (
	counterBits = 14
	counters    = 1 << counterBits
	counterMask = counters - 1
	shardBits   = 6
)

// A shard is the part of a table whose fingerprints begin alike. There are so few that where their slots are stays in the
// fastest memory of the processor.
type shard struct {
	slots atomic.Pointer[slots]
	twos  atomic.Uint64 // how many twos of slots there are, but for the moment in which they are replaced
	mu    sync.Mutex
	used  int      // slots that have a fingerprint
	limit int      // how many may have one
	hand  int      // where the next search for answers that go begins
	_     [16]byte // so that no two shards share a line of the processor's cache
}

// slots are searched from the two that a fingerprint points to, up to the first empty one: nothing is behind that, as
// nothing is taken out. The two share a line of the processor's cache.
type slots struct {
	answers [][2]slot
	details [][2]detail
	room    int // how many may have a fingerprint
}

// A slot is an answer. Where one is replaced by another, what is written comes in an order in which a reader never takes an
// old answer for a new one: the epoch last, and first none.
type slot struct {
	high, low atomic.Uint64 // the fingerprint; high is 0 in an empty slot, and written last
	bits      atomic.Uint64 // that the user may use, and seenBit
	holds     atomic.Uint64 // epoch<<32 | until; an epoch of 0 is never right
}

// A detail is what Can needn't know of an answer. It is torn while the answer is replaced by another: a reader that finds the
// same before and after it has read the rest has read one answer. Only one that went and returned meanwhile it takes for one
// that stayed: then the bits may be those of one in between, which held at that moment.
type detail struct {
	about atomic.Uint64 // version<<35 | handedBit | kind<<32 | when it was read, in seconds of the table's time
}

const (
	handedBit = 1 << 34 // somebody was given the whole grant
	torn      = math.MaxUint64
)

// A kind says what a grant was like of which an answer is remembered.
type kind uint8

const (
	otherwise kind = iota // with times, or something is suspended or closed
	stranger              // of an active account
	member                // active in an active account, for ever
	owner                 // of an active account
)

// maxVersion is what is kept of a version that is as high, or higher.
const maxVersion = 1<<29 - 1

// seenBit, which is no permission, marks an answer that somebody has asked for since the last time that room was made.
const seenBit = 1 << 63

// An answer is what is remembered of a grant.
type answer struct {
	bits    Permission
	until   uint32 // in seconds of the table's time: when it has to be read again; 0 for never
	kind    kind
	version uint64
	read    uint32
	handed  bool // to somebody, as a whole grant
}

// prepare has an empty table hold so many answers. Chance doesn't give each shard as many: in a big table hardly one gets
// more than three times the square root above the mean, and has to drop some.
func (t *table) prepare(key sipKey, entries int) {
	t.key = key
	mean := float64(entries) / float64(len(t.shards))
	limit := max(8, int(mean+min(3*math.Sqrt(mean), mean/8)))
	for i := range t.epochs {
		t.epochs[i].Store(1)
	}
	for i := range t.shards {
		t.shards[i].limit = limit
	}
}

func (t *table) place(user UserID, account AccountID) place { return place{t.key.of(user, account)} }

// epoch returns the counter of a place's account.
func (t *table) epoch(p place) *atomic.Uint32 { return &t.epochs[p.pair.low&counterMask] }

// expire makes everything wrong that is remembered or being read about an account.
func (t *table) expire(account AccountID) {
	raise(&t.epochs[t.key.counterOf(account)])
}

// expireAll is expire for all accounts.
func (t *table) expireAll() {
	for i := range t.epochs {
		raise(&t.epochs[i])
	}
}

func raise(epoch *atomic.Uint32) {
	if epoch.Add(1) == 0 { // which a slot without an answer has
		epoch.Add(1)
	}
}

// find returns the bits and the time limit of an answer that holds, as far as the epoch goes. It searches by itself as search
// does, as a call would be a part of what it takes, but two at a time. Where the first is empty the second is too. Where it
// begins, it reckons without having seen the slots, which would take longer. So it may not find an answer while the slots are
// replaced, nor one beside another whose fingerprint begins with the same 64 bits.
//
// Each condition has an if of its own: where two are joined, Go 1.26 makes a bool of them first, and then branches. And which is
// called twice so that what it returns is one address, instead of one for each number that is read there.
func (t *table) find(p place) (b Permission, until uint32, ok bool) {
	shard := &t.shards[p.pair.high>>(64-shardBits)]
	s := shard.slots.Load()
	if s == nil {
		return 0, 0, false
	}
	answers, i := s.answers, p.pair.first(shard.twos.Load())
	if i >= uint64(len(answers)) {
		return 0, 0, false
	}
	for found := which(&answers[i], p.pair.high); ; found = which(&answers[i], p.pair.high) {
		if high := found.high.Load(); high != p.pair.high {
			if high == 0 {
				return 0, 0, false
			}
		} else if found.low.Load() == p.pair.low {
			holds := found.holds.Load()
			value := found.bits.Load()
			if uint32(holds>>32) != t.epoch(p).Load() {
				return 0, 0, false
			}
			if found.holds.Load() != holds {
				return 0, 0, false
			}
			if value&seenBit == 0 {
				found.bits.Or(seenBit)
			}
			return Permission(value &^ seenBit), uint32(holds), true
		}
		if i++; i == uint64(len(answers)) {
			i = 0
		}
	}
}

// which returns the one of two slots that can have a fingerprint: the second if it isn't the first. Of an if that chooses
// between 0 and 1 the compiler makes a number, and no branch, which would be guessed wrong half of the time.
func which(two *[2]slot, high uint64) *slot {
	i := 0
	if two[0].high.Load() != high {
		i = 1
	}
	return &two[i]
}

// tell is find with the details.
func (t *table) tell(p place) (a answer, ok bool) {
	found, d := t.at(p)
	if found == nil {
		return answer{}, false
	}
	holds, about := found.holds.Load(), d.about.Load()
	value := found.bits.Load()
	whole := about != torn && d.about.Load() == about && found.holds.Load() == holds
	if !whole || uint32(holds>>32) != t.epoch(p).Load() {
		return answer{}, false
	}
	return answer{bits: Permission(value &^ seenBit), until: uint32(holds), kind: kind(about >> 32 & 3),
		version: about >> 35, handed: about&handedBit != 0, read: uint32(about)}, true
}

// hand notes that somebody was given the whole grant of which an answer is remembered.
func (t *table) hand(p place) {
	if _, d := t.at(p); d != nil {
		d.about.Or(handedBit)
	}
}

// at returns what there is at a place, or nil.
func (t *table) at(p place) (*slot, *detail) {
	s := t.shards[p.pair.high>>(64-shardBits)].slots.Load()
	if s == nil {
		return nil, nil
	}
	i, there := s.search(p.pair)
	if !there {
		return nil, nil
	}
	return s.slot(i), s.detail(i)
}

// first returns at which of so many twos of slots the search for a fingerprint begins.
func (f fingerprint) first(twos uint64) uint64 {
	i, _ := bits.Mul64(f.high<<shardBits, twos)
	return i
}

// search returns the number of the slot where a fingerprint is or would be, and whether it is there.
func (s *slots) search(pair fingerprint) (i int, there bool) {
	for i = 2 * int(pair.first(uint64(len(s.answers)))); ; {
		slot := s.slot(i)
		high := slot.high.Load()
		if high == 0 {
			return i, false
		}
		if high == pair.high && slot.low.Load() == pair.low {
			return i, true
		}
		if i++; i == s.len() {
			i = 0
		}
	}
}

// Slots are numbered from 0 to len.
func (s *slots) len() int             { return 2 * len(s.answers) }
func (s *slots) slot(i int) *slot     { return &s.answers[i/2][i%2] }
func (s *slots) detail(i int) *detail { return &s.details[i/2][i%2] }

// keep remembers an answer that was read when the epoch was the given one.
func (t *table) keep(p place, epoch uint32, a answer) {
	if t.epoch(p).Load() != epoch {
		return
	}
	s := &t.shards[p.pair.high>>(64-shardBits)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept := s.slots.Load(); kept == nil || s.used >= kept.room {
		t.makeRoom(s)
	}
	about := min(a.version, maxVersion)<<35 | uint64(a.kind)<<32 | uint64(a.read)
	if s.slots.Load().put(p.pair, uint64(a.bits), uint64(epoch)<<32|uint64(a.until), about) {
		s.used++
	}
}

// put writes an answer, and reports whether it took an empty slot. Nobody looks into an empty one before its fingerprint is
// there, and its epoch is none.
func (s *slots) put(pair fingerprint, bits, holds, about uint64) (added bool) {
	i, there := s.search(pair)
	a, d := s.slot(i), s.detail(i)
	if there {
		a.holds.Store(0)
		d.about.Store(torn)
	}
	a.bits.Store(bits)
	d.about.Store(about)
	a.holds.Store(holds)
	if !there {
		a.low.Store(pair.low)
		a.high.Store(pair.high)
	}
	return !there
}

// newSlots returns slots with room for at least so many fingerprints: seven in eight may have one. Where they are few, there
// are three times as many slots: the search is shorter, and what it takes up doesn't count.
func newSlots(room int) *slots {
	const few = 64
	n := (room + 6) / 7 * 8
	room = n / 8 * 7
	if room <= few {
		n *= 3
	}
	return &slots{make([][2]slot, n/2), make([][2]detail, n/2), room}
}

// makeRoom replaces the slots of a shard, by more of them if there may be more, without the answers that don't hold any
// more. Where the limit is reached, a part of the others goes too.
func (t *table) makeRoom(s *shard) {
	old := s.slots.Load()
	if old == nil {
		old = newSlots(0)
	}
	live, seen := t.count(old)
	drop := func(seen bool) bool { return false }
	if old.room >= s.limit && live >= s.limit*7/8 {
		drop = surplus(live, live-seen)
	}
	more := live / 2
	if t.loading.Load() {
		more = live
	}
	t.replace(s, old, min(s.limit, max(live+more, 7)), drop)
	s.hand += old.len() / 8
}

// fit leaves each shard as many slots as its answers need, and a few.
func (t *table) fit() {
	t.loading.Store(false)
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		if old := s.slots.Load(); old != nil {
			live, _ := t.count(old)
			t.replace(s, old, min(s.limit, max(live+live/64, 7)), func(bool) bool { return false })
		}
		s.mu.Unlock()
	}
}

// count returns how many answers hold, and how many of these somebody has asked for.
func (t *table) count(s *slots) (live, seen int) {
	for i := range s.len() {
		if a := s.slot(i); t.holds(a) {
			live++
			seen += int(a.bits.Load() >> 63)
		}
	}
	return live, seen
}

// replace gives a shard slots with so much room, and the answers that hold but for those that are to be dropped.
func (t *table) replace(s *shard, old *slots, room int, drop func(seen bool) bool) {
	next := newSlots(room)
	s.used = 0
	for n := range old.len() {
		i := (s.hand + n) % old.len()
		a := old.slot(i)
		value := a.bits.Load()
		if !t.holds(a) || drop(value&seenBit != 0) {
			continue
		}
		next.put(fingerprint{a.high.Load(), a.low.Load()}, value&^seenBit, a.holds.Load(), old.detail(i).about.Load())
		s.used++
	}
	s.twos.Store(uint64(len(next.answers)))
	s.slots.Store(next)
}

// surplus returns what decides which answers go: a quarter, as far as nobody has asked for them since the last time; and
// if that isn't an eighth, one in eight of those that were asked for.
func surplus(live, unseen int) (drop func(seen bool) bool) {
	left, asked := live/4, 0
	some := unseen < live/8
	return func(seen bool) bool {
		if seen {
			asked++
			return some && asked%8 == 0
		}
		left--
		return left >= 0
	}
}

// holds reports whether a slot has an answer that holds, as far as the epoch goes.
func (t *table) holds(a *slot) bool {
	return a.high.Load() != 0 && uint32(a.holds.Load()>>32) == t.epoch(place{fingerprint{low: a.low.Load()}}).Load()
}

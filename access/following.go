package access

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// A Following is what one follower does with the registry: it takes a place there, polls, acknowledges, and knows for how
// long what is remembered counts after that. A Cache has one, and so has the watcher of casbinadapter; it is for others
// who remember what a Service decided. It remembers nothing itself. It is safe for concurrent use.
type Following struct {
	registry Registry
	now      func() time.Time
	random   io.Reader
	lease    atomic.Pointer[lease]
	known    atomic.Pointer[FollowerID] // the last id, for those who settle

	mu           sync.Mutex // one poll at a time
	id           FollowerID // empty if the next one has to be new
	registered   bool       // under the id: if not, an answer may have been lost
	acknowledged uint64     // as long as the lease isn't over
}

// NewFollowing returns a Following at a registry, which every storage backend is, by a clock as Config.Now, and with
// randomness for its ids. It panics if one of them is nil. Nobody waits for it before its first Poll.
func NewFollowing(registry Registry, now func() time.Time, random io.Reader) *Following {
	if registry == nil || now == nil || random == nil {
		panic("access: NewFollowing without a registry, a clock or randomness")
	}
	return &Following{registry: registry, now: now, random: random}
}

// Poll asks the registry once what has changed, and has follow make wrong what is remembered from before: everything if
// anew is true, because there was no lease any more and a backup may have been restored since; otherwise what happened in
// the change feed between the heads of the last position that was followed and those of this one. When follow has returned
// without an error, the ticket is acknowledged, and only then what is remembered counts: for the position's lease, from
// before the question was sent. A Following that isn't registered, or not any more, registers first.
//
// If Poll fails, nothing counts for longer than before, and the next one makes up for it. Its errors are the storage's and
// those of follow, and a context's where the registry takes longer than ten seconds. While follow runs, other polls and Stop
// wait.
func (f *Following) Poll(ctx context.Context, follow func(ctx context.Context, position Position, anew bool) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	start, before, position, err := f.ask(ctx)
	if err != nil {
		return err
	}
	if err := follow(ctx, position, !before.covers(start)); err != nil {
		return err
	}
	if err := f.acknowledge(ctx, position.Ticket); err != nil {
		return err
	}
	f.lease.CompareAndSwap(before, &lease{start, position.Lease}) // unless it was dropped meanwhile
	return nil
}

// Certain reports whether what is remembered counts at a time, which is one of the Following's clock. Ask before you look
// at what is remembered, or at a time when no poll can change that: an answer from before a poll doesn't count after it.
func (f *Following) Certain(now time.Time) bool { return f.lease.Load().covers(now) }

// Stop gives up the lease and the place in the registry, so that nobody waits for who is gone. If that can't be reached
// within a second, those who settle wait for one lease more. A later Poll begins anew.
func (f *Following) Stop(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lease.Store(nil)
	if f.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_ = f.registry.Unfollow(ctx, math.MaxInt64, f.id)
	f.id, f.registered = "", false
}

// drop ends the lease at once: what is remembered counts again when a poll that begins later has followed everything anew.
func (f *Following) drop() { f.lease.Store(new(lease)) }

var errEvicted = errors.New("access: the follower was no longer registered: it had been silent for longer than its lease")

// ask polls the registry, and returns when it began to and the lease that there was.
func (f *Following) ask(ctx context.Context) (start time.Time, before *lease, p Position, err error) {
	for range 2 {
		if err := f.register(ctx); err != nil {
			return start, nil, p, err
		}
		start, before = f.now(), f.lease.Load()
		if !before.covers(start) { // a backup may have been restored since, without what was acknowledged
			f.acknowledged = 0
		}
		p, err = f.poll(ctx)
		if err != nil || p.Registered {
			return start, before, p, err
		}
		f.evicted()
	}
	return start, nil, p, errEvicted
}

func (f *Following) poll(ctx context.Context) (Position, error) {
	ctx, cancel := context.WithTimeout(ctx, pollPatience)
	defer cancel()
	return f.registry.Poll(ctx, f.id)
}

// pollPatience is how long the registry may take to answer, so that a connection that is dead doesn't end a look at the
// change feed for ever.
const pollPatience = 10 * time.Second

// register takes a place in the registry if there is none. Where it isn't known whether that failed, the same id is tried
// again: a second one would leave a follower behind that never acknowledges, for which the next who settles would wait.
// If the id is taken then, it is our own. It makes no difference how long ago it was: we say nothing by a place in the
// registry before the first poll, which begins after this.
func (f *Following) register(ctx context.Context) error {
	if f.registered {
		return nil
	}
	tried := f.id != ""
	if !tried {
		var id [16]byte
		if _, err := io.ReadFull(f.random, id[:]); err != nil {
			return err
		}
		f.id = FollowerID(hex.EncodeToString(id[:]))
		name := f.id
		f.known.Store(&name)
	}
	ctx, cancel := context.WithTimeout(ctx, pollPatience)
	defer cancel()
	err := f.registry.Follow(ctx, f.id)
	if exists := errors.Is(err, ErrExists); exists && !tried {
		f.id = "" // somebody else's
	} else if exists {
		err = nil
	}
	if err != nil {
		return err
	}
	f.registered = true
	return nil
}

// acknowledge lets those go on who wait until what they did was followed.
func (f *Following) acknowledge(ctx context.Context, ticket uint64) error {
	if ticket == f.acknowledged { // a lower one is of a registry that was restored from a backup
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pollPatience)
	defer cancel()
	err := f.registry.Acknowledge(ctx, f.id, ticket)
	if errors.Is(err, ErrNotFound) {
		f.evicted()
		return errEvicted
	}
	if err == nil {
		f.acknowledged = ticket
	}
	return err
}

// evicted notes that nobody waits for this follower any more.
func (f *Following) evicted() {
	f.lease.Store(nil)
	f.id, f.registered = "", false
}

// isFollower reports whether a follower is, or was of late, this one.
func (f *Following) isFollower(id FollowerID) bool {
	known := f.known.Load()
	return known != nil && *known == id
}

// A lease is how long what is remembered counts without asking again: by the monotonic clock, which nobody sets, and by
// that of the wall, which doesn't stop when the machine sleeps.
type lease struct {
	start  time.Time
	length time.Duration
}

func (l *lease) covers(now time.Time) bool {
	if l == nil {
		return false
	}
	passed, byTheWall := now.Sub(l.start), time.Duration(now.UnixNano()-l.start.UnixNano())
	return passed >= 0 && passed < l.length && byTheWall >= 0 && byTheWall < l.length
}

package casbinadapter

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math"
	"time"

	"github.com/rosterkit/roster/access"
)

// A lease is how long what a watcher has loaded counts without asking again: by the monotonic clock, which nobody sets,
// and by that of the wall, which doesn't stop when the machine sleeps.
type lease struct {
	start  time.Time
	length time.Duration
}

func (l *lease) covers(now time.Time) bool {
	if l == nil {
		return false
	}
	passed, byTheWall := now.Sub(l.start), now.Round(0).Sub(l.start.Round(0))
	return passed >= 0 && passed < l.length && byTheWall >= 0 && byTheWall < l.length
}

var errEvicted = errors.New("casbinadapter: the watcher was no longer registered: it had been silent for longer than its lease")

// position asks the registry what has changed, and returns when it began to. It registers the watcher as a follower if it
// isn't one, or no longer.
func (w *Watcher) position(ctx context.Context) (start time.Time, p access.Position, err error) {
	for range 2 {
		if w.follower == "" {
			if err := w.register(ctx); err != nil {
				return start, p, err
			}
		}
		start = w.adapter.now()
		if !w.adapter.lease.Load().covers(start) { // a backup may have been restored since, without what was acknowledged
			w.acknowledged = 0
		}
		p, err = w.adapter.registry.Poll(ctx, w.follower)
		if err != nil || p.Registered {
			return start, p, err
		}
		w.evicted()
	}
	return start, p, errEvicted
}

func (w *Watcher) register(ctx context.Context) error {
	var id [16]byte
	rand.Read(id[:])
	follower := access.FollowerID(hex.EncodeToString(id[:]))
	if err := w.adapter.registry.Follow(ctx, follower); err != nil {
		return err
	}
	w.follower, w.acknowledged = follower, 0
	return nil
}

// acknowledge lets those go on who wait until this watcher has followed what they did.
func (w *Watcher) acknowledge(ctx context.Context, ticket uint64) error {
	if ticket == w.acknowledged { // a lower one is of a registry that was restored from a backup
		return nil
	}
	err := w.adapter.registry.Acknowledge(ctx, w.follower, ticket)
	if errors.Is(err, access.ErrNotFound) {
		w.evicted()
		return errEvicted
	}
	if err == nil {
		w.acknowledged = ticket
	}
	return err
}

// evicted notes that nobody waits for this watcher any more. What it has loaded stays: the feed tells what it misses.
func (w *Watcher) evicted() {
	w.adapter.lease.Store(nil)
	w.follower = ""
}

// stop gives up the lease and the place in the registry, so that nobody waits for who is gone.
func (w *Watcher) stop(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.adapter.lease.Store(nil)
	if w.follower == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	// If it fails, who settles waits for one lease more.
	_ = w.adapter.registry.Unfollow(ctx, math.MaxInt64, w.follower)
	w.follower = ""
}

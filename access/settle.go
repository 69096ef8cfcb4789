package access

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// caches are the Caches of one process on one Service.
type caches struct {
	mu      sync.Mutex
	all     []*Cache
	settled settlements
}

func (c *caches) add(cache *Cache) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(slices.Clip(c.all), cache)
}

func (c *caches) list() []*Cache {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}

// expire makes wrong what the process remembers of an account.
func (c *caches) expire(account AccountID) {
	for _, cache := range c.list() {
		cache.table.expire(account)
	}
}

// expireAfter is expire for when what the transaction does to an account is there.
func (c *caches) expireAfter(tx Tx, account AccountID) {
	tx.AfterCommit(func() { c.expire(account) })
}

// narrows reports whether an event takes something away: what has to be over when the verb returns.
func narrows(kind EventKind, before, after Facts) bool {
	switch kind {
	case EventMemberPermissions:
		return before.Permissions&^after.Permissions != 0
	case EventMemberExpiry:
		return !after.Expires.IsZero() && (before.Expires.IsZero() || after.Expires.Before(before.Expires))
	case EventMemberSuspended, EventMemberRemoved, EventMemberLeft, EventOwnerChanged, EventOwnerSteppedDown,
		EventAccountSuspended, EventAccountClosed:
		return true
	}
	return false
}

// mayNarrow reports whether events of a kind can take something away, of those that a verb repeats without recording.
func mayNarrow(kind EventKind) bool {
	switch kind {
	case EventMemberPermissions, EventMemberExpiry, EventMemberSuspended, EventOwnerChanged, EventAccountSuspended, EventAccountClosed:
		return true
	}
	return false
}

// Settle returns when no process answers any more, from memory, as things were before these revisions: all followers have
// heard of them, or have outlived their lease. Verbs that take something away settle by themselves. It is for changes made
// through Within, which weren't committed yet when the verb returned. ErrUnsettled, with the cause, if the context ends
// sooner or the registry can't be reached; it can be called again.
func (s *Service) Settle(ctx context.Context, revisions ...Revision) error {
	for _, r := range revisions {
		s.caches.expire(r.Account)
	}
	if err := s.settle(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsettled, err)
	}
	return nil
}

// settlePause is how long settling waits before it asks again who has acknowledged: a little, then longer.
const (
	settlePause    = time.Millisecond
	maxSettlePause = 5 * time.Millisecond
)

func (s *Service) settle(ctx context.Context) error {
	began := s.config.Now()
	w, err := s.waitForFollowers(ctx)
	if err != nil || w == nil {
		return err
	}
	for wait := settlePause; ; wait = min(2*wait, maxSettlePause) {
		done, err := w.over(ctx)
		if err != nil {
			return err
		}
		if done {
			s.caches.settled.times.Add(1)
			s.caches.settled.last.Store(int64(s.config.Now().Sub(began)))
			return nil
		}
		pause(ctx, wait)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// A waiting waits for those followers who had not heard, when a ticket was drawn, what was committed before.
type waiting struct {
	service  *Service
	ticket   uint64
	drawn    time.Time
	patience time.Duration // after which a follower that hasn't acknowledged answers from memory no more
	looked   time.Time     // last, at the registry
	away     bool          // whether it didn't look for that long
}

// waitForFollowers draws a ticket for them; it returns nil if there is nobody to wait for.
func (s *Service) waitForFollowers(ctx context.Context) (*waiting, error) {
	others, err := s.others(ctx, 0)
	if err != nil || len(others) == 0 {
		return nil, err
	}
	looked := s.config.Now()
	ticket, wait, err := s.registry.DrawTicket(ctx)
	if err != nil {
		return nil, err
	}
	// Clocks don't run at quite the same speed.
	return &waiting{service: s, ticket: ticket, drawn: s.config.Now(), patience: wait + wait/100 + 5*time.Millisecond, looked: looked}, nil
}

// over reports whether nobody is left to wait for. Whoever has outlived the lease is deleted, or everybody would wait for
// the dead each time. Only after looking away for long nobody is: a backup may have been restored, in which the ticket was
// never drawn, and those who are left may be alive.
func (w *waiting) over(ctx context.Context) (bool, error) {
	left, err := w.service.others(ctx, w.ticket)
	if err != nil || len(left) == 0 {
		return err == nil, err
	}
	now := w.service.config.Now()
	w.away = w.away || now.Sub(w.looked) >= w.patience
	w.looked = now
	if now.Sub(w.drawn) < w.patience {
		return false, nil
	}
	if !w.away {
		w.unfollow(ctx, left)
	}
	return true, nil
}

// unfollow deletes who outlived the lease, unless that takes long, as it does while one of them stands still in the middle
// of acknowledging: then those who settle next try again.
func (w *waiting) unfollow(ctx context.Context, left []FollowerID) {
	const soon = 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	_ = w.service.registry.Unfollow(ctx, w.ticket, left...)
}

// others returns the followers in other processes that haven't acknowledged a ticket; with 0, all of them.
func (s *Service) others(ctx context.Context, ticket uint64) ([]FollowerID, error) {
	followers, err := s.registry.Followers(ctx)
	if err != nil {
		return nil, err
	}
	var others []FollowerID
	own := s.caches.list()
	for _, f := range followers {
		ours := slices.ContainsFunc(own, func(c *Cache) bool { return c.following.isFollower(f.ID) })
		if !ours && (ticket == 0 || f.Acknowledged < ticket) {
			others = append(others, f.ID)
		}
	}
	return others, nil
}

// SetLease sets for all processes how long they may answer from memory after they last asked what has changed. A shorter
// one is in force when SetLease returns, after as long as the old one, unless somebody has set another one meanwhile: then
// theirs is, when theirs returns. ErrInvalid for less than a millisecond; the storage's errors, and the context's if it ends
// meanwhile: call it again then.
func (s *Service) SetLease(ctx context.Context, lease time.Duration) error {
	if err := s.registry.SetLease(ctx, lease); err != nil {
		return err
	}
	// Read afterwards: somebody else's lease that has been in force until now is waited for too.
	position, err := s.registry.Poll(ctx, "")
	if err != nil || position.Wait <= position.Lease {
		return err
	}
	pause(ctx, position.Wait+position.Wait/100+5*time.Millisecond)
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.registry.ShortenWait(ctx, position.LeaseChanges)
}

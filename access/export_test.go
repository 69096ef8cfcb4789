package access

import (
	"context"
	"time"
)

// What the simulation's mutants do otherwise than this package.

// Stop ends what Run began.
func (c *Cache) Stop(ctx context.Context) { c.following.Stop(ctx) }

// Extend gives the lease.
func (c *Cache) Extend(start time.Time, length time.Duration) {
	c.following.lease.Store(&lease{start, length})
}

// PollOn polls as if the lease were never over.
func (c *Cache) PollOn(ctx context.Context) error {
	return c.following.Poll(ctx, func(ctx context.Context, p Position, _ bool) error { return c.hear(ctx, p, false) })
}

// Counted returns how many hits were counted since the last turn.
func (c *Cache) Counted() uint64 { return c.hits.counted.Load() }

// Certain reports whether what is remembered counts now.
func (c *Cache) Certain() bool { return c.certain(c.service.config.Now()) }

// Remember remembers a grant as one that was read, and given to somebody, just now.
func (c *Cache) Remember(user UserID, account AccountID, g Grant) {
	p := c.table.place(user, account)
	c.remember(p, c.table.epoch(p).Load(), g, c.service.config.Now())
	c.table.hand(p)
}

// FindFirst returns what is remembered, if that is certain by the lease that there is after it was found.
func (c *Cache) FindFirst(user UserID, account AccountID) (held Permission, ok bool) {
	held, _, ok = c.table.find(c.table.place(user, account))
	return held, ok && c.certain(c.service.config.Now())
}

// JoinAnyway has the next caller join the flight under way, whatever happened since it began.
func (c *Cache) JoinAnyway(user UserID, account AccountID) {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if f := c.flights.reading[pair{user, account}]; f != nil {
		f.epoch = c.table.epoch(c.table.place(user, account)).Load()
	}
}

// JoinUncertain is what is read from the database by joining a flight, with a lease or without one.
func (c *Cache) JoinUncertain(ctx context.Context, user UserID, account AccountID) (Grant, error) {
	return c.Join(user, account)(ctx)
}

// Join joins a flight, and returns how to wait for it.
func (c *Cache) Join(user UserID, account AccountID) (wait func(context.Context) (Grant, error)) {
	f := c.join(user, account)
	return func(ctx context.Context) (Grant, error) {
		select {
		case <-f.done:
			return f.grant, f.err
		case <-ctx.Done():
			return Grant{}, ctx.Err()
		}
	}
}

// A Waiting is what settling does, step by step.
type Waiting = waiting

// WaitForFollowers begins to settle. It returns nil if there is nobody to wait for.
func (s *Service) WaitForFollowers(ctx context.Context) (*Waiting, error) {
	return s.waitForFollowers(ctx)
}

// Over is one look at who has acknowledged.
func (w *waiting) Over(ctx context.Context) (bool, error) { return w.over(ctx) }

// CountFrom has the waiting have begun at a time.
func (w *waiting) CountFrom(begin time.Time) { w.drawn = begin }

// LookAt has the waiting have looked at who has acknowledged at a time.
func (w *waiting) LookAt(last time.Time) { w.looked = last }

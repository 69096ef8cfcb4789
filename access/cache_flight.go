package access

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// flights are the reads that several callers wait for.
type flights struct {
	mu      sync.Mutex
	reading map[pair]*flight
	running *sync.WaitGroup // those that have begun since land was called
}

// land waits for the flights under way. Those who ask on meanwhile begin others, which it doesn't wait for.
func (f *flights) land() {
	f.mu.Lock()
	running := f.running
	f.running = nil
	f.mu.Unlock()
	if running != nil {
		running.Wait()
	}
}

type pair struct {
	user    UserID
	account AccountID
}

// A flight is one read, for everybody who asks while it is under way and still counts.
type flight struct {
	epoch uint32
	done  chan struct{}
	grant Grant
	err   error
}

// flightPatience is how long a flight may take: the contexts of those who wait for it may end sooner.
const flightPatience = 10 * time.Second

// ask decides by the database: for several callers at once, if what one of them reads is as good for the others.
func (c *Cache) ask(ctx context.Context, user UserID, account AccountID, p Permission) (bool, error) {
	var g Grant
	var err error
	if p&c.database == 0 {
		g, err = c.fetch(ctx, user, account)
	} else {
		c.counts.misses.Add(1)
		g, err = c.read(ctx, user, account)
	}
	if err != nil {
		return false, err
	}
	return g.Can(p, c.service.config.Now()), nil
}

// fetch returns a grant from the database.
func (c *Cache) fetch(ctx context.Context, user UserID, account AccountID) (Grant, error) {
	c.counts.misses.Add(1)
	if ctx.Value(UnitKey{}) != nil {
		return c.read(ctx, user, account)
	}
	if !c.certain(c.service.config.Now()) { // who reads for somebody else may have begun before what this caller knows
		g, err := c.read(ctx, user, account)
		return g, stale(ctx, err)
	}
	f := c.join(user, account)
	select {
	case <-f.done:
		return f.grant, f.err
	case <-ctx.Done():
		return Grant{}, ctx.Err()
	}
}

// stale returns what it means that the database can't be asked where memory is too old.
func stale(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || errors.Is(err, ErrInvalid) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrStale, err)
}

// join returns the flight under way for a pair, if nothing has changed since it began, or a new one. It isn't the first
// caller's: that one may go while others wait.
func (c *Cache) join(user UserID, account AccountID) *flight {
	key := pair{user, account}
	epoch := c.table.epoch(c.table.place(user, account)).Load()
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if f := c.flights.reading[key]; f != nil && f.epoch == epoch {
		return f
	}
	if c.flights.reading == nil {
		c.flights.reading = make(map[pair]*flight)
	}
	if c.flights.running == nil {
		c.flights.running = new(sync.WaitGroup)
	}
	f := &flight{epoch: epoch, done: make(chan struct{})}
	c.flights.reading[key] = f
	c.flights.running.Go(func() { c.fly(key, f) })
	return f
}

func (c *Cache) fly(key pair, f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), flightPatience)
	defer cancel()
	f.err = errPanicked
	defer func() { // also where the storage ends the goroutine
		c.flights.mu.Lock()
		defer c.flights.mu.Unlock()
		if c.flights.reading[key] == f {
			delete(c.flights.reading, key)
		}
		close(f.done)
	}()
	f.grant, f.err = c.read(ctx, key.user, key.account)
}

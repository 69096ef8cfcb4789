package access

import (
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// CacheConfig is what a Cache can be told. The zero value works.
type CacheConfig struct {
	// Entries is how many answers are remembered at most, about; each takes up to 48 bytes when all are there, and up to
	// 72 on the way, 96 while Preload runs, or three times as much where there are only a few thousand. A million by default.
	Entries int
	// Poll is how long Run waits between two looks at the change feed: a tenth of a second by default. It has to be well
	// below the lease, which is the registry's, a second if nobody has set it.
	Poll time.Duration
	// Listen, if it isn't nil, wakes Run before Poll is over, so that a longer Poll does. It runs until the context ends or
	// what it listens to is lost, calls woken as soon as it listens and whenever a revocation wants to settle, and returns
	// why it ended; Run waits for it to return. It is called again after that, once per Poll. When it ends after it has
	// listened, nothing that is remembered counts until everything was heard anew. A wake-up that is lost makes who settles
	// wait longer, and does no other harm. pgxtx.Listen is one, for PostgreSQL.
	Listen func(ctx context.Context, woken func()) error
	// Single says that nobody writes to the database but this Service: no other process, and no other Service. Then
	// nothing is followed, and nobody waits for this process. If it isn't so, revoked access goes on.
	Single bool
	// SensitiveToo has permissions answered from memory that the catalog calls sensitive.
	SensitiveToo bool
	// Log hears when the feed can't be read, and when the storage panicked for the first time. slog.Default() by default.
	Log *slog.Logger
	// Random is where fingerprints have their key from and followers their ids; crypto/rand by default.
	Random io.Reader
}

// A Cache answers Can from memory. It reads the database when it doesn't know, and when it can't be sure any more: a yes
// counts only for one lease after the last time that it asked, with success, what has changed. So access that was revoked
// and settled, in whatever process, is over here too.
//
// It follows the change feed only while Run runs; without that it asks the database each time, unless it is the Single one.
// Changes that are made through the same Service, or one that invite and contact were given, show at once. After a unit of
// work inside a transaction of the host, call Settle.
//
// While a backup is restored, nobody may reach the database for longer than the lease was of late: then everybody forgets
// what they remember of the other one.
//
// A Cache is safe for concurrent use. Don't ask it with the context of a unit of work, of which it doesn't know what was
// written there.
type Cache struct {
	table     table // first, for its places in the lines of the processor's cache
	service   *Service
	config    CacheConfig
	database  Permission // bits that are never answered from memory
	zero      time.Time  // of the table's time
	following Following
	heads     [Shards]FeedHead // up to which changes were heard; of use during a poll only
	flights   flights
	panicked  sync.Once // the storage
	reached   reached
	hits      hits
	counts    counts
}

var _ Authorizer = (*Cache)(nil)

// NewCache returns a Cache in front of what a Service decides. It panics if a number in the configuration is negative, or
// if there is no randomness.
func NewCache(service *Service, config CacheConfig) *Cache {
	if service == nil {
		panic("access: NewCache without a Service")
	}
	if config.Entries < 0 || config.Poll < 0 {
		panic("access: a number of the Cache's configuration is negative")
	}
	if config.Entries == 0 {
		config.Entries = 1_000_000
	}
	if config.Poll == 0 {
		config.Poll = 100 * time.Millisecond
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	if config.Random == nil {
		config.Random = cryptorand.Reader
	}
	key, err := newSipKey(config.Random)
	if err != nil {
		panic("access: no randomness for a Cache")
	}
	c := &Cache{
		service: service, config: config, zero: service.config.Now(),
		following: Following{registry: service.registry, now: service.config.Now, random: config.Random},
	}
	c.table.prepare(key, config.Entries)
	if !config.SensitiveToo {
		c.database = service.catalog.Sensitive()
	}
	service.caches.add(c)
	return c
}

// Can reports whether a user may do all of p in an account, from memory if that is certain. Its errors are those of
// Service.Can, and ErrStale if memory is too old and the database can't be asked.
func (c *Cache) Can(ctx context.Context, user UserID, account AccountID, p Permission) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if p&c.database != 0 {
		return c.ask(ctx, user, account, p)
	}
	place := c.table.place(user, account)
	lease := c.following.lease.Load() // from here on as recall does: a call would be a part of what it takes
	held, until, ok := c.table.find(place)
	switch { // by the condition of recall
	case !ok:
		return c.ask(ctx, user, account, p)
	case until == 0 && c.config.Single: // whatever the time is
	case !c.fresh(lease, until):
		return c.ask(ctx, user, account, p)
	}
	if c.hits.counts(place) {
		c.hits.count()
	}
	return held.Has(p), nil
}

// recall returns the bits that are remembered, if that is certain.
//
// The lease is looked at before the table. In the other order, this process could have been paused before it looked at the
// lease, have found an old answer, and then looked at a lease that began only when the answer had been made wrong.
func (c *Cache) recall(p place) (held Permission, ok bool) {
	lease := c.following.lease.Load()
	held, until, ok := c.table.find(p)
	return held, ok && (until == 0 && c.config.Single || c.fresh(lease, until))
}

// fresh reports whether an answer counts now that was found after the lease had been looked at.
func (c *Cache) fresh(lease *lease, until uint32) bool {
	now := c.service.config.Now()
	return (c.config.Single || lease.covers(now)) && (until == 0 || c.seconds(now) < until)
}

// certain reports whether what is found from now on counts at a time.
func (c *Cache) certain(now time.Time) bool { return c.config.Single || c.following.Certain(now) }

// seconds returns a time as the table has it.
func (c *Cache) seconds(t time.Time) uint32 { return uint32(max(0, t.Unix()-c.zero.Unix())) }

// answerOf returns what is to be remembered of a grant that was read at a time, and whether that makes sense.
func (c *Cache) answerOf(g Grant, now time.Time) (a answer, ok bool) {
	a = answer{bits: g.Effective(now), kind: kindOf(g), version: g.Version, read: c.seconds(now)}
	for _, change := range []time.Time{g.Starts, g.Expires} {
		if change.IsZero() || !now.Before(change) {
			continue
		}
		// Rounded down: near the moment the database is asked.
		if seconds := change.Unix() - c.zero.Unix(); a.until == 0 || seconds < int64(a.until) {
			a.until = uint32(min(max(seconds, 0), 1<<32-1))
		}
		if a.until <= a.read {
			return a, false
		}
	}
	return a, true
}

func kindOf(g Grant) kind {
	switch {
	case g.Account != AccountActive:
		return otherwise
	case g.Owner:
		return owner
	case g.Status == 0:
		return stranger
	case g.Status == Active && g.Starts.IsZero() && g.Expires.IsZero():
		return member
	}
	return otherwise
}

// errPanicked is what becomes of a panic of the storage's.
var errPanicked = errors.New("access: the storage panicked")

// shielded asks the storage, and makes an error of a panic. The first one is logged. What was thrown may hold a secret: only
// an error of the runtime is repeated.
func (c *Cache) shielded(ctx context.Context, ask func() error) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		thrown := recover()
		text := fmt.Sprintf("%T", thrown)
		if e, ok := thrown.(runtime.Error); ok {
			text = e.Error()
		}
		c.panicked.Do(func() {
			c.config.Log.ErrorContext(ctx, "the storage panicked", "panic", text, "stack", string(debug.Stack()))
		})
		err = errPanicked
	}()
	err = ask()
	returned = true
	return err
}

// read reads a grant from the database and remembers it.
func (c *Cache) read(ctx context.Context, user UserID, account AccountID) (g Grant, err error) {
	p := c.table.place(user, account)
	epoch := c.table.epoch(p).Load() // before the answer is: what changes meanwhile makes it wrong
	err = c.shielded(ctx, func() (err error) {
		g, err = c.service.Grant(ctx, user, account)
		return err
	})
	if err != nil {
		return Grant{}, err
	}
	c.remember(p, epoch, g, c.service.config.Now())
	return g, nil
}

// remember keeps a grant that was read when the epoch was the given one, if that makes sense at this time.
func (c *Cache) remember(p place, epoch uint32, g Grant, now time.Time) {
	if a, ok := c.answerOf(g, now); ok {
		c.table.keep(p, epoch, a)
	}
}

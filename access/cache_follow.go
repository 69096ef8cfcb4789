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

// A follower is what a Cache knows of the change feed.
type follower struct {
	mu           sync.Mutex                 // one poll at a time
	id           FollowerID                 // empty if it isn't registered
	known        atomic.Pointer[FollowerID] // id, for those who settle
	acknowledged uint64
	followed     bool // heads are where the last poll ended
	heads        [Shards]FeedHead
}

// Run follows the change feed until the context ends, and returns nil. Until it has looked at the feed for the first time,
// and whenever it can't for longer than the lease, the database is asked. A feed that can't be read is logged, and tried
// again.
func (c *Cache) Run(ctx context.Context) error {
	defer c.flights.land()
	if c.config.Single {
		for ctx.Err() == nil {
			pause(ctx, c.config.Poll)
			c.sample.Add(1)
		}
		return nil
	}
	defer c.stop(context.WithoutCancel(ctx))
	failed := false
	for ctx.Err() == nil {
		err := c.Poll(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			c.config.Log.ErrorContext(ctx, "the change feed can't be read", "reason", err.Error())
		}
		failed = err != nil
		pause(ctx, c.config.Poll)
	}
	return nil
}

// Poll looks at the change feed once, as Run does again and again: for tests that want to know when. It registers this
// Cache as a follower if it isn't. Its errors are the storage's.
func (c *Cache) Poll(ctx context.Context) error {
	c.follower.mu.Lock()
	defer c.follower.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, pollPatience)
	defer cancel()
	err := c.follow(ctx)
	c.counts.polls.Add(1)
	c.sample.Add(1)
	if err != nil {
		c.counts.failures.Add(1)
	}
	return err
}

// pollPatience is how long a look at the change feed may take, so that a connection that is dead doesn't end it for ever.
const pollPatience = 10 * time.Second

// follow asks what has changed. The lease begins before the question is sent, and is given only when everything has been
// heard and acknowledged.
func (c *Cache) follow(ctx context.Context) error {
	f := &c.follower
	if f.id == "" {
		if err := c.register(ctx); err != nil {
			return err
		}
	}
	start := c.service.config.Now()
	if !c.certain(start) { // a backup may have been restored since, without what was remembered or acknowledged
		f.followed, f.acknowledged = false, 0
	}
	position, err := c.service.registry.Poll(ctx, f.id)
	if err != nil {
		return err
	}
	if !position.Registered {
		return c.evicted()
	}
	if err := c.hear(ctx, position.Heads); err != nil {
		return err
	}
	if position.Ticket != f.acknowledged { // a lower one is of a registry that was restored from a backup
		err := c.service.registry.Acknowledge(ctx, f.id, position.Ticket)
		if errors.Is(err, ErrNotFound) {
			return c.evicted()
		}
		if err != nil {
			return err
		}
		f.acknowledged = position.Ticket
	}
	c.lease.Store(&lease{start, position.Lease})
	return nil
}

// register begins a follower: what was remembered before counts no more.
func (c *Cache) register(ctx context.Context) error {
	var id [16]byte
	if _, err := io.ReadFull(c.config.Random, id[:]); err != nil {
		return err
	}
	name := FollowerID(hex.EncodeToString(id[:]))
	if err := c.service.registry.Follow(ctx, name); err != nil {
		return err
	}
	c.follower.id, c.follower.acknowledged, c.follower.followed = name, 0, false
	c.follower.known.Store(&name)
	return nil
}

// isFollower reports whether this Cache is a follower's.
func (c *Cache) isFollower(id FollowerID) bool {
	known := c.follower.known.Load()
	return known != nil && *known == id
}

var errEvicted = errors.New("access: the follower was no longer registered: it had been silent for longer than its lease")

// evicted forgets the follower, for whom nobody waits any more.
func (c *Cache) evicted() error {
	c.lease.Store(nil)
	c.follower.id = ""
	return errEvicted
}

// hear makes wrong what is remembered of accounts to which something happened up to these heads.
func (c *Cache) hear(ctx context.Context, heads [Shards]FeedHead) error {
	f := &c.follower
	if !f.followed {
		c.forget()
	} else if heads != f.heads {
		heard, err := c.hearChanges(ctx, heads)
		if err != nil {
			return err
		}
		if !heard {
			c.forget()
		}
	}
	f.heads, f.followed = heads, true
	return nil
}

// forget makes everything wrong that is remembered: this may be another database than before.
func (c *Cache) forget() {
	c.table.expireAll()
	c.reached.clear()
}

// maxHeard is how many changes of a shard are heard one by one.
const maxHeard = 10_000

// hearChanges reports whether it could hear all changes: the feed goes on where the last poll ended, and not too far.
func (c *Cache) hearChanges(ctx context.Context, heads [Shards]FeedHead) (heard bool, err error) {
	err = c.service.read(ctx, func(ctx context.Context, tx Tx) error {
		for shard, head := range heads {
			if head == c.follower.heads[shard] {
				continue
			}
			if heard, err = c.hearShard(ctx, tx, shard, head); err != nil || !heard {
				return err
			}
		}
		heard = true
		return nil
	})
	return heard, err
}

func (c *Cache) hearShard(ctx context.Context, tx Tx, shard int, head FeedHead) (heard bool, err error) {
	last := c.follower.heads[shard]
	if head.Number <= last.Number || head.Number-last.Number > maxHeard {
		return false, nil
	}
	after := last.Number
	if after > 0 { // the last one that was heard is read again: it tells this feed from another one
		after--
	}
	for after < head.Number {
		const page = 1000
		changes, err := tx.Changes(ctx, shard, after, page)
		if err != nil || len(changes) == 0 {
			return false, err
		}
		for _, change := range changes {
			after++
			if change.Number != after || after == last.Number && change.ID != last.Tail {
				return false, nil
			}
			c.table.expire(change.Account)
		}
	}
	return true, nil
}

// stop gives up the lease and the place in the registry, so that nobody waits for who is gone.
func (c *Cache) stop(ctx context.Context) {
	c.follower.mu.Lock()
	defer c.follower.mu.Unlock()
	c.lease.Store(nil)
	if c.follower.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	// If it fails, who settles waits for one lease more.
	_ = c.service.registry.Unfollow(ctx, math.MaxInt64, c.follower.id)
	c.follower.id = ""
}

// pause waits for a while, or for the end of the context.
func pause(ctx context.Context, while time.Duration) {
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

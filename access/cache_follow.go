package access

import (
	"context"
	"math/rand/v2"
	"sync"
)

// Run follows the change feed until the context ends, and returns nil. Until it has looked at the feed for the first time,
// and whenever it can't for longer than the lease, the database is asked. A feed that can't be read is logged, and tried
// again, and so is a Listen that fails.
func (c *Cache) Run(ctx context.Context) error {
	defer c.flights.land()
	if c.config.Single {
		for ctx.Err() == nil {
			pause(ctx, c.config.Poll)
			c.hits.turn(rand.Uint32())
		}
		return nil
	}
	woken, wake := alarm()
	if c.config.Listen != nil {
		var listening sync.WaitGroup
		defer listening.Wait()
		listening.Go(func() { c.listen(ctx, wake) })
	}
	defer c.following.Stop(context.WithoutCancel(ctx))
	failed := false
	for ctx.Err() == nil {
		err := c.Poll(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			c.config.Log.ErrorContext(ctx, "the change feed can't be read", "reason", err.Error())
		}
		failed = err != nil
		pauseUntil(ctx, woken, c.config.Poll)
	}
	return nil
}

// Poll looks at the change feed once, as Run does again and again: for tests that want to know when. It registers this
// Cache as a follower if it isn't. Its errors are the storage's.
func (c *Cache) Poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pollPatience)
	defer cancel()
	err := c.shielded(ctx, func() error { return c.following.Poll(ctx, c.hear) })
	c.counts.polls.Add(1)
	c.hits.turn(rand.Uint32())
	if err != nil {
		c.counts.failures.Add(1)
	}
	return err
}

// hear makes wrong what is remembered of accounts to which something happened up to a position.
func (c *Cache) hear(ctx context.Context, position Position, anew bool) error {
	heard := !anew && near(c.heads, position.Heads)
	if heard && position.Heads != c.heads {
		err := c.service.read(ctx, func(ctx context.Context, tx Tx) (err error) {
			heard, err = Changed(ctx, tx, c.heads, position.Heads, c.table.expire)
			return err
		})
		if err != nil {
			return err
		}
	}
	if !heard {
		c.forget()
	}
	c.heads = position.Heads
	return nil
}

// near reports whether there aren't so many changes of a shard between two positions that hearing of them one by one would
// take longer than reading again what they are about.
func near(since, until [Shards]FeedHead) bool {
	const many = 10_000
	for shard, head := range until {
		if head.Number > since[shard].Number+many {
			return false
		}
	}
	return true
}

// forget makes everything wrong that is remembered: this may be another database than before.
func (c *Cache) forget() {
	c.table.expireAll()
	c.reached.clear()
}

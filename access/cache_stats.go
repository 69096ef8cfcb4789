package access

import (
	"sync/atomic"
	"time"
)

// CacheStats says how a Cache does, since it was made.
type CacheStats struct {
	Entries int    // answers that are remembered, also those that don't count any more
	Hits    uint64 // answers from memory; about, where they are or just were thousands between two polls, or Run doesn't run
	Misses  uint64 // answers from the database

	Follower FollowerID    // empty if it doesn't follow at the moment
	Polls    uint64        // looks at the change feed
	Failed   uint64        // of these, those that failed
	Lag      time.Duration // since the last look that succeeded began; zero if it doesn't follow
	Lease    time.Duration // for how long memory counts after that

	Settled  uint64        // changes of this process of which all others have heard, or have outlived their lease
	Settling time.Duration // how long the last of them took
}

// Stats returns how the Cache does.
func (c *Cache) Stats() CacheStats {
	settled := &c.service.caches.settled
	s := CacheStats{Hits: c.hits.total.Load(), Misses: c.counts.misses.Load(), Polls: c.counts.polls.Load(),
		Failed: c.counts.failures.Load(), Settled: settled.times.Load(), Settling: time.Duration(settled.last.Load())}
	if l, id := c.following.lease.Load(), c.following.known.Load(); l != nil && l.length > 0 && id != nil {
		s.Follower, s.Lag, s.Lease = *id, c.service.config.Now().Sub(l.start), l.length
	}
	for i := range c.table.shards {
		shard := &c.table.shards[i]
		shard.mu.Lock()
		s.Entries += shard.used
		shard.mu.Unlock()
	}
	return s
}

// counts are what Stats tells of one Cache, beside its hits.
type counts struct {
	misses, polls, failures atomic.Uint64
}

// settlements are those that others had to hear of.
type settlements struct {
	times atomic.Uint64
	last  atomic.Int64 // nanoseconds
}

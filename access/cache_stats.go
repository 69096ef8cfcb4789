package access

// CacheStats says how a Cache does.
type CacheStats struct {
	Entries int    // answers that are remembered, also those that don't count any more
	Misses  uint64 // questions that were asked of the database
	Polls   uint64 // looks at the change feed
	Failed  uint64 // of these, those that failed
}

// Stats returns how the Cache does.
func (c *Cache) Stats() CacheStats {
	s := CacheStats{Misses: c.counts.misses.Load(), Polls: c.counts.polls.Load(), Failed: c.counts.failures.Load()}
	for i := range c.table.shards {
		shard := &c.table.shards[i]
		shard.mu.Lock()
		s.Entries += shard.used
		shard.mu.Unlock()
	}
	return s
}

package access_test

import (
	"context"
	"sync"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

// A sequenceFeed has numbers that are taken before the commit, and is read from the highest one on: who commits late is
// lost.
type sequenceFeed struct {
	sequence *sequence
	last     [access.Shards]uint64          // the highest number that was seen
	seen     [access.Shards][]access.Record // what was
}

// A sequence is the numbers of events.
type sequence struct {
	mu      sync.Mutex
	last    uint64
	numbers map[access.EventID]uint64
}

func (s *sequence) next() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	return s.last
}

func (s *sequence) of(event access.EventID) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.numbers[event]
}

type numberedTx struct {
	storage.Tx
	sequence *sequence
	number   uint64
}

func (tx numberedTx) Append(ctx context.Context, r access.Record) error {
	tx.sequence.mu.Lock()
	defer tx.sequence.mu.Unlock()
	if tx.sequence.numbers == nil {
		tx.sequence.numbers = make(map[access.EventID]uint64)
	}
	tx.sequence.numbers[r.ID] = tx.number
	return tx.Tx.Append(ctx, r)
}

// look puts the ends of this feed into a position.
func (f *sequenceFeed) look(ctx context.Context, db storage.DB, position *access.Position) error {
	return db.View(ctx, func(ctx context.Context, tx storage.Tx) (err error) {
		for shard, head := range position.Heads {
			if head.Number > 0 {
				position.Heads[shard], err = f.lookAt(ctx, tx, shard)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// lookAt reads what has a higher number than all that was seen.
func (f *sequenceFeed) lookAt(ctx context.Context, tx storage.Tx, shard int) (head access.FeedHead, err error) {
	changes, err := tx.Changes(ctx, shard, 0, 10_000)
	if err != nil {
		return head, err
	}
	last := f.last[shard]
	for _, r := range changes {
		if number := f.sequence.of(r.ID); number > last {
			f.last[shard] = max(f.last[shard], number)
			r.Number = uint64(len(f.seen[shard])) + 1
			f.seen[shard] = append(f.seen[shard], r)
		}
	}
	if n := len(f.seen[shard]); n > 0 {
		head = access.FeedHead{Number: uint64(n), Tail: f.seen[shard][n-1].ID}
	}
	return head, nil
}

type sequenceTx struct {
	storage.Tx
	feed *sequenceFeed
}

func (tx sequenceTx) Changes(_ context.Context, shard int, after uint64, limit int) ([]access.Record, error) {
	seen := tx.feed.seen[shard]
	seen = seen[min(after, uint64(len(seen))):]
	return seen[:min(limit, len(seen))], nil
}

// A sequenceStore has a sequenceFeed.
type sequenceStore struct {
	*simulatedStore
	feed sequenceFeed
	db   *memory.DB // of the feed
}

func (s *sequenceStore) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	number := s.instance.sequence.next()
	return s.simulatedStore.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		return fn(ctx, numberedTx{tx, &s.instance.sequence, number})
	})
}

func (s *sequenceStore) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	return reach(s.simulatedStore, "Poll", func(db *memory.DB) (access.Position, error) {
		position, err := db.Poll(ctx, id)
		if err != nil || id == "" {
			return position, err
		}
		if db != s.db { // what becomes of a backup is another mutant's matter
			s.feed, s.db = sequenceFeed{sequence: &s.instance.sequence}, db
		}
		return position, s.feed.look(ctx, db, &position)
	})
}

func (s *sequenceStore) Read(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return s.simulatedStore.Read(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, sequenceTx{tx, &s.feed}) })
}

// trustsNumbers follows the feed by its numbers alone, though after a backup was restored they begin again.
type trustsNumbers struct {
	*simulatedStore
	told, last [access.Shards]access.FeedHead
}

func (s *trustsNumbers) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	position, err := s.simulatedStore.Poll(ctx, id)
	if err != nil || id == "" {
		return position, err
	}
	for shard, head := range position.Heads {
		if head.Number <= s.told[shard].Number {
			position.Heads[shard] = s.told[shard]
		}
	}
	s.last, s.told = s.told, position.Heads
	return position, nil
}

func (s *trustsNumbers) Read(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return s.simulatedStore.Read(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, trustingTx{tx, s}) })
}

type trustingTx struct {
	storage.Tx
	store *trustsNumbers
}

func (tx trustingTx) Changes(ctx context.Context, shard int, after uint64, limit int) ([]access.Record, error) {
	changes, err := tx.Tx.Changes(ctx, shard, after, limit)
	for i := range changes {
		if last := tx.store.last[shard]; changes[i].Number == last.Number {
			changes[i].ID = last.Tail
		}
	}
	return changes, err
}

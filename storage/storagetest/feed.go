package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

func feedCases() []testCase {
	return []testCase{
		{"empty", "a feed without events has zero heads", feedEmpty},
		{"numbers", "a shard's events are numbered from 1 without gaps, in the order of commits, and its head is the last",
			feedNumbers},
		{"rolled back", "a unit that is rolled back leaves no gap", feedRolledBack},
		{"pages", "the changes of a shard come in order, after any number and by any page size", feedPages},
		{"several shards", "a unit's events of several accounts are all in the feed, each in its shard", feedSeveralShards},
		{"many writers", "whoever follows the numbers while many write sees every event once, in order", feedFollowed},
	}
}

// inShard returns n accounts of one shard.
func inShard(n int) []access.AccountID {
	ids := []access.AccountID{acme}
	for i := 0; len(ids) < n; i++ {
		if id := access.AccountID(fmt.Sprint("account ", i)); id.Shard() == acme.Shard() {
			ids = append(ids, id)
		}
	}
	return ids
}

// heads reads the ends of the feed.
func (d database) heads() [access.Shards]access.FeedHead {
	d.t.Helper()
	var heads [access.Shards]access.FeedHead
	d.view(func(ctx context.Context, tx storage.Tx) {
		var err error
		heads, err = tx.Feed(ctx)
		require.NoError(d.t, err)
	})
	return heads
}

// checkFeed reads the whole feed, checks its numbers and heads, and returns the events by shard.
func (d database) checkFeed() [access.Shards][]access.Record {
	d.t.Helper()
	var all [access.Shards][]access.Record
	d.view(func(ctx context.Context, tx storage.Tx) {
		heads, err := tx.Feed(ctx)
		require.NoError(d.t, err)
		for shard, head := range heads {
			changes, err := tx.Changes(ctx, shard, 0, 10000)
			require.NoError(d.t, err)
			for i, r := range changes {
				require.EqualValues(d.t, i+1, r.Number, "in shard %d", shard)
				require.Equal(d.t, shard, r.Shard)
				require.Equal(d.t, shard, r.Account.Shard())
			}
			want := access.FeedHead{}
			if n := len(changes); n > 0 {
				want = access.FeedHead{Number: uint64(n), Tail: changes[n-1].ID}
			}
			require.Equal(d.t, want, head, "of shard %d", shard)
			all[shard] = changes
		}
	})
	return all
}

func feedEmpty(t *testing.T, db database) {
	require.Zero(t, db.heads())
	db.insert(acme)
	db.locked(acme, func(context.Context, storage.Tx) {})
	require.Zero(t, db.heads(), "a unit without events")
	db.checkFeed()
}

func feedNumbers(t *testing.T, db database) {
	ids := inShard(3)
	db.insert(ids...)
	var want []access.EventID
	for i := range 7 {
		db.update(func(ctx context.Context, tx storage.Tx) {
			_, err := tx.Lock(ctx, ids...)
			require.NoError(t, err)
			for j := range 3 {
				// Descending ids, to see that it is not they that make the order.
				require.NoError(t, tx.Append(ctx, newRecord(1000-10*i-j, ids[(i+j)%3], access.EventMemberAdded)))
			}
		})
		for j := range 3 {
			want = append(want, access.EventID(uuid(1000-10*i-j)))
		}
		require.Equal(t, access.FeedHead{Number: uint64(3*i + 3), Tail: want[3*i+2]}, db.heads()[acme.Shard()])
	}
	var got []access.EventID
	for _, r := range db.checkFeed()[acme.Shard()] {
		got = append(got, r.ID)
	}
	require.Equal(t, want, got)
}

func feedRolledBack(t *testing.T, db database) {
	db.insert(acme)
	for i := range 3 {
		require.ErrorIs(t, db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Lock(ctx, acme)
			require.NoError(t, err)
			require.NoError(t, tx.Append(ctx, newRecord(100+i, acme, access.EventMemberAdded)))
			return errInjected
		}), errInjected)
		require.EqualValues(t, i, db.heads()[acme.Shard()].Number)
		db.locked(acme, func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.Append(ctx, newRecord(i, acme, access.EventMemberAdded)))
		})
	}
	require.Len(t, db.checkFeed()[acme.Shard()], 3)
}

func feedPages(t *testing.T, db database) {
	ids := inShard(2)
	db.insert(ids...)
	var want []uint64
	for i := range 9 {
		db.locked(ids[i%2], func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.Append(ctx, newRecord(i, ids[i%2], access.EventMemberAdded)))
		})
		want = append(want, uint64(i+1))
	}
	db.view(func(ctx context.Context, tx storage.Tx) {
		for shard := range access.Shards {
			wanted := want
			if shard != acme.Shard() {
				wanted = nil
			}
			pager[uint64, access.Record]{
				page: func(after uint64, limit int) ([]access.Record, error) { return tx.Changes(ctx, shard, after, limit) },
				key:  func(r access.Record) uint64 { return r.Number },
			}.check(t, wanted)
		}
	})
}

func feedSeveralShards(t *testing.T, db database) {
	ids := inShard(2)
	for i := range 20 {
		ids = append(ids, access.AccountID(fmt.Sprint("another ", i)))
	}
	db.insert(ids...)
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, ids...)
		require.NoError(t, err)
		for i := range 2 * len(ids) {
			require.NoError(t, tx.Append(ctx, newRecord(i, ids[i%len(ids)], access.EventMemberAdded)))
		}
	})
	byAccount := make(map[access.AccountID][]access.Record)
	for _, changes := range db.checkFeed() {
		for _, r := range changes {
			byAccount[r.Account] = append(byAccount[r.Account], r)
		}
	}
	for _, id := range ids {
		require.Len(t, byAccount[id], 2)
		equal(t, db.history(id), byAccount[id])
	}
}

// feedFollowed has a follower read along while writers commit and roll back. A follower that ever misses a number
// would never hear of that event: it asks for later ones only.
func feedFollowed(t *testing.T, db database) {
	ids := inShard(4)
	for i := range 4 {
		ids = append(ids, access.AccountID(fmt.Sprint("another ", i)))
	}
	db.insert(ids...)
	const rounds = 12
	var writing atomic.Int32
	writing.Store(int32(len(ids)))
	followed := follower{seen: make(map[access.EventID]bool)}
	errs := together(len(ids)+1, func(i int) error {
		if i == len(ids) {
			return followed.follow(db, &writing)
		}
		defer writing.Add(-1)
		return writeEvents(db, ids[i], 1000*i, rounds)
	})
	require.NoError(t, errors.Join(errs...))
	var n int
	for _, id := range ids {
		verify(db, id)
		n += len(db.history(id))
	}
	require.Len(t, followed.seen, n)
	inFeed := 0
	for _, changes := range db.checkFeed() {
		inFeed += len(changes)
		last := make(map[access.AccountID]access.Record)
		for _, r := range changes {
			before := last[r.Account]
			next := r.Version > before.Version || r.Version == before.Version && r.Index > before.Index
			require.True(t, next, "not in the order of commits")
			last[r.Account] = r
		}
	}
	require.Equal(t, n, inFeed)
}

// writeEvents commits one to three events a round, and rolls back a third of the rounds.
func writeEvents(db database, id access.AccountID, first, rounds int) error {
	for i := range rounds {
		err := db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			if _, err := tx.Lock(ctx, id); err != nil {
				return err
			}
			for j := range 1 + i%3 {
				if err := tx.Append(ctx, newRecord(first+10*i+j, id, access.EventMemberAdded)); err != nil {
					return err
				}
			}
			if i%3 == 1 {
				return errInjected
			}
			return nil
		})
		if err != nil && !errors.Is(err, errInjected) {
			return err
		}
	}
	return nil
}

// A follower reads the changes of each shard after the last number it has seen.
type follower struct {
	last [access.Shards]uint64
	seen map[access.EventID]bool
}

// errGap is what a follower finds that isn't told of some changes but of later ones.
var errGap = errors.New("the feed has a gap")

// follow reads until nobody writes any more, and then once more. One gap is forgiven that isn't there when it looks again:
// MariaDB doesn't take a snapshot at one moment (since MDEV-15104, by InnoDB's source). Whose thread is interrupted in the
// midst of it may miss a change and be told of the next, which waited for that. access.Changed notices gaps.
func (f *follower) follow(db database, writing *atomic.Int32) error {
	for forgiven := false; ; {
		over := writing.Load() == 0
		err := db.View(db.ctx, f.poll)
		if errors.Is(err, errGap) && !over && !forgiven {
			forgiven = true
			continue
		}
		if err != nil || over {
			return err
		}
	}
}

func (f *follower) poll(ctx context.Context, tx storage.Tx) error {
	heads, err := tx.Feed(ctx)
	if err != nil {
		return err
	}
	for shard, head := range heads {
		for f.last[shard] < head.Number {
			changes, err := tx.Changes(ctx, shard, f.last[shard], 5)
			if err != nil {
				return err
			}
			if len(changes) == 0 {
				return fmt.Errorf("%w: shard %d: nothing after %d, head %d", errGap, shard, f.last[shard], head.Number)
			}
			for _, r := range changes {
				if f.seen[r.ID] {
					return fmt.Errorf("shard %d: number %d twice", shard, r.Number)
				}
				if r.Number != f.last[shard]+1 {
					return fmt.Errorf("%w: shard %d: number %d after %d", errGap, shard, r.Number, f.last[shard])
				}
				f.last[shard], f.seen[r.ID] = r.Number, true
			}
		}
	}
	return nil
}

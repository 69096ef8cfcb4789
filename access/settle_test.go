package access_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// A contestedDB has somebody else set a longer lease just before.
type contestedDB struct {
	storage.DB
	longer time.Duration
}

func (db contestedDB) SetLease(ctx context.Context, lease time.Duration) error {
	if err := db.DB.SetLease(ctx, db.longer); err != nil {
		return err
	}
	return db.DB.SetLease(ctx, lease)
}

// TestSetLeaseOutwaitsOthers sets a lease while somebody else does, whose lease a follower may have been given meanwhile.
func TestSetLeaseOutwaitsOthers(t *testing.T) {
	const shorter, before, longer = time.Second, 2 * time.Second, time.Minute
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		require.NoError(t, w.DB.SetLease(t.Context(), before))
		began := time.Now()
		require.NoError(t, access.New(contestedDB{w.DB, longer}, access.Config{}).SetLease(t.Context(), shorter))
		require.Greater(t, time.Since(began), longer)
		p, err := w.DB.Poll(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, shorter, p.Lease)
		require.Equal(t, shorter, p.Wait)
	})
}

// TestSetLeasesOverlap shortens the lease, while somebody else makes it long again and a third shortens it: who came first
// doesn't end the wait for those who were told the long one.
func TestSetLeasesOverlap(t *testing.T) {
	const short, long = time.Second, 10 * time.Second
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx := t.Context()
		wait := func() time.Duration {
			p, err := w.DB.Poll(ctx, "")
			require.NoError(t, err)
			require.Equal(t, short, p.Lease)
			return p.Wait
		}
		members := access.New(w.DB, access.Config{})
		require.NoError(t, members.SetLease(ctx, long))
		var returned [2]chan error
		set := func(i int) {
			returned[i] = make(chan error, 1)
			go func() { returned[i] <- members.SetLease(ctx, short) }()
			synctest.Wait()
		}
		set(0)
		time.Sleep(long / 2)
		require.NoError(t, members.SetLease(ctx, long))
		set(1)
		require.NoError(t, <-returned[0])
		require.Equal(t, long, wait(), "a follower was told the long lease half of it ago")
		require.NoError(t, <-returned[1])
		require.Equal(t, short, wait())
	})
}

package access_test

import (
	"context"
	"errors"
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

// TestRepeatedVerbsSettle: what takes something away settles also where it was done before, by a call that was given up. A
// verb that was removed already isn't found: Settle is for that.
func TestRepeatedVerbsSettle(t *testing.T) {
	for name, tt := range map[string]struct {
		user access.UserID // who can no longer
		verb func(context.Context, *access.Service) error
	}{
		"suspend": {"ivan", func(ctx context.Context, s *access.Service) error {
			_, err := s.Suspend(ctx, olive, "acme", "ivan")
			return err
		}},
		"reduce": {"mona", func(ctx context.Context, s *access.Service) error {
			_, err := s.SetPermissions(ctx, olive, "acme", "mona", access.ManageUsers)
			return err
		}},
		"close": {"ivan", func(ctx context.Context, s *access.Service) error {
			_, err := s.CloseAccount(ctx, signup, "acme")
			return err
		}},
		"transfer": {"olive", func(ctx context.Context, s *access.Service) error {
			_, err := s.TransferByStaff(ctx, signup, "acme", "ghost", 0)
			return err
		}},
		"settle": {"ivan", func(ctx context.Context, s *access.Service) error {
			revision, err := s.Remove(ctx, olive, "acme", "ivan")
			if errors.Is(err, access.ErrNotFound) {
				err = s.Settle(ctx, revision)
			}
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p, db := w.process(access.CacheConfig{}), &impatientDB{DB: w.DB}
			other := access.New(db, access.Config{Now: w.Clock.Now})
			require.True(t, p.can(tt.user, "acme", access.PayInvoices))
			for range 2 {
				require.ErrorIs(t, tt.verb(db.within(t.Context()), other), access.ErrUnsettled)
			}
			require.True(t, p.can(tt.user, "acme", access.PayInvoices))
			require.NoError(t, p.cache.Poll(t.Context()))
			require.False(t, p.can(tt.user, "acme", access.PayInvoices))
		})
	}
}

// An impatientDB has whoever settles give up as soon as they wait.
type impatientDB struct {
	storage.DB
	giveUp context.CancelFunc
}

func (db *impatientDB) within(ctx context.Context) context.Context {
	ctx, db.giveUp = context.WithCancel(ctx)
	return ctx
}

func (db *impatientDB) DrawTicket(ctx context.Context) (uint64, time.Duration, error) {
	defer db.giveUp()
	return db.DB.DrawTicket(ctx)
}

// TestCommitThatIsDoneLate: a verb of unknown outcome may be committed after it was given up. Who does it again, and is told
// that there is nothing to do, isn't answered by what was read in between.
func TestCommitThatIsDoneLate(t *testing.T) {
	w := newWorld(t)
	db := &lateDB{DB: w.DB}
	members := access.New(db, access.Config{Now: w.Clock.Now})
	cache := access.NewCache(members, access.CacheConfig{Single: true, SensitiveToo: true})
	can := func() bool {
		yes, err := cache.Can(t.Context(), "ivan", "acme", access.PayInvoices)
		require.NoError(t, err)
		return yes
	}
	require.True(t, can())
	db.late = true
	_, err := members.Remove(t.Context(), olive, "acme", "ivan")
	require.ErrorIs(t, err, access.ErrUnknownOutcome)
	require.True(t, can(), "it isn't done yet")
	require.NoError(t, db.commit())
	_, err = members.Remove(t.Context(), olive, "acme", "ivan")
	require.ErrorIs(t, err, access.ErrNotFound)
	require.False(t, can())
}

// A lateDB does a unit of work after it has said that its outcome is unknown: what was to follow it was done then.
type lateDB struct {
	storage.DB
	late   bool
	commit func() error
}

func (db *lateDB) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	if !db.late {
		return db.DB.Update(ctx, fn)
	}
	db.late = false
	db.commit = func() error {
		return db.DB.Update(context.WithoutCancel(ctx), func(ctx context.Context, tx storage.Tx) error { return fn(ctx, lateTx{tx}) })
	}
	return access.ErrUnknownOutcome
}

type lateTx struct{ storage.Tx }

func (lateTx) AfterCommit(func()) {}

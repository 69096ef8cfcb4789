package access_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/storage"
)

// A probedDB counts what is read for decisions, and may do something else instead.
type probedDB struct {
	storage.DB
	grants atomic.Int64
	grant  func(read func() (access.Grant, error)) (access.Grant, error)
	poll   func(access.Position, error) (access.Position, error)
	reads  func() error // what happens instead of reading several things
}

func (db *probedDB) Read(ctx context.Context, f func(context.Context, storage.Tx) error) error {
	if db.reads != nil {
		return db.reads()
	}
	return db.DB.Read(ctx, f)
}

func (db *probedDB) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	db.grants.Add(1)
	read := func() (access.Grant, error) { return db.DB.Grant(ctx, account, user) }
	if db.grant != nil {
		return db.grant(read)
	}
	return read()
}

func (db *probedDB) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	position, err := db.DB.Poll(ctx, id)
	if db.poll != nil {
		return db.poll(position, err)
	}
	return position, err
}

// A process is a Service and a Cache of its own on the database of a world.
type process struct {
	*world
	db      *probedDB
	members *access.Service
	cache   *access.Cache
	pause   func() // what happens when the clock is read
}

func (p *process) now() time.Time {
	if pause := p.pause; pause != nil {
		p.pause = nil
		pause()
	}
	return p.Clock.Now()
}

func (w *world) process(config access.CacheConfig) *process {
	w.T.Helper()
	db := &probedDB{DB: w.DB}
	p := &process{world: w, db: db}
	p.members = access.New(db, access.Config{Now: p.now})
	config.SensitiveToo = true
	p.cache = access.NewCache(p.members, config)
	if !config.Single {
		require.NoError(w.T, p.cache.Poll(w.T.Context()))
	}
	return p
}

// can asks the Cache.
func (p *process) can(user access.UserID, account access.AccountID, q access.Permission) bool {
	p.T.Helper()
	yes, err := p.cache.Can(p.T.Context(), user, account, q)
	require.NoError(p.T, err)
	return yes
}

// asked returns how often the database was asked since the last call.
func (p *process) asked() int { return int(p.db.grants.Swap(0)) }

// requireSame asks all there is to ask, and compares with the database. It returns how many questions that were.
func (p *process) requireSame() (questions int) {
	p.T.Helper()
	for _, account := range everyAccount {
		for _, user := range everyUser {
			for _, q := range []access.Permission{0, access.PayInvoices, access.ManageUsers, access.ManageProducts, access.All, 1 << 63,
				access.PayInvoices | access.ManageUsers} {
				want, err := p.world.Members.Can(p.T.Context(), user, account, q)
				require.NoError(p.T, err)
				require.Equal(p.T, want, p.can(user, account, q), "%s in %s: %d", user, account, q)
				questions++
			}
		}
	}
	return questions
}

func TestCacheAnswersFromMemory(t *testing.T) {
	for name, config := range map[string]access.CacheConfig{"single": {Single: true}, "leased": {}} {
		t.Run(name, func(t *testing.T) {
			p := newWorld(t).process(config)
			questions := p.requireSame()
			require.NotZero(t, p.asked())
			before := p.cache.Stats()
			p.requireSame()
			require.Zero(t, p.asked())
			after := p.cache.Stats()
			require.EqualValues(t, questions, after.Hits-before.Hits)
			require.Equal(t, before.Misses, after.Misses)
		})
	}
}

// TestCacheKnowsWhatItsProcessDoes changes everything that decisions depend on.
func TestCacheKnowsWhatItsProcessDoes(t *testing.T) {
	p := newWorld(t).process(access.CacheConfig{Single: true})
	ctx := t.Context()
	do := func(_ access.Revision, err error) {
		t.Helper()
		require.NoError(t, err)
		p.requireSame()
		p.requireSame()
	}
	do(p.members.SetPermissions(ctx, olive, "acme", "ivan", access.OpenTickets))
	do(p.members.Suspend(ctx, olive, "acme", "mona"))
	do(p.members.Reinstate(ctx, olive, "acme", "mona"))
	do(p.members.SetExpiry(ctx, olive, "acme", "ivan", p.Clock.Now().Add(time.Hour)))
	do(p.members.Remove(ctx, olive, "acme", "dave"))
	do(p.members.Leave(ctx, mona, "acme"))
	do(p.members.AddMember(ctx, signup, "acme", "dave", access.Terms{Permissions: access.PayInvoices}))
	do(p.members.SuspendAccount(ctx, signup, "acme"))
	do(p.members.ReactivateAccount(ctx, signup, "acme"))
	do(p.members.TransferByStaff(ctx, signup, "acme", "alma", access.PayInvoices))
	do(p.members.CreateAccount(ctx, signup, access.NewAccount{ID: "fresh", Owner: "nobody", Profile: access.Profile{Name: "Fresh"}}))
	do(p.members.CloseAccount(ctx, signup, "globex"))
	_, err := p.members.Remove(ctx, olive, "acme", "ghost") // who isn't the owner any more
	require.ErrorIs(t, err, access.ErrDenied)
	require.NoError(t, p.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		require.True(t, p.can("ivan", "acme", access.OpenTickets))
		_, err := p.members.Within(tx).Remove(ctx, access.As("alma"), "acme", "ivan")
		return err
	}))
	p.requireSame()
}

func TestCacheKnowsTheTime(t *testing.T) {
	p := newWorld(t).process(access.CacheConfig{Single: true})
	until := p.Clock.Now().Add(90*time.Minute + 500*time.Millisecond)
	_, err := p.members.SetExpiry(t.Context(), olive, "acme", "ivan", until)
	require.NoError(t, err)
	starts := accesstest.Epoch.Add(1000 * time.Hour)
	for _, at := range []time.Time{p.Clock.Now(), until.Add(-time.Second), until.Add(-time.Microsecond), until, until.Add(time.Second),
		starts.Add(-time.Microsecond), starts, starts.Add(time.Hour)} {
		p.Clock.Advance(at.Sub(p.Clock.Now()))
		require.Equal(t, at.Before(until), p.can("ivan", "acme", access.PayInvoices), at)
		require.Equal(t, !at.Before(starts), p.can("nora", "acme", access.PayInvoices), at)
	}
	p.asked()
	p.requireSame()
	p.requireSame()
}

// TestCacheFollows has another process change something.
func TestCacheFollows(t *testing.T) {
	w := newWorld(t)
	p, other := w.process(access.CacheConfig{}), access.New(w.DB, access.Config{Now: w.Clock.Now})
	p.requireSame()
	p.asked()
	_, err := other.SetPermissions(t.Context(), olive, "acme", "ivan", access.PayInvoices|access.OpenTickets)
	require.NoError(t, err)
	require.False(t, p.can("ivan", "acme", access.OpenTickets), "nobody has told")
	require.Zero(t, p.asked())
	require.NoError(t, p.cache.Poll(t.Context()))
	require.True(t, p.can("ivan", "acme", access.OpenTickets))
	require.True(t, p.can("greg", "globex", access.PayInvoices))
	require.Equal(t, 1, p.asked(), "the other account is another matter")
	p.requireSame()
}

func TestCacheCountsForOneLease(t *testing.T) {
	w := newWorld(t)
	p := w.process(access.CacheConfig{})
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
	p.asked()
	w.Clock.Advance(access.DefaultLease - time.Microsecond)
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
	require.Zero(t, p.asked())
	w.Clock.Advance(time.Microsecond)
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
	require.Equal(t, 2, p.asked(), "the lease is over")

	p.db.grant = func(func() (access.Grant, error)) (access.Grant, error) { return access.Grant{}, errBroken }
	yes, err := p.cache.Can(t.Context(), "ivan", "acme", access.PayInvoices)
	require.False(t, yes)
	require.ErrorIs(t, err, access.ErrStale)
	require.ErrorIs(t, err, errBroken)
	p.db.grant = nil

	require.NoError(t, p.cache.Poll(t.Context()))
	w.Clock.Advance(-time.Microsecond) // somebody sets the clock back to before the poll
	p.asked()
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
	require.Equal(t, 1, p.asked())
}

func TestCacheIsNoFollowerAnyMore(t *testing.T) {
	w := newWorld(t)
	p := w.process(access.CacheConfig{})
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
	followers, err := w.DB.Followers(t.Context())
	require.NoError(t, err)
	require.Len(t, followers, 1)
	require.NoError(t, w.DB.Unfollow(t.Context(), 1000, followers[0].ID))
	other := access.New(w.DB, access.Config{Now: w.Clock.Now})
	_, err = other.Remove(t.Context(), olive, "acme", "ivan")
	require.NoError(t, err, "there is nobody to wait for")

	require.NoError(t, p.cache.Poll(t.Context()), "as a new one")
	again, err := w.DB.Followers(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, followers, again)
	p.asked()
	require.False(t, p.can("ivan", "acme", access.PayInvoices))
	require.Equal(t, 1, p.asked(), "what was remembered counts no more")
}

// TestPausedInACheck stops a process in the middle of a check, after it was paused for longer than its lease and somebody
// was removed: while it stands, it hears of that, and gets a new lease.
func TestPausedInACheck(t *testing.T) {
	for name, can := range map[string]func(p *process) bool{
		"can": func(p *process) bool { return p.can("ivan", "acme", access.PayInvoices) },
		"grant": func(p *process) bool {
			g, err := p.cache.Grant(t.Context(), "ivan", "acme")
			require.NoError(t, err)
			return g.Can(access.PayInvoices, p.Clock.Now())
		},
		"filter": func(p *process) bool {
			left, err := p.cache.Filter(t.Context(), "ivan", access.PayInvoices, "acme")
			require.NoError(t, err)
			return len(left) > 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p, other := w.process(access.CacheConfig{}), access.New(w.DB, access.Config{Now: w.Clock.Now})
			require.True(t, can(p))
			w.Clock.Advance(2 * access.DefaultLease)
			followers, err := w.DB.Followers(t.Context())
			require.NoError(t, err)
			require.NoError(t, w.DB.Unfollow(t.Context(), 1000, followers[0].ID)) // as settling does after the lease
			_, err = other.Remove(t.Context(), olive, "acme", "ivan")
			require.NoError(t, err)
			p.pause = func() {
				require.NoError(t, p.cache.Poll(t.Context()), "as a new follower")
			}
			require.False(t, can(p))
		})
	}
}

// TestCacheSeesAnotherFeed has the database become one that was restored from a backup.
func TestCacheSeesAnotherFeed(t *testing.T) {
	shard := access.AccountID("acme").Shard()
	for name, change := range map[string]func(*access.FeedHead){
		"another tail":     func(h *access.FeedHead) { h.Tail = "somebody else's" },
		"fewer events":     func(h *access.FeedHead) { h.Number-- },
		"more, not all":    func(h *access.FeedHead) { h.Number += 5 },
		"far more than it": func(h *access.FeedHead) { h.Number += 1_000_000 },
	} {
		t.Run(name, func(t *testing.T) {
			p := newWorld(t).process(access.CacheConfig{})
			require.True(t, p.can("greg", "globex", access.PayInvoices))
			p.asked()
			p.db.poll = func(position access.Position, err error) (access.Position, error) {
				change(&position.Heads[shard])
				return position, err
			}
			require.NoError(t, p.cache.Poll(t.Context()))
			require.True(t, p.can("greg", "globex", access.PayInvoices))
			require.Equal(t, 1, p.asked())
		})
	}
}

// TestRemovingSettles shows that who removes somebody waits until nobody says yes any more.
func TestRemovingSettles(t *testing.T) {
	w := newWorld(t)
	p, other := w.process(access.CacheConfig{}), access.New(w.DB, access.Config{Now: w.Clock.Now})
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
	removed := make(chan error)
	go func() {
		_, err := other.Remove(t.Context(), olive, "acme", "ivan")
		removed <- err
	}()
	for ticket := uint64(0); ticket == 0; { // it waits now
		position, err := w.DB.Poll(t.Context(), "")
		require.NoError(t, err)
		ticket = position.Ticket
	}
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
	select {
	case <-removed:
		require.Fail(t, "it returned while somebody said yes")
	default:
	}
	require.NoError(t, p.cache.Poll(t.Context()))
	require.False(t, p.can("ivan", "acme", access.PayInvoices))
	require.NoError(t, <-removed)
}

// TestRemovingOutlivesTheDead has a process not poll any more.
func TestRemovingOutlivesTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		dead := access.NewCache(access.New(w.DB, access.Config{Now: time.Now}), access.CacheConfig{})
		require.NoError(t, dead.Poll(t.Context()))
		yes, err := dead.Can(t.Context(), "ivan", "acme", access.PayInvoices)
		require.NoError(t, err)
		require.True(t, yes)
		began := time.Now()
		_, err = access.New(w.DB, access.Config{Now: time.Now}).Remove(t.Context(), olive, "acme", "ivan")
		require.NoError(t, err)
		require.Greater(t, time.Since(began), access.DefaultLease)
		require.Less(t, time.Since(began), access.DefaultLease+50*time.Millisecond)
		yes, err = dead.Can(t.Context(), "ivan", "acme", access.PayInvoices)
		require.NoError(t, err)
		require.False(t, yes)
		followers, err := w.DB.Followers(t.Context())
		require.NoError(t, err)
		require.Empty(t, followers, "or everybody would wait for the dead each time")
	})
}

func TestSettlingIsGivenUp(t *testing.T) {
	w := newWorld(t)
	p, other := w.process(access.CacheConfig{}), access.New(w.DB, access.Config{Now: w.Clock.Now})
	ctx, cancel := context.WithCancel(t.Context())
	removed := make(chan error)
	var revision access.Revision
	go func() {
		var err error
		revision, err = other.Remove(ctx, olive, "acme", "ivan")
		removed <- err
	}()
	for ticket := uint64(0); ticket == 0; {
		position, err := w.DB.Poll(t.Context(), "")
		require.NoError(t, err)
		ticket = position.Ticket
	}
	cancel()
	err := <-removed
	require.ErrorIs(t, err, access.ErrUnsettled)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, access.AccountID("acme"), revision.Account, "it is done")
	require.NoError(t, p.cache.Poll(t.Context()))
	require.False(t, p.can("ivan", "acme", access.PayInvoices))
	settled := make(chan error)
	go func() { settled <- other.Settle(t.Context(), revision) }()
	for done := false; !done; {
		select {
		case err := <-settled:
			require.NoError(t, err)
			done = true
		default:
			require.NoError(t, p.cache.Poll(t.Context()))
		}
	}
}

// TestWhatBeganBeforeDoesntCount holds a read that has seen the row until the row has changed.
func TestWhatBeganBeforeDoesntCount(t *testing.T) {
	p := newWorld(t).process(access.CacheConfig{Single: true})
	seen, change := make(chan struct{}), make(chan struct{})
	p.db.grant = func(read func() (access.Grant, error)) (access.Grant, error) {
		g, err := read()
		close(seen)
		<-change
		return g, err
	}
	first := make(chan bool)
	go func() {
		yes, err := p.cache.Can(t.Context(), "ivan", "acme", access.PayInvoices)
		first <- yes && err == nil
	}()
	<-seen
	p.db.grant = nil
	_, err := p.members.Remove(t.Context(), olive, "acme", "ivan")
	require.NoError(t, err)
	require.False(t, p.can("ivan", "acme", access.PayInvoices), "who comes after the change isn't served what was read before")
	close(change)
	require.True(t, <-first, "who came before may be")
	require.False(t, p.can("ivan", "acme", access.PayInvoices), "and it isn't remembered")
}

func TestOneReadForManyCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newWorld(t).process(access.CacheConfig{Single: true})
		goOn := make(chan struct{})
		p.db.grant = func(read func() (access.Grant, error)) (access.Grant, error) {
			<-goOn
			return read()
		}
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error, 1)
		go func() {
			_, err := p.cache.Can(ctx, "ivan", "acme", access.PayInvoices)
			first <- err
		}()
		synctest.Wait()
		var others sync.WaitGroup
		for range 20 {
			others.Go(func() { require.True(t, p.can("ivan", "acme", access.PayInvoices)) })
		}
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-first, context.Canceled, "one who goes takes nobody along")
		close(goOn)
		others.Wait()
		require.Equal(t, 1, p.asked())
	})
}

// TestReadThatNeverReturns has the storage end the goroutine, as a failed assertion in a test double does.
func TestReadThatNeverReturns(t *testing.T) {
	p := newWorld(t).process(access.CacheConfig{Single: true})
	p.db.grant = func(func() (access.Grant, error)) (access.Grant, error) {
		runtime.Goexit()
		panic("unreachable")
	}
	_, err := p.cache.Can(t.Context(), "ivan", "acme", access.PayInvoices)
	require.Error(t, err)
	p.db.grant = nil
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
}

func TestCacheRemembersNoFailure(t *testing.T) {
	p := newWorld(t).process(access.CacheConfig{Single: true})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx   context.Context
		grant func(func() (access.Grant, error)) (access.Grant, error)
		user  access.UserID
		want  error
	}{
		"cancelled":   {cancelled, nil, "ivan", context.Canceled},
		"error":       {t.Context(), func(func() (access.Grant, error)) (access.Grant, error) { return access.Grant{Owner: true}, errBroken }, "ivan", errBroken},
		"panic":       {t.Context(), func(func() (access.Grant, error)) (access.Grant, error) { panic("at the disk") }, "ivan", nil},
		"bad user id": {t.Context(), nil, "", access.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			p.db.grant = tt.grant
			yes, err := p.cache.Can(tt.ctx, tt.user, "acme", access.PayInvoices)
			require.False(t, yes)
			require.Error(t, err)
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want)
			}
			p.db.grant = nil
		})
	}
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
	require.NoError(t, p.DB.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		_, err := p.cache.Can(ctx, "mona", "acme", access.PayInvoices)
		require.ErrorIs(t, err, access.ErrNested)
		return nil
	}))
}

// TestRevokedIsRevoked has one member removed and let in again all the time, while many ask: whoever begins to ask after a
// removal has returned, and is answered before the next letting in begins, is told no.
func TestRevokedIsRevoked(t *testing.T) {
	p := newWorld(t).process(access.CacheConfig{Single: true})
	const rounds = 300
	var state atomic.Int64 // odd while ivan is out
	var done atomic.Bool
	var group sync.WaitGroup
	var inside atomic.Int64
	for range 4 {
		group.Go(func() {
			for !done.Load() {
				before := state.Load()
				yes, err := p.cache.Can(context.Background(), "ivan", "acme", access.PayInvoices)
				if err != nil {
					t.Error(err)
					return
				}
				if before%2 == 1 && state.Load() == before {
					inside.Add(1)
					if yes {
						t.Error("yes to who is removed")
						return
					}
				}
			}
		})
	}
	for range rounds {
		_, err := p.members.Remove(t.Context(), olive, "acme", "ivan")
		require.NoError(t, err)
		state.Add(1)
		for asked := inside.Load(); inside.Load() == asked && !t.Failed(); {
		}
		state.Add(1)
		_, err = p.members.AddMember(t.Context(), signup, "acme", "ivan", access.Terms{Permissions: access.PayInvoices})
		require.NoError(t, err)
	}
	done.Store(true)
	group.Wait()
	t.Logf("%d answers wholly inside a removal", inside.Load())
}

func TestCacheIsBounded(t *testing.T) {
	p := newWorld(t).process(access.CacheConfig{Single: true, Entries: 10_000})
	for i := range 100_000 {
		require.False(t, p.can(access.UserID(fmt.Sprint("user ", i)), "acme", access.PayInvoices))
		require.LessOrEqual(t, p.cache.Stats().Entries, 10_000*9/8+64)
	}
	p.requireSame()
	p.asked()
	for i := range 1000 { // what is asked for stays, whatever else comes
		require.False(t, p.can(access.UserID(fmt.Sprint("often ", i)), "acme", access.PayInvoices))
	}
	for i := range 20_000 {
		require.False(t, p.can(access.UserID(fmt.Sprint("once ", i)), "acme", access.PayInvoices))
		require.False(t, p.can(access.UserID(fmt.Sprint("often ", i%1000)), "acme", access.PayInvoices))
	}
	require.Less(t, p.asked(), 1000+20_000+500)
}

func TestSensitivePermissionsAreAskedFor(t *testing.T) {
	w := newWorld(t)
	db := &probedDB{DB: w.DB}
	members := access.New(db, access.Config{Now: w.Clock.Now})
	cache := access.NewCache(members, access.CacheConfig{Single: true})
	sensitive := members.Catalog().Sensitive()
	require.NotZero(t, sensitive)
	for range 3 {
		_, err := cache.Can(t.Context(), "alma", "acme", sensitive&-sensitive)
		require.NoError(t, err)
	}
	require.EqualValues(t, 3, db.grants.Load())
	require.Panics(t, func() { access.NewCache(nil, access.CacheConfig{}) })
	require.Panics(t, func() { access.NewCache(members, access.CacheConfig{Entries: -1}) })
	require.Panics(t, func() { access.NewCache(members, access.CacheConfig{Random: errorReader{}}) })
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errors.New("no randomness") }

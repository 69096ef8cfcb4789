package pgxtx_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// A watchedDB counts what a Cache asks of it, and can hold polls up.
type watchedDB struct {
	*sqlstore.DB
	polling       sync.Mutex
	polls, grants atomic.Int64
}

func (db *watchedDB) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	db.polling.Lock()
	defer db.polling.Unlock()
	db.polls.Add(1)
	return db.DB.Poll(ctx, id)
}

func (db *watchedDB) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	db.grants.Add(1)
	return db.DB.Grant(ctx, account, user)
}

const longLease = 10 * time.Minute

// newCache returns a Cache that runs on a store, of which ann is a member of acme, with a lease.
func (h host) newCache(t *testing.T, store access.Store[storage.Tx], lease time.Duration, config access.CacheConfig) *access.Cache {
	t.Helper()
	require.NoError(t, h.db.SetLease(t.Context(), lease))
	require.NoError(t, h.db.ShortenWait(t.Context(), 1))
	_, err := h.members.AddMember(t.Context(), access.AsSystem("orders"), "acme", "ann", access.Terms{Permissions: access.PayInvoices})
	require.NoError(t, err)
	config.Log = slog.New(slog.DiscardHandler)
	cache := access.NewCache(access.New(store, access.Config{}), config)
	run(t, func(ctx context.Context) { _ = cache.Run(ctx) })
	return cache
}

// remove removes ann through another process, and returns when that has settled.
func (h host) remove(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longLease/10)
	defer cancel()
	_, err := h.members.Remove(ctx, access.As("olga"), "acme", "ann")
	require.NoError(t, err)
}

func can(t *testing.T, cache *access.Cache) bool {
	t.Helper()
	yes, err := cache.Can(t.Context(), "ann", "acme", access.PayInvoices)
	require.NoError(t, err)
	return yes
}

// eventually waits for what happens in some other goroutine.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	require.Eventually(t, happened, time.Minute, time.Millisecond, what)
}

// TestWokenToSettle has a Cache that would poll only when the test has failed for long.
func TestWokenToSettle(t *testing.T) {
	h := newHost(t)
	db, l := &watchedDB{DB: h.db}, newListening(h)
	cache := h.newCache(t, db, longLease, access.CacheConfig{Poll: longLease * 9 / 10, Listen: l.Listen})
	eventually(t, "it doesn't begin to follow", func() bool { return cache.Stats().Polls == 1 })
	l.gate <- struct{}{}
	eventually(t, "it doesn't poll when it listens", func() bool { return cache.Stats().Polls == 2 })
	require.True(t, can(t, cache))
	require.True(t, can(t, cache))
	require.EqualValues(t, 1, db.grants.Load(), "not from memory")

	h.remove(t)
	require.False(t, can(t, cache))
	require.EqualValues(t, 3, db.polls.Load())
}

// TestLostConnectionForgets cuts the connection that listens, while the lease goes on.
func TestLostConnectionForgets(t *testing.T) {
	h := newHost(t)
	db, l := &watchedDB{DB: h.db}, newListening(h)
	cache := h.newCache(t, db, longLease, access.CacheConfig{Poll: 10 * time.Millisecond, Listen: l.Listen})
	follows := func() bool { return cache.Stats().Follower != "" }
	l.gate <- struct{}{}
	<-l.begun
	eventually(t, "it doesn't follow", follows)
	require.True(t, can(t, cache))
	require.True(t, can(t, cache))
	require.EqualValues(t, 1, db.grants.Swap(0), "not from memory")

	db.polling.Lock()
	require.Equal(t, 1, h.cut(t))
	require.Error(t, <-l.ended)
	eventually(t, "it answers from memory", func() bool { return !follows() })
	require.True(t, can(t, cache))
	require.True(t, can(t, cache))
	require.EqualValues(t, 2, db.grants.Swap(0), "from memory before it has heard what there is now")
	db.polling.Unlock()
	eventually(t, "it doesn't follow", follows)
	require.True(t, can(t, cache))
	require.True(t, can(t, cache))
	require.EqualValues(t, 1, db.grants.Swap(0), "what was remembered isn't forgotten, or nothing is remembered any more")

	l.gate <- struct{}{}
	<-l.begun
	h.remove(t)
	<-l.woken
	require.False(t, can(t, cache))
}

// A trustsWakeUps is a mutant: it has its lease renewed without polling when it hears nothing while it listens.
type trustsWakeUps struct {
	*sqlstore.DB
	listens, woken atomic.Bool
	polled         access.FollowerID
	position       access.Position
}

func (db *trustsWakeUps) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	if !db.woken.Swap(false) && db.listens.Load() && id == db.polled {
		return db.position, nil
	}
	position, err := db.DB.Poll(ctx, id)
	if err == nil && id != "" {
		db.polled, db.position = id, position
	}
	return position, err
}

// listen is what listens, as the mutant hears of it.
func (db *trustsWakeUps) listen(listen func(context.Context, func()) error) func(context.Context, func()) error {
	return func(ctx context.Context, woken func()) error {
		defer db.listens.Store(false)
		return listen(ctx, func() {
			db.woken.Store(true)
			db.listens.Store(true)
			woken()
		})
	}
}

// deaf has no wake-up arrive after the first.
func deaf(listen func(context.Context, func()) error) func(context.Context, func()) error {
	return func(ctx context.Context, woken func()) error {
		var once sync.Once
		return listen(ctx, func() { once.Do(woken) })
	}
}

// saysYes reports whether a Cache says yes after a revocation that was settled.
func saysYes(t *testing.T, mutant, lost bool) bool {
	t.Helper()
	h := newHost(t)
	l := newListening(h)
	listen, lease := l.Listen, longLease
	if lost {
		listen, lease = deaf(listen), 300*time.Millisecond
	}
	var store access.Store[storage.Tx] = &watchedDB{DB: h.db}
	if mutant {
		db := &trustsWakeUps{DB: h.db}
		store, listen = db, db.listen(listen)
	}
	cache := h.newCache(t, store, lease, access.CacheConfig{Poll: 20 * time.Millisecond, Listen: listen})
	l.gate <- struct{}{}
	<-l.begun
	polls := cache.Stats().Polls
	eventually(t, "it doesn't poll", func() bool { return cache.Stats().Polls > polls+2 })
	require.True(t, can(t, cache))
	h.remove(t)
	return can(t, cache)
}

// TestWakeUpsMayBeLost shows that nothing rests on them, and that this would be noticed.
func TestWakeUpsMayBeLost(t *testing.T) {
	require.False(t, saysYes(t, false, true))
	require.False(t, saysYes(t, true, false), "the mutant is right while nothing is lost")
	for range 5 { // it may have been paused for longer than its lease
		if saysYes(t, true, true) {
			return
		}
	}
	require.Fail(t, "the mutant survives")
}

package casbinadapter_test

import (
	"context"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/access/casbinadapter"
	"github.com/stretchr/testify/require"
)

// following returns an enforcer whose watcher has polled once, on a store that can fail.
func following(t *testing.T) (*accesstest.World, *switched, *followed) {
	t.Helper()
	w := world(t)
	store := &switched{DB: w.DB}
	e := followOn(t, casbinadapter.New(store, casbinadapter.Config{Now: w.Clock.Now}), casbinadapter.Model(), casbinadapter.WatcherConfig{})
	e.poll(t)
	return w, store, e
}

func followers(t *testing.T, w *accesstest.World) []access.Follower {
	t.Helper()
	followers, err := w.DB.Followers(context.Background())
	require.NoError(t, err)
	return followers
}

func drawTicket(w *accesstest.World) (uint64, error) {
	ticket, _, err := w.DB.DrawTicket(context.Background())
	return ticket, err
}

// TestASettledRevocationIsOver removes a member, which takes until the watcher has followed: the clock stands still, so
// that nobody gives up waiting for it.
func TestASettledRevocationIsOver(t *testing.T) {
	w, _, e := following(t)
	require.True(t, e.can(t, "bob", "acme", "invoices"))
	removed := make(chan error, 1)
	go func() { removed <- second(w.Members.Remove(context.Background(), access.As("ann"), "acme", "bob")) }()
	for len(removed) == 0 {
		e.poll(t)
		runtime.Gosched()
	}
	require.NoError(t, <-removed)
	require.False(t, e.can(t, "bob", "acme", "invoices"))
}

// TestWhatIsAcknowledgedIsInForce looks at the enforcer and at the registry while a poll is under way.
func TestWhatIsAcknowledgedIsInForce(t *testing.T) {
	w, store, e := following(t)
	remove(t, w)
	ticket, err := drawTicket(w)
	require.NoError(t, err)
	reached := 0
	store.fail = func(method string) error {
		switch method {
		case "View":
			require.Less(t, followers(t, w)[0].Acknowledged, ticket)
			reached++
		case "Acknowledge":
			require.False(t, e.can(t, "bob", "acme", "invoices"))
			reached++
		}
		return nil
	}
	e.poll(t)
	require.Equal(t, 2, reached)
	require.Equal(t, ticket, followers(t, w)[0].Acknowledged)
}

// TestWithoutAcknowledgingThereIsNoLease lets it fail.
func TestWithoutAcknowledgingThereIsNoLease(t *testing.T) {
	w, store, e := following(t)
	require.NoError(t, second(drawTicket(w)))
	store.fail = func(method string) error {
		if method == "Acknowledge" {
			return errBroken
		}
		return nil
	}
	w.Clock.Advance(time.Second / 2)
	require.ErrorIs(t, e.watcher.Poll(context.Background()), errBroken)
	w.Clock.Advance(time.Second / 2)
	requireStale(t, e)
	store.fail = nil
	e.poll(t)
	require.True(t, e.can(t, "bob", "acme", "invoices"))
}

// TestWhoWasGivenUpBeginsAgain deletes the watcher from the registry, between polls and just before it acknowledges.
func TestWhoWasGivenUpBeginsAgain(t *testing.T) {
	w, store, e := following(t)
	ctx := context.Background()
	giveUp := func() { require.NoError(t, w.DB.Unfollow(ctx, math.MaxInt64, followers(t, w)[0].ID)) }

	before := followers(t, w)[0].ID
	giveUp()
	remove(t, w)
	e.poll(t)
	require.Len(t, followers(t, w), 1)
	require.NotEqual(t, before, followers(t, w)[0].ID)
	require.False(t, e.can(t, "bob", "acme", "invoices"))
	add(t, w, "acme", "bob", access.Terms{Permissions: access.PayInvoices})

	require.NoError(t, second(drawTicket(w)))
	store.fail = func(method string) error {
		if method == "Acknowledge" {
			giveUp()
		}
		return nil
	}
	require.ErrorContains(t, e.watcher.Poll(ctx), "no longer registered")
	requireStale(t, e)
	store.fail = nil
	e.poll(t)
	require.True(t, e.can(t, "bob", "acme", "invoices"))

	store.fail = func(method string) error {
		if method == "Poll" {
			giveUp()
		}
		return nil
	}
	require.ErrorContains(t, e.watcher.Poll(ctx), "no longer registered")
	requireStale(t, e)
}

// TestWhoCannotRegisterSaysNothing fails before there is anything to follow.
func TestWhoCannotRegisterSaysNothing(t *testing.T) {
	w := world(t)
	store := &switched{DB: w.DB, fail: func(method string) error {
		if method == "Follow" {
			return errBroken
		}
		return nil
	}}
	e := followOn(t, casbinadapter.New(store, casbinadapter.Config{Now: w.Clock.Now}), casbinadapter.Model(), casbinadapter.WatcherConfig{})
	require.ErrorIs(t, e.watcher.Poll(context.Background()), errBroken)
	require.False(t, e.can(t, "bob", "acme", "invoices"))
}

// TestWhoStopsIsNotWaitedFor ends watchers in both ways.
func TestWhoStopsIsNotWaitedFor(t *testing.T) {
	for name, stop := range map[string]func(w *casbinadapter.Watcher){
		"closed": func(w *casbinadapter.Watcher) { w.Close() },
		"run": func(w *casbinadapter.Watcher) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			require.NoError(t, w.Run(ctx))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, e := following(t)
			require.Len(t, followers(t, w), 1)
			stop(e.watcher)
			require.Empty(t, followers(t, w))
			requireStale(t, e)
			require.NoError(t, second(w.Members.Remove(context.Background(), access.As("ann"), "acme", "bob")))
		})
	}
}

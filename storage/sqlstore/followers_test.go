package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// A registryCall is a method of access.Registry, called so that it has something to do after registered.
type registryCall struct {
	name string
	do   func(context.Context, *sqlstore.DB) error
}

func registryCalls() []registryCall {
	return []registryCall{
		{"Follow", func(ctx context.Context, db *sqlstore.DB) error { return db.Follow(ctx, "new") }},
		{"Poll", func(ctx context.Context, db *sqlstore.DB) error { _, err := db.Poll(ctx, "there"); return err }},
		{"Acknowledge", func(ctx context.Context, db *sqlstore.DB) error { return db.Acknowledge(ctx, "there", 1) }},
		{"Followers", func(ctx context.Context, db *sqlstore.DB) error { _, err := db.Followers(ctx); return err }},
		{"Unfollow", func(ctx context.Context, db *sqlstore.DB) error { return db.Unfollow(ctx, 1, "there", "nobody") }},
		{"DrawTicket", func(ctx context.Context, db *sqlstore.DB) error { _, _, err := db.DrawTicket(ctx); return err }},
		{"SetLease", func(ctx context.Context, db *sqlstore.DB) error { return db.SetLease(ctx, 2*time.Second) }},
		{"ShortenWait", func(ctx context.Context, db *sqlstore.DB) error { return db.ShortenWait(ctx, 1) }},
	}
}

// registered puts the registry into a state in which every method that changes something has something to do.
func registered(t *testing.T, handle *sql.DB) {
	t.Helper()
	execute(t, handle, `DELETE FROM roster_followers`, `INSERT INTO roster_followers (id, acknowledged) VALUES ('there', 0)`,
		`UPDATE roster_cluster SET ticket = 1, lease_ms = 1000, wait_ms = 1500, lease_changes = 1`)
}

// registry is all that is kept of followers.
func registry(t *testing.T, db *sqlstore.DB) string {
	t.Helper()
	followers, err := db.Followers(t.Context())
	require.NoError(t, err)
	p, err := db.Poll(t.Context(), "nobody")
	require.NoError(t, err)
	return fmt.Sprint(followers, p.Ticket, p.Lease, p.Wait, p.LeaseChanges)
}

// followedRegistry is what followed leaves.
const followedRegistry = "[{new 1} {there 1}] 2 2s 2s 1"

// followed has a fresh registry do all it can.
func followed(t *testing.T, db *sqlstore.DB) {
	t.Helper()
	require.NoError(t, db.Follow(t.Context(), "there"))
	_, _, err := db.DrawTicket(t.Context())
	require.NoError(t, err)
	for _, call := range registryCalls() {
		require.NoError(t, call.do(t.Context(), db), call.name)
	}
	require.Equal(t, followedRegistry, registry(t, db))
}

// TestPollIsOneStatement shows that a poll sends one statement, and no other one to begin or to end with.
func TestPollIsOneStatement(t *testing.T) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		var p probe
		handle, db := engine.probed(t, &p)
		handle.SetMaxOpenConns(1)
		const polls = 5
		for range polls {
			_, err := db.Poll(t.Context(), "somebody")
			require.NoError(t, err)
		}
		statements := p.taken() // where they are prepared, this is one
		require.True(t, len(statements) == polls || len(statements) == 1, "%q", statements)
		for _, statement := range statements {
			require.Regexp(t, `^SELECT EXISTS \(`, statement)
		}
	})
}

// TestEveryStatementOfTheRegistryFails lets each statement of each method fail in turn, before and after it took effect.
func TestEveryStatementOfTheRegistryFails(t *testing.T) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		var p probe
		handle, db := engine.probed(t, &p)
		for _, call := range registryCalls() {
			before, done := effect(t, handle, db, call)
			for _, when := range []string{"before", "after"} {
				failed := true
				for n := 0; failed; n++ {
					registered(t, handle)
					failed = false
					hook := nth(n, func() error { failed = true; return errInjected })
					if when == "before" {
						p.set(hook, nil)
					} else {
						p.set(nil, hook)
					}
					err := call.do(t.Context(), db)
					p.set(nil, nil)
					where := fmt.Sprintf("%s, %s statement %d: %v", call.name, when, n, err)
					requireIdle(t, handle, engine)
					now := registry(t, db)
					switch {
					case err == nil:
						require.True(t, !failed || n <= 1, where) // or it could not begin, and was tried once more
						require.Equal(t, done, now, where)
					case errors.Is(err, access.ErrUnknownOutcome):
						require.Contains(t, []string{before, done}, now, where)
						require.Equal(t, when == "after", now == done, where)
					default:
						require.ErrorIs(t, err, errInjected, where)
						require.NotContains(t, err.Error(), "ann", where)
						require.Equal(t, before, now, where)
					}
				}
			}
		}
	})
}

// TestRegistryCancelledAtEveryStatement ends the context at each statement of each method in turn.
func TestRegistryCancelledAtEveryStatement(t *testing.T) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		var p probe
		handle, db := engine.probed(t, &p)
		for _, call := range registryCalls() {
			before, done := effect(t, handle, db, call)
			for n, ended := 0, true; ended; n++ {
				registered(t, handle)
				ctx, cancel := context.WithCancel(t.Context())
				p.set(nth(n, func() error { cancel(); return nil }), nil)
				err := call.do(ctx, db)
				ended = ctx.Err() != nil
				cancel()
				p.set(nil, nil)
				requireIdle(t, handle, engine)
				if err == nil {
					require.Equal(t, done, registry(t, db), call.name)
					continue
				}
				require.ErrorIs(t, err, context.Canceled, call.name)
				require.Equal(t, before, registry(t, db), call.name)
			}
		}
	})
}

// effect returns what is kept of followers before a method is called and after.
func effect(t *testing.T, handle *sql.DB, db *sqlstore.DB, call registryCall) (before, done string) {
	t.Helper()
	registered(t, handle)
	before = registry(t, db)
	require.NoError(t, call.do(t.Context(), db))
	return before, registry(t, db)
}

// TestRegistryWithoutItsRow says so, instead of following nothing.
func TestRegistryWithoutItsRow(t *testing.T) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		handle, db := engine.migrated(t)
		execute(t, handle, `DELETE FROM roster_cluster`)
		const missing = "sqlstore: the row of the cluster or one of the change feed is missing"
		p, err := db.Poll(t.Context(), "a")
		require.EqualError(t, err, missing)
		require.Zero(t, p)
		_, _, err = db.DrawTicket(t.Context())
		require.EqualError(t, err, missing)
		require.EqualError(t, db.SetLease(t.Context(), time.Second), missing)
		err = db.Follow(t.Context(), "a")
		require.Error(t, err)
		require.NotErrorIs(t, err, access.ErrExists)
		require.Equal(t, "0", value(t, handle, `SELECT COUNT(*) FROM roster_followers`))
		requireIdle(t, handle, engine)
	})
}

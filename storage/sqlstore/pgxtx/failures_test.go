package pgxtx_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore/pgxtx"
)

// TestUndone has a unit end in other ways than by success. What it did is undone, and the host, which goes on and
// commits, keeps its own work.
func TestUndone(t *testing.T) {
	refused := errors.New("refused")
	for _, tt := range []struct {
		name string
		end  func(cancel func()) error
		want error
	}{
		{"an error", func(func()) error { return refused }, refused},
		{"a panic", func(func()) error { panic(refused) }, refused},
		{"the context", func(cancel func()) error { cancel(); return nil }, context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			tx := h.begin(t, "ann")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := recovered(func() error {
				return pgxtx.Join(ctx, h.db, tx, func(ctx context.Context, unit storage.Tx) error {
					require.NoError(t, h.adding("acme", "ann")(ctx, unit))
					return tt.end(cancel)
				})
			})
			require.ErrorIs(t, err, tt.want)
			require.NoError(t, h.add(t.Context(), tx, "globex", "bob"), "the transaction can't be used any more")
			require.NoError(t, tx.Commit(t.Context()))
			require.Equal(t, "orders: ann; members: globex/bob", h.there(t))
			h.verify(t, "acme", 1)
			h.verify(t, "globex", 2)
		})
	}
}

// recovered returns the error that a function returns, or panics with.
func recovered(fn func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = value.(error)
		}
	}()
	return fn()
}

// TestUnknownAccount adds somebody to an account that isn't there, which leaves the transaction as it was.
func TestUnknownAccount(t *testing.T) {
	h := newHost(t)
	tx := h.begin(t, "ann")
	require.ErrorIs(t, h.add(t.Context(), tx, "nobody's", "ann"), access.ErrNotFound)
	require.NoError(t, pgxtx.Join(t.Context(), h.db, tx, func(ctx context.Context, unit storage.Tx) error {
		require.ErrorIs(t, h.adding("nobody's", "ann")(ctx, unit), access.ErrNotFound)
		return h.adding("acme", "ann")(ctx, unit)
	}))
	require.NoError(t, tx.Commit(t.Context()))
	require.Equal(t, both, h.there(t))
}

// TestSwallowed has a unit hide an error of the database. It isn't committed for all that.
func TestSwallowed(t *testing.T) {
	h := newHost(t)
	tx := h.begin(t, "ann")
	err := pgxtx.Join(t.Context(), h.db, tx, func(ctx context.Context, unit storage.Tx) error {
		require.NoError(t, h.adding("acme", "ann")(ctx, unit))
		require.Error(t, unit.PutPreference(ctx, "acme", "", 1)) // a constraint of the table
		return nil
	})
	var refusal *pgconn.PgError
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, "23514", refusal.Code)
	require.NotContains(t, err.Error(), refusal.ConstraintName)
	require.NoError(t, tx.Commit(t.Context()))
	require.Equal(t, onlyOne, h.there(t))
}

// TestContextAlreadyOver joins with a context that has ended. The transaction is as it was.
func TestContextAlreadyOver(t *testing.T) {
	h := newHost(t)
	tx := h.begin(t, "ann")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, h.add(ctx, tx, "acme", "ann"), context.Canceled)
	require.NoError(t, tx.Commit(t.Context()))
	require.Equal(t, onlyOne, h.there(t))
}

// TestContextEndsDuringAStatement has the context end while a statement waits for another transaction, as pgx handles
// it by default, which costs the connection, and as a host may configure it.
func TestContextEndsDuringAStatement(t *testing.T) {
	asking := func(config *pgxpool.Config) { // the server to cancel the statement
		config.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
			return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: 10 * time.Second}
		}
	}
	for name, tt := range map[string]struct {
		configure func(*pgxpool.Config)
		survives  bool
	}{
		"by default":      {func(*pgxpool.Config) {}, false},
		"by cancellation": {asking, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := openHost(t, tt.configure).withAccounts(t)
			other := h.begin(t, "eve")
			require.NoError(t, h.add(t.Context(), other, "acme", "eve"))
			tx := h.begin(t, "ann")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				h.waitUntilBlocked(t)
				cancel()
			}()
			err := h.add(ctx, tx, "acme", "ann")
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorContains(t, err, "sqlstore: read account: context canceled")
			require.NoError(t, other.Rollback(t.Context()))
			err = tx.Commit(t.Context())
			if tt.survives {
				require.NoError(t, err)
				require.Equal(t, onlyOne, h.there(t))
				return
			}
			require.Error(t, err)
			require.Equal(t, nothing, h.there(t))
		})
	}
}

// waitUntilBlocked returns when a session waits for another one.
func (h host) waitUntilBlocked(t *testing.T) {
	for waiting := 0; waiting == 0 && t.Context().Err() == nil; {
		_ = h.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`).Scan(&waiting)
	}
}

// TestDeadlock has two transactions join for two accounts in opposite orders. The one that the server ends is told so,
// and succeeds when it is done again.
func TestDeadlock(t *testing.T) {
	h := newHost(t)
	var bothHold sync.WaitGroup
	bothHold.Add(2)
	crossed := func(buyer access.UserID, first, second access.AccountID, wait func()) error {
		return pgx.BeginFunc(t.Context(), h.pool, func(tx pgx.Tx) error {
			order(t, tx, buyer)
			if err := h.add(t.Context(), tx, first, buyer); err != nil {
				return err
			}
			wait()
			return h.add(t.Context(), tx, second, buyer)
		})
	}
	meet := func() { bothHold.Done(); bothHold.Wait() }
	var group sync.WaitGroup
	errs := make([]error, 2)
	group.Go(func() { errs[0] = crossed("ann", "acme", "globex", meet) })
	group.Go(func() { errs[1] = crossed("bob", "globex", "acme", meet) })
	group.Wait()

	require.True(t, (errs[0] == nil) != (errs[1] == nil), "not one of them ended: %v", errs)
	again, first, second := access.UserID("ann"), access.AccountID("acme"), access.AccountID("globex")
	if errs[1] != nil {
		again, first, second = "bob", "globex", "acme"
	}
	err := errors.Join(errs...)
	require.ErrorContains(t, err, "error 40P01 of the database")
	var deadlock *pgconn.PgError
	require.ErrorAs(t, err, &deadlock)
	require.Equal(t, "40P01", deadlock.Code)
	require.NoError(t, crossed(again, first, second, func() {}))
	require.Equal(t, "orders: ann bob; members: acme/ann acme/bob globex/ann globex/bob", h.there(t))
}

// TestSerializationFailure joins a transaction whose snapshot is older than what another one has committed.
func TestSerializationFailure(t *testing.T) {
	for _, level := range []pgx.TxIsoLevel{pgx.RepeatableRead, pgx.Serializable} {
		t.Run(string(level), func(t *testing.T) {
			h := newHost(t)
			tx, err := h.pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
			require.NoError(t, err)
			defer tx.Rollback(context.Background())
			order(t, tx, "ann") // takes the snapshot
			require.NoError(t, h.db.Update(t.Context(), h.adding("acme", "bob")))
			err = h.add(t.Context(), tx, "acme", "ann")
			var failure *pgconn.PgError
			require.ErrorAs(t, err, &failure)
			require.Equal(t, "40001", failure.Code)
			require.NoError(t, tx.Rollback(t.Context()))

			tx, err = h.pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
			require.NoError(t, err)
			defer tx.Rollback(context.Background())
			order(t, tx, "ann")
			require.NoError(t, h.add(t.Context(), tx, "acme", "ann"))
			require.NoError(t, tx.Commit(t.Context()))
			require.Equal(t, "orders: ann; members: acme/ann acme/bob", h.there(t))
		})
	}
}

// TestNested begins units inside a joined one, and joins inside a unit, which would wait for themselves.
func TestNested(t *testing.T) {
	h := newHost(t)
	tx := h.begin(t, "ann")
	require.NoError(t, pgxtx.Join(t.Context(), h.db, tx, func(ctx context.Context, unit storage.Tx) error {
		require.NoError(t, h.adding("acme", "ann")(ctx, unit))
		require.ErrorIs(t, h.db.Update(ctx, h.adding("acme", "bob")), access.ErrNested)
		require.ErrorIs(t, h.db.View(ctx, func(context.Context, storage.Tx) error { return nil }), access.ErrNested)
		require.ErrorIs(t, h.add(ctx, tx, "acme", "bob"), access.ErrNested)
		_, err := h.members.Can(ctx, "ann", "acme", access.PayInvoices)
		require.ErrorIs(t, err, access.ErrNested)
		yes, err := h.members.Within(unit).Can(ctx, "ann", "acme", access.PayInvoices)
		require.True(t, yes)
		return err
	}))
	require.NoError(t, tx.Commit(t.Context()))
	require.Equal(t, both, h.there(t))

	tx = h.begin(t, "bob")
	require.NoError(t, h.db.Update(t.Context(), func(ctx context.Context, _ storage.Tx) error {
		require.ErrorIs(t, h.add(ctx, tx, "acme", "bob"), access.ErrNested)
		return nil
	}))
}

// TestJoinsTogether has many transactions join for one account at once: they wait for each other.
func TestJoinsTogether(t *testing.T) {
	const buyers = 40
	h := newHost(t)
	errs := make([]error, buyers)
	var group sync.WaitGroup
	for i := range buyers {
		group.Go(func() {
			errs[i] = placeOrder(t.Context(), h.pool, h.db, h.members, access.UserID(fmt.Sprint("buyer", i)), "acme")
		})
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
	h.verify(t, "acme", buyers+1)
	g, err := h.db.Grant(t.Context(), "acme", "buyer7")
	require.NoError(t, err)
	require.EqualValues(t, buyers+1, g.Version)
}

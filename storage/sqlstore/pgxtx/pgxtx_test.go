package pgxtx_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/sqlstore/pgxtx"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		servertest.Stop()
		os.Exit(code)
	}))
}

// A host is an application that works with a pool of pgx, and has orders.
type host struct {
	pool    *pgxpool.Pool
	handle  *sql.DB
	db      *sqlstore.DB
	members *access.Service
}

// newHost returns a host on a fresh database, which has the accounts acme and globex.
func newHost(t *testing.T) host {
	t.Helper()
	return openHost(t, func(*pgxpool.Config) {}).withAccounts(t)
}

func (h host) withAccounts(t *testing.T) host {
	t.Helper()
	h.members = access.New(h.db, access.Config{})
	for _, id := range []access.AccountID{"acme", "globex"} {
		account := access.NewAccount{ID: id, Owner: "olga", Profile: access.Profile{Name: string(id)}}
		_, err := h.members.CreateAccount(t.Context(), access.As("olga"), account)
		require.NoError(t, err)
	}
	return h
}

// openHost returns a host without accounts and services. When the test ends, no connection may be in use.
func openHost(t *testing.T, configure func(*pgxpool.Config)) host {
	t.Helper()
	config, err := pgxpool.ParseConfig(servertest.Postgres(t).Database(t))
	require.NoError(t, err)
	config.MaxConns = 8
	configure(config)
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	handle := stdlib.OpenDBFromPool(pool)
	t.Cleanup(func() { require.NoError(t, handle.Close()) })
	db := sqlstore.New(handle, sqlstore.Postgres, sqlstore.Config{Notify: channel})
	t.Cleanup(func() {
		require.NoError(t, db.Close())
		idle := func() bool { return pool.Stat().AcquiredConns() == 0 }
		require.Eventually(t, idle, 10*time.Second, time.Millisecond, "a connection is still in use") // some end a little later
	})
	require.NoError(t, db.Migrate(t.Context()))
	_, err = pool.Exec(t.Context(), `CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, buyer text NOT NULL)`)
	require.NoError(t, err)
	return host{pool: pool, handle: handle, db: db}
}

// begin begins a transaction of the host, which has placed an order in it.
func (h host) begin(t *testing.T, buyer access.UserID) pgx.Tx {
	t.Helper()
	tx, err := h.pool.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	order(t, tx, buyer)
	return tx
}

func order(t *testing.T, tx pgx.Tx, buyer access.UserID) {
	t.Helper()
	_, err := tx.Exec(t.Context(), `INSERT INTO orders (buyer) VALUES ($1)`, string(buyer))
	require.NoError(t, err)
}

// add makes a user a member, in a transaction of the host.
func (h host) add(ctx context.Context, tx pgx.Tx, account access.AccountID, user access.UserID) error {
	return pgxtx.Join(ctx, h.db, tx, h.adding(account, user))
}

// adding is the unit of work of add.
func (h host) adding(account access.AccountID, user access.UserID) func(context.Context, storage.Tx) error {
	return func(ctx context.Context, unit storage.Tx) error {
		terms := access.Terms{Permissions: access.PayInvoices}
		_, err := h.members.Within(unit).AddMember(ctx, access.AsSystem("orders"), account, user, terms)
		return err
	}
}

// there returns who has ordered, and who is a member.
func (h host) there(t *testing.T) string {
	t.Helper()
	rows, err := h.pool.Query(t.Context(), `SELECT buyer FROM orders ORDER BY buyer`)
	require.NoError(t, err)
	buyers, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	rows, err = h.pool.Query(t.Context(),
		`SELECT account_id || '/' || user_id FROM roster_memberships WHERE user_id <> 'olga' ORDER BY account_id, user_id`)
	require.NoError(t, err)
	memberships, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return fmt.Sprintf("orders: %s; members: %s", strings.Join(buyers, " "), strings.Join(memberships, " "))
}

const (
	nothing = "orders: ; members: "
	onlyOne = "orders: ann; members: "
	both    = "orders: ann; members: acme/ann"
)

func TestCommitted(t *testing.T) {
	h := newHost(t)
	tx := h.begin(t, "ann")
	require.NoError(t, h.add(t.Context(), tx, "acme", "ann"))
	require.Equal(t, nothing, h.there(t), "it is there before the host has committed")
	require.NoError(t, tx.Commit(t.Context()))
	require.Equal(t, both, h.there(t))

	yes, err := h.members.Can(t.Context(), "ann", "acme", access.PayInvoices)
	require.NoError(t, err)
	require.True(t, yes)
}

func TestRolledBack(t *testing.T) {
	h := newHost(t)
	tx := h.begin(t, "ann")
	require.NoError(t, h.add(t.Context(), tx, "acme", "ann"))
	require.NoError(t, tx.Rollback(t.Context()))
	require.Equal(t, nothing, h.there(t))
	require.NoError(t, h.db.Update(t.Context(), h.adding("acme", "ann")), "something is still locked")
}

// TestNestedTransaction joins one of the transactions that pgx makes of savepoints.
func TestNestedTransaction(t *testing.T) {
	h := newHost(t)
	tx := h.begin(t, "ann")
	for _, user := range []access.UserID{"ann", "bob"} {
		inner, err := tx.Begin(t.Context())
		require.NoError(t, err)
		require.NoError(t, h.add(t.Context(), inner, "acme", user))
		if user == "bob" {
			require.NoError(t, inner.Rollback(t.Context()))
		} else {
			require.NoError(t, inner.Commit(t.Context()))
		}
	}
	require.NoError(t, tx.Commit(t.Context()))
	require.Equal(t, both, h.there(t))
}

// TestJoinedTwice joins a transaction two times, and the host works in between and afterwards.
func TestJoinedTwice(t *testing.T) {
	h := newHost(t)
	tx := h.begin(t, "ann")
	require.NoError(t, h.add(t.Context(), tx, "acme", "ann"))
	order(t, tx, "bob")
	require.NoError(t, h.add(t.Context(), tx, "acme", "bob"))
	order(t, tx, "carl")
	require.NoError(t, tx.Commit(t.Context()))
	require.Equal(t, "orders: ann bob carl; members: acme/ann acme/bob", h.there(t))
	h.verify(t, "acme", 3) // with the creation
}

// TestHistoryAndFeed reads the history of an account and the change feed right after the commit.
func TestHistoryAndFeed(t *testing.T) {
	h := newHost(t)
	tx := h.begin(t, "ann")
	require.NoError(t, h.add(t.Context(), tx, "acme", "ann"))
	require.NoError(t, tx.Commit(t.Context()))
	h.verify(t, "acme", 2)
	require.NoError(t, h.db.View(t.Context(), func(ctx context.Context, unit storage.Tx) error {
		shard := access.AccountID("acme").Shard()
		changes, err := unit.Changes(ctx, shard, 0, 100)
		require.NoError(t, err)
		heads, err := unit.Feed(ctx)
		require.NoError(t, err)
		last := changes[len(changes)-1]
		require.Equal(t, access.EventMemberAdded, last.Kind)
		require.Equal(t, "ann", last.TargetID)
		require.EqualValues(t, len(changes), last.Number)
		require.Equal(t, last.Number, heads[shard].Number)
		require.Equal(t, last.ID, heads[shard].Tail)
		return nil
	}))
}

// verify checks the chain of an account's history, and how many events there are.
func (h host) verify(t *testing.T, account access.AccountID, events uint64) {
	t.Helper()
	v, err := h.members.VerifyHistory(t.Context(), access.As("olga"), account, access.Head{})
	require.NoError(t, err)
	require.Equal(t, access.Verification{Events: events}, v)
}

// TestExample runs the example.
func TestExample(t *testing.T) {
	h := newHost(t)
	require.NoError(t, placeOrder(t.Context(), h.pool, h.db, h.members, "ann", "acme"))
	require.Equal(t, both, h.there(t))
	require.ErrorIs(t, placeOrder(t.Context(), h.pool, h.db, h.members, "bob", "nobody's"), access.ErrNotFound)
	require.Equal(t, both, h.there(t), "an order without a membership")
}

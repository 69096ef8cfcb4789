package pgxtx_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/sqlstore/pgxtx"
	"github.com/rosterkit/roster/storage/storagetest"
)

// A joining is a backend whose updates are joined to transactions of a host, which orders something in each.
type joining struct {
	*sqlstore.DB
	pool *pgxpool.Pool
}

func (j joining) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	if err := storage.CheckOutside(ctx, j.DB); err != nil {
		return err // before waiting for a connection that the unit outside has
	}
	var after []func()
	err := pgx.BeginFunc(ctx, j.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO orders (buyer) VALUES ('ann')`); err != nil {
			return err
		}
		return pgxtx.Join(ctx, j.DB, tx, func(ctx context.Context, unit storage.Tx) error { return fn(ctx, hostsTx{unit, &after}) })
	})
	if err != nil {
		return err
	}
	for _, fn := range after {
		fn()
	}
	return nil
}

// A hostsTx keeps for the host what is to be run after its commit.
type hostsTx struct {
	storage.Tx
	after *[]func()
}

func (tx hostsTx) AfterCommit(fn func()) { *tx.after = append(*tx.after, fn) }

// TestContract runs the suite that every backend passes through joined transactions, in one database for all of it.
func TestContract(t *testing.T) {
	h := openHost(t, func(config *pgxpool.Config) { config.MaxConns = 32 })
	storagetest.Run(t, func(t *testing.T) storage.DB {
		h.empty(t)
		return joining{h.db, h.pool}
	})
}

// empty deletes all that roster has stored.
func (h host) empty(t *testing.T) {
	t.Helper()
	rows, err := h.pool.Query(t.Context(), `SELECT tablename::text FROM pg_tables
		WHERE tablename LIKE 'roster_%' AND tablename NOT IN ('roster_feed', 'roster_cluster', 'roster_migrations')`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	statements := []string{`UPDATE roster_feed SET number = 0, tail = ''`,
		`UPDATE roster_cluster SET ticket = 0, lease_ms = 1000, wait_ms = 1000, lease_changes = 0`}
	for _, table := range tables {
		statements = append(statements, `DELETE FROM `+pgx.Identifier{table}.Sanitize())
	}
	_, err = h.pool.Exec(t.Context(), strings.Join(statements, "; "))
	require.NoError(t, err)
}

// TestJoinedIsAsByItself tells the same story in units of the database's own and in joined ones, in every way in which
// pgx sends statements: the last three are what hosts behind a connection pooler use.
func TestJoinedIsAsByItself(t *testing.T) {
	own := openHost(t, func(*pgxpool.Config) {})
	want := tell(t, own.db)
	require.Contains(t, want, "bob")
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe,
		pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		t.Run(mode.String(), func(t *testing.T) {
			h := openHost(t, func(config *pgxpool.Config) { config.ConnConfig.DefaultQueryExecMode = mode })
			require.Equal(t, want, tell(t, joining{h.db, h.pool}))
		})
	}
}

// tell has a world in which nothing is left to chance do something of everything, and returns what is stored then.
func tell(t *testing.T, db storage.DB) string {
	t.Helper()
	noon := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	members := access.New(db, access.Config{Now: func() time.Time { return noon }, Random: rand.NewChaCha8([32]byte{})})
	invites, err := invite.New(db, members, []invite.Key{{ID: "k1", Secret: bytes.Repeat([]byte("k"), 32)}}, invite.Config{Delivery: invite.ByHost})
	require.NoError(t, err)
	contacts := contact.New(db, members, contact.Config{})
	address, err := access.ParseAddress("bob@example.com")
	require.NoError(t, err)
	olga := access.As("olga")
	account := access.NewAccount{ID: "acme", Owner: "olga", Profile: access.Profile{Name: "Acme – “Ltd”"}}
	terms := access.Terms{Permissions: access.PayInvoices | access.ManageUsers, Expires: noon.AddDate(1, 0, 0)}

	require.NoError(t, members.SyncUser(t.Context(), access.User{ID: "bob", Name: "Bob", Address: address, Verified: true}))
	_, err = members.CreateAccount(t.Context(), olga, account)
	require.NoError(t, err)
	require.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		for _, user := range []access.UserID{"ann", "eve"} {
			_, err := members.Within(tx).AddMember(ctx, access.AsSystem("orders"), "acme", user, terms)
			require.NoError(t, err)
		}
		_, err := members.Within(tx).Remove(ctx, olga, "acme", "eve")
		require.NoError(t, err)
		sent, err := invites.Within(tx).Send(ctx, access.As("ann"), "acme", invite.Offer{Address: address, Terms: access.Terms{Permissions: access.PayInvoices}})
		require.NoError(t, err)
		_, err = invites.Within(tx).Accept(ctx, sent.Token.Secret(), invite.Identity{Actor: access.As("bob"), Address: address, Verified: true})
		require.NoError(t, err)
		_, _, err = contacts.Within(tx).Add(ctx, olga, "acme", contact.Details{Name: "Fred", Address: address, Categories: contact.Invoice})
		require.NoError(t, err)
		list, err := members.Within(tx).Members(ctx, olga, "acme", access.MemberFilter{Prefix: "b"}, access.Page{})
		require.NoError(t, err)
		require.Len(t, list.Items, 1)
		return nil
	}))
	text, err := storagetest.Dump(t.Context(), db, []access.AccountID{"acme"}, []access.UserID{"olga", "ann", "bob", "eve"})
	require.NoError(t, err)
	return text
}

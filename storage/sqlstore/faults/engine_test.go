package faults_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// A database is one for a test, with a handle that works, and one over a line.
type database struct {
	servertest.Database
	plain  *sql.DB // for looking, and for putting things back
	handle *sql.DB // over the line
	line   *line

	dumped  string // what dump returned
	version int    // that SQLite gives to what it has read since; 0 for none
}

// open opens a fresh database.
func open(t testing.TB, engine string) *database {
	t.Helper()
	fresh := servertest.Fresh(t, engine)
	d := &database{Database: fresh, plain: fresh.Open(t)}
	d.plain.SetMaxOpenConns(1)
	d.handle, d.line = openLine(t, fresh.Driver, fresh.Source)
	return d
}

// dialect is the engine's.
func (d *database) dialect() sqlstore.Dialect {
	switch d.Engine {
	case "sqlite":
		return sqlstore.SQLite
	case "postgres":
		return sqlstore.Postgres
	}
	return sqlstore.MySQL
}

// store returns a DB over a handle to the database.
func (d *database) store(t testing.TB, handle *sql.DB) *sqlstore.DB {
	t.Helper()
	db := sqlstore.New(handle, d.dialect(), sqlstore.Config{})
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// tables are those that hold anything of ours.
var tables = []string{"roster_accounts", "roster_memberships", "roster_users", "roster_invites", "roster_contacts",
	"roster_verifications", "roster_unsubscribed", "roster_preferences", "roster_messages", "roster_notices", "roster_feedback",
	"roster_suppressions", "roster_events", "roster_feed", "roster_cluster", "roster_followers", "roster_limits", "roster_limit_uses"}

// keep keeps the content of all tables for restore, in the one session of the handle that works.
func (d *database) keep(t testing.TB) {
	t.Helper()
	for _, table := range tables {
		_, err := d.plain.ExecContext(t.Context(), "CREATE TEMPORARY TABLE kept_"+table+" AS SELECT * FROM "+table)
		require.NoError(t, err)
	}
}

// restore puts back what was kept.
func (d *database) restore(t testing.TB) {
	t.Helper()
	tx, err := d.plain.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer tx.Rollback()
	for _, table := range tables {
		for _, statement := range []string{"DELETE FROM " + table, "INSERT INTO " + table + " SELECT * FROM kept_" + table} {
			_, err := tx.ExecContext(t.Context(), statement)
			require.NoError(t, err, statement)
		}
	}
	require.NoError(t, tx.Commit())
	d.version = 0
}

// dump is every row there is, a line for each.
func (d *database) dump(t testing.TB) string {
	t.Helper()
	var version int
	if d.Engine == "sqlite" { // which tells whether another connection has committed anything
		require.NoError(t, d.plain.QueryRowContext(t.Context(), "PRAGMA data_version").Scan(&version))
		if version == d.version {
			return d.dumped
		}
	}
	var lines []string
	for _, table := range tables {
		lines = append(lines, d.rows(t, table)...)
	}
	d.dumped, d.version = strings.Join(lines, "\n"), version
	return d.dumped
}

func (d *database) rows(t testing.TB, table string) []string {
	t.Helper()
	found, err := d.plain.QueryContext(t.Context(), "SELECT * FROM "+table)
	require.NoError(t, err)
	defer found.Close()
	columns, err := found.Columns()
	require.NoError(t, err)
	values := make([]any, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	var lines []string
	for found.Next() {
		require.NoError(t, found.Scan(targets...))
		var text strings.Builder
		text.WriteString(table)
		for i, value := range values {
			if b, ok := value.([]byte); ok {
				value = string(b)
			}
			fmt.Fprintf(&text, " %s=%#v", columns[i], value)
		}
		lines = append(lines, text.String())
	}
	require.NoError(t, found.Err())
	slices.Sort(lines)
	return lines
}

// requireIdle checks that no connection over the line is in use or was waited for, and that none of those that are kept
// is inside a transaction.
func (d *database) requireIdle(t testing.TB) {
	t.Helper()
	stats := d.handle.Stats()
	require.Zero(t, stats.InUse, "connections in use")
	require.Zero(t, stats.WaitCount, "waits for a connection")
	var conns []*sql.Conn
	for range stats.Idle {
		one, err := d.handle.Conn(t.Context())
		require.NoError(t, err)
		defer one.Close()
		conns = append(conns, one)
	}
	for _, one := range conns {
		d.requireOutside(t, one)
	}
}

// requireOutside ends the test if a connection is inside a transaction.
func (d *database) requireOutside(t testing.TB, one *sql.Conn) {
	t.Helper()
	switch d.Engine {
	case "sqlite":
		for _, statement := range []string{"BEGIN", "ROLLBACK"} { // fails inside a transaction
			_, err := one.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
	case "postgres":
		require.NoError(t, one.Raw(func(raw any) error {
			status := raw.(*conn).Conn.(*stdlib.Conn).Conn().PgConn().TxStatus()
			require.Equal(t, "I", string(status), "the status of the transaction")
			return nil
		}))
	case "mysql":
		for _, statement := range []string{"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "ROLLBACK"} { // the same
			_, err := one.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
	}
}

// sessions is how many sessions the server has in this database.
func (d *database) sessions(ctx context.Context) (n int, err error) {
	switch d.Engine {
	case "postgres":
		err = d.plain.QueryRowContext(ctx, `SELECT COUNT(*) FROM pg_stat_activity
			WHERE datname = current_database() AND backend_type = 'client backend'`).Scan(&n)
	case "mysql":
		err = d.plain.QueryRowContext(ctx, `SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE()`).Scan(&n)
	}
	return n, err
}

// settle waits until the server knows which connections were lost, and has rolled back what they did.
func (d *database) settle(t *testing.T) {
	t.Helper()
	for impatient := time.Now().Add(4 * patience); ; {
		sessions, err := d.sessions(t.Context())
		require.NoError(t, err)
		if sessions <= d.plain.Stats().OpenConnections+d.handle.Stats().OpenConnections {
			return
		}
		require.True(t, time.Now().Before(impatient), "%d sessions are still there", sessions)
	}
}

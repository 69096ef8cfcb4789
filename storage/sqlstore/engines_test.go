package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// An engine is what the tests that are the same on all of them need.
type engine struct {
	name    string
	dialect sqlstore.Dialect
}

var (
	sqliteEngine   = engine{"sqlite", sqlstore.SQLite}
	postgresEngine = engine{"postgres", sqlstore.Postgres}
	mysqlEngine    = engine{"mysql", sqlstore.MySQL}
)

// engines are those that this package knows, and servers those whose units wait for each other's rows.
func engines() []engine { return []engine{sqliteEngine, postgresEngine, mysqlEngine} }
func servers() []engine { return []engine{postgresEngine, mysqlEngine} }

// onEngines runs a test on each engine.
func onEngines(t *testing.T, engines []engine, test func(*testing.T, engine)) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) { test(t, engine) })
	}
}

// database opens a fresh database, in which nothing is.
func (e engine) database(t testing.TB) servertest.Database {
	t.Helper()
	if e == sqliteEngine {
		return servertest.Database{Engine: e.name, Driver: "sqlite", Source: dataSource(newFile(t))}
	}
	return servertest.Fresh(t, e.name)
}

// open returns a DB on a handle. Close is called with the test.
func (e engine) open(t testing.TB, handle sqlstore.Handle) *sqlstore.DB {
	t.Helper()
	db := sqlstore.New(handle, e.dialect, sqlstore.Config{})
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// migrated opens a fresh database as hosts do.
func (e engine) migrated(t testing.TB) (*sql.DB, *sqlstore.DB) {
	t.Helper()
	handle := e.database(t).Open(t)
	db := e.open(t, handle)
	require.NoError(t, db.Migrate(t.Context()))
	return handle, db
}

// probed opens a fresh database through a probe.
func (e engine) probed(t testing.TB, p *probe) (*sql.DB, *sqlstore.DB) {
	t.Helper()
	database := e.database(t)
	if e == mysqlEngine { // or each statement with arguments would be prepared, out of reach of a probe
		database.Source += "&interpolateParams=true"
	}
	handle := openThrough(t, p, connectTo(t, database))
	db := e.open(t, handle)
	require.NoError(t, db.Migrate(t.Context()))
	p.taken()
	return handle, db
}

// connectTo returns how a driver connects to a database.
func connectTo(t testing.TB, database servertest.Database) func(context.Context) (driver.Conn, error) {
	t.Helper()
	handle := database.Open(t)
	source, ok := handle.Driver().(driver.DriverContext)
	if !ok {
		return func(context.Context) (driver.Conn, error) { return handle.Driver().Open(database.Source) }
	}
	connector, err := source.OpenConnector(database.Source)
	require.NoError(t, err)
	return connector.Connect
}

// placed returns a statement with the placeholders of the engine for question marks.
func (e engine) placed(statement string) string {
	for n := 1; e == postgresEngine && strings.Contains(statement, "?"); n++ {
		statement = strings.Replace(statement, "?", fmt.Sprintf("$%d", n), 1)
	}
	return statement
}

// requireIdle ends the test if a connection is inside a transaction: in one, it is known where a savepoint is.
func (e engine) requireIdle(t testing.TB, conn *sql.Conn) {
	t.Helper()
	switch e {
	case sqliteEngine:
		_, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE") // can't be inside a transaction
		require.NoError(t, err)
		_, err = conn.ExecContext(t.Context(), "ROLLBACK")
		require.NoError(t, err)
	case postgresEngine:
		_, err := conn.ExecContext(t.Context(), "SAVEPOINT none")
		require.ErrorContains(t, err, "25P01", "there is a transaction for a savepoint")
	case mysqlEngine:
		_, err := conn.ExecContext(t.Context(), "SAVEPOINT none")
		require.NoError(t, err)
		_, err = conn.ExecContext(t.Context(), "ROLLBACK TO SAVEPOINT none")
		require.ErrorContains(t, err, "1305", "there is a transaction that kept a savepoint")
	}
}

// tables are the names of the tables of the database, in order.
func (e engine) tables(t testing.TB, handle *sql.DB) []string {
	t.Helper()
	return column(t, handle, map[engine]string{
		sqliteEngine: `SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name`,
		postgresEngine: `SELECT table_name::text FROM information_schema.tables
			WHERE table_schema = current_schema() ORDER BY table_name COLLATE "C"`,
		mysqlEngine: `SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY BINARY table_name`,
	}[e])
}

// column returns the values of the one column that a statement selects.
func column(t testing.TB, handle *sql.DB, statement string) []string {
	t.Helper()
	rows, err := handle.QueryContext(t.Context(), statement)
	require.NoError(t, err)
	defer rows.Close()
	var values []string
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		values = append(values, text)
	}
	require.NoError(t, rows.Err())
	return values
}

// begin is how a unit that writes begins.
func (e engine) begin() string {
	if e == mysqlEngine {
		return "SET TRANSACTION"
	}
	return "BEGIN"
}

// beginUpdate begins a transaction that writes, by hand.
func (e engine) beginUpdate() []string {
	return map[engine][]string{
		sqliteEngine:   {"BEGIN IMMEDIATE"},
		postgresEngine: {"BEGIN ISOLATION LEVEL READ COMMITTED"},
		mysqlEngine:    {"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION"},
	}[e]
}

// durable opens a fresh database whose commits are on the disk when they are done, as hosts have it.
func (e engine) durable(t testing.TB) (*sql.DB, *sqlstore.DB) {
	t.Helper()
	var handle *sql.DB
	if e == sqliteEngine {
		handle = servertest.Fresh(t, e.name).Open(t)
	} else {
		start := servertest.StartPostgres
		if e == mysqlEngine {
			start = servertest.StartMySQL
		}
		server, err := start(servertest.Options{Durable: true})
		require.NoError(t, err)
		t.Cleanup(server.Stop)
		source := server.Database(t)
		if e == mysqlEngine {
			source += "&interpolateParams=true" // as hosts are told
		}
		handle = server.Open(t, source)
	}
	db := e.open(t, handle)
	require.NoError(t, db.Migrate(t.Context()))
	return handle, db
}

// conflict is an error after which a unit runs again.
func (e engine) conflict() error {
	if e == mysqlEngine {
		return mysqlError(1213)
	}
	return stateError("40001")
}

// analyze has a server gather statistics of a table.
func (e engine) analyze(t testing.TB, handle *sql.DB, table string) {
	t.Helper()
	if e == mysqlEngine {
		table = "TABLE " + table
	}
	execute(t, handle, "ANALYZE "+table)
}

package servertest

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // The driver "sqlite".
)

// A Database is an empty database for one test. Another process opens it with sql.Open(d.Driver, d.Source).
type Database struct {
	Engine string // one of Engines
	Driver string // as database/sql knows it
	Source string // for Driver
}

// Engines returns the names of the engines that Fresh makes databases of.
func Engines() []string { return []string{"sqlite", "postgres", "mysql"} }

// Fresh makes an empty database: on the server that the tests share, or for SQLite in a file with write-ahead log and full
// durability. It is gone with the test, which is skipped where there is no such server.
func Fresh(t testing.TB, engine string) Database {
	t.Helper()
	switch engine {
	case "sqlite":
		return Database{engine, "sqlite", "file:" + filepath.Join(t.TempDir(), "roster.db") +
			"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"}
	case "postgres":
		server := Postgres(t)
		return Database{engine, server.Driver(), server.Database(t)}
	case "mysql":
		server := MySQL(t)
		return Database{engine, server.Driver(), server.Database(t)}
	default:
		panic("servertest: there is no engine " + engine)
	}
}

// Open returns a handle to the database. It is closed with the test.
func (d Database) Open(t testing.TB) *sql.DB {
	t.Helper()
	return open(t, d.Driver, d.Source)
}

// Version returns the name of the engine and its version, such as "PostgreSQL 15.18", "MariaDB 10.11.19" or "SQLite 3.53.4".
func (d Database) Version(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var version string
	var err error
	switch handle := d.Open(t); d.Engine {
	case "postgres":
		version, err = postgresEngine{}.version(ctx, handle)
	case "mysql":
		version, err = mysqlEngine{}.version(ctx, handle)
	default:
		err = handle.QueryRowContext(ctx, `SELECT 'SQLite ' || sqlite_version()`).Scan(&version)
	}
	require.NoError(t, err)
	return version
}

// open returns a handle that is closed with the test.
func open(t testing.TB, driver, source string) *sql.DB {
	t.Helper()
	handle, err := sql.Open(driver, source)
	require.NoError(t, err)
	t.Cleanup(func() { _ = handle.Close() }) // an error says that the server went first
	return handle
}

// execute runs a statement on a connection of its own.
func execute(ctx context.Context, driver, source, statement string) error {
	handle, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	defer handle.Close()
	if _, err := handle.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

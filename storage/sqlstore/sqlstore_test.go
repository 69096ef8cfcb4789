package sqlstore_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite" // The driver "sqlite".

	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.DB { return openMigrated(t, newFile(t)) })
}

// newFile returns the name of a database file that isn't there yet.
func newFile(t testing.TB) string { return filepath.Join(t.TempDir(), "roster.db") }

// openHandle opens a database file as hosts do.
func openHandle(t testing.TB, file string) *sql.DB {
	t.Helper()
	handle, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_pragma=synchronous(NORMAL)")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, handle.Close()) })
	return handle
}

// open returns a DB on a file, which still has to be migrated.
func open(t testing.TB, handle *sql.DB) *sqlstore.DB {
	t.Helper()
	db := sqlstore.New(handle, sqlstore.SQLite)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func openMigrated(t testing.TB, file string) *sqlstore.DB {
	t.Helper()
	db := open(t, openHandle(t, file))
	require.NoError(t, db.Migrate(t.Context()))
	return db
}

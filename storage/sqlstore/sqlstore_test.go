package sqlstore_test

import (
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite" // The driver "sqlite".

	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/storagetest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		servertest.Stop()
		os.Exit(code)
	}))
}

// TestContract runs the suite that every backend passes, on all of ours.
func TestContract(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		storagetest.Run(t, func(*testing.T) storage.DB { return memory.New() })
	})
	onEngines(t, engines(), func(t *testing.T, engine engine) { contract(t, engine, engine.database(t)) })
}

// contract runs the suite on one database, and on a server finds out that the statements which were sent in the course of
// it are those that are listed, whose plans are known.
func contract(t *testing.T, engine engine, database servertest.Database) {
	t.Helper()
	empty := engine.emptied(t, database)
	sent := make(map[string]bool)
	var listed []string
	storagetest.Run(t, func(t *testing.T) storage.DB {
		empty(t)
		db := engine.open(t, database.Open(t))                                                                   // with a handle of its own, so that nothing is left of the case before
		listed = slices.DeleteFunc(db.Listed(), func(name string) bool { return name == "drawTicketAndNotify" }) // see pgxtx
		t.Cleanup(func() {
			for _, name := range db.Sent() {
				sent[name] = true
			}
		})
		return db
	})
	if engine != sqliteEngine {
		require.Equal(t, listed, slices.Sorted(maps.Keys(sent)))
	}
}

// newFile returns the name of a database file that isn't there yet.
func newFile(t testing.TB) string { return filepath.Join(t.TempDir(), "roster.db") }

// dataSource names a database file with the settings that hosts are told to use.
func dataSource(file string) string {
	return "file:" + file + "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_pragma=synchronous(NORMAL)"
}

func openHandle(t testing.TB, file string) *sql.DB {
	t.Helper()
	handle, err := sql.Open("sqlite", dataSource(file))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, handle.Close()) })
	return handle
}

// open returns a DB that still has to be migrated.
func open(t testing.TB, handle *sql.DB) *sqlstore.DB {
	t.Helper()
	db := sqlstore.New(handle, sqlstore.SQLite, sqlstore.Config{})
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func migrated(t testing.TB, handle *sql.DB) *sqlstore.DB {
	t.Helper()
	db := open(t, handle)
	require.NoError(t, db.Migrate(t.Context()))
	return db
}

func TestNewPanicsOnProgrammersMistakes(t *testing.T) {
	handle := openHandle(t, newFile(t))
	require.PanicsWithValue(t, "sqlstore: New without a database handle", func() { sqlstore.New(nil, sqlstore.SQLite, sqlstore.Config{}) })
	require.PanicsWithValue(t, "sqlstore: New without a database handle", func() { sqlstore.New((*sql.DB)(nil), sqlstore.SQLite, sqlstore.Config{}) })
	require.PanicsWithValue(t, "sqlstore: unknown dialect", func() { sqlstore.New(handle, 0, sqlstore.Config{}) })
}

func TestCloseLeavesTheHandleOpen(t *testing.T) {
	handle := openHandle(t, newFile(t))
	db := migrated(t, handle)
	_, err := db.Grant(t.Context(), "acme", "ann") // prepares
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.NoError(t, db.Close(), "twice")
	require.NoError(t, handle.PingContext(t.Context()))
}

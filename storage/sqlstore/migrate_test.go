package sqlstore_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
)

var update = flag.Bool("update", false, "write the files in testdata instead of comparing with them")

// TestSchema compares the tables that the migrations make with testdata/schema.sql.golden. The schema is a promise: a
// change of it is a new migration, never a change of one that was released.
func TestSchema(t *testing.T) {
	handle := openHandle(t, newFile(t))
	migrated(t, handle)
	golden(t, "testdata/schema.sql.golden", schema(t, handle))
	require.Equal(t, "64", value(t, handle, `SELECT COUNT(*) FROM roster_feed`))
	require.Equal(t, "0 1000 1000", value(t, handle, `SELECT ticket || ' ' || lease_ms || ' ' || wait_ms FROM roster_cluster`))
}

func TestMigrateAgain(t *testing.T) {
	handle := openHandle(t, newFile(t))
	db := migrated(t, handle)
	insertAccount(t, db, "acme")
	want := schema(t, handle)
	require.NoError(t, db.Migrate(t.Context()))
	require.NoError(t, open(t, handle).Migrate(t.Context()))
	require.Equal(t, want, schema(t, handle))
	require.Equal(t, "acme", value(t, handle, `SELECT id FROM roster_accounts`))
	require.Equal(t, strconv.Itoa(1+sqlstore.Versions(sqlstore.SQLite)), value(t, handle, `SELECT COUNT(*) FROM roster_migrations`)) // goose's own, and ours
}

func TestMigrateWithOneConnection(t *testing.T) {
	handle := openHandle(t, newFile(t))
	handle.SetMaxOpenConns(1)
	insertAccount(t, migrated(t, handle), "acme")
}

func TestMigrateBesideTheHostsTables(t *testing.T) {
	handle := openHandle(t, newFile(t))
	execute(t, handle, `CREATE TABLE roster_players (id INTEGER)`, `CREATE TABLE goose_db_version (id INTEGER)`,
		`CREATE TABLE users (id INTEGER)`)
	migrated(t, handle)
	require.Equal(t, "0", value(t, handle, `SELECT COUNT(*) FROM goose_db_version`))
}

func TestMigrateByManyHandlesAtOnce(t *testing.T) {
	file := newFile(t)
	var group sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		db := open(t, openHandle(t, file))
		group.Go(func() { errs[i] = db.Migrate(t.Context()) })
	}
	group.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	insertAccount(t, migrated(t, openHandle(t, file)), "acme")
}

// fileToMigrate names, in the environment, the file that this process migrates for TestMigrateByManyProcesses.
const fileToMigrate = "SQLSTORE_TEST_MIGRATE"

func TestMigrateByManyProcesses(t *testing.T) {
	if file := os.Getenv(fileToMigrate); file != "" {
		migrated(t, openHandle(t, file))
		return
	}
	file := newFile(t)
	var group sync.WaitGroup
	outputs, errs := make([][]byte, 3), make([]error, 3)
	for i := range errs {
		group.Go(func() {
			process := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMigrateByManyProcesses$", "-test.v")
			process.Env = append(os.Environ(), fileToMigrate+"="+file)
			outputs[i], errs[i] = process.CombinedOutput()
		})
	}
	group.Wait()
	for i, err := range errs {
		require.NoError(t, err, "%s", outputs[i])
		require.Contains(t, string(outputs[i]), "--- PASS")
	}
	insertAccount(t, migrated(t, openHandle(t, file)), "acme")
}

func TestMigrateInsideAUnit(t *testing.T) {
	db := migrated(t, openHandle(t, newFile(t)))
	require.NoError(t, db.View(t.Context(), func(ctx context.Context, _ storage.Tx) error {
		require.ErrorIs(t, db.Migrate(ctx), access.ErrNested)
		return nil
	}))
}

func TestMigrateWithTheContextOver(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	handle := openHandle(t, newFile(t))
	require.ErrorIs(t, open(t, handle).Migrate(ctx), context.Canceled)
	migrated(t, handle)
}

// TestRefusals shows what Migrate says about a database in which roster can't be right.
func TestRefusals(t *testing.T) {
	const busy, wal = "_pragma=busy_timeout(10000)", "_pragma=journal_mode(WAL)"
	tests := []struct {
		name     string
		settings string
		prepare  []string
		want     string
	}{
		{"journal mode", busy, nil,
			`sqlstore: the journal mode is "delete", in which readers and writers lock each other out: open a database file with the pragma journal_mode(WAL)`},
		{"in memory", busy + "&" + wal + "&mode=memory", nil,
			`sqlstore: the journal mode is "memory", in which readers and writers lock each other out: open a database file with the pragma journal_mode(WAL)`},
		{"busy timeout", wal, nil,
			"sqlstore: there is no busy timeout, so that units of work fail where they should wait: open the database with the pragma busy_timeout(10000)"},
		{"encoding", "_pragma=encoding('UTF-16le')&" + busy + "&" + wal, nil,
			"sqlstore: the database file is encoded in UTF-16le, in which ids sort in another order: make one in UTF-8"},
		{"foreign table", busy + "&" + wal, []string{`CREATE TABLE roster_users (id INTEGER)`},
			"sqlstore: there is a table roster_users that roster has not made: rename it or use another database"},
		{"foreign view", busy + "&" + wal, []string{`CREATE VIEW roster_limits AS SELECT 1`},
			"sqlstore: there is a table roster_limits that roster has not made: rename it or use another database"},
		{"foreign version table", busy + "&" + wal, []string{`CREATE TABLE roster_migrations (id INTEGER)`},
			"sqlstore: there is a table roster_migrations that roster has not made: rename it or use another database"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			handle, err := sql.Open("sqlite", "file:"+newFile(t)+"?"+tt.settings)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, handle.Close()) })
			handle.SetMaxOpenConns(1) // or what is prepared in memory would be somewhere else
			execute(t, handle, tt.prepare...)
			before := schema(t, handle)
			require.EqualError(t, open(t, handle).Migrate(t.Context()), tt.want)
			require.Equal(t, before, schema(t, handle), "something was changed")
		})
	}
}

func TestRefusesTablesOfANewerRoster(t *testing.T) {
	handle := openHandle(t, newFile(t))
	db := migrated(t, handle)
	execute(t, handle, `INSERT INTO roster_migrations (version_id, is_applied) VALUES (9999, 1)`)
	err := db.Migrate(t.Context())
	require.EqualError(t, err, fmt.Sprintf("sqlstore: the tables were migrated to version 9999 by a newer roster, and this one knows %d: update the program",
		sqlstore.Known(sqlstore.SQLite)))
}

// insertAccount stores an account, owned by olga.
func insertAccount(t testing.TB, db *sqlstore.DB, id access.AccountID) {
	t.Helper()
	require.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		return tx.InsertAccount(ctx, access.Account{ID: id, Owner: "olga", Status: access.AccountActive})
	}))
}

func execute(t testing.TB, handle *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := handle.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
}

// value returns the one value that a statement selects.
func value(t testing.TB, handle *sql.DB, statement string) string {
	t.Helper()
	var text string
	require.NoError(t, handle.QueryRowContext(t.Context(), statement).Scan(&text))
	return text
}

// schema returns the statements that would make the database's tables and indexes.
func schema(t testing.TB, handle *sql.DB) string {
	t.Helper()
	rows, err := handle.QueryContext(t.Context(), `SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
		ORDER BY tbl_name, type DESC, name`)
	require.NoError(t, err)
	defer rows.Close()
	var text strings.Builder
	for rows.Next() {
		var statement string
		require.NoError(t, rows.Scan(&statement))
		fmt.Fprintf(&text, "%s;\n\n", statement)
	}
	require.NoError(t, rows.Err())
	return text.String()
}

// golden compares with a file, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(string(want), got), "%s differs: if that is what you want, run the tests with -update", file)
}

package sqlstore

import (
	"database/sql"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // The driver "sqlite".
)

// sorts are the statements for which SQLite may gather rows and sort them, with the reason why there are few.
var sorts = map[string]string{
	"selectMembersByAddress": "few users have one address",
}

// TestPlansOfSQLite compares how SQLite goes about each statement with testdata/plans.txt, and refuses to read a table
// that grows with accounts from end to end, and to sort a list: in an empty database, as hosts run it, and with
// statistics of one that is full.
func TestPlansOfSQLite(t *testing.T) {
	handle := openFile(t)
	db := New(handle, SQLite, Config{})
	require.NoError(t, db.Migrate(t.Context()))
	plans := plansOf(t, handle, db)
	if flag.Lookup("update").Value.String() == "true" {
		require.NoError(t, os.WriteFile("testdata/plans.txt", []byte(plans), 0o644))
	} else {
		want, err := os.ReadFile("testdata/plans.txt")
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(string(want), plans), "plans changed: if that is what you want, run the tests with -update")
	}
	populate(t, "sqlite", handle, sqliteShare)
	plansOf(t, handle, db)
}

func openFile(t *testing.T) *sql.DB {
	t.Helper()
	handle, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "roster.db")+"?_pragma=journal_mode(WAL)"+
		"&_pragma=busy_timeout(10000)&_pragma=synchronous(OFF)&_pragma=cache_size(-400000)")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, handle.Close()) })
	handle.SetMaxOpenConns(1) // the statistics are read when a connection opens
	return handle
}

// plansOf returns the plans of all statements by name, and ends the test at one that mustn't be.
func plansOf(t *testing.T, handle *sql.DB, db *DB) string {
	t.Helper()
	plans := make(map[string]string)
	for _, c := range callsOf(db.engine) {
		statement, args := c.sent(db, false)
		plan := c.statement + "\n"
		for _, detail := range planOf(t, handle, statement, args) {
			plan += "\t" + detail + "\n"
			_, mayScan := scans[c.statement]
			require.True(t, mayScan || !tableScan.MatchString(detail), "%s: %s", c.name(), detail)
			_, maySort := sorts[c.statement]
			require.True(t, maySort || !strings.Contains(detail, "TEMP B-TREE"), "%s: %s", c.name(), detail)
		}
		if _, seen := plans[c.statement]; !seen {
			plans[c.statement] = plan
		}
	}
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(plans)) {
		all.WriteString(plans[name])
	}
	return all.String()
}

var tableScan = regexp.MustCompile(`^SCAN [a-z]`) // and not CONSTANT ROW

// planOf returns the lines of SQLite's plan for a call.
func planOf(t *testing.T, handle *sql.DB, statement string, args []any) []string {
	t.Helper()
	rows, err := handle.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, args...)
	require.NoError(t, err, statement)
	defer rows.Close()
	var details []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		details = append(details, detail)
	}
	require.NoError(t, rows.Err())
	return details
}

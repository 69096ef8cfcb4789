package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// TestPlansOfMySQL makes every call in a full database, those that read also as they are sent within a host's
// transaction, and counts what the server reads for it: its plans say "ref" whether it reads one row by a key or many.
func TestPlansOfMySQL(t *testing.T) {
	database := servertest.Fresh(t, "mysql")
	handle := database.Open(t)
	db := New(handle, MySQL, Config{})
	require.NoError(t, db.Migrate(t.Context()))
	populate(t, "mysql", handle, 1)
	conn, err := handle.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	var table strings.Builder
	for _, shared := range []bool{false, true} {
		for _, c := range callsOf(db.engine) {
			statement, args := c.sent(db, shared)
			if shared && !strings.Contains(statement, db.engine.share) {
				continue
			}
			for _, way := range ways(t, conn, statement, args) {
				_, mayScan := scans[c.statement]
				require.True(t, mayScan || way != "ALL" && way != "index", "%s: reads a table or an index from end to end", c.name())
			}
			reads, returned := counted(t, conn, db.engine.beginUpdate, statement, args)
			fmt.Fprintf(&table, "shared %-5t reads %6d of %6d, returns %6d: %s\n", shared, reads, c.rows, returned, c.name())
			if reads > mostRows(c) {
				t.Errorf("%s, shared %t: reads %d rows for %d:\n%s", c.name(), shared, reads, c.rows, statement)
			}
		}
	}
	t.Logf("%s reads:\n%s", servertest.MySQL(t).Version(t), table.String())
}

// ways are the ways in which the tables of a statement are read, by the words of EXPLAIN, but for those that never grow.
func ways(t *testing.T, conn *sql.Conn, statement string, args []any) []string {
	t.Helper()
	if strings.HasPrefix(statement, "INSERT") { // reads nothing
		return nil
	}
	rows, err := conn.QueryContext(context.Background(), "EXPLAIN "+statement, args...)
	require.NoError(t, err, statement)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	table, way := slices.Index(columns, "table"), slices.Index(columns, "type")
	values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	var found []string
	for rows.Next() {
		require.NoError(t, rows.Scan(targets...))
		if !neverGrow[values[table].String] {
			found = append(found, values[way].String)
		}
	}
	require.NoError(t, rows.Err())
	return found
}

// counted runs a statement in a transaction that is rolled back, and returns how many rows and entries of indexes the
// server read, and how many rows it returned.
func counted(t *testing.T, conn *sql.Conn, begin []string, statement string, args []any) (reads, returned int) {
	t.Helper()
	for _, statement := range begin {
		execute(t, conn, statement)
	}
	defer execute(t, conn, "ROLLBACK")
	before := handlerReads(t, conn)
	if strings.HasPrefix(statement, "SELECT") {
		rows, err := conn.QueryContext(context.Background(), statement, args...)
		require.NoError(t, err, statement)
		for rows.Next() {
			returned++
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	} else if _, err := conn.ExecContext(context.Background(), statement, args...); err != nil && numberOf(err) != 1062 {
		require.NoError(t, err, statement)
	}
	return handlerReads(t, conn) - before, returned
}

// handlerReads is how many rows and entries of indexes the session has read so far: those that were handed out, and
// those that were passed over for a condition within the index.
func handlerReads(t *testing.T, conn *sql.Conn) int {
	t.Helper()
	rows, err := conn.QueryContext(context.Background(), `SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler\_read%' OR Variable_name LIKE 'Handler\_icp%'`)
	require.NoError(t, err)
	defer rows.Close()
	sum := 0
	for rows.Next() {
		var name string
		var n int
		require.NoError(t, rows.Scan(&name, &n))
		if name == "Handler_icp_match" { // are among those that were handed out
			n = -n
		}
		sum += n
	}
	require.NoError(t, rows.Err())
	return sum
}

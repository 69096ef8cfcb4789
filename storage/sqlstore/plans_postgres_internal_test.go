package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// TestPlansOfPostgres makes every call in a full database, with the plan that PostgreSQL makes for the arguments and with
// the one that it makes for all of them, one of which every prepared statement ends up with. It refuses to read a table
// or an index that grows with accounts from end to end, and to read much more than the answer rests on.
func TestPlansOfPostgres(t *testing.T) {
	db, conn := onPostgres(t, true)
	var table strings.Builder
	for _, mode := range planModes() {
		execute(t, conn, "SET plan_cache_mode = "+mode)
		for _, c := range callsOf(db.engine) {
			statement, args := c.sent(db, false)
			read := explained(t, conn, "BEGIN", statement, args)
			fmt.Fprintf(&table, "%-18s rows %6d of %6d, pages %6d: %s\n", mode, read.rows, c.rows, read.pages, c.name())
			if reason, cheap := cheapScans[c.name()]; cheap && read.pages <= mostPages(c) {
				fmt.Fprintf(&table, "\t%s\n", reason)
				continue
			}
			if len(read.scans) > 0 {
				t.Errorf("%s, %s: reads %s from end to end:\n%s", c.name(), mode, read.scans, read.plan)
			}
			if read.rows > mostRows(c) || read.pages > mostPages(c) {
				t.Errorf("%s, %s: reads %d rows and %d pages for %d rows:\n%s", c.name(), mode, read.rows, read.pages, c.rows, read.plan)
			}
		}
	}
	t.Logf("PostgreSQL reads:\n%s", table.String())
}

// TestPlansOfSubscribers gathers statistics from few rows again and again, so that PostgreSQL expects now this and now that of
// an account: whatever it expects, it reads a page and not the whole account.
func TestPlansOfSubscribers(t *testing.T) {
	db, conn := onPostgres(t, true)
	execute(t, conn, "SET default_statistics_target = 10")
	for range 20 {
		execute(t, conn, "ANALYZE roster_preferences, roster_memberships, roster_accounts, roster_users")
		for _, mode := range planModes() {
			execute(t, conn, "SET plan_cache_mode = "+mode)
			for _, c := range callsOf(db.engine) {
				if c.statement != "selectSubscribers" {
					continue
				}
				statement, args := c.sent(db, false)
				read := explained(t, conn, "BEGIN", statement, args)
				require.LessOrEqual(t, read.rows, mostRows(c), "%s:\n%s", c.name(), read.plan)
			}
		}
	}
}

// TestPlansOfAnOutboxThatHasFilled claims and finishes mails of an outbox that was empty when PostgreSQL last gathered
// statistics: a worker reads what it works on, not all that waits.
func TestPlansOfAnOutboxThatHasFilled(t *testing.T) {
	db, conn := onPostgres(t, false)
	fill := func(ids string, state, turn int) {
		execute(t, conn, fmt.Sprintf(`INSERT INTO roster_messages (id, kind, group_id, ref, generation, recipient_id, created_at, state,
			due_at, attempt, leased_until, done_at, reason, address, subject, turn)
			SELECT '%s ' || i, 'invite', 'account 1', 'invite', 1, '', 0, %d, 1, 0, -1, 0, '', '', '', i * %d FROM generate_series(1, 5000) AS i`,
			ids, state, turn))
	}
	execute(t, conn, "ALTER TABLE roster_messages SET (autovacuum_enabled = off)")
	fill("old", 2, 0)
	execute(t, conn, "ANALYZE roster_messages")
	fill("new", 1, 1)
	var ids []string
	for i := range maxList {
		ids = append(ids, fmt.Sprint("new ", 1000+i))
	}
	ofMany := call{rows: 2 * maxList}
	for _, c := range []call{
		{"selectWoken", "", 1, []any{1, notify.MaxWoken}},
		{"selectDue", "", maxList, []any{1, 1, maxList}},
		{"leaseMessages", "", 6 * maxList, []any{0, ids}},
		{"putBackMessages", "", 6 * maxList, []any{0, whens{ids: ids, attempts: slices.Repeat([]any{0}, maxList)}}},
		{"wakeMessages", "", 6 * maxList, []any{whens{ids: ids, values: [][]any{slices.Repeat([]any{1}, maxList)}}}},
	} {
		statement, args := c.sent(db, false)
		read := explained(t, conn, db.engine.beginWork[0], statement, args)
		require.Empty(t, read.scans, "%s:\n%s", c.name(), read.plan)
		require.LessOrEqual(t, read.rows, mostRows(ofMany), "%s:\n%s", c.name(), read.plan)
	}
}

// onPostgres returns a migrated database, with the population or empty, and one connection to it.
func onPostgres(t *testing.T, populated bool) (*DB, *sql.Conn) {
	t.Helper()
	handle := servertest.Fresh(t, "postgres").Open(t)
	db := New(handle, Postgres, Config{})
	require.NoError(t, db.Migrate(t.Context()))
	if populated {
		populate(t, "postgres", handle, 1)
	}
	conn, err := handle.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return db, conn
}

// planModes are the two plans that PostgreSQL makes: for any arguments, and for those that are given.
func planModes() []string { return []string{"force_generic_plan", "force_custom_plan"} }

// cheapScans are the calls for which PostgreSQL may read a table from end to end, since it costs less than to read by
// their keys the rows that have to be read, with the reason why they are so many.
var cheapScans = map[string]string{
	"selectMembers with all conditions":       "the account has a fifth of all users",
	"selectUserAccounts with all conditions":  "the user is a member of every account",
	"selectReceivers many of the big account": "to look up each of so many addresses costs more than to look at all suppressions",
	"selectFollowers":                         "all followers are asked for",
	"selectBacklog":                           "of the population's mails most are queued",
	"drawTicketAndNotify":                     "the one ticket that was drawn is all there is to read",
	"deleteFollowers of a long list":          "each process has a few followers, and a list of them is much of the table",
}

// mostRows is how many rows and entries of indexes a call may read: twice what it has to, since an engine may need both
// the entry and the row, and a few to see where a range ends.
func mostRows(c call) int { return 2*c.rows + 10 }

// mostPages is how many pages of PostgreSQL's a call may read or write: an index of a million entries has three levels,
// of which one page or another is split while rows are written.
func mostPages(c call) int { return 6*c.rows + 100 }

// A reading is what PostgreSQL said of how it went about a statement.
type reading struct {
	rows, pages int
	scans       []string // the tables and indexes that it read from end to end
	plan        string
}

// explained runs a statement in a transaction that is rolled back.
func explained(t *testing.T, conn *sql.Conn, begin, statement string, args []any) reading {
	t.Helper()
	execute(t, conn, "PREPARE asked AS "+statement)
	defer execute(t, conn, "DEALLOCATE asked")
	execute(t, conn, begin)
	defer execute(t, conn, "ROLLBACK")
	call := "EXECUTE asked"
	if len(args) > 0 {
		literals := make([]string, len(args))
		for i, arg := range args {
			literals[i] = literal(arg)
		}
		call += " (" + strings.Join(literals, ", ") + ")"
	}
	var text string
	err := conn.QueryRowContext(context.Background(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+call).Scan(&text)
	require.NoError(t, err, call)
	var plans []struct{ Plan node }
	require.NoError(t, json.Unmarshal([]byte(text), &plans))
	read := reading{pages: plans[0].Plan.Hit + plans[0].Plan.Read}
	plans[0].Plan.add(&read, "\t")
	return read
}

// A node is one of a plan's.
type node struct {
	Type      string  `json:"Node Type"`
	Table     string  `json:"Relation Name"`
	Index     string  `json:"Index Name"`
	Condition string  `json:"Index Cond"`
	Rows      float64 `json:"Actual Rows"`
	Loops     float64 `json:"Actual Loops"`
	Filtered  float64 `json:"Rows Removed by Filter"`
	Rechecked float64 `json:"Rows Removed by Index Recheck"`
	Hit       int     `json:"Shared Hit Blocks"`
	Read      int     `json:"Shared Read Blocks"`
	Plans     []node
}

// add adds what a node and those below it read.
func (n node) add(read *reading, indent string) {
	read.plan += fmt.Sprintf("%s%s %s%s %s, %.0f times %.0f rows, and %.0f in vain\n",
		indent, n.Type, n.Table, n.Index, n.Condition, n.Loops, n.Rows, n.Filtered+n.Rechecked)
	if strings.HasSuffix(n.Type, "Scan") && n.Table+n.Index != "" && !neverGrow[n.Table] {
		read.rows += int((n.Rows + n.Filtered + n.Rechecked) * n.Loops)
		if n.Type != "Bitmap Heap Scan" && n.Condition == "" {
			read.scans = append(read.scans, n.Table+n.Index)
		}
	}
	for _, below := range n.Plans {
		below.add(read, indent+"\t")
	}
}

// literal writes an argument as a part of a statement.
func literal(arg any) string {
	switch value := arg.(type) {
	case nil:
		return "NULL"
	case []byte:
		return fmt.Sprintf(`'\x%x'`, value)
	case string:
		return "'" + strings.ReplaceAll(value, "'", "''") + "'"
	}
	return fmt.Sprint(arg)
}

func execute(t *testing.T, conn *sql.Conn, statement string) {
	t.Helper()
	_, err := conn.ExecContext(context.Background(), statement)
	require.NoError(t, err, statement)
}

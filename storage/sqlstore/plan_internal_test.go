package sqlstore

import (
	"database/sql"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
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

// statements are all that this package can send, but for BEGIN, COMMIT and ROLLBACK.
var statements = map[string]string{
	"countLiveInvites":       countLiveInvites,
	"countSeats":             countSeats,
	"countUse":               countUse,
	"deleteContact":          deleteContact,
	"deleteLimit":            deleteLimit,
	"deleteMembership":       deleteMembership,
	"deletePreferences":      deletePreferences,
	"deleteUses":             deleteUses,
	"dropUses":               dropUses,
	"findInvite":             findInvite,
	"finishMessage":          finishMessage,
	"insertAccount":          insertAccount,
	"insertEvent":            insertEvent,
	"insertInvite":           insertInvite,
	"insertMessage":          insertMessage,
	"leaseMessage":           leaseMessage,
	"lockAccount":            lockAccount,
	"lockLimit":              lockLimit,
	"putContact":             putContact,
	"putMembership":          putMembership,
	"putPreference":          putPreference,
	"putSignIn":              putSignIn,
	"putUser":                putUser,
	"raiseFeed":              raiseFeed,
	"raiseFeedByID":          raiseFeedByID,
	"raiseVersion":           raiseVersion,
	"retryMessage":           retryMessage,
	"revokeInvite":           revokeInvite,
	"selectAccount":          selectAccount,
	"selectChanges":          selectChanges,
	"selectContact":          selectContact,
	"selectContactByAddress": selectContactByAddress,
	"selectContacts":         selectContacts,
	"selectDeliveries":       selectDeliveries,
	"selectDue":              selectDue,
	"selectEventsAfter":      selectEventsAfter,
	"selectEventsBefore":     selectEventsBefore,
	"selectFeed":             selectFeed,
	"selectGrant":            selectGrant,
	"selectInvite":           selectInvite,
	"selectInvites":          selectInvites,
	"selectMembers":          selectMembers,
	"selectMembersByAddress": selectMembersByAddress,
	"selectMembership":       selectMembership,
	"selectMessages":         selectMessages,
	"selectNextKey":          selectNextKey,
	"selectOtherContact":     selectOtherContact,
	"selectPassedLimits":     selectPassedLimits,
	"selectPendingInvite":    selectPendingInvite,
	"selectPreference":       selectPreference,
	"selectRevocable":        selectRevocable,
	"selectSnapshot":         selectSnapshot,
	"selectSubscribers":      selectSubscribers,
	"selectUser":             selectUser,
	"selectUserAccounts":     selectUserAccounts,
	"selectUsers":            selectUsers,
	"selectWaitingInvites":   selectWaitingInvites,
	"sumUses":                sumUses,
	"touchMembership":        touchMembership,
	"unlockAccount":          unlockAccount,
	"updateAccount":          updateAccount,
	"updateHead":             updateHead,
	"updateInvite":           updateInvite,
}

// scans are the statements that read a table from end to end, with the reason why that table never grows.
var scans = map[string]string{
	"selectFeed": "the feed has 64 rows",
}

// wholeTables are the statements that don't name an account, with the reason.
var wholeTables = map[string]string{
	"countUse":             "a limit is named by a digest",
	"deleteLimit":          "a limit is named by a digest",
	"deleteUses":           "a limit is named by a digest",
	"dropUses":             "a limit is named by a digest",
	"findInvite":           "the first read of a token's verb, which learns the account",
	"finishMessage":        "the worker serves all accounts",
	"insertMessage":        "a message has a group, which is an account to those who send",
	"leaseMessage":         "the worker serves all accounts",
	"lockLimit":            "a limit is named by a digest",
	"putSignIn":            "users exist apart from accounts",
	"putUser":              "users exist apart from accounts",
	"raiseFeed":            "the feed is one for all accounts",
	"raiseFeedByID":        "the feed is one for all accounts",
	"retryMessage":         "the worker serves all accounts",
	"selectChanges":        "the feed is one for all accounts",
	"selectDeliveries":     "a message has a group, which is an account to those who send",
	"selectDue":            "the worker serves all accounts",
	"selectFeed":           "the feed is one for all accounts",
	"selectMessages":       "a message has a group, which is an account to those who send",
	"selectNextKey":        "keys are the host's, for all accounts",
	"selectPassedLimits":   "a limit is named by a digest",
	"selectSnapshot":       "not about data",
	"selectUser":           "users exist apart from accounts",
	"selectUserAccounts":   "one user's accounts",
	"selectUsers":          "users exist apart from accounts",
	"selectWaitingInvites": "one person's invites, from all accounts",
	"sumUses":              "a limit is named by a digest",
}

// aboutServers are the files whose statements ask a database about itself, once, when it is opened.
var aboutServers = []string{"migrate.go", "mysql.go", "postgres.go", "sqlite.go"}

// TestStatementsAreListed finds the statements in the source.
func TestStatementsAreListed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var found []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || slices.Contains(aboutServers, file) {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(node ast.Node) bool {
			if spec, ok := node.(*ast.ValueSpec); ok && len(spec.Values) == 1 && isStatement(spec.Values[0]) {
				found = append(found, spec.Names[0].Name)
			}
			return true
		})
	}
	slices.Sort(found)
	require.Equal(t, slices.Sorted(maps.Keys(statements)), found)
}

var statementStart = regexp.MustCompile("^`(SELECT|INSERT|UPDATE|DELETE|WITH) ?\\b")

func isStatement(value ast.Expr) bool {
	for {
		sum, ok := value.(*ast.BinaryExpr)
		if !ok {
			break
		}
		value = sum.X
	}
	literal, ok := value.(*ast.BasicLit)
	return ok && statementStart.MatchString(literal.Value)
}

// TestPlans compares how SQLite goes about each statement with testdata/plans.txt, and refuses to read a table that
// grows with accounts from end to end: in an empty database, and with statistics of one that is full.
func TestPlans(t *testing.T) {
	handle := planned(t)
	plans := plansOf(t, handle)
	if flag.Lookup("update").Value.String() == "true" {
		require.NoError(t, os.WriteFile("testdata/plans.txt", []byte(plans), 0o644))
	} else {
		want, err := os.ReadFile("testdata/plans.txt")
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(string(want), plans), "plans changed: if that is what you want, run the tests with -update")
	}
	fill(t, handle)
	plansOf(t, handle)
}

func TestStatementsNameAnAccount(t *testing.T) {
	account := regexp.MustCompile(`account_id = \?|INTO roster_\w+ \((id, )?account_id\b|roster_accounts( AS a)? WHERE id = \?|roster_accounts \(id|a\.id = \?|roster_accounts SET [^;]*WHERE id = \?`)
	for name, statement := range statements {
		_, whole := wholeTables[name]
		require.NotEqual(t, whole, account.MatchString(regexp.MustCompile(`\s+`).ReplaceAllString(statement, " ")), name)
	}
}

func TestStatementsPageByKey(t *testing.T) {
	for name, statement := range statements {
		require.NotContains(t, strings.ToUpper(statement), "OFFSET", name)
		require.NotContains(t, strings.ToUpper(statement), " LIKE ", "%s: LIKE doesn't compare byte for byte", name)
	}
}

func planned(t *testing.T) *sql.DB {
	t.Helper()
	handle, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "roster.db")+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, handle.Close()) })
	handle.SetMaxOpenConns(1) // the statistics are read when a connection opens
	db := New(handle, SQLite, Config{})
	require.NoError(t, db.Migrate(t.Context()))
	return handle
}

// plansOf returns the plans of all statements by name, and ends the test at one that mustn't be.
func plansOf(t *testing.T, handle *sql.DB) string {
	t.Helper()
	scan := regexp.MustCompile(`^SCAN `)
	var plans strings.Builder
	for _, name := range slices.Sorted(maps.Keys(statements)) {
		if name == "raiseFeedByID" { // is for MySQL
			continue
		}
		statement, _ := in(statements[name], []string{"1", "2"})
		rows, err := handle.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, make([]any, strings.Count(statement, "?"))...)
		require.NoError(t, err, name)
		fmt.Fprintf(&plans, "%s\n", name)
		for rows.Next() {
			var id, parent, unused int
			var detail string
			require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
			fmt.Fprintf(&plans, "\t%s\n", detail)
			if detail == "SCAN CONSTANT ROW" {
				continue
			}
			if _, allowed := scans[name]; !allowed {
				require.False(t, scan.MatchString(detail), "%s: %s", name, detail)
			}
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	return plans.String()
}

// fill stores 50 accounts with 100 members, 50 invites, 50 contacts, 100 messages and 100 events each, and lets SQLite
// gather its statistics.
func fill(t *testing.T, handle *sql.DB) {
	t.Helper()
	const numbers = `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) `
	for _, insert := range []struct {
		rows      int
		statement string
	}{
		{50, `INSERT INTO roster_accounts SELECT 'account ' || i, 'user ' || i, '', 1, '', '', '', '', '', '', '', '', '', '', '', '', '', '',
			'', '', '', 0, '[]', 0, 1, 0, zeroblob(32) FROM n`},
		{5000, `INSERT INTO roster_memberships SELECT 'account ' || (i / 100), 'user ' || (i * 7919 % 5001), 1, 1, 0, 0, '', 0, 0 FROM n`},
		{5000, `INSERT INTO roster_users SELECT 'user ' || i, i || '@example.com', i || '@example.com', 1, '', '', 0, 0 FROM n`},
		{2500, `INSERT INTO roster_invites SELECT 'account ' || (i / 50), 'invite ' || i, i || '@example.com', i || '@example.com', 1, 0, 0, '',
			1, 'user 1', 1, 0, iif(i % 5, 2, 1), iif(i % 5, NULL, 1), 0, 0, i, 0, '', zeroblob(16), 'key' FROM n`},
		{2500, `INSERT INTO roster_contacts SELECT 'account ' || (i / 50), 'contact ' || i, '', '', i || '@example.com', i || '@example.com',
			'', '', '', '', '', '', '', '', 1, 0, 0 FROM n`},
		{2500, `INSERT INTO roster_preferences SELECT 'account ' || (i / 50), 'user ' || i, 1 FROM n`},
		{5000, `INSERT INTO roster_messages SELECT 'message ' || i, 'invite', 'account ' || (i / 100), 'invite ' || i, 1, '', 0, iif(i % 50, 2, 1), i,
			0, 0, 0, '', '', '' FROM n`},
		{5000, `INSERT INTO roster_events SELECT 'account ' || (i / 100), i % 100 + 1, 0, 'event ' || i, i, 'member.added', x'7b7d', NULL, NULL, zeroblob(32),
			NULL, NULL, zeroblob(32), '', '', '', '', zeroblob(32), i % 64, i / 64 + 1 FROM n`},
		{1000, `INSERT INTO roster_limits SELECT CAST(substr('0000000000000000000000000000' || (i + 1000), -32) AS BLOB), i FROM n`},
		{5000, `INSERT INTO roster_limit_uses SELECT CAST(substr('0000000000000000000000000000' || (i % 1000 + 1000), -32) AS BLOB), i, 1, i FROM n`},
	} {
		_, err := handle.ExecContext(t.Context(), fmt.Sprintf(numbers, insert.rows-1)+insert.statement)
		require.NoError(t, err, insert.statement)
	}
	for _, statement := range []string{`ANALYZE`, `ANALYZE sqlite_master`} {
		_, err := handle.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
}

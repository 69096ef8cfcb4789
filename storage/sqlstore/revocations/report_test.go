package revocations_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// version asks an engine who it is.
func version(t *testing.T, engine string, handle *sql.DB) string {
	t.Helper()
	statements := map[string]string{"sqlite": `SELECT 'SQLite ' || sqlite_version()`,
		"postgres": `SELECT 'PostgreSQL ' || current_setting('server_version')`, "mysql": `SELECT VERSION()`}
	var text string
	require.NoError(t, handle.QueryRowContext(context.Background(), statements[engine]).Scan(&text))
	return text
}

// report says what was done and found.
func report(journals []journal, found verdict) string {
	var text strings.Builder
	answers := make(map[string]int)
	for _, j := range journals {
		for _, v := range j.Verbs {
			answers[v.Kind+" "+v.Answer]++
		}
	}
	fmt.Fprintf(&text, "%d checks said yes, %d no; %d of them wrong\n", found.yes, found.no, found.wrong)
	for _, answer := range slices.Sorted(maps.Keys(answers)) {
		fmt.Fprintf(&text, "  %s %d\n", answer, answers[answer])
	}
	if took := found.revocations; len(took) > 0 {
		fmt.Fprintf(&text, "from a revocation's call to its return, of %d: median %s, 99th percentile %s, at most %s", len(took),
			took[len(took)/2].Round(10*time.Microsecond), took[len(took)*99/100].Round(10*time.Microsecond), took[len(took)-1].Round(10*time.Microsecond))
	}
	return text.String()
}

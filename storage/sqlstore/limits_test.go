package sqlstore_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
)

func hit(t *testing.T, db *sqlstore.DB, limit byte, at time.Time) {
	t.Helper()
	require.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		_, err := tx.Hit(ctx, [32]byte{limit}, at, time.Minute)
		return err
	}))
}

// TestPassedLimitsAreForgotten uses 25 limits once, which are kept for two minutes, and counts what is left of them.
func TestPassedLimitsAreForgotten(t *testing.T) {
	handle, noon := openHandle(t, newFile(t)), time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	db := migrated(t, handle)
	left := func() (limits, uses string) {
		return value(t, handle, `SELECT COUNT(*) FROM roster_limits`), value(t, handle, `SELECT COUNT(*) FROM roster_limit_uses`)
	}
	for i := range 25 {
		hit(t, db, byte(i), noon)
		hit(t, db, byte(i), noon.Add(-time.Second)) // doesn't shorten it
	}
	hit(t, db, 100, noon.Add(2*time.Minute-time.Microsecond))
	limits, uses := left()
	require.Equal(t, []string{"26", "51"}, []string{limits, uses}, "no limit has passed")
	for _, want := range [][]string{{"16", "32"}, {"6", "12"}, {"1", "2"}, {"1", "2"}} {
		hit(t, db, 100, noon.Add(2*time.Minute))
		limits, uses = left()
		require.Equal(t, want, []string{limits, uses})
	}
}

// TestHitLocksTheLimitFirst shows that a use of a limit begins with a write of the limit's one row: engines with many
// writers let nobody else count before that is committed.
func TestHitLocksTheLimitFirst(t *testing.T) {
	var p probe
	db := migrated(t, openProbed(t, newFile(t), &p))
	for range 2 { // a new limit, and one that is there
		p.taken()
		hit(t, db, 1, time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC))
		statements := p.taken()
		require.True(t, strings.HasPrefix(statements[0], "BEGIN"))
		require.True(t, strings.HasPrefix(statements[1], "INSERT INTO roster_limits (digest, "), statements[1])
	}
}

package memory

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage"
)

// TestPassedLimitsAreForgotten uses 25 limits once, which are kept for two minutes, and counts what is left of them.
func TestPassedLimitsAreForgotten(t *testing.T) {
	db, noon := New(), time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	hit := func(limit byte, at time.Time) {
		require.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Hit(ctx, [32]byte{limit}, at, time.Minute)
			return err
		}))
	}
	left := func() int {
		s, limits, deadlines := db.committed.Load(), 0, 0
		for range s.limits.above("") {
			limits++
		}
		for range s.passing.above("") {
			deadlines++
		}
		require.Equal(t, limits, deadlines)
		return limits
	}
	for i := range 25 {
		hit(byte(i), noon)
		hit(byte(i), noon.Add(-time.Minute)) // doesn't shorten it
	}
	require.Equal(t, 25, left())
	hit(100, noon.Add(2*time.Minute-time.Microsecond))
	require.Equal(t, 26, left(), "none has passed")
	for _, want := range []int{16, 6, 1, 1} {
		hit(100, noon.Add(2*time.Minute))
		require.Equal(t, want, left())
	}
}

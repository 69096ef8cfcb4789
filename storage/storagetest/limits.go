package storagetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage"
)

func limitCases() []testCase {
	return []testCase{
		{"sliding window", "a limit counts the uses after at-window and up to at, this one included", slidingWindow},
		{"long and short windows", "a use is kept for the window with which it was counted, whatever shorter ones ask",
			longAndShort},
		{"others", "a use is kept for its window however often other limits are used meanwhile", otherLimits},
		{"apart", "limits that differ in one bit are counted apart", limitsApart},
		{"rolled back", "a use that is rolled back isn't counted", limitRolledBack},
		{"many at once", "of uses at once, none is lost and no two get the same number", hitsTogether},
	}
}

func hit(db database, limit [32]byte, at time.Time, window time.Duration) int {
	db.t.Helper()
	var n int
	db.update(func(ctx context.Context, tx storage.Tx) {
		var err error
		n, err = tx.Hit(ctx, limit, at, window)
		require.NoError(db.t, err)
	})
	return n
}

func slidingWindow(t *testing.T, db database) {
	limit, tick := [32]byte{1}, time.Microsecond
	for _, step := range []struct {
		after time.Duration
		want  int
	}{
		{0, 1},
		{0, 2}, // at the same instant
		{time.Minute, 3},
		{time.Hour - tick, 4},
		{time.Hour, 3}, // the first two are exactly a window old, and over
		{time.Hour + time.Minute - tick, 4},
		{time.Hour + time.Minute, 4},
		{9 * time.Hour, 1},
	} {
		require.Equal(t, step.want, hit(db, limit, noon().Add(step.after), time.Hour), "after %v", step.after)
	}
	const bit = 400 * time.Nanosecond // of a microsecond, which is cut off as everywhere
	require.Equal(t, 1, hit(db, [32]byte{4}, noon().Add(bit), time.Hour))
	require.Equal(t, 1, hit(db, [32]byte{4}, noon().Add(time.Hour), time.Hour))
	require.Equal(t, 1, hit(db, [32]byte{3}, noon(), time.Hour))
	require.Equal(t, 2, hit(db, [32]byte{3}, noon().Add(10*time.Minute), time.Hour))
	late := hit(db, [32]byte{3}, noon().Add(5*time.Minute), time.Hour)
	require.Equal(t, 2, late, "a use that comes late doesn't count later ones")
	db.update(func(ctx context.Context, tx storage.Tx) {
		for want := 1; want < 4; want++ {
			n, err := tx.Hit(ctx, [32]byte{2}, noon(), time.Hour)
			require.NoError(t, err)
			require.Equal(t, want, n, "within one unit")
		}
	})
}

func longAndShort(t *testing.T, db database) {
	limit, day := [32]byte{1}, 24*time.Hour
	for want := 1; want <= 5; want++ {
		require.Equal(t, want, hit(db, limit, noon(), day))
	}
	require.Equal(t, 6, hit(db, limit, noon(), time.Minute), "at the same instant")
	require.Equal(t, 1, hit(db, limit, noon().Add(time.Hour), time.Minute))
	// Those with the short window may be forgotten by now, the five with the long one may not.
	require.GreaterOrEqual(t, hit(db, limit, noon().Add(2*time.Hour), day), 6)
	require.Equal(t, 1, hit(db, limit, noon().Add(23*time.Hour), time.Minute))
	require.GreaterOrEqual(t, hit(db, limit, noon().Add(day-time.Microsecond), day), 7)

	short := [32]byte{2} // first, and a long one at the same instant
	require.Equal(t, 1, hit(db, short, noon(), time.Minute))
	require.Equal(t, 2, hit(db, short, noon(), day))
	require.Equal(t, 1, hit(db, short, noon().Add(time.Hour), time.Minute))
	require.GreaterOrEqual(t, hit(db, short, noon().Add(2*time.Hour), day), 2)
}

// otherLimits has more limits pass than a backend may care to forget at once.
func otherLimits(t *testing.T, db database) {
	const n = 50
	kept, day := [32]byte{31: 1}, 24*time.Hour
	for want := 1; want <= 3; want++ {
		require.Equal(t, want, hit(db, kept, noon(), day))
	}
	for _, after := range []time.Duration{0, 12 * time.Hour, 23 * time.Hour} {
		for i := range n {
			require.Equal(t, 1, hit(db, [32]byte{0: 1, 1: byte(i)}, noon().Add(after), time.Minute))
		}
		require.Equal(t, 2, hit(db, [32]byte{0: 1}, noon().Add(after), time.Minute))
	}
	require.Equal(t, 4, hit(db, kept, noon().Add(day-time.Microsecond), day))
}

func limitsApart(t *testing.T, db database) {
	limits := [][32]byte{{}, {31: 1}, {0: 1}, {0: 128}, {15: 1}, {31: 255}, {0: 'a'}, {0: 'A'}, {0: ' '}, {0: '%'}}
	for range 2 {
		for _, limit := range limits {
			hit(db, limit, noon(), time.Hour)
		}
	}
	for _, limit := range limits {
		require.Equal(t, 3, hit(db, limit, noon(), time.Hour), "limit %x", limit)
	}
	// Using some forgets nothing of the others that they still need.
	end := noon().Add(time.Hour - time.Microsecond)
	for i := range 30 {
		require.Equal(t, 1, hit(db, [32]byte{1: byte(1 + i)}, end, time.Microsecond))
	}
	for _, limit := range limits {
		require.Equal(t, 4, hit(db, limit, end, time.Hour), "limit %x", limit)
	}
}

func limitRolledBack(t *testing.T, db database) {
	for range 3 {
		require.ErrorIs(t, db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			n, err := tx.Hit(ctx, [32]byte{1}, noon(), time.Hour)
			require.NoError(t, err)
			require.Equal(t, 1, n)
			return errInjected
		}), errInjected)
	}
	require.Equal(t, 1, hit(db, [32]byte{1}, noon(), time.Hour))
}

func hitsTogether(t *testing.T, db database) {
	const n = 50
	counts := make([]int, n)
	errs := together(n, func(i int) error {
		return db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			var err error
			counts[i], err = tx.Hit(ctx, [32]byte{1}, noon(), time.Hour)
			return err
		})
	})
	require.NoError(t, errors.Join(errs...))
	slices.Sort(counts)
	for i, count := range counts {
		require.Equal(t, i+1, count)
	}
}

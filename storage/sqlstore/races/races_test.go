package races_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/storagetest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// The size of a race.
const (
	processes = 4
	clients   = 4 // of each process
)

// length is how long a race goes on: short, or a minute if the environment has ROSTER_SOAK.
func length() time.Duration {
	if os.Getenv("ROSTER_SOAK") != "" {
		return time.Minute
	}
	return short
}

// seed is what the operations are drawn from: which are done at the same time is up to the machine. ROSTER_SEED repeats one.
func seed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("ROSTER_SEED")
	if text == "" {
		return rand.Uint64()
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err)
	return n
}

func TestRaces(t *testing.T) {
	for _, engine := range slices.Sorted(maps.Keys(dialects())) {
		t.Run(engine, func(t *testing.T) {
			database := servertest.Fresh(t, engine)
			handle := database.Open(t)
			db := sqlstore.New(handle, dialects()[engine], sqlstore.Config{})
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			require.NoError(t, db.Migrate(t.Context()))

			race := newTask(t, database)
			race.Hasty = true
			lines, work := run(t, race, processes, length())
			histories := byAccount(lines)
			t.Logf("report: %s, seed %d, %d processes with %d clients, %s\n%s", version(t, engine, handle), race.Seed, processes, clients,
				length(), report(lines, histories, work))
			for _, l := range lines {
				require.Empty(t, l.Result.Failure, "%s", l)
			}
			require.Greater(t, len(lines), 100, "the machine is too slow for a race")
			if len(lines) > 2000 { // or it may be chance
				count(lines).requireRaces(t)
			}
			require.NoError(t, storagetest.CheckInvariants(t.Context(), db, slices.Sorted(maps.Keys(histories)), timeOf(now())))
			found, longest := checkAll(histories)
			t.Logf("report: %d accounts checked, the longest search took %s", len(histories), longest.Round(time.Millisecond))
			for _, text := range found {
				t.Error(text)
			}
		})
	}
}

func newTask(t *testing.T, database servertest.Database) task {
	t.Helper()
	return task{Engine: database.Engine, Driver: database.Driver, Source: database.Source, Clients: clients,
		Seed: seed(t), Themes: slices.Sorted(maps.Keys(themes())), Stage: int64(stage)}
}

// run has processes do a task, and returns all that they wrote down.
func run(t *testing.T, race task, processes int, length time.Duration) ([]line, tally) {
	t.Helper()
	race.Folder = t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), length+3*patience)
	defer cancel()
	racing := make([]*process, processes)
	for i := range racing {
		race.Process = i
		racing[i] = start(ctx, t, race)
	}
	for _, p := range racing {
		require.Equal(t, "ready", p.next(t))
	}
	from := now()
	for _, p := range racing {
		_, err := fmt.Fprintln(p.input, from, from+int64(length))
		require.NoError(t, err)
	}
	var lines []line
	var total tally
	for _, p := range racing {
		var done tally
		require.NoError(t, json.Unmarshal([]byte(p.next(t)), &done))
		require.NoError(t, p.wait(), "%s", p.errors)
		total = tally{total.Updates + done.Updates, total.Again + done.Again}
		some, err := readJournal(p.task.journal())
		require.NoError(t, err)
		lines = append(lines, some...)
	}
	return lines, total
}

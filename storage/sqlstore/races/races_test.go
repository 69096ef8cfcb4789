package races_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
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
	if processtest.Soaking() {
		return time.Minute
	}
	return short
}

func TestRaces(t *testing.T) {
	for _, engine := range servertest.Engines() {
		t.Run(engine, func(t *testing.T) {
			database := servertest.Fresh(t, engine)
			db := sqlstore.New(database.Open(t), processtest.Dialect(engine), sqlstore.Config{})
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			require.NoError(t, db.Migrate(t.Context()))

			race := newTask(t, database)
			race.Hasty = true
			lines, work := run(t, race, processes, length())
			histories := byAccount(lines)
			t.Logf("report: %s, seed %d, %d processes with %d clients, %s\n%s", database.Version(t), race.Seed, processes, clients,
				length(), report(lines, histories, work))
			for _, l := range lines {
				require.Empty(t, l.Result.Failure, "%s", l)
			}
			require.Greater(t, len(lines), 100, "the machine is too slow for a race")
			if len(lines) > 2000 { // or it may be chance
				count(lines).requireRaces(t)
			}
			require.NoError(t, storagetest.CheckInvariants(t.Context(), db, slices.Sorted(maps.Keys(histories)), timeOf(processtest.Now())))
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
	return task{Database: database, Clients: clients, Seed: processtest.Seed(t), Themes: slices.Sorted(maps.Keys(themes())), Stage: int64(stage)}
}

// run has processes do a task, and returns all that they wrote down.
func run(t *testing.T, race task, processes int, length time.Duration) ([]line, tally) {
	t.Helper()
	race.Folder = t.TempDir()
	racing := make([]*processtest.Process, processes)
	for race.Process = range racing {
		racing[race.Process] = processtest.Start(t, length+3*patience, race)
	}
	for _, p := range racing {
		_, err := p.Hear("ready")
		require.NoError(t, err)
	}
	from := processtest.Now()
	for _, p := range racing {
		require.NoError(t, p.Tell(from, from+int64(length)))
	}
	var lines []line
	var total tally
	for i, p := range racing {
		text, err := p.Hear("done ")
		require.NoError(t, err)
		var done tally
		require.NoError(t, json.Unmarshal([]byte(text), &done))
		require.NoError(t, p.Wait())
		total = tally{total.Updates + done.Updates, total.Again + done.Again}
		race.Process = i
		some, err := readJournal(race.journal())
		require.NoError(t, err)
		lines = append(lines, some...)
	}
	return lines, total
}

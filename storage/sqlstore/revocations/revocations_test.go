package revocations_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// length is how long writers write on one engine: short, or a minute if the environment has ROSTER_SOAK.
func length() time.Duration {
	if processtest.Soaking() {
		return time.Minute
	}
	return short
}

// engines runs a test on each engine.
func engines(t *testing.T, test func(t *testing.T, engine string)) {
	for _, engine := range servertest.Engines() {
		t.Run(engine, func(t *testing.T) { test(t, engine) })
	}
}

// A weather is what followers have to bear.
type weather struct {
	name    string
	deaf    int
	disturb func(*scene, []*processtest.Process, int64)
}

func weathers() []weather {
	return []weather{
		{"calm", 0, func(*scene, []*processtest.Process, int64) {}},
		{"deaf", 200, (*scene).changeLeases},
		{"stopped", 0, (*scene).stopSome},
	}
}

// TestRevocations has followers that poll, that are deaf now and then while the lease changes, and that are stopped.
func TestRevocations(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		for _, w := range weathers() {
			t.Run(w.name, func(t *testing.T) {
				s := newScene(t, engine)
				s.task.Hasty, s.task.Deaf = true, w.deaf
				each := length() / time.Duration(len(weathers()))
				journals := s.race(each, func(processes []*processtest.Process, until int64) { w.disturb(s, processes, until) })
				found := s.judge(journals...)
				t.Logf("report: %s, seed %d, 4 processes with memories and 1 without, %s, lease %s, poll %s\n%s", s.task.Database.Version(t),
					s.task.Seed, each, lease, poll, report(journals, found))
				require.Zero(t, found.wrong, "%s", strings.Join(found.examples, "\n"))
				require.Empty(t, found.disorders)
				require.Greater(t, found.ordered, found.yes+found.no, "every check is an operation on a register, and there are changes")
				require.NotEmpty(t, found.revocations, "the machine is too slow")
				requireLate(t, journals)
			})
		}
	})
}

// requireLate fails a test in which a process didn't answer any more when it had to know all.
func requireLate(t *testing.T, journals []journal) {
	t.Helper()
	last := int64(0)
	for _, j := range journals {
		for _, v := range j.Verbs {
			last = max(last, v.Return)
		}
	}
	for _, j := range journals {
		require.Greater(t, j.Checks[len(j.Checks)-1].Call, last+int64(lease), "process %d", j.Process)
	}
}

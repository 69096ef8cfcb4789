package revocations_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// length is how long writers write on one engine: short, or a minute if the environment has ROSTER_SOAK.
func length() time.Duration {
	if os.Getenv("ROSTER_SOAK") != "" {
		return time.Minute
	}
	return short
}

// seed is what verbs are drawn from: which are done at the same time is up to the machine. ROSTER_SEED repeats one.
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

// engines runs a test on each engine.
func engines(t *testing.T, test func(t *testing.T, engine string)) {
	for _, engine := range slices.Sorted(maps.Keys(dialects())) {
		t.Run(engine, func(t *testing.T) { test(t, engine) })
	}
}

// TestRevocations has half of the time followers that poll, and the other half some that are deaf now and then while the
// lease changes.
func TestRevocations(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		for _, deaf := range []int{0, 200} {
			name := "calm"
			if deaf > 0 {
				name = "deaf"
			}
			t.Run(name, func(t *testing.T) {
				s := newScene(t, engine)
				s.task.Hasty, s.task.Deaf = true, deaf
				journals := s.race(length() / 2)
				found := s.judge(journals...)
				t.Logf("report: %s, seed %d, 3 processes with memories and 1 without, %s, lease %s, poll %s\n%s", version(t, engine, s.handle),
					s.task.Seed, length()/2, lease, poll, report(journals, found))
				require.Zero(t, found.wrong, "%s", strings.Join(found.examples, "\n"))
				require.Greater(t, len(found.revocations), 10, "the machine is too slow")
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

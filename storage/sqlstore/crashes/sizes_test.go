package crashes_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
)

// size returns a number of repetitions: the full one, or the one for every day.
func size(full, short int) int {
	if processtest.Soaking() {
		return full
	}
	return short
}

// newSeed returns the seed of a run and prints it. ROSTER_SEED repeats a run, as far as the moments at which a process
// is killed can be repeated at all.
func newSeed(t testing.TB) uint64 {
	t.Helper()
	seed := processtest.Seed(t)
	t.Logf("report: ROSTER_SEED=%d", seed)
	return seed
}

func newRandom(seed uint64, stream int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(stream)))
}

// between draws a time.
func between(random *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(random.Int64N(int64(to-from)+1))
}

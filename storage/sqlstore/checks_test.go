package sqlstore_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// setChecks has rapid make n runs until the test ends, ten times as many in a soak, and returns what to print: how many,
// and the seed, which ROSTER_SEED sets.
func setChecks(t *testing.T, n int) string {
	t.Helper()
	if os.Getenv("ROSTER_SOAK") != "" {
		n *= 10
	}
	seed := rand.Uint64N(1<<63-1) + 1
	if text := os.Getenv("ROSTER_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "ROSTER_SEED")
	}
	for name, value := range map[string]string{"rapid.checks": fmt.Sprint(n), "rapid.seed": fmt.Sprint(seed)} {
		before := flag.Lookup(name).Value.String()
		require.NoError(t, flag.Set(name, value))
		t.Cleanup(func() { require.NoError(t, flag.Set(name, before)) })
	}
	return fmt.Sprintf("%d checks, ROSTER_SEED=%d", n, seed)
}

package processtest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/sqlstore"
)

// Soaking reports whether the full sizes are asked for: the environment has ROSTER_SOAK.
func Soaking() bool { return os.Getenv("ROSTER_SOAK") != "" }

// Seed returns what ROSTER_SEED says, or any number. It repeats what processes draw: what they do at the same time is up
// to the machine.
func Seed(t testing.TB) uint64 {
	t.Helper()
	text := os.Getenv("ROSTER_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, "ROSTER_SEED")
	return seed
}

// Dialect returns the dialect of an engine, by the name that it has in servertest.
func Dialect(engine string) sqlstore.Dialect {
	switch engine {
	case "sqlite":
		return sqlstore.SQLite
	case "postgres":
		return sqlstore.Postgres
	case "mysql":
		return sqlstore.MySQL
	}
	panic("processtest: there is no engine " + engine)
}

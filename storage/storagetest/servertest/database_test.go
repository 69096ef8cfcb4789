package servertest_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

func TestFreshDatabasesAreSeparateAndEmpty(t *testing.T) {
	for _, engine := range servertest.Engines() {
		t.Run(engine, func(t *testing.T) {
			one, other := servertest.Fresh(t, engine), servertest.Fresh(t, engine)
			for _, database := range []servertest.Database{one, other} {
				require.Equal(t, engine, database.Engine)
				makeTable(t, database.Open(t)) // which fails where it is already
			}
			add(t, one.Open(t), 1)
			require.Equal(t, 1, count(t, one.Open(t)))
			require.Zero(t, count(t, other.Open(t)))
		})
	}
}

func TestDatabasesAreDroppedWithTheTest(t *testing.T) {
	for _, engine := range servertest.Engines() {
		t.Run(engine, func(t *testing.T) {
			var database servertest.Database
			t.Run("a test", func(t *testing.T) {
				database = servertest.Fresh(t, engine)
				makeTable(t, database.Open(t))
			})
			_, err := database.Open(t).Exec("SELECT count(*) FROM roster_things")
			require.Error(t, err)
		})
	}
}

func TestDatabasesKnowTheirVersions(t *testing.T) {
	names := map[string]string{"sqlite": `^SQLite 3\.\d`, "postgres": `^PostgreSQL \d`, "mysql": `^(MariaDB|MySQL) \d`}
	for _, engine := range servertest.Engines() {
		t.Run(engine, func(t *testing.T) {
			require.Regexp(t, names[engine], servertest.Fresh(t, engine).Version(t))
		})
	}
}

func TestFreshKnowsItsEngines(t *testing.T) {
	require.PanicsWithValue(t, "servertest: there is no engine oracle", func() { servertest.Fresh(t, "oracle") })
}

// makeTable makes the table that add and count use.
func makeTable(t testing.TB, handle *sql.DB) {
	t.Helper()
	_, err := handle.Exec("CREATE TABLE roster_things (id bigint PRIMARY KEY)")
	require.NoError(t, err)
}

// add adds a row, through a handle or a transaction.
func add(t testing.TB, session interface {
	Exec(string, ...any) (sql.Result, error)
}, id int) {
	t.Helper()
	_, err := session.Exec(fmt.Sprintf("INSERT INTO roster_things VALUES (%d)", id)) // which each engine understands
	require.NoError(t, err)
}

func count(t testing.TB, handle *sql.DB) int {
	t.Helper()
	var n int
	require.NoError(t, handle.QueryRow("SELECT count(*) FROM roster_things").Scan(&n))
	return n
}

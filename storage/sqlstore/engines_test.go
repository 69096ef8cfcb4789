package sqlstore_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/sqlstore"
)

// An engine is what the tests that are the same on all of them need.
type engine struct {
	name string
	// migrated and probed open a fresh database, which is ended with the test: as hosts do, or through a probe.
	migrated func(testing.TB) (*sql.DB, *sqlstore.DB)
	probed   func(testing.TB, *probe) (*sql.DB, *sqlstore.DB)
	// placed returns a statement with the placeholders of the engine for question marks.
	placed func(statement string) string
	// idle ends the test if a connection is inside a transaction.
	idle func(testing.TB, *sql.Conn)
}

// engines are those that this package knows.
func engines() []engine {
	return []engine{
		{
			name: "sqlite",
			migrated: func(t testing.TB) (*sql.DB, *sqlstore.DB) {
				handle := openHandle(t, newFile(t))
				return handle, migrated(t, handle)
			},
			probed: func(t testing.TB, p *probe) (*sql.DB, *sqlstore.DB) {
				handle := openProbed(t, newFile(t), p)
				return handle, migrated(t, handle)
			},
			placed: func(statement string) string { return statement },
			idle: func(t testing.TB, conn *sql.Conn) {
				_, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE") // can't be inside a transaction
				require.NoError(t, err)
				_, err = conn.ExecContext(t.Context(), "ROLLBACK")
				require.NoError(t, err)
			},
		},
		{
			name: "postgres",
			migrated: func(t testing.TB) (*sql.DB, *sqlstore.DB) {
				handle := postgres(t).migrated(t)
				return handle, openPostgres(t, handle)
			},
			probed: func(t testing.TB, p *probe) (*sql.DB, *sqlstore.DB) {
				handle := openThrough(t, p, postgres(t).connect(t))
				return handle, openPostgres(t, handle)
			},
			placed: func(statement string) string {
				for n := 1; strings.Contains(statement, "?"); n++ {
					statement = strings.Replace(statement, "?", fmt.Sprintf("$%d", n), 1)
				}
				return statement
			},
			idle: func(t testing.TB, conn *sql.Conn) {
				_, err := conn.ExecContext(t.Context(), "SAVEPOINT none")
				require.ErrorContains(t, err, "25P01", "there is a transaction for a savepoint")
			},
		},
	}
}

package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/sqlstore"
)

// openPostgres returns a DB on a database of PostgreSQL.
func openPostgres(t testing.TB, handle *sql.DB) *sqlstore.DB {
	t.Helper()
	db := sqlstore.New(handle, sqlstore.Postgres)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

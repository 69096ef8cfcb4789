package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/rosterkit/roster/storage/sqlstore"
)

// An engine is what the tests that are the same on all of them need.
type engine struct {
	name     string
	migrated func(testing.TB) (*sql.DB, *sqlstore.DB) // on a fresh database; ended with the test
}

// engines are those that this package knows.
func engines() []engine {
	return []engine{
		{"sqlite", func(t testing.TB) (*sql.DB, *sqlstore.DB) {
			handle := openHandle(t, newFile(t))
			return handle, migrated(t, handle)
		}},
		{"postgres", func(t testing.TB) (*sql.DB, *sqlstore.DB) {
			handle := postgres(t).migrated(t)
			return handle, openPostgres(t, handle)
		}},
	}
}

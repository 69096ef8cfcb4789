package sqlstore_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// emptied migrates a database and returns a function that deletes all that was stored in it: a test with many cases gets
// an empty database for each much faster than a new one is made and migrated.
func (e engine) emptied(t testing.TB, database servertest.Database) (empty func(require.TestingT)) {
	t.Helper()
	handle := database.Open(t)
	require.NoError(t, e.open(t, handle).Migrate(t.Context()))
	var statements []string
	for _, table := range e.tables(t, handle) {
		switch table {
		case "roster_migrations":
		case "roster_feed":
			statements = append(statements, `UPDATE roster_feed SET number = 0, tail = '' WHERE number > 0`)
		case "roster_cluster":
			statements = append(statements, `UPDATE roster_cluster SET ticket = 0, lease_ms = 1000, wait_ms = 1000, lease_changes = 0`)
		default:
			statements = append(statements, `DELETE FROM `+table)
		}
	}
	return func(t require.TestingT) { require.NoError(t, runAll(handle, statements)) }
}

// runAll runs statements in a transaction. Somebody who left one open would make it wait, but not for ever.
func runAll(handle *sql.DB, statements []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tx, err := handle.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

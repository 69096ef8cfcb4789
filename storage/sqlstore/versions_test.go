package sqlstore_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// gooseDialects are what goose calls the engines.
var gooseDialects = map[engine]goose.Dialect{
	sqliteEngine: goose.DialectSQLite3, postgresEngine: goose.DialectPostgres, mysqlEngine: goose.DialectMySQL,
}

// versions are the versions of the tables that were ever needed, in order.
func versions(t *testing.T, dialect sqlstore.Dialect) []int64 {
	t.Helper()
	files, err := fs.Glob(sqlstore.Migrations(dialect, sqlstore.Config{}), "*.sql")
	require.NoError(t, err)
	var numbers []int64
	for _, file := range files {
		var number int64
		_, err := fmt.Sscanf(file, "%d_", &number)
		require.NoError(t, err)
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	return numbers
}

// TestMigrateFromEveryVersion has a database of each earlier version, with something of everything in it that it had
// tables and columns for, migrated on.
func TestMigrateFromEveryVersion(t *testing.T) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		known := versions(t, engine.dialect)
		newest := known[len(known)-1]
		for _, version := range known[:len(known)-1] {
			t.Run(fmt.Sprint(version), func(t *testing.T) {
				handle := engine.database(t).Open(t)
				provider, err := goose.NewProvider(gooseDialects[engine], handle, sqlstore.Migrations(engine.dialect, sqlstore.Config{}),
					goose.WithTableName("roster_migrations"), goose.WithDisableGlobalRegistry(true))
				require.NoError(t, err)
				_, err = provider.UpTo(t.Context(), version)
				require.NoError(t, err)
				fresh, now := engine.migrated(t)
				insertAccount(t, now, "acme")
				require.NoError(t, now.Update(t.Context(), everything))
				engine.copyBack(t, fresh, handle)
				db := engine.open(t, handle)
				require.EqualError(t, db.Verify(t.Context()),
					fmt.Sprintf("sqlstore: the tables are of version %d, and this roster needs %d: call Migrate", version, newest))

				require.NoError(t, db.Migrate(t.Context()))
				require.NoError(t, db.Verify(t.Context()))
				require.NotEmpty(t, dump(t, now))
				require.Equal(t, dump(t, now), dump(t, db))
				require.Equal(t, engine.tables(t, fresh), engine.tables(t, handle))
				if engine == sqliteEngine {
					require.Equal(t, schema(t, fresh), schema(t, handle))
				}
				require.NoError(t, db.Migrate(t.Context()))
				require.Equal(t, "[] 0 1s 1s 0", registry(t, db))
				followed(t, db)
				require.NoError(t, db.Migrate(t.Context()))
				require.Equal(t, followedRegistry, registry(t, db))
				requireWaits(t, db)
			})
		}
	})
}

// requireWaits requires that the message that waited to be sent still does.
func requireWaits(t *testing.T, db *sqlstore.DB) {
	t.Helper()
	claimed, err := db.Claim(t.Context(), noon.AddDate(1, 0, 0), time.Minute, 10)
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	fenced, err := db.Finish(t.Context(), notify.Result{ID: claimed[0].ID, Attempt: claimed[0].Attempt, State: notify.Sent, At: noon})
	require.NoError(t, err)
	require.Empty(t, fenced)
}

// copyBack copies all rows of a database to one of an earlier version, as far as that has tables and columns for them, and
// deletes from the first what has no table in the other.
func (e engine) copyBack(t *testing.T, from, to *sql.DB) {
	t.Helper()
	earlier := e.tables(t, to)
	for _, table := range e.tables(t, from) {
		switch {
		case table == "roster_migrations":
			continue
		case strings.HasPrefix(table, "sqlite_"):
			continue
		case !slices.Contains(earlier, table):
			if table != "roster_cluster" { // which a migration fills
				execute(t, from, "DELETE FROM "+table)
			}
			continue
		}
		execute(t, to, "DELETE FROM "+table)
		columns := columnsOf(t, to, table)
		rows, err := from.QueryContext(t.Context(), "SELECT "+strings.Join(columns, ", ")+" FROM "+table)
		require.NoError(t, err)
		insert := e.placed("INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")")
		for rows.Next() {
			values, targets := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				targets[i] = &values[i]
			}
			require.NoError(t, rows.Scan(targets...))
			_, err := to.ExecContext(t.Context(), insert, values...)
			require.NoError(t, err, table)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
}

// columnsOf are the names of the columns of a table.
func columnsOf(t *testing.T, handle *sql.DB, table string) []string {
	t.Helper()
	rows, err := handle.QueryContext(t.Context(), "SELECT * FROM "+table+" WHERE 1 = 0")
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	require.NoError(t, rows.Err())
	return columns
}

// TestMySQLMigratesOnWhereAnotherWasKilled begins where a process had done a part of a later version.
func TestMySQLMigratesOnWhereAnotherWasKilled(t *testing.T) {
	for _, lost := range [][]string{
		nil,
		{`DROP TABLE roster_notices`},
		{`DROP TABLE roster_notices`, `DROP TABLE roster_suppressions`},
		{`DROP TABLE roster_notices`, `DROP TABLE roster_suppressions`, `DROP TABLE roster_feedback`},
		{`ALTER TABLE roster_contacts DROP COLUMN alternate_of`},
		{`ALTER TABLE roster_contacts DROP COLUMN locale`},
		{`ALTER TABLE roster_contacts DROP COLUMN locale`, `ALTER TABLE roster_users DROP COLUMN locale`},
		{`DROP TABLE roster_unsubscribed`},
		{`DROP TABLE roster_unsubscribed`, `DROP TABLE roster_verifications`},
		{`DROP TABLE roster_unsubscribed`, `DROP TABLE roster_verifications`, `ALTER TABLE roster_contacts
			DROP COLUMN verified_at, DROP COLUMN unsubscribed, DROP COLUMN waiting, DROP INDEX roster_contacts_id`},
		{`DROP TABLE roster_followers`}, {`DROP TABLE roster_followers`, `DELETE FROM roster_cluster`},
		{`DROP TABLE roster_followers`, `DROP TABLE roster_cluster`},
	} {
		handle, db := mysqlEngine.migrated(t)
		execute(t, handle, `DELETE FROM roster_migrations WHERE version_id > 1`)
		execute(t, handle, lost...)
		require.NoError(t, db.Migrate(t.Context()))
		require.NoError(t, db.Verify(t.Context()))
		require.Equal(t, "[] 0 1s 1s 0", registry(t, db))
		followed(t, db)
	}
}

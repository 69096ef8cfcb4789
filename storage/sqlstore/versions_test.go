package sqlstore_test

import (
	"database/sql"
	"fmt"
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

// TestMigrateFromEarlierVersions has a database of each earlier version, with something of everything in it, migrated on.
func TestMigrateFromEarlierVersions(t *testing.T) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		for version := 1; version < newestVersion; version++ {
			t.Run(fmt.Sprint(version), func(t *testing.T) { migrateFrom(t, engine, version) })
		}
	})
}

// newestVersion is the number of the last migration.
const newestVersion = 3

func migrateFrom(t *testing.T, engine engine, version int) {
	fresh, filled := engine.migrated(t)
	insertAccount(t, filled, "acme")
	require.NoError(t, filled.Update(t.Context(), everything))
	handle := engine.database(t).Open(t)
	provider, err := goose.NewProvider(gooseDialects[engine], handle, sqlstore.Migrations(engine.dialect, sqlstore.Config{}),
		goose.WithTableName("roster_migrations"), goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	_, err = provider.UpTo(t.Context(), int64(version))
	require.NoError(t, err)
	copyRows(t, engine, fresh, handle)
	db := engine.open(t, handle)
	require.EqualError(t, db.Verify(t.Context()),
		fmt.Sprintf("sqlstore: the tables are of version %d, and this roster needs %d: call Migrate", version, newestVersion))

	require.NoError(t, db.Migrate(t.Context()))
	require.NoError(t, db.Verify(t.Context()))
	require.Equal(t, complete(t), dump(t, db))
	require.Equal(t, engine.tables(t, fresh), engine.tables(t, handle))
	if engine == sqliteEngine {
		require.Equal(t, schema(t, fresh), schema(t, handle))
	}
	require.NoError(t, db.Migrate(t.Context()))
	require.Equal(t, "[] 0 1s 1s", registry(t, db))
	followed(t, db)
	require.NoError(t, db.Migrate(t.Context()))
	require.Equal(t, followedRegistry, registry(t, db))

	// What waited to be sent still does.
	claimed, err := db.Claim(t.Context(), noon.AddDate(1, 0, 0), time.Minute, 10)
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	fenced, err := db.Finish(t.Context(), notify.Result{ID: claimed[0].ID, Attempt: claimed[0].Attempt, State: notify.Sent, At: noon})
	require.NoError(t, err)
	require.Empty(t, fenced)
}

// copyRows copies all rows of a database into one of an earlier version, as far as that has columns for them.
func copyRows(t *testing.T, engine engine, from, to *sql.DB) {
	t.Helper()
	for _, table := range engine.tables(t, to) {
		if !strings.HasPrefix(table, "roster_") || table == "roster_migrations" {
			continue
		}
		none, err := to.QueryContext(t.Context(), `SELECT * FROM `+table+` WHERE 1 = 0`)
		require.NoError(t, err)
		columns, err := none.Columns()
		require.NoError(t, err)
		require.NoError(t, none.Close())
		execute(t, to, `DELETE FROM `+table)
		insert := engine.placed(`INSERT INTO ` + table + ` VALUES (?` + strings.Repeat(", ?", len(columns)-1) + `)`)
		rows, err := from.QueryContext(t.Context(), `SELECT `+strings.Join(columns, ", ")+` FROM `+table)
		require.NoError(t, err)
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		for rows.Next() {
			require.NoError(t, rows.Scan(targets...))
			_, err := to.ExecContext(t.Context(), insert, values...)
			require.NoError(t, err, table)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
}

// TestMySQLMigratesOnWhereAnotherWasKilled begins where a process had done a part of the second version or of the third.
func TestMySQLMigratesOnWhereAnotherWasKilled(t *testing.T) {
	for _, lost := range [][]string{
		nil, {`DROP TABLE roster_followers`}, {`DROP TABLE roster_followers`, `DELETE FROM roster_cluster`},
		{`DROP TABLE roster_followers`, `DROP TABLE roster_cluster`},
	} {
		handle, db := mysqlEngine.migrated(t)
		execute(t, handle, `DELETE FROM roster_migrations WHERE version_id >= 2`)
		execute(t, handle, lost...)
		require.NoError(t, db.Migrate(t.Context()))
		require.Equal(t, "[] 0 1s 1s", registry(t, db))
		followed(t, db)
	}
}

package sqlstore_test

import (
	"fmt"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/sqlstore"
)

// gooseDialects are what goose calls the engines.
var gooseDialects = map[engine]goose.Dialect{
	sqliteEngine: goose.DialectSQLite3, postgresEngine: goose.DialectPostgres, mysqlEngine: goose.DialectMySQL,
}

// TestMigrateFromVersionOne has a database of the first version, with something of everything in it, migrated on.
func TestMigrateFromVersionOne(t *testing.T) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		handle := engine.database(t).Open(t)
		provider, err := goose.NewProvider(gooseDialects[engine], handle, sqlstore.Migrations(engine.dialect, sqlstore.Config{}),
			goose.WithTableName("roster_migrations"), goose.WithDisableGlobalRegistry(true))
		require.NoError(t, err)
		_, err = provider.UpTo(t.Context(), 1)
		require.NoError(t, err)
		db := engine.open(t, handle)
		insertAccount(t, db, "acme")
		require.NoError(t, db.Update(t.Context(), everything))
		require.EqualError(t, db.Verify(t.Context()), fmt.Sprintf("sqlstore: the tables are of version 1, and this roster needs %d: call Migrate", sqlstore.Known(engine.dialect)))

		require.NoError(t, db.Migrate(t.Context()))
		require.NoError(t, db.Verify(t.Context()))
		require.Equal(t, complete(t), dump(t, db))
		fresh, _ := engine.migrated(t)
		require.Equal(t, engine.tables(t, fresh), engine.tables(t, handle))
		if engine == sqliteEngine {
			require.Equal(t, schema(t, fresh), schema(t, handle))
		}
		require.NoError(t, db.Migrate(t.Context()))
		require.Equal(t, "[] 0 1s 1s", registry(t, db))
		followed(t, db)
		require.NoError(t, db.Migrate(t.Context()))
		require.Equal(t, followedRegistry, registry(t, db))
	})
}

// TestMySQLMigratesOnWhereAnotherWasKilled begins where a process had done a part of the second version.
func TestMySQLMigratesOnWhereAnotherWasKilled(t *testing.T) {
	for _, lost := range [][]string{
		nil, {`DROP TABLE roster_followers`}, {`DROP TABLE roster_followers`, `DELETE FROM roster_cluster`},
		{`DROP TABLE roster_followers`, `DROP TABLE roster_cluster`},
	} {
		handle, db := mysqlEngine.migrated(t)
		execute(t, handle, `DELETE FROM roster_migrations WHERE version_id = 2`)
		execute(t, handle, lost...)
		require.NoError(t, db.Migrate(t.Context()))
		require.Equal(t, "[] 0 1s 1s", registry(t, db))
		followed(t, db)
	}
}

package sqlstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage"
)

// TestVerifyLeavesNothingBehind verifies in vain, and has another process migrate and verify at once.
func TestVerifyLeavesNothingBehind(t *testing.T) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		database := engine.database(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // or it would wait for ever
		defer cancel()
		handle := database.Open(t)
		ours := engine.open(t, handle)
		require.Error(t, ours.Verify(ctx))
		theirs := engine.open(t, database.Open(t))
		require.NoError(t, theirs.Migrate(ctx))
		require.NoError(t, ours.Verify(ctx))
		require.NoError(t, ours.Migrate(ctx))
		execute(t, handle, `INSERT INTO roster_migrations (version_id, is_applied) VALUES (9999, true)`)
		require.Error(t, ours.Migrate(ctx))
		execute(t, handle, `DELETE FROM roster_migrations WHERE version_id = 9999`)
		require.NoError(t, theirs.Migrate(ctx))
		requireIdle(t, handle, engine)
	})
}

// TestMySQLSettingsRefused has sessions in which roster would be wrong.
func TestMySQLSettingsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ setting, value, want string }{
		"autocommit": {"autocommit", "0",
			"sqlstore: autocommit is off, so that a check would see the past: remove autocommit from the data source"},
		"dirty reads": {"tx_isolation", "'READ-UNCOMMITTED'",
			"sqlstore: the isolation level is READ UNCOMMITTED, at which a check would see what may never be: set another transaction_isolation"},
		"empty texts": {"sql_mode", "'STRICT_ALL_TABLES,EMPTY_STRING_IS_NULL'",
			"sqlstore: the sql_mode takes empty texts for NULL: remove EMPTY_STRING_IS_NULL from it"},
		"latin1": {"charset", "latin1",
			"sqlstore: the character_set_client is latin1, in which texts would be read as others: add charset=utf8mb4 to the data source"},
		"gbk": {"charset", "gbk",
			"sqlstore: the character_set_client is gbk, in which texts would be read as others: add charset=utf8mb4 to the data source"},
	} {
		t.Run(name, func(t *testing.T) {
			database := mysqlEngine.database(t)
			handle := database.Open(t)
			if value(t, handle, `SELECT VERSION() LIKE '%MariaDB%'`) == "0" {
				if tt.setting == "tx_isolation" {
					tt.setting = "transaction_isolation"
				}
				if name == "empty texts" {
					return // a mode of MariaDB's
				}
			}
			require.NoError(t, mysqlEngine.open(t, handle).Migrate(t.Context()))
			database.Source += "&" + tt.setting + "=" + tt.value
			db := mysqlEngine.open(t, database.Open(t))
			require.EqualError(t, db.Verify(t.Context()), tt.want)
			require.EqualError(t, db.Migrate(t.Context()), tt.want)
		})
	}
}

func TestPostgresClientEncodingRefused(t *testing.T) {
	database := postgresEngine.database(t)
	database.Source += " client_encoding=LATIN1"
	require.EqualError(t, postgresEngine.open(t, database.Open(t)).Migrate(t.Context()),
		"sqlstore: the connection is encoded in LATIN1: set its client_encoding to UTF8")
}

// TestColumnsThatDontCompareBytesRefused changes the type of a key's column.
func TestColumnsThatDontCompareBytesRefused(t *testing.T) {
	onEngines(t, servers(), func(t *testing.T, engine engine) {
		handle, db := engine.migrated(t)
		execute(t, handle, map[string]string{
			"postgres": `ALTER TABLE roster_memberships ALTER COLUMN user_id TYPE text COLLATE "default"`,
			"mysql":    `ALTER TABLE roster_memberships MODIFY user_id VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL`,
		}[engine.name])
		for _, check := range []func(context.Context) error{db.Verify, db.Migrate} {
			require.EqualError(t, check(t.Context()),
				"sqlstore: the column roster_memberships.user_id doesn't compare byte for byte, as it was made to: change it back")
		}
	})
}

// TestMySQLMigratesWhereAnotherWasKilled begins where a process had made the table of versions, and no more.
func TestMySQLMigratesWhereAnotherWasKilled(t *testing.T) {
	handle, db := mysqlEngine.migrated(t)
	execute(t, handle, `DELETE FROM roster_migrations`)
	require.NoError(t, db.Migrate(t.Context()), "tables are there, and nothing is noted")
	execute(t, handle, `DELETE FROM roster_migrations`, `DROP TABLE roster_limits`, `DROP TABLE roster_feed`)
	require.NoError(t, db.Migrate(t.Context()), "some tables are there")
	require.Equal(t, "64", value(t, handle, `SELECT COUNT(*) FROM roster_feed`))
	insertAccount(t, db, "acme")
}

// TestJoinOutsideATransaction is refused where each statement would be committed by itself.
func TestJoinOutsideATransaction(t *testing.T) {
	onEngines(t, servers(), func(t *testing.T, engine engine) {
		handle, db := engine.migrated(t)
		conn, err := handle.Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		require.Error(t, db.Join(t.Context(), conn, func(context.Context, storage.Tx) error {
			t.Error("it began")
			return nil
		}))
	})
}

// TestNumbersOfMySQLErrors finds the driver's error behind others.
func TestNumbersOfMySQLErrors(t *testing.T) {
	db := mysqlEngine.open(t, mysqlEngine.database(t).Open(t))
	refused := errors.Join(errors.New("traced"), &mysql.MySQLError{Number: 1213, Message: "ann@example.com"})
	require.NotPanics(t, func() {
		err := db.Update(t.Context(), func(context.Context, storage.Tx) error { return refused })
		require.ErrorIs(t, err, refused)
	})
}

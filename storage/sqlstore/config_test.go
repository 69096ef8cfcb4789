package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// TestPrefix keeps two rosters in one database, apart by their prefixes.
func TestPrefix(t *testing.T) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		handle := engine.database(t).Open(t)
		var dbs []*sqlstore.DB
		for _, prefix := range []string{"", "team_", "b"} {
			db := sqlstore.New(handle, engine.dialect, sqlstore.Config{Prefix: prefix})
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			require.NoError(t, db.Migrate(t.Context()))
			require.NoError(t, db.Verify(t.Context()))
			dbs = append(dbs, db)
		}
		for _, db := range dbs[1:] {
			insertAccount(t, db, "acme")
			require.NoError(t, db.Update(t.Context(), everything))
			require.Equal(t, complete(t), dump(t, db))
			followed(t, db)
		}
		require.Equal(t, "0", value(t, handle, `SELECT COUNT(*) FROM roster_accounts`))
		require.Equal(t, "2", value(t, handle, `SELECT COUNT(*) FROM team_accounts`))
		require.Equal(t, "0", value(t, handle, `SELECT ticket FROM roster_cluster`))
		require.Equal(t, "2", value(t, handle, `SELECT ticket FROM team_cluster`))
		for _, table := range engine.tables(t, handle) {
			require.Regexp(t, `^(roster_|team_|b|sqlite_)`, table)
		}
	})
}

// TestSchemaOfPostgres keeps tables in a schema that the search_path doesn't name.
func TestSchemaOfPostgres(t *testing.T) {
	handle := postgresEngine.database(t).Open(t)
	config := sqlstore.Config{Schema: "user"} // a word of SQL
	db := sqlstore.New(handle, sqlstore.Postgres, config)
	require.EqualError(t, db.Migrate(t.Context()), "sqlstore: the search_path names no schema that is there and may be used:"+
		" create the schema, grant its USAGE to the role, or set the search_path of the role or in the data source")
	requireIdle(t, handle, postgresEngine)
	execute(t, handle, `CREATE SCHEMA "user"`)
	require.NoError(t, db.Migrate(t.Context()))
	require.NoError(t, db.Verify(t.Context()))
	insertAccount(t, db, "acme")
	require.NoError(t, db.Update(t.Context(), everything))
	require.Equal(t, complete(t), dump(t, db))
	require.Empty(t, postgresEngine.tables(t, handle), "in the search_path")
	require.Equal(t, "2", value(t, handle, `SELECT COUNT(*) FROM "user".roster_accounts`))
	_, err := db.Grant(t.Context(), "acme", "ann")
	require.NoError(t, err)
	_, err = db.Claim(t.Context(), noon, 1, 1)
	require.NoError(t, err)
	followed(t, db)
}

func TestConfigPanicsOnProgrammersMistakes(t *testing.T) {
	handle := openHandle(t, newFile(t))
	for _, prefix := range []string{"Roster_", "1_", "_", "a-b", "a;b", `a"`, "a b", strings.Repeat("a", 21), "ä"} {
		require.PanicsWithValue(t, "sqlstore: Config.Prefix must be lowercase letters, digits and underscores, at most 20, the first a letter",
			func() { sqlstore.New(handle, sqlstore.SQLite, sqlstore.Config{Prefix: prefix}) }, prefix)
		require.Panics(t, func() { sqlstore.Migrations(sqlstore.SQLite, sqlstore.Config{Prefix: prefix}) })
	}
	for _, schema := range []string{"Billing", `a"b`, strings.Repeat("a", 64)} {
		require.PanicsWithValue(t, "sqlstore: Config.Schema must be lowercase letters, digits and underscores, at most 63, the first a letter",
			func() { sqlstore.New(handle, sqlstore.Postgres, sqlstore.Config{Schema: schema}) }, schema)
	}
	for _, channel := range []string{"Followers", `a"b`, "a b", strings.Repeat("a", 64)} {
		require.PanicsWithValue(t, "sqlstore: Config.Notify must be lowercase letters, digits and underscores, at most 63, the first a letter",
			func() { sqlstore.New(handle, sqlstore.Postgres, sqlstore.Config{Notify: channel}) }, channel)
	}
	for _, dialect := range []sqlstore.Dialect{sqlstore.SQLite, sqlstore.MySQL} {
		require.PanicsWithValue(t, "sqlstore: Config.Schema is for PostgreSQL only",
			func() { sqlstore.New(handle, dialect, sqlstore.Config{Schema: "billing"}) })
		require.PanicsWithValue(t, "sqlstore: Config.Notify is for PostgreSQL only",
			func() { sqlstore.New(handle, dialect, sqlstore.Config{Notify: "followers"}) })
	}
}

// TestMigrationsOfTheHost has the host run the migrations with its own goose.
func TestMigrationsOfTheHost(t *testing.T) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		for _, config := range []sqlstore.Config{{}, {Prefix: "team_"}} {
			files := sqlstore.Migrations(engine.dialect, config)
			names, err := fs.Glob(files, "*.sql")
			require.NoError(t, err)
			require.NotEmpty(t, names)
			handle := engine.database(t).Open(t)
			table := "roster_migrations"
			if config.Prefix != "" {
				table = config.Prefix + "migrations"
				text, err := fs.ReadFile(files, names[0])
				require.NoError(t, err)
				require.NotContains(t, string(text), "roster_")
				info, err := fs.Stat(files, names[0])
				require.NoError(t, err)
				require.EqualValues(t, len(text), info.Size())
			}
			provider, err := goose.NewProvider(gooseDialects[engine], handle, files, goose.WithTableName(table), goose.WithDisableGlobalRegistry(true))
			require.NoError(t, err)
			_, err = provider.Up(t.Context())
			require.NoError(t, err)
			db := sqlstore.New(handle, engine.dialect, config)
			require.NoError(t, db.Verify(t.Context()))
			require.NoError(t, db.Migrate(t.Context()), "nothing is left to do")
			insertAccount(t, db, "acme")
			require.NoError(t, db.Close())
		}
	})
}

// TestGrants has a role of its own migrate, and another one work with what Grants gives it.
func TestGrants(t *testing.T) {
	for _, config := range []sqlstore.Config{{}, {Prefix: "team_", Schema: "billing"}} {
		t.Run("postgres/"+config.Schema, func(t *testing.T) {
			database := postgresEngine.database(t)
			owner := database.Open(t)
			role := strings.ReplaceAll("app_"+t.Name()[len("TestGrants/postgres/"):]+"_"+value(t, owner, `SELECT current_database()`), "/", "")
			execute(t, owner, `CREATE ROLE `+role+` LOGIN PASSWORD 'secret'`)
			t.Cleanup(func() {
				_, err := owner.ExecContext(context.Background(), `DROP OWNED BY `+role)
				require.NoError(t, err)
				_, err = owner.ExecContext(context.Background(), `DROP ROLE `+role)
				require.NoError(t, err)
			})
			if config.Schema != "" {
				execute(t, owner, `CREATE SCHEMA `+config.Schema)
			}
			settings, err := pgx.ParseConfig(database.Source)
			require.NoError(t, err)
			settings.User, settings.Password = role, "secret"
			running := stdlib.OpenDB(*settings)
			t.Cleanup(func() { require.NoError(t, running.Close()) })
			worksWithGrants(t, sqlstore.New(owner, sqlstore.Postgres, config), sqlstore.New(running, sqlstore.Postgres, config),
				func(grants []string) { execute(t, owner, grants...) }, role)
		})
	}
	t.Run("mysql", func(t *testing.T) {
		database := mysqlEngine.database(t)
		owner := database.Open(t)
		name := value(t, owner, `SELECT LEFT(MD5(DATABASE()), 16)`)
		role := "'" + name + "'@'%'"
		execute(t, owner, `CREATE USER `+role+` IDENTIFIED BY 'secret'`)
		t.Cleanup(func() {
			_, err := owner.ExecContext(context.Background(), `DROP USER `+role)
			require.NoError(t, err)
		})
		settings, err := mysql.ParseDSN(database.Source)
		require.NoError(t, err)
		settings.User, settings.Passwd = name, "secret"
		database.Source = settings.FormatDSN()
		worksWithGrants(t, mysqlEngine.open(t, owner), mysqlEngine.open(t, database.Open(t)),
			func(grants []string) { execute(t, owner, grants...) }, role)
	})
	require.Empty(t, sqliteEngine.open(t, openHandle(t, newFile(t))).Grants("app"))
}

func worksWithGrants(t *testing.T, owner, running *sqlstore.DB, grant func([]string), role string) {
	require.Error(t, running.Migrate(t.Context()), "a role without rights made tables")
	require.NoError(t, owner.Migrate(t.Context()))
	require.Error(t, running.Verify(t.Context()))
	grant(owner.Grants(role))
	require.NoError(t, running.Verify(t.Context()))
	insertAccount(t, running, "acme")
	require.NoError(t, running.Update(t.Context(), everything))
	require.Equal(t, complete(t), dump(t, running))
	g, err := running.Grant(t.Context(), "globex", "olga")
	require.NoError(t, err)
	require.True(t, g.Owner)
	messages, err := running.Claim(t.Context(), noon, 1, 1)
	require.NoError(t, err)
	require.Len(t, messages, 1)
	followed(t, running)
	require.NoError(t, running.Close())
	require.NoError(t, owner.Close())
}

// TestBehindPgBouncer works where the next transaction may be on another session of the server, and a statement that
// was prepared on this one isn't there.
func TestBehindPgBouncer(t *testing.T) {
	for _, mode := range []string{"exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			database := postgresEngine.database(t)
			database.Source = servertest.PgBouncer(t, database.Source) + " default_query_exec_mode=" + mode
			handle := database.Open(t)
			db := postgresEngine.open(t, handle)
			require.NoError(t, db.Migrate(t.Context()))
			require.NoError(t, db.Verify(t.Context()))
			var group sync.WaitGroup
			for i := range 10 { // more than there are sessions
				group.Go(func() {
					id := access.AccountID(fmt.Sprint("account ", i))
					for range 10 {
						assert.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
							if _, err := tx.Lock(ctx, id); !errors.Is(err, access.ErrNotFound) {
								return err
							}
							return tx.InsertAccount(ctx, access.Account{ID: id, Owner: "olga", Status: access.AccountActive})
						}))
						g, err := db.Grant(t.Context(), id, "olga")
						assert.NoError(t, err)
						assert.True(t, g.Owner)
					}
				})
			}
			group.Wait()
			insertAccount(t, db, "acme")
			require.NoError(t, db.Update(t.Context(), everything))
			require.Equal(t, complete(t), dump(t, db))
			_, err := db.Claim(t.Context(), noon, time.Minute, 10)
			require.NoError(t, err)
			followed(t, db)
		})
	}
}

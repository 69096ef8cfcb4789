package sqlstore_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
)

// TestPostgresComparesBytes finds the columns of keys that sort in a language.
func TestPostgresComparesBytes(t *testing.T) {
	handle, _ := postgresEngine.migrated(t)
	require.Empty(t, column(t, handle, `SELECT c.relname || '.' || a.attname
		FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
		WHERE c.relname LIKE 'roster_%' AND a.atttypid = 'text'::regtype AND a.attcollation <> '"C"'::regcollation`))
}

func TestPostgresRefusals(t *testing.T) {
	const utf8 = "ENCODING 'UTF8' TEMPLATE template0"
	for _, tt := range []struct {
		name, options string
		prepare       []string
		want          string
	}{
		{"encoding", "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0", nil,
			"sqlstore: the database is encoded in LATIN1, which hasn't all characters:" +
				" make one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"},
		{"schema", utf8, []string{`DROP SCHEMA public`},
			"sqlstore: the search_path names no schema that is there and may be used:" +
				" create the schema, grant its USAGE to the role, or set the search_path of the role or in the data source"},
		{"foreign table", utf8, []string{`CREATE TABLE roster_users (id INTEGER)`},
			"sqlstore: there is a table roster_users that roster has not made: rename it or use another database"},
		{"foreign view", utf8, []string{`CREATE VIEW roster_limits AS SELECT 1`},
			"sqlstore: there is a table roster_limits that roster has not made: rename it or use another database"},
		{"foreign version table", utf8, []string{`CREATE TABLE roster_migrations (id INTEGER)`},
			"sqlstore: there is a table roster_migrations that roster has not made: rename it or use another database"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			handle := newPostgresDatabase(t, tt.options)
			execute(t, handle, tt.prepare...)
			before := postgresEngine.tables(t, handle)
			require.EqualError(t, postgresEngine.open(t, handle).Migrate(t.Context()), tt.want)
			require.Equal(t, before, postgresEngine.tables(t, handle), "something was changed")
		})
	}
}

// newPostgresDatabase makes a database with what is given behind its name.
func newPostgresDatabase(t *testing.T, options string) *sql.DB {
	t.Helper()
	database := postgresEngine.database(t)
	beside := database.Open(t)
	if value(t, beside, `SELECT current_setting('server_version_num')::integer >= 150000`) == "true" {
		options = strings.Replace(options, "LC_CTYPE 'C' TEMPLATE", "LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE", 1)
	}
	name := "roster_test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	execute(t, beside, "CREATE DATABASE "+name+" "+options)
	t.Cleanup(func() {
		handle, err := sql.Open(database.Driver, database.Source)
		require.NoError(t, err)
		defer handle.Close()
		_, err = handle.Exec("DROP DATABASE " + name + " WITH (FORCE)")
		require.NoError(t, err)
	})
	config, err := pgx.ParseConfig(database.Source)
	require.NoError(t, err)
	config.Database = name
	handle := stdlib.OpenDB(*config)
	t.Cleanup(func() { require.NoError(t, handle.Close()) })
	return handle
}

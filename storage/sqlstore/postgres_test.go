package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// openPostgres returns a DB on a database of PostgreSQL.
func openPostgres(t testing.TB, handle *sql.DB) *sqlstore.DB {
	t.Helper()
	db := sqlstore.New(handle, sqlstore.Postgres, sqlstore.Config{})
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// column returns the values of the one column that a statement selects.
func column(t testing.TB, handle *sql.DB, statement string) []string {
	t.Helper()
	rows, err := handle.QueryContext(t.Context(), statement)
	require.NoError(t, err)
	defer rows.Close()
	var values []string
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		values = append(values, text)
	}
	require.NoError(t, rows.Err())
	return values
}

func postgresTables(t testing.TB, handle *sql.DB) []string {
	t.Helper()
	return column(t, handle, `SELECT table_name::text FROM information_schema.tables
		WHERE table_schema = current_schema() ORDER BY table_name COLLATE "C"`)
}

// TestPostgresPassedLimitsAreForgotten forgets limits but for one that another session uses.
func TestPostgresPassedLimitsAreForgotten(t *testing.T) {
	handle, db := engines()[1].migrated(t)
	noon := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	for i := range 3 {
		hit(t, db, byte(i), noon)
	}
	other, err := handle.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer other.Rollback()
	_, err = other.ExecContext(t.Context(), `UPDATE roster_limits SET kept_until = kept_until WHERE digest = $1`, make([]byte, 32))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // or it would wait for ever
	defer cancel()
	require.NoError(t, db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		_, err := tx.Hit(ctx, [32]byte{100}, noon.Add(time.Hour), time.Minute)
		return err
	}))
	require.Equal(t, "2", value(t, handle, `SELECT COUNT(*) FROM roster_limits`))
	require.Equal(t, "2", value(t, handle, `SELECT COUNT(*) FROM roster_limit_uses`))
}

// TestEnginesHaveTheSameTables compares names of tables, columns and indexes, and which columns may be NULL.
func TestEnginesHaveTheSameTables(t *testing.T) {
	postgres := postgres(t).migrated(t)
	sqlite := openHandle(t, newFile(t))
	migrated(t, sqlite)
	require.Equal(t,
		column(t, sqlite, `SELECT t.name || '.' || c.name || CASE c."notnull" WHEN 1 THEN ' NOT NULL' ELSE '' END
			FROM sqlite_master AS t, pragma_table_info(t.name) AS c
			WHERE t.type = 'table' AND t.name LIKE 'roster_%' AND t.name <> 'roster_migrations' ORDER BY t.name, c.cid`),
		column(t, postgres, `SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
			FROM information_schema.columns
			WHERE table_schema = current_schema() AND table_name <> 'roster_migrations'
			ORDER BY table_name COLLATE "C", ordinal_position`))
	require.Equal(t,
		column(t, sqlite, `SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'roster_%' ORDER BY name`),
		column(t, postgres, `SELECT c.relname::text FROM pg_class AS c JOIN pg_index AS i ON i.indexrelid = c.oid
			WHERE c.relname LIKE 'roster_%' AND c.relname NOT LIKE 'roster_migrations%'
				AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = c.oid)
			ORDER BY c.relname COLLATE "C"`))
	require.Equal(t, "64", value(t, postgres, `SELECT COUNT(*) FROM roster_feed`))
}

// TestPostgresComparesBytes finds the columns of keys that sort in a language.
func TestPostgresComparesBytes(t *testing.T) {
	require.Empty(t, column(t, postgres(t).migrated(t), `SELECT c.relname || '.' || a.attname
		FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
		WHERE c.relname LIKE 'roster_%' AND a.atttypid = 'text'::regtype AND a.attcollation <> '"C"'::regcollation`))
}

func TestPostgresMigrateAgain(t *testing.T) {
	handle := postgres(t).empty(t)
	handle.SetMaxOpenConns(1)
	execute(t, handle, `CREATE TABLE roster_players (id INTEGER)`, `CREATE TABLE goose_db_version (id INTEGER)`)
	db := openPostgres(t, handle)
	require.NoError(t, db.Migrate(t.Context()))
	insertAccount(t, db, "acme")
	require.NoError(t, db.Migrate(t.Context()))
	require.NoError(t, openPostgres(t, handle).Migrate(t.Context()))
	require.Equal(t, "acme", value(t, handle, `SELECT id FROM roster_accounts`))
	require.Equal(t, "2", value(t, handle, `SELECT COUNT(*) FROM roster_migrations`)) // goose's own, and ours
	require.Equal(t, "0", value(t, handle, `SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`))
	execute(t, handle, `INSERT INTO roster_migrations (version_id, is_applied) VALUES (9999, true)`)
	require.EqualError(t, db.Migrate(t.Context()),
		"sqlstore: the tables were migrated to version 9999 by a newer roster, and this one knows 1: update the program")
}

func TestPostgresMigrateByManyAtOnce(t *testing.T) {
	server := postgres(t)
	database := server.newDatabase(t, "ENCODING 'UTF8' TEMPLATE template0")
	var group sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		db := openPostgres(t, server.handle(t, database))
		group.Go(func() { errs[i] = db.Migrate(t.Context()) })
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
	insertAccount(t, openPostgres(t, server.handle(t, database)), "acme")
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
			"sqlstore: the search_path names no schema that is there, so that tables can't be made:" +
				" create the schema, or set the search_path of the role or in the data source"},
		{"foreign table", utf8, []string{`CREATE TABLE roster_users (id INTEGER)`},
			"sqlstore: there is a table roster_users that roster has not made: rename it or use another database"},
		{"foreign view", utf8, []string{`CREATE VIEW roster_limits AS SELECT 1`},
			"sqlstore: there is a table roster_limits that roster has not made: rename it or use another database"},
		{"foreign version table", utf8, []string{`CREATE TABLE roster_migrations (id INTEGER)`},
			"sqlstore: there is a table roster_migrations that roster has not made: rename it or use another database"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := postgres(t)
			options := tt.options
			if tt.name == "encoding" && server.hasICU(t) {
				options = strings.Replace(options, "TEMPLATE", "LOCALE_PROVIDER libc TEMPLATE", 1)
			}
			handle := server.handle(t, server.newDatabase(t, options))
			execute(t, handle, tt.prepare...)
			before := postgresTables(t, handle)
			require.EqualError(t, openPostgres(t, handle).Migrate(t.Context()), tt.want)
			require.Equal(t, before, postgresTables(t, handle), "something was changed")
		})
	}
}

// TestPostgresDeadlock has two units lock two accounts in opposite orders. The one that the server ends runs again.
func TestPostgresDeadlock(t *testing.T) {
	_, db := engines()[1].migrated(t)
	insertAccount(t, db, "acme")
	insertAccount(t, db, "globex")
	var runs atomic.Int32
	both := make(chan struct{})
	crossed := func(first, second access.AccountID) error {
		return db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
			if _, err := tx.Lock(ctx, first); err != nil {
				return err
			}
			if run := runs.Add(1); run == 2 {
				close(both)
			}
			<-both
			if _, err := tx.Lock(ctx, second); err != nil {
				return errors.New("hidden by the caller")
			}
			return nil
		})
	}
	var group sync.WaitGroup
	var errs [2]error
	group.Go(func() { errs[0] = crossed("acme", "globex") })
	group.Go(func() { errs[1] = crossed("globex", "acme") })
	group.Wait()
	require.NoError(t, errors.Join(errs[:]...))
	require.GreaterOrEqual(t, runs.Load(), int32(3))
	require.EqualValues(t, 3, version(t, db))
}

// A stateError is what a driver makes of an error of the server.
type stateError string

func (e stateError) Error() string    { return "key (address)=(ann@example.com)" }
func (e stateError) SQLState() string { return string(e) }

// TestPostgresRetries counts how often a unit runs that always meets the same error.
func TestPostgresRetries(t *testing.T) {
	for _, tt := range []struct {
		statement, state string
		runs             int
		unknown          bool
	}{
		{"UPDATE roster_accounts", "40001", 10, false},
		{"UPDATE roster_accounts", "40P01", 10, false},
		{"UPDATE roster_accounts", "55P03", 10, false},
		{"UPDATE roster_accounts", "40002", 1, false},
		{"UPDATE roster_accounts", "57P01", 1, false},
		{"COMMIT", "40001", 10, false},
		{"COMMIT", "23505", 1, false},
		{"COMMIT", "40003", 1, true},
		{"COMMIT", "57P01", 1, true},
		{"COMMIT", "08006", 1, true},
		{"COMMIT", "", 1, true},
	} {
		t.Run(tt.statement+" "+tt.state, func(t *testing.T) {
			var p probe
			handle, db := engines()[1].probed(t, &p)
			insertAccount(t, db, "acme")
			p.set(func(_ driver.Conn, statement string) error {
				if strings.HasPrefix(statement, tt.statement) {
					return stateError(tt.state)
				}
				return nil
			}, nil)
			runs := 0
			err := db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
				runs++
				_, err := tx.Lock(ctx, "acme")
				return err
			})
			p.set(nil, nil)
			require.ErrorIs(t, err, stateError(tt.state))
			require.Equal(t, tt.unknown, errors.Is(err, access.ErrUnknownOutcome))
			require.NotContains(t, err.Error(), "ann")
			require.Contains(t, err.Error(), tt.state)
			require.Equal(t, tt.runs, runs)
			require.EqualValues(t, 1, version(t, db))
			requireIdle(t, handle, engines()[1])
		})
	}
}

// TestPostgresRetriesEndWithTheContext ends the context in the third run.
func TestPostgresRetriesEndWithTheContext(t *testing.T) {
	var p probe
	_, db := engines()[1].probed(t, &p)
	insertAccount(t, db, "acme")
	p.set(func(_ driver.Conn, statement string) error {
		if strings.HasPrefix(statement, "UPDATE") {
			return stateError("40001")
		}
		return nil
	}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	runs := 0
	require.Error(t, db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		_, err := tx.Lock(ctx, "acme")
		if runs++; runs == 3 {
			cancel()
		}
		return err
	}))
	require.Equal(t, 3, runs)
}

// TestPostgresConnectionLostAtCommit ends the session while its COMMIT is on the way, before and after it took effect.
func TestPostgresConnectionLostAtCommit(t *testing.T) {
	for name, after := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			var p probe
			handle, db := engines()[1].probed(t, &p)
			insertAccount(t, db, "acme")
			lose := func(conn driver.Conn, statement string) error {
				if statement != "COMMIT" {
					return nil
				}
				require.NoError(t, conn.Close())
				if after {
					return driver.ErrBadConn
				}
				return nil // the driver finds out
			}
			want := 1
			if after {
				p.set(nil, lose)
				want = 2
			} else {
				p.set(lose, nil)
			}
			err := lock(t.Context(), db)
			p.set(nil, nil)
			require.ErrorIs(t, err, access.ErrUnknownOutcome)
			require.EqualError(t, err, "outcome unknown: sqlstore: commit: failed")
			require.EqualValues(t, want, version(t, db))
			requireIdle(t, handle, engines()[1])
			require.NoError(t, lock(t.Context(), db))
		})
	}
}

// TestPostgresCommitIsNotWaitedForForEver has a server that doesn't answer a COMMIT.
func TestPostgresCommitIsNotWaitedForForEver(t *testing.T) {
	var p probe
	handle, db := engines()[1].probed(t, &p)
	insertAccount(t, db, "acme")
	execute(t, handle, `CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END'`,
		`CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON roster_accounts DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION dawdle()`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p.set(func(_ driver.Conn, statement string) error {
		if statement == "COMMIT" {
			cancel()
		}
		return nil
	}, nil)
	require.ErrorIs(t, lock(ctx, db), access.ErrUnknownOutcome)
	p.set(nil, nil)
	requireIdle(t, handle, engines()[1])
	require.EqualValues(t, 1, version(t, db))
}

// TestPostgresClaimSkipsWhatAnotherHolds claims while another session has a message locked.
func TestPostgresClaimSkipsWhatAnotherHolds(t *testing.T) {
	handle, db := engines()[1].migrated(t)
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	require.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		for i := range 4 {
			if err := tx.Enqueue(ctx, notify.Message{ID: notify.MessageID(fmt.Sprint(i)), Kind: "invite", Due: now}); err != nil {
				return err
			}
		}
		return nil
	}))
	other, err := handle.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer other.Rollback()
	_, err = other.ExecContext(t.Context(), `UPDATE roster_messages SET attempt = attempt + 1 WHERE id IN ('0', '1')`)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // or it would wait for ever
	defer cancel()
	claimed, err := db.Claim(ctx, now, time.Minute, 2)
	require.NoError(t, err)
	require.Len(t, claimed, 2)
	require.Equal(t, notify.MessageID("2"), claimed[0].ID)
}

package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// TestPassedLimitsInUseAreKept forgets limits but for one that another session uses.
func TestPassedLimitsInUseAreKept(t *testing.T) { onEngines(t, servers(), keepsPassedLimitsInUse) }

func keepsPassedLimitsInUse(t *testing.T, engine engine) {
	handle, db := engine.migrated(t)
	noon := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	for i := range 3 {
		hit(t, db, byte(i), noon)
	}
	other, err := handle.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer other.Rollback()
	_, err = other.ExecContext(t.Context(), engine.placed(`UPDATE roster_limits SET kept_until = kept_until + 0 WHERE digest = ?`), make([]byte, 32))
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

// TestDeadlock has two units lock two accounts in opposite orders. The one that the server ends runs again.
func TestDeadlock(t *testing.T) { onEngines(t, servers(), resolvesDeadlock) }

func resolvesDeadlock(t *testing.T, engine engine) {
	_, db := engine.migrated(t)
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

// mysqlError is an error of MySQL's driver.
func mysqlError(number uint16) error {
	return &mysql.MySQLError{Number: number, Message: "Duplicate entry 'ann@example.com'"}
}

// TestRetries counts how often a unit runs that always meets the same error.
func TestRetries(t *testing.T) {
	for _, tt := range []struct {
		engine    engine
		statement string
		err       error
		runs      int
		unknown   bool
	}{
		{postgresEngine, "UPDATE roster_accounts", stateError("40001"), 10, false},
		{postgresEngine, "UPDATE roster_accounts", stateError("40P01"), 10, false},
		{postgresEngine, "UPDATE roster_accounts", stateError("55P03"), 10, false},
		{postgresEngine, "UPDATE roster_accounts", stateError("40002"), 1, false},
		{postgresEngine, "UPDATE roster_accounts", stateError("57P01"), 1, false},
		{postgresEngine, "COMMIT", stateError("40001"), 10, false},
		{postgresEngine, "COMMIT", stateError("23505"), 1, false},
		{postgresEngine, "COMMIT", stateError("40003"), 1, true},
		{postgresEngine, "COMMIT", stateError("57P01"), 1, true},
		{postgresEngine, "COMMIT", stateError("08006"), 1, true},
		{postgresEngine, "COMMIT", stateError(""), 1, true},
		{mysqlEngine, "UPDATE roster_accounts", mysqlError(1213), 10, false},
		{mysqlEngine, "UPDATE roster_accounts", mysqlError(1205), 10, false},
		{mysqlEngine, "UPDATE roster_accounts", mysqlError(1020), 10, false},
		{mysqlEngine, "UPDATE roster_accounts", mysqlError(1062), 1, false},
		{mysqlEngine, "COMMIT", mysqlError(1213), 10, false},
		{mysqlEngine, "COMMIT", mysqlError(1053), 1, true},
		{mysqlEngine, "COMMIT", mysql.ErrInvalidConn, 1, true},
		{sqliteEngine, "UPDATE roster_accounts", codeError(5), 10, false},
		{sqliteEngine, "UPDATE roster_accounts", codeError(517), 10, false},
		{sqliteEngine, "UPDATE roster_accounts", codeError(19), 1, false},
		{sqliteEngine, "COMMIT", codeError(5), 10, false},
		{sqliteEngine, "COMMIT", codeError(10), 1, true},
	} {
		t.Run(fmt.Sprintf("%s/%s/%v", tt.engine.name, tt.statement, code(tt.err)), func(t *testing.T) {
			var p probe
			handle, db := tt.engine.probed(t, &p)
			insertAccount(t, db, "acme")
			p.set(func(_ driver.Conn, statement string) error {
				if strings.HasPrefix(statement, tt.statement) {
					return tt.err
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
			require.ErrorIs(t, err, tt.err)
			require.Equal(t, tt.unknown, errors.Is(err, access.ErrUnknownOutcome))
			require.NotContains(t, err.Error(), "ann")
			require.Contains(t, err.Error(), code(tt.err))
			require.Equal(t, tt.runs, runs)
			require.EqualValues(t, 1, version(t, db))
			requireIdle(t, handle, tt.engine)
		})
	}
}

// A codeError is what the driver makes of an error of SQLite.
type codeError int

func (e codeError) Error() string { return "UNIQUE constraint failed: ann@example.com" }
func (e codeError) Code() int     { return int(e) }

// code is what our own texts say of an error.
func code(err error) string {
	switch err := err.(type) {
	case stateError:
		return string(err)
	case codeError:
		return fmt.Sprint(int(err))
	case *mysql.MySQLError:
		return fmt.Sprint(err.Number)
	}
	return ""
}

// TestBeginsAgainOnALiveConnection loses the connections that wait in the pool. No unit fails by that.
func TestBeginsAgainOnALiveConnection(t *testing.T) { onEngines(t, servers(), beginsAgain) }

func beginsAgain(t *testing.T, engine engine) {
	var p probe
	handle, db := engine.probed(t, &p)
	insertAccount(t, db, "acme")
	lost := 0
	p.set(func(conn driver.Conn, statement string) error {
		if lost < 3 && strings.HasPrefix(statement, engine.begin()) {
			lost++
			require.NoError(t, conn.Close())
		}
		return nil
	}, nil)
	require.NoError(t, lock(t.Context(), db))
	require.NoError(t, db.View(t.Context(), nothing))
	p.set(nil, nil)
	require.Equal(t, 3, lost)
	require.EqualValues(t, 2, version(t, db))
	requireIdle(t, handle, engine)
}

// TestRetriesEndWithTheContext ends the context in the third run.
func TestRetriesEndWithTheContext(t *testing.T) {
	var p probe
	_, db := postgresEngine.probed(t, &p)
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

// TestConnectionLostAtCommit ends the session while its COMMIT is on the way, before and after it took effect.
func TestConnectionLostAtCommit(t *testing.T) {
	onEngines(t, servers(), func(t *testing.T, engine engine) {
		t.Run("before", func(t *testing.T) { loseAtCommit(t, engine, false) })
		t.Run("after", func(t *testing.T) { loseAtCommit(t, engine, true) })
	})
}

func loseAtCommit(t *testing.T, engine engine, after bool) {
	var p probe
	handle, db := engine.probed(t, &p)
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
	requireIdle(t, handle, engine)
	require.NoError(t, lock(t.Context(), db))
}

// TestPostgresCommitIsNotWaitedForForEver has a server that doesn't answer a COMMIT.
func TestPostgresCommitIsNotWaitedForForEver(t *testing.T) {
	var p probe
	handle, db := postgresEngine.probed(t, &p)
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
	requireIdle(t, handle, postgresEngine)
	require.EqualValues(t, 1, version(t, db))
}

// TestClaimSkipsWhatAnotherHolds claims while another session has a message locked.
func TestClaimSkipsWhatAnotherHolds(t *testing.T) {
	onEngines(t, servers(), claimSkipsWhatAnotherHolds)
}

func claimSkipsWhatAnotherHolds(t *testing.T, engine engine) {
	handle, db := engine.migrated(t)
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

// TestFinishWaitsForWhatAnotherHolds finishes while other sessions change the messages: what they commit counts.
func TestFinishWaitsForWhatAnotherHolds(t *testing.T) {
	onEngines(t, servers(), finishWaitsForWhatAnotherHolds)
}

func finishWaitsForWhatAnotherHolds(t *testing.T, engine engine) {
	for about, change := range map[string]string{
		"leased again": `attempt = attempt + 1`,
		"ended":        `state = 2`,
		"nothing":      `subject = 'other'`,
	} {
		t.Run(about, func(t *testing.T) {
			handle, db := engine.migrated(t)
			now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
			require.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
				return tx.Enqueue(ctx, notify.Message{ID: "0", Kind: "invite", Due: now}, notify.Message{ID: "1", Kind: "invite", Due: now})
			}))
			claimed, err := db.Claim(t.Context(), now, time.Minute, 2)
			require.NoError(t, err)
			require.Len(t, claimed, 2)
			other, err := handle.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			defer other.Rollback()
			_, err = other.ExecContext(t.Context(), `UPDATE roster_messages SET `+change+` WHERE id = '1'`)
			require.NoError(t, err)

			finished := make(chan []notify.MessageID, 1)
			go func() {
				fenced, err := db.Finish(t.Context(),
					notify.Result{ID: "0", Attempt: 1, State: notify.Dead, At: now, Reason: "zero"},
					notify.Result{ID: "1", Attempt: 1, State: notify.Dead, At: now, Reason: "one"})
				assert.NoError(t, err)
				finished <- fenced
			}()
			requireWaiting(t, handle, engine)
			require.NoError(t, other.Commit())
			if about == "nothing" {
				require.Empty(t, <-finished)
				require.Equal(t, "one", value(t, handle, `SELECT reason FROM roster_messages WHERE id = '1'`))
				return
			}
			require.Equal(t, []notify.MessageID{"1"}, <-finished)
			require.Equal(t, "", value(t, handle, `SELECT reason FROM roster_messages WHERE id = '1'`))
			require.Equal(t, "zero", value(t, handle, `SELECT reason FROM roster_messages WHERE id = '0'`))
		})
	}
}

// requireWaiting returns as soon as somebody waits for a message that another session has locked.
func requireWaiting(t *testing.T, handle *sql.DB, engine engine) {
	t.Helper()
	count := `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	if engine.dialect == sqlstore.MySQL { // which tells only what is being run
		count = `SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'SELECT id, attempt, state%FOR UPDATE%'`
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // or it would look for ever
	defer cancel()
	for value(t, handle, count) == "0" {
		require.NoError(t, ctx.Err(), "nobody waits")
	}
}

func TestMigrateServersAgain(t *testing.T) { onEngines(t, servers(), migrateAgain) }

func migrateAgain(t *testing.T, engine engine) {
	handle := engine.database(t).Open(t)
	handle.SetMaxOpenConns(1)
	execute(t, handle, `CREATE TABLE roster_players (id INTEGER)`, `CREATE TABLE goose_db_version (id INTEGER)`)
	db := engine.open(t, handle)
	require.NoError(t, db.Migrate(t.Context()))
	insertAccount(t, db, "acme")
	require.NoError(t, db.Migrate(t.Context()))
	require.NoError(t, engine.open(t, handle).Migrate(t.Context()))
	require.NoError(t, db.Verify(t.Context()))
	require.Equal(t, "acme", value(t, handle, `SELECT id FROM roster_accounts`))
	require.Equal(t, strconv.Itoa(1+sqlstore.Versions(engine.dialect)), value(t, handle, `SELECT COUNT(*) FROM roster_migrations`)) // goose's own, and ours
	execute(t, handle, `INSERT INTO roster_migrations (version_id, is_applied) VALUES (9999, true)`)
	for _, check := range []func(context.Context) error{db.Migrate, db.Verify} {
		require.EqualError(t, check(t.Context()), fmt.Sprintf(
			"sqlstore: the tables were migrated to version 9999 by a newer roster, and this one knows %d: update the program", sqlstore.Known(engine.dialect)))
	}
	requireIdle(t, handle, engine)
}

func TestVerifyBeforeMigrate(t *testing.T) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		handle := engine.database(t).Open(t)
		db := engine.open(t, handle)
		require.ErrorContains(t, db.Verify(t.Context()), "read the version of the tables (was Migrate called, and what Grants says granted?)")
		requireIdle(t, handle, engine)
		require.NoError(t, db.Migrate(t.Context()))
		require.NoError(t, db.Verify(t.Context()))
		execute(t, handle, `DELETE FROM roster_migrations WHERE version_id > 0`)
		require.EqualError(t, db.Verify(t.Context()), fmt.Sprintf("sqlstore: the tables are of version 0, and this roster needs %d: call Migrate", sqlstore.Known(engine.dialect)))
		requireIdle(t, handle, engine)
	})
}

func TestMigrateServersByManyAtOnce(t *testing.T) { onEngines(t, servers(), migrateByMany) }

func migrateByMany(t *testing.T, engine engine) {
	database := engine.database(t)
	var group sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		db := engine.open(t, database.Open(t))
		group.Go(func() { errs[i] = db.Migrate(t.Context()) })
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
	insertAccount(t, engine.open(t, database.Open(t)), "acme")
}

// TestEnginesHaveTheSameTables compares names of tables, columns and indexes, and which columns may be NULL.
func TestEnginesHaveTheSameTables(t *testing.T) {
	sqlite, _ := sqliteEngine.migrated(t)
	postgres, _ := postgresEngine.migrated(t)
	maria, _ := mysqlEngine.migrated(t)
	columns := column(t, sqlite, `SELECT t.name || '.' || c.name || CASE c."notnull" WHEN 1 THEN ' NOT NULL' ELSE '' END
			FROM sqlite_master AS t, pragma_table_info(t.name) AS c
			WHERE t.type = 'table' AND t.name LIKE 'roster_%' AND t.name <> 'roster_migrations' ORDER BY t.name, c.cid`)
	require.Equal(t, columns, column(t, postgres, `SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
			FROM information_schema.columns
			WHERE table_schema = current_schema() AND table_name <> 'roster_migrations'
			ORDER BY table_name COLLATE "C", ordinal_position`))
	require.Equal(t, columns, column(t, maria, `SELECT CONCAT(table_name, '.', column_name, CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END)
			FROM information_schema.columns
			WHERE table_schema = DATABASE() AND table_name <> 'roster_migrations'
			ORDER BY BINARY table_name, ordinal_position`))
	indexes := column(t, sqlite, `SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'roster_%' ORDER BY name`)
	require.Equal(t, indexes, column(t, postgres, `SELECT c.relname::text FROM pg_class AS c JOIN pg_index AS i ON i.indexrelid = c.oid
			WHERE c.relname LIKE 'roster_%' AND c.relname NOT LIKE 'roster_migrations%'
				AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = c.oid)
			ORDER BY c.relname COLLATE "C"`))
	require.Equal(t, indexes, column(t, maria, `SELECT DISTINCT index_name FROM information_schema.statistics
			WHERE table_schema = DATABASE() AND index_name LIKE 'roster\_%' ORDER BY BINARY index_name`))
	for _, handle := range []*sql.DB{postgres, maria} {
		require.Equal(t, "64", value(t, handle, `SELECT COUNT(*) FROM roster_feed`))
	}
}

package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

func mysqlEngine() engine {
	return engine{
		name:         "mysql",
		goose:        goose.DialectMySQL,
		beginView:    []string{"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"},
		beginUpdate:  []string{"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION READ WRITE"},
		migrating:    migratingMySQL,
		verify:       verifyMySQL,
		verifyTables: verifyFoundRows,
		foreign:      selectForeignMySQL,
		grant:        grantMySQL,
		rewrite:      rewriteMySQL,
		share:        " LOCK IN SHARE MODE",
		skipLocked:   " FOR UPDATE SKIP LOCKED",
		manyWriters:  true,
		prepares:     true,
		wellFormed:   true,
		isConflict:   isConflictMySQL,
		isDuplicate:  func(err error) bool { return numberOf(err) == 1062 },
		isRolledBack: isConflictMySQL,
	}
}

const (
	selectServerMySQL = `SELECT VERSION(), @@SESSION.sql_mode, @@log_bin, @@SESSION.binlog_format, COALESCE(DATABASE(), '')`

	// selectForeignMySQL is selectForeign, in the database that the connection is to.
	selectForeignMySQL = `SELECT table_name FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name IN (?...) AND NOT EXISTS
			(SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'roster_migrations')
		UNION ALL
		SELECT table_name FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name = 'roster_migrations' AND
			(SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
				AND table_name = 'roster_migrations' AND column_name IN ('version_id', 'is_applied')) <> 2
		LIMIT 1`

	// A lock is the server's, not the database's. Its name must be short.
	takeMigrateLock    = `SELECT COALESCE(GET_LOCK(MD5(CONCAT('roster ', COALESCE(DATABASE(), ''))), 3600), 0)`
	releaseMigrateLock = `SELECT COALESCE(RELEASE_LOCK(MD5(CONCAT('roster ', COALESCE(DATABASE(), '')))), 0)`

	// updateNothing concerns one row and changes none.
	updateNothing = `UPDATE roster_feed SET tail = tail WHERE shard = 0`
)

// migratingMySQL holds a lock of the session: what changes a table can't be rolled back, and ends a transaction.
func migratingMySQL(ctx context.Context, conn Session, _ Config) (end func(context.Context) error, err error) {
	var taken int
	if err := conn.QueryRowContext(ctx, takeMigrateLock).Scan(&taken); err != nil || taken != 1 {
		return nil, failed(ctx, "wait for others to migrate", err)
	}
	return func(ctx context.Context) error {
		var released int
		if err := conn.QueryRowContext(ctx, releaseMigrateLock).Scan(&released); err != nil || released != 1 {
			return failed(ctx, "let others migrate", err)
		}
		return nil
	}, nil
}

var versionForm = regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+)`)

// verifyMySQL refuses a database in which roster would be wrong.
func verifyMySQL(ctx context.Context, conn Session) error {
	var version, mode, format, database string
	var logs int
	if err := conn.QueryRowContext(ctx, selectServerMySQL).Scan(&version, &mode, &logs, &format, &database); err != nil {
		return failed(ctx, "read the settings of MySQL", err)
	}
	modes := strings.Split(mode, ",")
	switch {
	case strings.Contains(version, "MariaDB") && !atLeast(version, 10, 6, 0):
		return fmt.Errorf("sqlstore: this is %s: use a server of version 10.6 or later", version)
	case !strings.Contains(version, "MariaDB") && !atLeast(version, 8, 0, 19):
		return fmt.Errorf("sqlstore: this is MySQL %s: use a server of version 8.0.19 or later", version)
	case database == "":
		return errors.New("sqlstore: the data source names no database: put one behind its slash")
	case !slices.Contains(modes, "STRICT_TRANS_TABLES") && !slices.Contains(modes, "STRICT_ALL_TABLES"):
		return errors.New("sqlstore: the sql_mode is not strict, so that what is too long would be cut off instead of refused:" +
			" add STRICT_TRANS_TABLES to the server's sql_mode, or to the data source: sql_mode=CONCAT(@@sql_mode,',STRICT_TRANS_TABLES')")
	case logs == 1 && format == "STATEMENT":
		return errors.New("sqlstore: the binlog_format is STATEMENT, which can't log transactions at READ COMMITTED:" +
			" set the server's binlog_format to ROW or MIXED")
	}
	return nil
}

// atLeast reports whether a version isn't older than another one.
func atLeast(version string, than ...int) bool {
	var is [3]int
	if _, err := fmt.Sscanf(versionForm.FindString(version), "%d.%d.%d", &is[0], &is[1], &is[2]); err != nil {
		return false
	}
	return slices.Compare(is[:], than) >= 0
}

// verifyFoundRows refuses a connection that counts the rows that a statement changed instead of those it found.
func verifyFoundRows(ctx context.Context, db *DB, conn Session) error {
	result, err := conn.ExecContext(ctx, db.text(updateNothing, false))
	if err != nil {
		return failed(ctx, "update nothing", err)
	}
	if found, err := result.RowsAffected(); err != nil || found != 1 {
		return errors.New("sqlstore: the connection counts the rows that were changed, not those that were found:" +
			" add clientFoundRows=true to the data source")
	}
	return nil
}

// grantMySQL is a GRANT of rights on a table.
func grantMySQL(config Config, right tableRight, role string) string {
	return "GRANT " + right.rights + " ON " + config.full(right.table) + " TO " + role
}

var (
	onConflictNothing = regexp.MustCompile(`\s+ON CONFLICT( \([^)]*\))? DO NOTHING`)
	onConflictUpdate  = regexp.MustCompile(`ON CONFLICT \([^)]*\) DO UPDATE SET`)
	excluded          = regexp.MustCompile(`excluded\.(\w+)`)
)

// rewriteMySQL writes upserts in MySQL's way. Insert if absent is a plain INSERT, whose error says what is there: IGNORE
// would ignore too much.
func rewriteMySQL(statement string) string {
	statement = onConflictNothing.ReplaceAllString(statement, "")
	statement = onConflictUpdate.ReplaceAllString(statement, "ON DUPLICATE KEY UPDATE")
	return excluded.ReplaceAllString(statement, "VALUES($1)")
}

// numberOf returns the number of an error that a server of MySQL sent, or 0. The driver's error has no method that
// tells it, and a driver is imported by hosts only.
func numberOf(err error) uint16 {
	for ; err != nil; err = errors.Unwrap(err) {
		v := reflect.ValueOf(err)
		if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
			continue
		}
		if number := v.Elem().FieldByName("Number"); number.Kind() == reflect.Uint16 {
			return uint16(number.Uint())
		}
	}
	return 0
}

func isConflictMySQL(err error) bool {
	switch numberOf(err) {
	case 1213, // deadlock
		1205, // a lock isn't to be had in the time that the host has set
		1020: // a row was changed since the snapshot
		return true
	}
	return false
}

package sqlstore

import (
	"cmp"
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
		name:             "mysql",
		goose:            goose.DialectMySQL,
		beginView:        []string{"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"},
		beginUpdate:      []string{"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION READ WRITE"},
		migrating:        migratingMySQL,
		verifying:        verifyingMySQL,
		beforeMigrations: beginVersions,
		looseSavepoint:   true,
		verify:           verifyMySQL,
		verifyWrites:     verifyFoundRows,
		foreign:          selectForeignMySQL,
		notByBytes:       selectNotByBytesMySQL,
		roles:            true,
		rewrite:          rewriteMySQL,
		share:            " LOCK IN SHARE MODE",
		forUpdate:        " FOR UPDATE",
		skipLocked:       " FOR UPDATE SKIP LOCKED",
		manyWriters:      true,
		prepares:         true,
		wellFormed:       true,
		isConflict:       isConflictMySQL,
		isDuplicate:      func(err error) bool { return numberOf(err) == 1062 },
		isRolledBack:     isConflictMySQL,
	}
}

const (
	selectServerMySQL = `SELECT VERSION(), COALESCE(DATABASE(), '')`

	// selectVariables asks for settings by name, because not every server has all of them.
	selectVariables = `SHOW SESSION VARIABLES WHERE Variable_name IN ('sql_mode', 'autocommit', 'transaction_isolation',
		'tx_isolation', 'log_bin', 'binlog_format', 'character_set_client', 'character_set_connection', 'character_set_results')`

	// selectNotByBytesMySQL looks at the texts in indexes.
	selectNotByBytesMySQL = `SELECT CONCAT(c.table_name, '.', c.column_name)
		FROM information_schema.columns AS c
		JOIN information_schema.statistics AS s
			ON s.table_schema = c.table_schema AND s.table_name = c.table_name AND s.column_name = c.column_name
		WHERE c.table_schema = DATABASE() AND c.table_name IN (?...) AND c.collation_name IS NOT NULL
		LIMIT 1`

	countVersions = `SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'roster_migrations'`

	insertVersionZero = `INSERT INTO roster_migrations (version_id, is_applied)
		SELECT 0, TRUE FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM roster_migrations)`

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

// verifyingMySQL needs nothing.
func verifyingMySQL(context.Context, Session, Config) (end func(context.Context) error, err error) {
	return func(context.Context) error { return nil }, nil
}

// beginVersions writes the row that goose begins its table of versions with, if a process was killed between making the
// table and that: goose itself would refuse such a table for ever.
func beginVersions(ctx context.Context, config Config, conn Session) error {
	var there int
	if err := conn.QueryRowContext(ctx, config.local(countVersions)).Scan(&there); err != nil || there == 0 {
		if err != nil {
			err = failed(ctx, "look for the table of versions", err)
		}
		return err
	}
	if _, err := conn.ExecContext(ctx, config.local(insertVersionZero)); err != nil {
		return failed(ctx, "begin the table of versions", err)
	}
	return nil
}

// verifyMySQL refuses a database in which roster would be wrong.
func verifyMySQL(ctx context.Context, conn Session) error {
	var version, database string
	if err := conn.QueryRowContext(ctx, selectServerMySQL).Scan(&version, &database); err != nil {
		return failed(ctx, "read the version of MySQL", err)
	}
	settings, err := variables(ctx, conn)
	if err != nil {
		return failed(ctx, "read the settings of MySQL", err)
	}
	switch {
	case strings.Contains(version, "MariaDB") && !atLeast(version, 10, 6, 0):
		return fmt.Errorf("sqlstore: this is %s: use a server of version 10.6 or later", version)
	case !strings.Contains(version, "MariaDB") && !atLeast(version, 8, 0, 19):
		return fmt.Errorf("sqlstore: this is MySQL %s: use a server of version 8.0.19 or later", version)
	case database == "":
		return errors.New("sqlstore: the data source names no database: put one behind its slash")
	}
	return refuseSettings(settings)
}

// refuseSettings refuses settings of a session with which roster would be wrong.
func refuseSettings(settings map[string]string) error {
	modes := strings.Split(settings["sql_mode"], ",")
	isolation := cmp.Or(settings["transaction_isolation"], settings["tx_isolation"])
	switch {
	case !slices.Contains(modes, "STRICT_TRANS_TABLES") && !slices.Contains(modes, "STRICT_ALL_TABLES"):
		return errors.New("sqlstore: the sql_mode is not strict, so that what is too long would be cut off instead of refused:" +
			" add STRICT_TRANS_TABLES to the server's sql_mode, or to the data source: sql_mode=CONCAT(@@sql_mode,',STRICT_TRANS_TABLES')")
	case slices.Contains(modes, "EMPTY_STRING_IS_NULL"):
		return errors.New("sqlstore: the sql_mode takes empty texts for NULL: remove EMPTY_STRING_IS_NULL from it")
	case settings["autocommit"] != "ON":
		return errors.New("sqlstore: autocommit is off, so that a check would see the past: remove autocommit from the data source")
	case isolation == "READ-UNCOMMITTED":
		return errors.New("sqlstore: the isolation level is READ UNCOMMITTED, at which a check would see what may never be:" +
			" set another transaction_isolation")
	case settings["log_bin"] == "ON" && settings["binlog_format"] == "STATEMENT":
		return errors.New("sqlstore: the binlog_format is STATEMENT, which can't log transactions at READ COMMITTED:" +
			" set the server's binlog_format to ROW or MIXED")
	}
	for _, name := range []string{"character_set_client", "character_set_connection", "character_set_results"} {
		if settings[name] != "utf8mb4" {
			return fmt.Errorf("sqlstore: the %s is %s, in which texts would be read as others: add charset=utf8mb4 to the data source",
				name, settings[name])
		}
	}
	return nil
}

// variables returns the session's settings.
func variables(ctx context.Context, conn Session) (map[string]string, error) {
	rows, err := conn.QueryContext(ctx, selectVariables)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	settings := make(map[string]string)
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		settings[name] = value
	}
	return settings, rows.Err()
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

var (
	onConflictNothing = regexp.MustCompile(`\s+ON CONFLICT( \([^)]*\))? DO NOTHING`)
	onConflictUpdate  = regexp.MustCompile(`ON CONFLICT \([^)]*\) DO UPDATE SET`)
	excluded          = regexp.MustCompile(`excluded\.(\w+)`)
	paged             = regexp.MustCompile(`= \?/\*page\*/`)
)

// rewriteMySQL writes upserts and pages in MySQL's way. Insert if absent is a plain INSERT, whose error says what is
// there: IGNORE would ignore too much.
func rewriteMySQL(statement string) string {
	statement = onConflictNothing.ReplaceAllString(statement, "")
	statement = strings.ReplaceAll(statement, thenMark+"CROSS JOIN", "STRAIGHT_JOIN")
	// With an equality MariaDB expects few rows, and reads from the beginning of the list. No text has the byte FF, and no
	// message is in state 0.
	statement = strings.ReplaceAll(statement, "= 1"+lineMark, "IN (1, 0)")
	statement = paged.ReplaceAllString(statement, "IN (?, x'FF')")
	statement = onConflictUpdate.ReplaceAllString(statement, "ON DUPLICATE KEY UPDATE")
	return excluded.ReplaceAllString(statement, "VALUES($1)")
}

// numberOf returns the number of an error that a server of MySQL sent, or 0. The driver's error has no method that
// tells it, and a driver is imported by hosts only.
func numberOf(err error) uint16 {
	if err == nil {
		return 0
	}
	if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct {
		if field, ok := v.Elem().Type().FieldByName("Number"); ok && len(field.Index) == 1 && field.Type.Kind() == reflect.Uint16 {
			return uint16(v.Elem().FieldByIndex(field.Index).Uint())
		}
	}
	switch wrapping := err.(type) {
	case interface{ Unwrap() error }:
		return numberOf(wrapping.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range wrapping.Unwrap() {
			if number := numberOf(err); number != 0 {
				return number
			}
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

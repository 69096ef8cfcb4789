package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
)

func sqliteEngine() engine {
	return engine{
		name:         "sqlite",
		goose:        goose.DialectSQLite3,
		beginView:    []string{"BEGIN; " + selectSnapshot},
		beginUpdate:  []string{"BEGIN IMMEDIATE"},
		migrating:    within("BEGIN IMMEDIATE"),
		verifying:    within("BEGIN"),
		verify:       verifySQLite,
		foreign:      selectForeign,
		returning:    true,
		prepares:     true,
		isRolledBack: isBusy, // the transaction is still open then
		isConflict:   isBusy,
	}
}

const (
	selectSettings = `SELECT sqlite_version(), (SELECT encoding FROM pragma_encoding),
		(SELECT journal_mode FROM pragma_journal_mode), (SELECT timeout FROM pragma_busy_timeout)`

	// selectForeign finds a table of one of our names that roster didn't make. The version table is the mark of ours,
	// and has columns by which it is known.
	selectForeign = `SELECT name FROM sqlite_master
		WHERE type IN ('table', 'view') AND name IN (?...) AND NOT EXISTS
			(SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'roster_migrations')
		UNION ALL
		SELECT name FROM sqlite_master WHERE name = 'roster_migrations' AND
			(SELECT COUNT(*) FROM pragma_table_info('roster_migrations') WHERE name IN ('version_id', 'is_applied')) <> 2
		LIMIT 1`
)

// verifySQLite refuses a database in which roster would be wrong or would fail under load.
func verifySQLite(ctx context.Context, conn Session) error {
	var version, encoding, journal string
	var timeout int
	err := conn.QueryRowContext(ctx, selectSettings).Scan(&version, &encoding, &journal, &timeout)
	if err != nil {
		return failed(ctx, "read the settings of SQLite", err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil || major < 3 || major == 3 && minor < 40 {
		return fmt.Errorf("sqlstore: this is SQLite %s: use a driver with SQLite 3.40 or later", version)
	}
	if encoding != "UTF-8" {
		return fmt.Errorf("sqlstore: the database file is encoded in %s, in which ids sort in another order: make one in UTF-8", encoding)
	}
	if journal != "wal" {
		return fmt.Errorf("sqlstore: the journal mode is %q, in which readers and writers lock each other out:"+
			" open a database file with the pragma journal_mode(WAL)", journal)
	}
	if timeout <= 0 {
		return errors.New("sqlstore: there is no busy timeout, so that units of work fail where they should wait:" +
			" open the database with the pragma busy_timeout(10000)")
	}
	return nil
}

// isBusy reports whether another process had the database for longer than the busy timeout. The low byte of SQLite's
// codes is the primary one.
func isBusy(err error) bool {
	var coded interface{ Code() int }
	const busy = 5
	return errors.As(err, &coded) && coded.Code()&0xff == busy
}

package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// A Dialect says which database a handle leads to. The zero value is none.
type Dialect uint8

// The dialects.
const (
	SQLite Dialect = 1 // 3.40 or later, in WAL mode, with a busy timeout
)

// An engine is what a dialect does in its own way.
type engine struct {
	name        string
	goose       goose.Dialect
	beginView   string // must give one snapshot for all reads that follow the first
	beginUpdate string // must keep every other writer of an account out from the first statement on
	verify      func(context.Context, *sql.DB) error
}

func (d Dialect) engine() engine {
	switch d {
	case SQLite:
		return engine{"sqlite", goose.DialectSQLite3, "BEGIN", "BEGIN IMMEDIATE", verifySQLite}
	}
	panic("sqlstore: unknown dialect")
}

//go:embed migrations
var migrations embed.FS

// migrations returns the engine's migrations.
func (e engine) migrations() fs.FS {
	folder, err := fs.Sub(migrations, "migrations/"+e.name)
	if err != nil {
		panic("sqlstore: no migrations for " + e.name)
	}
	return folder
}

// tables are the names that must be free, or roster's.
func tables() []string {
	return []string{"roster_accounts", "roster_memberships", "roster_users", "roster_invites", "roster_contacts",
		"roster_preferences", "roster_messages", "roster_events", "roster_feed", "roster_limits", "roster_limit_uses"}
}

const (
	selectSettings = `SELECT sqlite_version(), (SELECT encoding FROM pragma_encoding),
		(SELECT journal_mode FROM pragma_journal_mode), (SELECT timeout FROM pragma_busy_timeout)`

	// selectForeign finds a table of one of our names that roster didn't make. The version table is the mark of ours,
	// and has columns by which it is known.
	selectForeign = `SELECT name FROM sqlite_master
		WHERE type IN ('table', 'view') AND name IN (?...) AND NOT EXISTS
			(SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '` + versionTable + `')
		UNION ALL
		SELECT name FROM sqlite_master WHERE name = '` + versionTable + `' AND
			(SELECT COUNT(*) FROM pragma_table_info('` + versionTable + `') WHERE name IN ('version_id', 'is_applied')) <> 2
		LIMIT 1`
)

// verifySQLite refuses a database in which roster would be wrong or would fail under load.
func verifySQLite(ctx context.Context, handle *sql.DB) error {
	var version, encoding, journal string
	var timeout int
	err := handle.QueryRowContext(ctx, selectSettings).Scan(&version, &encoding, &journal, &timeout)
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
	statement, names := in(selectForeign, tables())
	var name string
	err = handle.QueryRowContext(ctx, statement, names...).Scan(&name)
	if err == nil {
		return fmt.Errorf("sqlstore: there is a table %s that roster has not made: rename it or use another database", name)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return failed(ctx, "look for tables", err)
	}
	return nil
}

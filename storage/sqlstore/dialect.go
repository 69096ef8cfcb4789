package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"

	"github.com/pressly/goose/v3"
)

// A Dialect says which database a handle leads to. The zero value is none.
type Dialect uint8

// The dialects.
const (
	SQLite   Dialect = 1 // 3.40 or later, in WAL mode, with a busy timeout
	Postgres Dialect = 2 // PostgreSQL 13 or later, with an encoding of UTF8
	MySQL    Dialect = 3 // MySQL 8 or MariaDB 10.6, or later
)

// An engine is what a dialect does in its own way.
type engine struct {
	name        string
	goose       goose.Dialect
	migrateLock sessionLock // keeps other processes from migrating; nil where the file's own lock does
	beginView   string      // must give one snapshot for all reads that follow the first
	beginUpdate string      // must let a locking statement see what was committed while it waited
	manyWriters bool        // a server: units wait for rows instead of in line, and a connection to it may be lost
	numbered    bool        // placeholders are $1, $2 ... instead of question marks
	wellFormed  bool        // refuses a text that isn't UTF-8 or has a NUL, also as what is searched for
	skipLocked  string      // ends a SELECT that takes the rows it finds, but for those that others have
	foreign     string      // selects a table of one of our names that roster didn't make
	verify      func(context.Context, Handle) error
}

func (d Dialect) engine() engine {
	switch d {
	case SQLite:
		return engine{
			name:        "sqlite",
			goose:       goose.DialectSQLite3,
			beginView:   "BEGIN",
			beginUpdate: "BEGIN IMMEDIATE",
			foreign:     selectForeign,
			verify:      verifySQLite,
		}
	case Postgres:
		return engine{
			name:        "postgres",
			goose:       goose.DialectPostgres,
			migrateLock: advisoryLock{},
			beginView:   "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
			beginUpdate: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
			manyWriters: true,
			numbered:    true,
			wellFormed:  true,
			skipLocked:  " FOR UPDATE SKIP LOCKED",
			foreign:     selectForeignPostgres,
			verify:      verifyPostgres,
		}
	}
	panic("sqlstore: unknown dialect")
}

// A sessionLock is held on one connection while migrations run.
type sessionLock interface {
	SessionLock(context.Context, *sql.Conn) error
	SessionUnlock(context.Context, *sql.Conn) error
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

// refuseForeign returns an error if there is a table of one of our names that roster didn't make.
func (e engine) refuseForeign(ctx context.Context, handle Handle) error {
	statement, names := in(e.foreign, tables())
	var name string
	err := handle.QueryRowContext(ctx, e.rewrite(statement), names...).Scan(&name)
	if err == nil {
		return fmt.Errorf("sqlstore: there is a table %s that roster has not made: rename it or use another database", name)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return failed(ctx, "look for tables", err)
	}
	return nil
}

// searched returns the arguments of a read. A text that the engine refuses can't be stored either, so that whoever asks
// for one, which strangers may, has to be told that it isn't there.
func (e engine) searched(args []any) []any {
	if !e.wellFormed {
		return args
	}
	for i, arg := range args {
		if v := reflect.ValueOf(arg); v.Kind() == reflect.String {
			args[i] = storable(v.String())
		}
	}
	return args
}

// storable returns a text, with a control character, which no id has, in the place of what isn't UTF-8 or is a NUL.
func storable(text string) string {
	const nothing = "\x01"
	return strings.ReplaceAll(strings.ToValidUTF8(text, nothing), "\x00", nothing)
}

// rewrite returns a statement with the engine's placeholders. No statement has a question mark that isn't one.
func (e engine) rewrite(statement string) string {
	if !e.numbered {
		return statement
	}
	parts := strings.Split(statement, "?")
	var text strings.Builder
	text.WriteString(parts[0])
	for i, part := range parts[1:] {
		fmt.Fprintf(&text, "$%d%s", i+1, part)
	}
	return text.String()
}

package sqlstore

import (
	"context"
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
	MySQL    Dialect = 3 // MySQL 8.0.19 or MariaDB 10.6, or later
)

// An engine is what a dialect does in its own way.
type engine struct {
	name  string
	goose goose.Dialect

	beginView   []string // must give one snapshot, of now, for all reads that follow
	beginUpdate []string // must let a locking statement see what was committed while it waited
	beginWork   []string // beginUpdate, for a unit that only looks up rows by their keys, or in the order of an index; nil for the same

	// migrating keeps other processes from migrating until its session ends; verifying looks only.
	migrating, verifying beginSession
	// beforeMigrations puts right what a migration that was interrupted left; nil if there is nothing.
	beforeMigrations func(context.Context, Config, Session) error
	verify           func(context.Context, Session) error
	// verifyWrites is verify for what only a write to the tables shows; nil if there is nothing.
	verifyWrites func(context.Context, *DB, Session) error
	foreign      string // selects a table of one of our names that roster didn't make
	notByBytes   string // selects a column of a key that compares otherwise than byte for byte; empty if there can be none

	rewrite    func(statement string) string // what is written in another way
	share      string                        // ends a SELECT of the newest in a transaction that the host began
	forUpdate  string                        // ends a SELECT that locks the row it finds
	skipLocked string                        // ends a SELECT that takes the rows it finds, but for those that others have

	manyWriters    bool // a server: units wait for rows instead of in line, and a connection to it may be lost
	returning      bool // has UPDATE ... RETURNING
	arrays         bool // takes a column of values as one argument, and joins an UPDATE with such columns
	prepares       bool // a statement that is often needed is best prepared by us, not by the driver
	wellFormed     bool // refuses a text that isn't UTF-8 or has a NUL, also as what is searched for
	schemas        bool // has schemas within a database
	notifies       bool // has channels on which it can tell somebody of a commit
	roles          bool // has roles, which are granted rights
	looseSavepoint bool // accepts a SAVEPOINT outside a transaction, and forgets it

	isConflict   func(error) bool // says that a unit collided with others and may succeed when it is done again
	isDuplicate  func(error) bool // says that a key is taken
	isRolledBack func(error) bool // of a COMMIT: the server's word that nothing was committed
}

// A beginSession makes a connection ready for inspecting a database, and returns what ends that.
type beginSession func(context.Context, Session, Config) (end func(context.Context) error, err error)

func (d Dialect) engine() engine {
	switch d {
	case SQLite:
		return sqliteEngine()
	case Postgres:
		return postgresEngine()
	case MySQL:
		return mysqlEngine()
	}
	panic("sqlstore: unknown dialect")
}

// searched returns the arguments of a read. A text that the engine refuses can't be stored either, so that whoever asks
// for one, which strangers may, has to be told that it isn't there.
func (e engine) searched(args []any) []any {
	args = plain(args)
	if !e.wellFormed {
		return args
	}
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = storable(text)
		}
	}
	return args
}

// storable returns a text, with a control character, which no id has, in the place of what isn't UTF-8 or is a NUL.
func storable(text string) string {
	const nothing = "\x01"
	return strings.ReplaceAll(strings.ToValidUTF8(text, nothing), "\x00", nothing)
}

// plain turns arguments into values of Go's own types, in place: some drivers, and some ways of using one, know no
// others, and would send an unsigned number as one with decimals.
func plain(args []any) []any {
	for i, arg := range args {
		switch arg.(type) {
		case nil, string, int64, []byte:
			continue
		}
		switch v := reflect.ValueOf(arg); v.Kind() {
		case reflect.String:
			args[i] = v.String()
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			args[i] = v.Int()
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			args[i] = int64(v.Uint()) // no bit above 62 is ever set
		}
	}
	return args
}

package main

import (
	"embed"
	"errors"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/rosterkit/roster/storage/sqlstore"
)

// An engine is what the portal's own statements and tables look like on a kind of database.
type engine struct {
	dialect  sqlstore.Dialect
	schema   string // The file with its tables, in the folder schema.
	numbered bool   // Placeholders are $1, $2 ... instead of question marks.
	// overwrite ends an INSERT so that a row with the same key gets the new values of columns.
	overwrite func(key string, columns ...string) string
}

func onSQLite() engine {
	return engine{dialect: sqlstore.SQLite, schema: "sqlite.sql", overwrite: onConflict}
}

func onPostgres() engine {
	return engine{dialect: sqlstore.Postgres, schema: "postgres.sql", overwrite: onConflict, numbered: true}
}

func onMySQL() engine {
	return engine{dialect: sqlstore.MySQL, schema: "mysql.sql", overwrite: onDuplicateKey}
}

func onConflict(key string, columns ...string) string {
	var assignments []string
	for _, column := range columns {
		assignments = append(assignments, column+" = excluded."+column)
	}
	return " ON CONFLICT (" + key + ") DO UPDATE SET " + strings.Join(assignments, ", ")
}

func onDuplicateKey(_ string, columns ...string) string {
	var assignments []string
	for _, column := range columns {
		assignments = append(assignments, column+" = VALUES("+column+")")
	}
	return " ON DUPLICATE KEY UPDATE " + strings.Join(assignments, ", ")
}

//go:embed schema
var schemas embed.FS

// tables are the statements that create the host's own tables where they are missing.
func (e engine) tables() []string {
	text, err := schemas.ReadFile("schema/" + e.schema)
	if err != nil {
		panic("portal: " + err.Error())
	}
	statements := strings.SplitAfter(string(text), ";\n")
	return statements[:len(statements)-1] // The last one ends the file.
}

// isDuplicate reports whether a row wasn't stored because its key is taken.
func isDuplicate(err error) bool {
	if refused, ok := errors.AsType[*sqlite.Error](err); ok {
		return refused.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || refused.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refused.Code == "23505"
	}
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && refused.Number == 1062
}

// isConflict reports whether a server undid a transaction because of another one, so that it may succeed when it is
// done again. SQLite has one writer at a time, and nothing to undo, but doesn't wait, whatever its busy timeout, where
// several make the journal of a new file a WAL at once. The low byte of its codes is the kind of error.
func isConflict(err error) bool {
	if refused, ok := errors.AsType[*sqlite.Error](err); ok {
		return refused.Code()&0xff == sqlite3.SQLITE_BUSY
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refused.Code == "40001" || refused.Code == "40P01" // Serialization failure, deadlock.
	}
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && (refused.Number == 1213 || refused.Number == 1020) // Deadlock, and what MariaDB has for a late write.
}

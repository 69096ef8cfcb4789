package servertest

import (
	"context"
	"database/sql"
	"syscall"
)

// An engine is what kinds of servers do each in their own way.
type engine interface {
	// driver is the name by which database/sql knows the engine.
	driver() string
	// within turns the data source of one database of a server into that of another, or of the same if database is empty.
	within(source, database string) (string, error)
	// create and drop are the statements that make a database and take it away.
	create(database string) string
	drop(database string) string
	// version asks a server who it is.
	version(ctx context.Context, handle *sql.DB) (string, error)
	// shutdown is the signal upon which a server ends soon and in order.
	shutdown() syscall.Signal
}

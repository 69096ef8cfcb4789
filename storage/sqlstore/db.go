// Package sqlstore keeps roster's data in a database of the host, through database/sql. The host opens the database
// with the driver it likes and hands the handle over:
//
//	handle, err := sql.Open("sqlite", "file:portal.db?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)")
//	...
//	db := sqlstore.New(handle, sqlstore.SQLite, sqlstore.Config{})
//	err = db.Migrate(ctx)
//
// or, with a server,
//
//	handle, err := sql.Open("pgx", "postgres://...")
//	db := sqlstore.New(handle, sqlstore.Postgres, sqlstore.Config{})
//
//	handle, err := sql.Open("mysql", "...?clientFoundRows=true&interpolateParams=true")
//	db := sqlstore.New(handle, sqlstore.MySQL, sqlstore.Config{})
//
// All tables begin with "roster_", or with the Config's prefix. They may live beside the host's own. Migrate refuses a
// database in which roster would be wrong, and says what to change.
//
// With MySQL, interpolateParams=true has the driver send a statement and its arguments at once, instead of preparing
// each first, which saves a round trip each time. Behind a PgBouncer that pools transactions, use it with pgx's
// default_query_exec_mode=exec, unless it is 1.21 or later.
//
// The text of an error has the database's code and nothing else that the database said, which likes to repeat data. "error 1
// of the database" on SQLite may be a table that is missing because Migrate wasn't called. The driver's own error is wrapped:
// errors.As finds it.
//
// What roster promises holds on one primary. A handle whose reads go to asynchronous replicas breaks it, and so does a
// server that acknowledges commits before they are durable, such as PostgreSQL with synchronous_commit=off.
package sqlstore

import (
	"context"
	"database/sql"
	"sync"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// A DB is roster's data in a database. It is safe for concurrent use. Several of them, in one process or in many, may
// share a database.
type DB struct {
	handle Handle
	engine engine
	config Config
	// writer is held by the unit of work that writes, where the engine has room for one writer only: waiting in line
	// here ends with the context and costs nothing.
	writer chan struct{}
	reader Session  // for reads outside of transactions
	kept   prepared // where the engine has use for it

	asWritten          bool     // statements are sent as they are written here
	texts, sharedTexts sync.Map // of string: statements as they are sent, by what they are here
}

var _ storage.DB = (*DB)(nil)

// A Handle is what a DB needs of the host's *sql.DB.
type Handle interface {
	Session
	Conn(context.Context) (*sql.Conn, error)
	PrepareContext(ctx context.Context, statement string) (*sql.Stmt, error)
}

// New returns a DB on a handle, which stays the host's: to configure, and to close after the DB. It panics if the
// handle is nil, the dialect isn't one, or a name in the Config isn't usable. Call Migrate before anything else.
func New(handle Handle, dialect Dialect, config Config) *DB {
	if pool, ok := handle.(*sql.DB); handle == nil || ok && pool == nil {
		panic("sqlstore: New without a database handle")
	}
	engine := dialect.engine()
	config = config.mustFit(engine)
	db := &DB{
		handle: handle, engine: engine, config: config, writer: make(chan struct{}, 1),
		asWritten: engine.rewrite == nil && config.full(defaultPrefix) == defaultPrefix,
	}
	db.reader = handle
	if engine.prepares {
		db.kept.handle = handle
		db.reader = &db.kept
	}
	return db
}

// Close releases what the DB itself holds, prepared statements, and leaves the handle open. The DB must not be used
// afterwards.
func (db *DB) Close() error { return db.kept.close() }

// View runs fn on one snapshot, as access.Store says.
func (db *DB) View(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return db.view(ctx, func(ctx context.Context, t *tx) error { return fn(ctx, t) })
}

// Read runs fn without a transaction, as access.Store says.
func (db *DB) Read(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return db.read(ctx, func(ctx context.Context, t *tx) error { return fn(ctx, t) })
}

// Update runs fn and commits, as access.Store says. On SQLite, updates of one DB wait in line for each other; those of
// other processes wait for the time that the database is set to. On servers they wait for the rows that others have
// locked. fn runs again, a few times and for a few seconds at most, after a deadlock, a serialization failure or a lock
// that wasn't to be had. A commit that has begun isn't ended by the context; if it isn't answered soon after the context
// has ended, or the connection is lost, the error is access.ErrUnknownOutcome.
func (db *DB) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return db.update(ctx, func(ctx context.Context, t *tx) error { return fn(ctx, t) })
}

// Grant reads one decision in one statement, as access.Store says.
func (db *DB) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	if err := storage.CheckOutside(ctx, db); err != nil {
		return access.Grant{}, err
	}
	return readGrant(ctx, db.reader.QueryRowContext(ctx, db.text(selectGrant, false), db.grantArgs(account, user)...))
}

// grantArgs are the arguments of selectGrant.
func (db *DB) grantArgs(account access.AccountID, user access.UserID) []any {
	return db.engine.searched([]any{string(user), string(user), string(account)})
}

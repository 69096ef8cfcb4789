package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/rosterkit/roster/storage"
)

// Migrate verifies that the database is one roster can rely on, and brings its tables to what this version of roster
// needs. It refuses otherwise, with an error that says what to change. It may be called at every start, by several
// processes at once, which wait for each other. It is a unit of work in itself: inside another it returns
// access.ErrNested.
//
// Where the role that the program runs with may not make tables, call it with a handle of a role that may, give the
// running role what Grants says, and let the program call Verify.
func (db *DB) Migrate(ctx context.Context) error {
	return db.inspect(ctx, db.engine.migrating, func(ctx context.Context, conn Session) error {
		if err := db.refuseForeign(ctx, conn); err != nil {
			return err
		}
		if err := db.migrate(ctx, conn); err != nil {
			return err
		}
		return db.verifyTables(ctx, conn)
	})
}

// Verify returns an error that says what to change if the database is none that roster can rely on, or its tables
// aren't those that this version of roster needs. It needs no more rights than Grants says, and waits for nobody who
// migrates. Inside a unit of work it returns access.ErrNested.
func (db *DB) Verify(ctx context.Context) error {
	return db.inspect(ctx, db.engine.verifying, db.verifyTables)
}

// inspect runs fn on a session that was begun by one of the engine's two ways, after having verified the settings of
// the database.
func (db *DB) inspect(ctx context.Context, begin beginSession, fn func(context.Context, Session) error) error {
	if err := storage.CheckOutside(ctx, db); err != nil {
		return err
	}
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.leave()
	return retried(ctx, func() (conflict bool, err error) {
		err = db.inspectOnce(ctx, begin, fn)
		return db.engine.isConflict(err), err
	})
}

func (db *DB) inspectOnce(ctx context.Context, begin beginSession, fn func(context.Context, Session) error) error {
	conn, err := db.handle.Conn(ctx)
	if err != nil {
		return failed(ctx, "connect", err)
	}
	ended := false
	defer func() { // also after a panic
		if !ended { // it may hold a lock, or be inside a transaction
			discard(conn)
		}
		conn.Close()
	}()
	end, err := begin(ctx, conn, db.config)
	if err != nil {
		return err
	}
	if err := db.engine.verify(ctx, conn); err != nil {
		return err
	}
	if err := fn(ctx, conn); err != nil {
		return err
	}
	if err := end(ctx); err != nil {
		return err
	}
	ended = true
	return nil
}

// within returns how to inspect a database in a transaction that begins with some statements.
func within(begin ...string) beginSession {
	return func(ctx context.Context, conn Session, _ Config) (end func(context.Context) error, err error) {
		for _, statement := range begin {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return nil, failed(ctx, "begin to migrate", err)
			}
		}
		return func(ctx context.Context) error {
			if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
				return failed(ctx, "commit migrations", err)
			}
			return nil
		}, nil
	}
}

// migrate does the migrations that aren't done yet.
func (db *DB) migrate(ctx context.Context, conn Session) error {
	if db.engine.beforeMigrations != nil {
		if err := db.engine.beforeMigrations(ctx, db.config, conn); err != nil {
			return err
		}
	}
	handle := sql.OpenDB(through{conn})
	defer handle.Close()
	provider, err := goose.NewProvider(db.engine.goose, handle, db.engine.migrations(db.config),
		goose.WithTableName(db.config.versionTable()), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return failed(ctx, "prepare the migrations", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return failed(ctx, "migrate", err)
	}
	return nil
}

// verifyTables refuses tables that aren't those of this version of roster.
func (db *DB) verifyTables(ctx context.Context, conn Session) error {
	var done sql.NullInt64
	if err := conn.QueryRowContext(ctx, db.text(selectVersion, false)).Scan(&done); err != nil {
		return failed(ctx, "read the version of the tables (was Migrate called, and what Grants says granted?)", err)
	}
	switch known := db.engine.known(); {
	case done.Int64 > known:
		return fmt.Errorf("sqlstore: the tables were migrated to version %d by a newer roster, and this one knows %d: update the program",
			done.Int64, known)
	case done.Int64 < known:
		return fmt.Errorf("sqlstore: the tables are of version %d, and this roster needs %d: call Migrate", done.Int64, known)
	}
	if err := db.verifyBytes(ctx, conn); err != nil {
		return err
	}
	if db.engine.verifyWrites != nil {
		return db.engine.verifyWrites(ctx, db, conn)
	}
	return nil
}

// verifyBytes refuses columns of keys that compare otherwise than byte for byte.
func (db *DB) verifyBytes(ctx context.Context, conn Session) error {
	name, err := db.find(ctx, conn, "look at columns", db.engine.notByBytes)
	if err == nil && name != "" {
		err = fmt.Errorf("sqlstore: the column %s doesn't compare byte for byte, as it was made to: change it back", name)
	}
	return err
}

const selectVersion = `SELECT MAX(version_id) FROM roster_migrations WHERE is_applied`

// known is the version of the newest migration.
func (e engine) known() int64 {
	files, err := fs.Glob(e.migrations(Config{}), "*.sql")
	if err != nil || len(files) == 0 {
		panic("sqlstore: no migrations for " + e.name)
	}
	number, _, _ := strings.Cut(slices.Max(files), "_")
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		panic("sqlstore: a migration without a number")
	}
	return version
}

// refuseForeign returns an error if there is a table of one of our names that roster didn't make.
func (db *DB) refuseForeign(ctx context.Context, conn Session) error {
	name, err := db.find(ctx, conn, "look for tables", db.engine.foreign)
	if err == nil && name != "" {
		err = fmt.Errorf("sqlstore: there is a table %s that roster has not made: rename it or use another database", name)
	}
	return err
}

// find returns the name that a statement about our tables finds, in the schema that the session looks in. An engine that
// has no such statement finds none.
func (db *DB) find(ctx context.Context, conn Session, what, statement string) (name string, err error) {
	if statement == "" {
		return "", nil
	}
	statement, tables := in(db.config.local(statement), db.config.tables())
	if db.engine.schemas {
		statement = numbered(statement)
	}
	err = conn.QueryRowContext(ctx, statement, tables...).Scan(&name)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", failed(ctx, what, err)
	}
	return name, nil
}

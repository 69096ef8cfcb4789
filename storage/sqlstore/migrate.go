package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/rosterkit/roster/storage"
)

// versionTable is where goose notes which migrations were done.
const versionTable = "roster_migrations"

// migrateAttempts is how often a migration is begun that fails because somebody else is at it, and migratePause how
// long it waits before the second attempt. Each further pause is twice as long.
const (
	migrateAttempts = 5
	migratePause    = 50 * time.Millisecond
)

// Migrate verifies that the database is one roster can rely on, and brings its tables to what this version of roster
// needs. It refuses otherwise, with an error that says what to change. It may be called at every start, by several
// processes at once. It is a unit of work in itself: inside another it returns access.ErrNested.
func (db *DB) Migrate(ctx context.Context) error {
	if err := storage.CheckOutside(ctx, db); err != nil {
		return err
	}
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.leave()
	// Each migration is a transaction. Of several processes that begin the same one, all but the first fail, and find
	// it done when they try again.
	for attempt, pause := 1, migratePause; ; attempt, pause = attempt+1, 2*pause {
		err := db.migrate(ctx)
		if _, failed := errors.AsType[*failure](err); !failed || attempt == migrateAttempts {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

func (db *DB) migrate(ctx context.Context) error {
	if err := db.engine.verify(ctx, db.handle); err != nil {
		return err
	}
	if err := db.engine.refuseForeign(ctx, db.handle); err != nil {
		return err
	}
	options := []goose.ProviderOption{
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()),
	}
	if lock := db.engine.migrateLock; lock != nil {
		options = append(options, goose.WithSessionLocker(lock))
	}
	provider, err := goose.NewProvider(db.engine.goose, db.handle.(*sql.DB), db.engine.migrations(), options...)
	if err != nil {
		return failed(ctx, "prepare the migrations", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return failed(ctx, "migrate", err)
	}
	current, known, err := provider.GetVersions(ctx)
	if err != nil {
		return failed(ctx, "read the version of the tables", err)
	}
	if current > known {
		return fmt.Errorf("sqlstore: the tables were migrated to version %d by a newer roster, and this one knows %d: update the program",
			current, known)
	}
	return nil
}

package sqlstore

import (
	"context"
	"fmt"

	"github.com/pressly/goose/v3"

	"github.com/rosterkit/roster/storage"
)

// versionTable is where goose notes which migrations were done.
const versionTable = "roster_migrations"

// migrateAttempts is how often a migration is tried again that failed because somebody else was at it.
const migrateAttempts = 5

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
	if err := db.engine.verify(ctx, db.handle); err != nil {
		return err
	}
	provider, err := goose.NewProvider(db.engine.goose, db.handle, db.engine.migrations(),
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return failed(ctx, "prepare the migrations", err)
	}
	if err := migrate(ctx, provider); err != nil {
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

// migrate does what is pending. Each migration is a transaction: of several processes that begin the same one, all but
// the first fail, find it done, and go on.
func migrate(ctx context.Context, provider *goose.Provider) error {
	for attempt := 1; ; attempt++ {
		_, err := provider.Up(ctx)
		if err == nil || attempt == migrateAttempts || ctx.Err() != nil {
			return err
		}
	}
}

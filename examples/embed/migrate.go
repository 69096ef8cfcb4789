package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations
var migrations embed.FS

// migrateAlone lets one process at a time migrate a database: of two that create a table IF NOT EXISTS together, one may
// fail. The number is the application's own: whatever else takes advisory locks in the database has another.
const migrateAlone = `SELECT pg_advisory_xact_lock(715204881936027)`

// migrate brings the tables of the application to its newest version. It knows nothing of roster's, which are beside
// them, and those who migrate roster's know nothing of these. A database that a newer program
// has migrated is an error.
func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	files, err := fs.Glob(migrations, "migrations/*.sql") // in order
	if err != nil {
		return err
	}
	// Each statement must see what those who had the lock before have done.
	return pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, migrateAlone); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL);
			INSERT INTO schema_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version)`)
		if err != nil {
			return err
		}
		var done int
		if err := tx.QueryRow(ctx, `SELECT version FROM schema_version`).Scan(&done); err != nil {
			return err
		}
		if done > len(files) {
			return fmt.Errorf("the database has version %d of the tables, and this program is older: it knows version %d", done, len(files))
		}
		for _, file := range files[done:] {
			statements, err := migrations.ReadFile(file)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, string(statements)); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `UPDATE schema_version SET version = $1`, len(files))
		return err
	})
}

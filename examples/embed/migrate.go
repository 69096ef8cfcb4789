package main

import (
	"context"
	"embed"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the tables of the application to its newest version. It knows nothing of roster's, which are beside
// them, and those who migrate roster's know nothing of these.
func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	files, err := fs.Glob(migrations, "migrations/*.sql") // in order
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL);
			LOCK TABLE schema_version;
			INSERT INTO schema_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version)`)
		if err != nil {
			return err
		}
		var done int
		if err := tx.QueryRow(ctx, `SELECT version FROM schema_version`).Scan(&done); err != nil {
			return err
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

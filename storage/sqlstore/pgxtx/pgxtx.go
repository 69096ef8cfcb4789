// Package pgxtx lets hosts that work with pgx itself, and not through database/sql, join roster to a transaction of
// theirs, and has PostgreSQL wake an access.Cache (Listen). It is the one package of roster that imports a driver: hosts
// that don't need it don't download one.
//
// roster's own units of work go through a handle on the same pool:
//
//	pool, err := pgxpool.New(ctx, "postgres://...")
//	...
//	handle := stdlib.OpenDBFromPool(pool)
//	db := sqlstore.New(handle, sqlstore.Postgres, sqlstore.Config{})
package pgxtx

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"

	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// Join runs fn inside a transaction of the host, which the host has begun and commits or rolls back: what fn did
// through roster and what the host did through its transaction appear both, or neither. The db is one on the same
// PostgreSQL database; the transaction may have any isolation level.
//
//	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
//		if _, err := tx.Exec(ctx, `INSERT INTO orders ...`); err != nil {
//			return err
//		}
//		return pgxtx.Join(ctx, db, tx, func(ctx context.Context, unit storage.Tx) error {
//			_, err := members.Within(unit).AddMember(ctx, actor, account, user, terms)
//			return err
//		})
//	})
//
// Join is sqlstore.DB.Join, and says the same about fn: if it returns an error or panics, what it did is undone and the
// host's own work is kept. Call Join last and commit at once: until then, what fn locked is locked, and so is the end
// of the change feed, which all accounts share.
//
// Nothing is retried. A deadlock, or above READ COMMITTED a serialization failure, is returned with its SQLSTATE, which
// errors.As finds in a *pgconn.PgError: roll back, and do the whole of the transaction again. If the context ends while
// a statement is under way, the error is the context's, and pgx closes the connection unless the pool is configured
// otherwise: the host's work is lost with it, and its Commit fails.
//
// The transaction must not be used by others, or with rows of a query still open, while Join runs.
func Join(ctx context.Context, db *sqlstore.DB, tx pgx.Tx, fn func(context.Context, storage.Tx) error) error {
	handle := sql.OpenDB(connector{tx})
	defer handle.Close()
	session, err := handle.Conn(ctx) // the handle itself does some statements again
	if err != nil {
		return err
	}
	defer session.Close()
	return db.Join(ctx, session, fn)
}

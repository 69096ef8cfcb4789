package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/rosterkit/roster/storage"
)

// A tx is one unit of work: a transaction on a connection of its own.
type tx struct {
	storage.Unit
	conn     *sql.Conn
	readOnly bool
	ended    bool
}

var _ storage.Tx = (*tx)(nil)

// errReadOnly is what writing in a View returns.
var errReadOnly = errors.New("sqlstore: a View can't write")

// errEnded is what a method of a transaction returns that somebody kept.
var errEnded = errors.New("sqlstore: the unit of work has ended")

// rollbackPatience is how long a connection may take to roll back before it is given up.
const rollbackPatience = 5 * time.Second

// selectSnapshot reads a row that is always there. SQLite fixes a snapshot at the first read, not at BEGIN.
const selectSnapshot = `SELECT number FROM roster_feed WHERE shard = 0`

func (db *DB) view(ctx context.Context, fn func(context.Context, *tx) error) error {
	return db.unit(ctx, db.engine.beginView, func(ctx context.Context, t *tx) error {
		t.readOnly = true
		var number int64
		if err := t.conn.QueryRowContext(ctx, selectSnapshot).Scan(&number); err != nil {
			return failed(ctx, "begin", err)
		}
		return fn(ctx, t)
	})
}

func (db *DB) update(ctx context.Context, fn func(context.Context, *tx) error) error {
	if err := storage.CheckOutside(ctx, db); err != nil {
		return err // before waiting for a unit that waits for this one
	}
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.leave()
	return db.unit(ctx, db.engine.beginUpdate, fn)
}

// enter waits for its turn to write.
func (db *DB) enter(ctx context.Context) error {
	select {
	case db.writer <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (db *DB) leave() { <-db.writer }

// unit runs fn between a BEGIN and a COMMIT or ROLLBACK of its own making: what database/sql would begin depends on
// how the host opened the database.
func (db *DB) unit(ctx context.Context, begin string, fn func(context.Context, *tx) error) error {
	if err := storage.CheckOutside(ctx, db); err != nil {
		return err
	}
	conn, err := db.handle.Conn(ctx)
	if err != nil {
		return failed(ctx, "connect", err)
	}
	defer conn.Close()
	t := &tx{conn: conn}
	committed := false
	defer func() { // also after a panic, and when a test ends its goroutine
		t.ended = true
		if !committed {
			t.rollback(ctx)
		}
	}()
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		return failed(ctx, "begin", err)
	}
	if err := fn(storage.Inside(ctx, db), t); err != nil {
		return err
	}
	if t.readOnly {
		return nil
	}
	if err := t.commit(ctx); err != nil {
		return err
	}
	committed = true
	return nil
}

// commit writes what waits for the end and commits. The context may end it before the COMMIT is sent, not after: what
// became of a COMMIT must be known.
func (t *tx) commit(ctx context.Context) error {
	if err := t.Failed(); err != nil {
		return err
	}
	if err := t.writeHistory(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := t.conn.ExecContext(context.WithoutCancel(ctx), "COMMIT"); err != nil {
		return failed(context.WithoutCancel(ctx), "commit", err)
	}
	return nil
}

// rollback leaves the connection without a transaction. One that doesn't say so is not used again: whoever got it next
// would work inside the transaction of somebody else.
func (t *tx) rollback(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackPatience)
	defer cancel()
	if _, err := t.conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

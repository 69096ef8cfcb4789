package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// A tx is one unit of work: a transaction on a connection of its own.
type tx struct {
	storage.Unit
	db       *DB
	session  Session
	joined   bool // the transaction is the host's
	wrote    bool // or tried to: from then on, what is read decides what is written
	readOnly bool
	ended    bool
}

var _ storage.Tx = (*tx)(nil)

// errReadOnly is what writing in a View or a Read returns.
var errReadOnly = errors.New("sqlstore: a View or a Read can't write")

// errEnded is what a method of a transaction returns that somebody kept.
var errEnded = errors.New("sqlstore: the unit of work has ended")

// rollbackPatience is how long a connection may take to roll back before it is given up.
const rollbackPatience = 400 * time.Millisecond

// commitPatience is how long a COMMIT is waited for when the context has ended.
const commitPatience = 400 * time.Millisecond

// selectSnapshot reads a row that is always there. Most engines fix a snapshot at the first read, not at BEGIN.
const selectSnapshot = `SELECT number FROM roster_feed WHERE shard = 0`

func (db *DB) view(ctx context.Context, fn func(context.Context, *tx) error) error {
	return retried(ctx, func() (lost bool, err error) {
		return db.unit(ctx, db.engine.beginView, func(ctx context.Context, t *tx) error {
			t.readOnly = true
			return fn(ctx, t)
		})
	})
}

func (db *DB) read(ctx context.Context, fn func(context.Context, *tx) error) error {
	if err := storage.CheckOutside(ctx, db); err != nil {
		return err
	}
	t := &tx{db: db, session: db.reader, readOnly: true}
	defer func() { t.ended = true }()
	return fn(storage.Inside(ctx, db), t)
}

func (db *DB) update(ctx context.Context, fn func(context.Context, *tx) error) error {
	return db.updateAs(ctx, db.engine.beginUpdate, fn)
}

// work is update for what a worker does with the outbox.
func (db *DB) work(ctx context.Context, fn func(context.Context, *tx) error) error {
	begin := db.engine.beginWork
	if begin == nil {
		begin = db.engine.beginUpdate
	}
	return db.updateAs(ctx, begin, fn)
}

func (db *DB) updateAs(ctx context.Context, begin []string, fn func(context.Context, *tx) error) error {
	if err := storage.CheckOutside(ctx, db); err != nil {
		return err // before waiting for a unit that waits for this one
	}
	if !db.engine.manyWriters {
		if err := db.enter(ctx); err != nil {
			return err
		}
		defer db.leave()
	}
	return retried(ctx, func() (conflict bool, err error) { return db.unit(ctx, begin, fn) })
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
// how the host opened the database. If it fails by a conflict with another unit, or on a connection that had been lost
// before, and nothing was committed, conflict is true.
func (db *DB) unit(ctx context.Context, begin []string, fn func(context.Context, *tx) error) (conflict bool, err error) {
	if err := storage.CheckOutside(ctx, db); err != nil {
		return false, err
	}
	conn, err := db.handle.Conn(ctx)
	if err != nil {
		return false, failed(ctx, "connect", err)
	}
	defer conn.Close()
	t := &tx{db: db, session: conn}
	end := func() { rollback(ctx, conn) }
	defer func() { // also after a panic, and when a test ends its goroutine
		t.ended = true
		end()
	}()
	for _, statement := range begin {
		if _, err := conn.ExecContext(ctx, db.text(statement, false)); err != nil {
			lost := db.engine.manyWriters && ctx.Err() == nil && !isAnswer(err)
			return lost || db.engine.isConflict(err), failed(ctx, "begin", err)
		}
	}
	if err := fn(storage.Inside(ctx, db), t); err != nil {
		return db.engine.isConflict(t.Failed()), err // whatever fn made of it
	}
	if t.readOnly {
		return false, nil
	}
	if err := t.commit(ctx); err != nil {
		if errors.Is(err, access.ErrUnknownOutcome) { // nothing can be said on this connection any more
			end = func() { discard(conn) }
			t.Committed()
		}
		return db.engine.isConflict(err), err
	}
	end = func() {}
	t.Committed()
	return false, nil
}

// commit writes what waits for the end and commits. A server may answer the COMMIT of a transaction in which a statement
// failed without an error, and roll back: no failed statement may be missing from Failed. The context may end it before
// the COMMIT is sent, not after: what became of a COMMIT should be known. One that isn't answered mustn't hold up the
// caller for ever.
func (t *tx) commit(ctx context.Context) error {
	if err := t.flush(ctx); err != nil {
		return err
	}
	patient, cancel := outlive(ctx, commitPatience)
	defer cancel()
	_, err := t.session.ExecContext(patient, "COMMIT")
	if err == nil {
		return nil
	}
	if patient.Err() != nil {
		err = failed(ctx, "commit", err) // which ended before
	} else {
		err = failed(patient, "commit", err)
	}
	if !t.db.engine.isRolledBack(err) {
		err = fmt.Errorf("%w: %w", access.ErrUnknownOutcome, err)
	}
	return err
}

// flush writes what waits for the end, unless the unit can't be committed.
func (t *tx) flush(ctx context.Context) error {
	if err := t.Failed(); err != nil {
		return err
	}
	if err := t.sealAccounts(ctx); err != nil {
		return err
	}
	if err := t.writeHistory(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// outlive returns a context that ends a while after another one. The caller must cancel it.
func outlive(ctx context.Context, while time.Duration) (context.Context, context.CancelFunc) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(while):
			cancel()
		case <-patient.Done():
		}
	})
	return patient, func() { stop(); cancel() }
}

// rollback leaves the connection without a transaction. One that doesn't say so is not used again: whoever got it next
// would work inside the transaction of somebody else.
func rollback(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackPatience)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		discard(conn)
	}
}

// discard keeps a connection from being used again.
func discard(conn *sql.Conn) { conn.Raw(func(any) error { return driver.ErrBadConn }) }

package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/rosterkit/roster/storage"
)

// A Session runs statements one after the other. For Join it is inside a transaction: a *sql.Tx, or a *sql.Conn on which
// one was begun. The *sql.DB has these methods too, but runs each statement on any connection: Join panics with one.
type Session interface {
	ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, statement string, args ...any) *sql.Row
}

// The savepoint of Join.
const (
	beginSavepoint    = `SAVEPOINT roster`
	releaseSavepoint  = `RELEASE SAVEPOINT roster`
	rollbackSavepoint = `ROLLBACK TO SAVEPOINT roster`
)

// Join runs fn inside a transaction of the host, which the host has begun and commits or rolls back: what fn did
// through roster and what the host did through its transaction appear both, or neither.
//
//	tx, err := handle.BeginTx(ctx, nil)
//	...
//	defer tx.Rollback()
//	_, err = tx.ExecContext(ctx, `INSERT INTO orders ...`)
//	...
//	err = db.Join(ctx, tx, func(ctx context.Context, unit storage.Tx) error {
//		_, err := members.Within(unit).AddMember(ctx, actor, account, user, terms)
//		return err
//	})
//	...
//	err = tx.Commit()
//
// If fn returns an error, what it did is undone, the host's own work is kept, and the error is returned. What it
// locked, and the end of the change feed, which all accounts share, stay locked until the host's transaction ends: call
// Join last, and commit at once. On SQLite, begin a transaction that will write as one that does (with modernc's driver,
// _txlock=immediate in the data source): otherwise its first write fails if somebody else has written since it read.
//
// Nothing is retried. After an error of the database, such as a deadlock, roll the transaction back and begin the whole
// of it again: some databases have then ended it by themselves, and what fn did may not have been undone.
//
// It panics with a nil host, and with a *sql.DB.
func (db *DB) Join(ctx context.Context, host Session, fn func(context.Context, storage.Tx) error) (err error) {
	mustBeOne(host)
	if err := storage.CheckOutside(ctx, db); err != nil {
		return err
	}
	begin := []string{beginSavepoint}
	if db.engine.looseSavepoint { // it can only be rolled back to inside a transaction
		begin = append(begin, rollbackSavepoint)
	}
	for _, statement := range begin {
		if _, err := host.ExecContext(ctx, statement); err != nil {
			return failed(ctx, "begin", err)
		}
	}
	t := &tx{db: db, session: host, joined: true}
	flushed := false
	defer func() { // also after a panic
		t.ended = true
		if flushed {
			return
		}
		if left := undo(ctx, host); left != nil {
			err = errors.Join(err, left)
		}
	}()
	if err := fn(storage.Inside(ctx, db), t); err != nil {
		return err
	}
	if err := t.flush(ctx); err != nil {
		return err
	}
	if _, err := host.ExecContext(ctx, releaseSavepoint); err != nil {
		return failed(ctx, "end", err)
	}
	flushed = true
	return nil
}

// undo takes back what was done since the savepoint.
func undo(ctx context.Context, host Session) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackPatience)
	defer cancel()
	for _, statement := range []string{rollbackSavepoint, releaseSavepoint} {
		if _, err := host.ExecContext(ctx, statement); err != nil {
			return failed(ctx, "roll back", err)
		}
	}
	return nil
}

// mustBeOne panics if a session is none, or a pool of them.
func mustBeOne(host Session) {
	if host == nil {
		panic("sqlstore: Join without a session")
	}
	if _, pool := host.(interface{ SetMaxOpenConns(int) }); pool {
		panic("sqlstore: Join with a pool of connections: give it the transaction")
	}
}

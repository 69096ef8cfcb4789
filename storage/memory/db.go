// Package memory is the in-memory backend: the fake of everything stored in tests, and real enough for demos. It
// gives the answers that a SQL backend gives, and forgets them with the process.
package memory

import (
	"context"
	"sync/atomic"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// A DB is a database in memory. Its methods may be called from several goroutines. Updates run one after the other;
// views and decisions see what was committed when they began, and wait for nobody.
type DB struct {
	committed atomic.Pointer[state]
	writer    chan struct{} // holds a token while an update runs
}

var _ storage.DB = (*DB)(nil)

// New returns an empty database.
func New() *DB {
	db := &DB{writer: make(chan struct{}, 1)}
	db.committed.Store(&state{registry: newRegistry()})
	return db
}

// Grant reads one decision. See access.Store.
func (db *DB) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	if err := db.begin(ctx); err != nil {
		return access.Grant{}, err
	}
	return db.committed.Load().grant(account, user), nil
}

// View runs fn on what was committed when it began. See access.Store.
func (db *DB) View(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	if err := db.begin(ctx); err != nil {
		return err
	}
	tx := &tx{state: *db.committed.Load(), view: true}
	defer tx.end()
	return fn(storage.Inside(ctx, db), tx)
}

// Read is View.
func (db *DB) Read(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return db.View(ctx, fn)
}

// Update runs fn alone, and commits if it returns nil. See access.Store. It runs fn once: there are no conflicts.
// While it waits for other updates it heeds the context.
func (db *DB) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return db.update(ctx, func(tx *tx) error { return fn(storage.Inside(ctx, db), tx) })
}

// update keeps what fn made of a copy of the state. An error, a panic and a failed write need no undoing: the copy is
// dropped.
func (db *DB) update(ctx context.Context, fn func(*tx) error) error {
	if err := db.begin(ctx); err != nil {
		return err
	}
	select {
	case db.writer <- struct{}{}:
		defer func() { <-db.writer }()
	case <-ctx.Done():
		return ctx.Err()
	}
	tx := &tx{state: *db.committed.Load()}
	defer tx.end()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Failed(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	tx.writeEvents()
	committed := tx.state
	db.committed.Store(&committed)
	tx.Committed()
	return nil
}

func (db *DB) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return storage.CheckOutside(ctx, db)
}

package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/rosterkit/roster/storage/sqlstore"
)

// A database is an open database with the host's own tables in it, beside the library's.
type database struct {
	statements
	handle *sql.DB
}

// statements runs statements on a database or in a transaction. Their arguments are question marks on every engine.
type statements struct {
	session sqlstore.Session
	engine  engine
}

// newDatabase returns a database on a handle, and creates the tables that are missing.
func newDatabase(ctx context.Context, handle *sql.DB, engine engine) (*database, error) {
	db := &database{statements{handle, engine}, handle}
	return db, db.transaction(ctx, func(tx statements) error {
		for _, statement := range engine.tables() {
			if _, err := tx.exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// exec runs a statement that is a transaction in itself. It returns how many rows it concerned.
func (db *database) exec(ctx context.Context, statement string, args ...any) (rows int64, err error) {
	err = retried(ctx, func() error {
		rows, err = db.statements.exec(ctx, statement, args...)
		return err
	})
	return rows, err
}

// transaction commits what fn did unless it returns an error. What fn reads may have changed before it writes, wherever
// there are several writers: its writes say themselves on what they depend. After a conflict fn runs again.
func (db *database) transaction(ctx context.Context, fn func(statements) error) error {
	return retried(ctx, func() error {
		// SQLite has only one level, which is stricter.
		tx, err := db.handle.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if err := fn(statements{tx, db.engine}); err != nil {
			return err
		}
		return tx.Commit()
	})
}

const conflictAttempts = 10

// retried runs a transaction until it ends without a conflict, but not for ever.
func retried(ctx context.Context, transaction func() error) error {
	for attempt := 1; ; attempt++ {
		err := transaction()
		if !isConflict(err) || attempt == conflictAttempts {
			return err
		}
		select {
		case <-time.After(rand.N(time.Duration(attempt) * 10 * time.Millisecond)): // Those who met must not meet again.
		case <-ctx.Done():
			return err
		}
	}
}

func (s statements) exec(ctx context.Context, statement string, args ...any) (rows int64, err error) {
	result, err := s.session.ExecContext(ctx, s.text(statement), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s statements) query(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	return s.session.QueryContext(ctx, s.text(statement), args...)
}

func (s statements) queryRow(ctx context.Context, statement string, args ...any) *sql.Row {
	return s.session.QueryRowContext(ctx, s.text(statement), args...)
}

// text is a statement with the engine's placeholders. No statement has a question mark that isn't one.
func (s statements) text(statement string) string {
	if !s.engine.numbered {
		return statement
	}
	parts := strings.Split(statement, "?")
	var text strings.Builder
	text.WriteString(parts[0])
	for i, part := range parts[1:] {
		fmt.Fprintf(&text, "$%d%s", i+1, part)
	}
	return text.String()
}

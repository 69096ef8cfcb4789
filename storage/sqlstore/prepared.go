package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
)

// A prepared is a session for reads outside of transactions, each on a connection of the pool's. It prepares statements
// once and keeps them, on engines where that saves work: database/sql prepares them anew on each connection.
type prepared struct {
	handle     Handle
	statements sync.Map // of *sql.Stmt, by text
	kept       atomic.Int32
}

// maxPrepared is about how many statements are kept. There are fewer, but for those with lists in them.
const maxPrepared = 64

func (p *prepared) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return p.handle.ExecContext(ctx, text, args...)
}

func (p *prepared) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	statement, err := p.statement(ctx, text)
	if statement == nil || err != nil {
		return p.handle.QueryContext(ctx, text, args...)
	}
	return statement.QueryContext(ctx, args...)
}

func (p *prepared) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	statement, err := p.statement(ctx, text)
	if statement == nil || err != nil {
		return p.handle.QueryRowContext(ctx, text, args...)
	}
	return statement.QueryRowContext(ctx, args...)
}

// statement returns a prepared statement, or nil if there are too many.
func (p *prepared) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if kept, ok := p.statements.Load(text); ok {
		return kept.(*sql.Stmt), nil
	}
	if p.kept.Load() >= maxPrepared {
		return nil, nil
	}
	statement, err := p.handle.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	first, other := p.statements.LoadOrStore(text, statement)
	if other { // somebody else was first
		return first.(*sql.Stmt), statement.Close()
	}
	p.kept.Add(1)
	return statement, nil
}

func (p *prepared) close() error {
	var errs []error
	p.statements.Range(func(text, statement any) bool {
		errs = append(errs, statement.(*sql.Stmt).Close())
		p.statements.Delete(text)
		return true
	})
	return errors.Join(errs...)
}

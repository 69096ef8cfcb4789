package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// A prepared is a session for reads outside of transactions, each on a connection of the pool's. It prepares statements
// once and keeps them, on engines where that saves work: database/sql prepares them anew on each connection.
type prepared struct {
	handle     Handle
	mu         sync.Mutex
	statements map[string]*sql.Stmt
}

// maxPrepared is how many statements are kept. There are fewer, but for those with lists in them.
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
	p.mu.Lock()
	statement, full := p.statements[text], len(p.statements) >= maxPrepared
	p.mu.Unlock()
	if statement != nil || full {
		return statement, nil
	}
	statement, err := p.handle.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if first := p.statements[text]; first != nil {
		return first, statement.Close()
	}
	p.statements[text] = statement
	return statement, nil
}

func (p *prepared) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, statement := range p.statements {
		errs = append(errs, statement.Close())
	}
	clear(p.statements)
	return errors.Join(errs...)
}

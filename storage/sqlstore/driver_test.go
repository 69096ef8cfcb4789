package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"
)

// A probe stands between database/sql and the driver: it notes every statement, and may fail it.
type probe struct {
	connect    func(context.Context) (driver.Conn, error)
	mu         sync.Mutex
	statements []string
	// before is asked before a statement is run, and after when it has been; an error is returned in its place.
	before, after func(conn driver.Conn, statement string) error
}

// openProbed opens a database file through a probe.
func openProbed(t testing.TB, file string, p *probe) *sql.DB {
	t.Helper()
	return openThrough(t, p, func(context.Context) (driver.Conn, error) { return (&sqlite.Driver{}).Open(dataSource(file)) })
}

// openThrough opens what connect connects to through a probe.
func openThrough(t testing.TB, p *probe, connect func(context.Context) (driver.Conn, error)) *sql.DB {
	t.Helper()
	p.connect = connect
	handle := sql.OpenDB(p)
	t.Cleanup(func() { require.NoError(t, handle.Close()) })
	return handle
}

// set changes what is failed.
func (p *probe) set(before, after func(conn driver.Conn, statement string) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before, p.after = before, after
}

// taken returns the statements noted since the last call.
func (p *probe) taken() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.statements
	p.statements = nil
	return taken
}

func (p *probe) note(statement string) (before, after func(driver.Conn, string) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statements = append(p.statements, statement)
	return p.before, p.after
}

func (p *probe) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.connect(ctx)
	if err != nil {
		return nil, err
	}
	return &probedConn{conn, p}, nil
}

func (p *probe) Driver() driver.Driver { return nil }

type probedConn struct {
	driver.Conn
	probe *probe
}

func (c *probedConn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	return probed(c, statement, func() (driver.Result, error) {
		return c.Conn.(driver.ExecerContext).ExecContext(ctx, statement, args)
	})
}

func (c *probedConn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	return probed(c, statement, func() (driver.Rows, error) {
		return c.Conn.(driver.QueryerContext).QueryContext(ctx, statement, args)
	})
}

func (c *probedConn) PrepareContext(ctx context.Context, statement string) (driver.Stmt, error) {
	return probed(c, statement, func() (driver.Stmt, error) {
		return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, statement)
	})
}

func (c *probedConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, options)
}

func (c *probedConn) ResetSession(ctx context.Context) error {
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

func (c *probedConn) IsValid() bool {
	validator, ok := c.Conn.(driver.Validator)
	return !ok || validator.IsValid()
}

// probed runs a statement, unless the probe fails it before or after.
func probed[T any](c *probedConn, statement string, run func() (T, error)) (T, error) {
	var none T
	before, after := c.probe.note(statement)
	if before != nil {
		if err := before(c.Conn, statement); err != nil {
			return none, err
		}
	}
	value, err := run()
	if err == nil && after != nil {
		if err := after(c.Conn, statement); err != nil {
			if rows, ok := any(value).(driver.Rows); ok {
				rows.Close()
			}
			return none, err
		}
	}
	return value, err
}

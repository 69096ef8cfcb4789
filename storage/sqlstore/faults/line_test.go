package faults_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A line stands between database/sql and a driver: every call of the driver that can fail passes it.
type line struct {
	connector driver.Connector
	first     string // the first statement on each connection, if any
	mu        sync.Mutex
	watch     watcher
	mutant    mutation
}

// A mutation is what makes a mutant of the code behind a line. Nil fields change nothing.
type mutation struct {
	rewrite func(statement string) string
	replace watcher // comes before the line's own, which sees what is left of a call
}

// A watcher does a call, or something else in its place. It is asked for every call, by several goroutines perhaps.
type watcher func(c *call, do func() error) error

// A call is one call of the driver.
type call struct {
	ctx       context.Context
	what      string // connect, reset, prepare, exec, query, next, begin, commit or rollback
	statement string // of exec and query, as the driver gets it, and of next
	args      []driver.NamedValue
	direct    bool          // without having been prepared
	conn      *conn         // nil while connecting, until it is done
	rows      driver.Rows   // what a query gave, once it is done, or what next reads
	result    driver.Result // of exec, once it is done
}

// String describes the call.
func (c *call) String() string { return c.what + " " + c.statement }

// openLine opens a database of a driver through a line.
func openLine(t testing.TB, driverName, source string) (*sql.DB, *line) {
	t.Helper()
	plain, err := sql.Open(driverName, source)
	require.NoError(t, err)
	opener := plain.Driver()
	require.NoError(t, plain.Close())
	l := &line{}
	if withContext, ok := opener.(driver.DriverContext); ok {
		l.connector, err = withContext.OpenConnector(source)
		require.NoError(t, err)
	} else {
		l.connector = sourceConnector{opener, source}
	}
	handle := sql.OpenDB(l)
	t.Cleanup(func() { require.NoError(t, handle.Close()) })
	return handle, l
}

// A sourceConnector connects by the data source, for a driver that knows no connectors.
type sourceConnector struct {
	driver driver.Driver
	source string
}

func (c sourceConnector) Connect(context.Context) (driver.Conn, error) {
	return c.driver.Open(c.source)
}
func (c sourceConnector) Driver() driver.Driver { return c.driver }

// set changes who watches; nil is nobody.
func (l *line) set(watch watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watch = watch
}

// mutate makes a mutant of what is behind the line.
func (l *line) mutate(m mutation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mutant = m
}

func (l *line) now() (watcher, mutation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.watch, l.mutant
}

// rewritten returns what the driver gets for a statement.
func (l *line) rewritten(statement string) string {
	if _, mutant := l.now(); mutant.rewrite != nil {
		return mutant.rewrite(statement)
	}
	return statement
}

// pass does a call, or what is done instead.
func (l *line) pass(c *call, do func() error) error {
	watch, mutant := l.now()
	watched := do
	if watch != nil {
		watched = func() error { return watch(c, do) }
	}
	if mutant.replace != nil {
		return mutant.replace(c, watched)
	}
	return watched()
}

func (l *line) Driver() driver.Driver { return l.connector.Driver() }

func (l *line) Connect(ctx context.Context) (driver.Conn, error) {
	c := &call{ctx: ctx, what: "connect"}
	err := l.pass(c, func() error {
		inner, err := l.connector.Connect(ctx)
		if err == nil && l.first != "" {
			_, err = inner.(driver.ExecerContext).ExecContext(ctx, l.first, nil)
		}
		if err == nil {
			c.conn = &conn{Conn: inner, line: l}
		}
		return err
	})
	if err != nil {
		if c.conn != nil {
			c.conn.lose()
		}
		return nil, err
	}
	return c.conn, nil
}

// A conn is a connection over a line.
type conn struct {
	driver.Conn
	line *line
	mu   sync.Mutex
	lost bool
	open []io.Closer // statements and rows, in the order in which they were opened
}

// lose ends the connection, as it ends for the driver when the network or the server does.
func (c *conn) lose() {
	c.mu.Lock()
	already, open := c.lost, c.open
	c.lost, c.open = true, nil
	c.mu.Unlock()
	if already {
		return
	}
	for _, closer := range slices.Backward(open) { // some drivers don't expect them to outlive the connection
		_ = closer.Close()
	}
	_ = c.Conn.Close()
}

// alive does something with the connection, if it isn't lost.
func (c *conn) alive(do func() error) func() error {
	return func() error {
		c.mu.Lock()
		lost := c.lost
		c.mu.Unlock()
		if lost {
			return driver.ErrBadConn
		}
		return do()
	}
}

// keep notes what has to be closed before the connection.
func (c *conn) keep(closer io.Closer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = append(c.open, closer)
}

// release closes what was kept, unless the connection was lost and has closed it.
func (c *conn) release(closer io.Closer) error {
	c.mu.Lock()
	at := slices.Index(c.open, closer)
	if at >= 0 {
		c.open = slices.Delete(c.open, at, at+1)
	}
	c.mu.Unlock()
	if at < 0 {
		return nil
	}
	return closer.Close()
}

func (c *conn) Close() error {
	c.mu.Lock()
	lost := c.lost
	c.lost = true
	c.mu.Unlock()
	if lost {
		return nil
	}
	return c.Conn.Close()
}

func (c *conn) ResetSession(ctx context.Context) error {
	return c.line.pass(&call{ctx: ctx, what: "reset", conn: c}, c.alive(func() error {
		if resetter, ok := c.Conn.(driver.SessionResetter); ok {
			return resetter.ResetSession(ctx)
		}
		return nil
	}))
}

func (c *conn) IsValid() bool {
	c.mu.Lock()
	lost := c.lost
	c.mu.Unlock()
	validator, ok := c.Conn.(driver.Validator)
	return !lost && (!ok || validator.IsValid())
}

func (c *conn) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

func (c *conn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	statement = c.line.rewritten(statement)
	return c.exec(ctx, statement, args, true, func() (driver.Result, error) {
		return c.Conn.(driver.ExecerContext).ExecContext(ctx, statement, args)
	})
}

func (c *conn) exec(ctx context.Context, statement string, args []driver.NamedValue, direct bool, do func() (driver.Result, error)) (driver.Result, error) {
	called := &call{ctx: ctx, what: "exec", statement: statement, args: args, direct: direct, conn: c}
	err := c.line.pass(called, c.alive(func() (err error) {
		called.result, err = do()
		return err
	}))
	if err != nil {
		return nil, err
	}
	return called.result, nil
}

func (c *conn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	statement = c.line.rewritten(statement)
	return c.query(ctx, statement, args, true, func() (driver.Rows, error) {
		return c.Conn.(driver.QueryerContext).QueryContext(ctx, statement, args)
	})
}

func (c *conn) query(ctx context.Context, statement string, args []driver.NamedValue, direct bool, do func() (driver.Rows, error)) (driver.Rows, error) {
	called := &call{ctx: ctx, what: "query", statement: statement, args: args, direct: direct, conn: c}
	err := c.line.pass(called, c.alive(func() (err error) {
		called.rows, err = do()
		if errors.Is(err, driver.ErrSkip) { // the driver wants the statement prepared
			return err
		}
		if err == nil {
			c.keep(called.rows)
		}
		return err
	}))
	if err != nil {
		if called.rows != nil {
			_ = c.release(called.rows)
		}
		return nil, err
	}
	return &rows{called.rows, ctx, statement, c}, nil
}

func (c *conn) PrepareContext(ctx context.Context, statement string) (driver.Stmt, error) {
	statement = c.line.rewritten(statement)
	var prepared driver.Stmt
	err := c.line.pass(&call{ctx: ctx, what: "prepare", statement: statement, conn: c}, c.alive(func() (err error) {
		prepared, err = c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, statement)
		if err == nil {
			c.keep(prepared)
		}
		return err
	}))
	if err != nil {
		if prepared != nil {
			_ = c.release(prepared)
		}
		return nil, err
	}
	return &stmt{prepared, statement, c}, nil
}

func (c *conn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	var begun driver.Tx
	err := c.line.pass(&call{ctx: ctx, what: "begin", conn: c}, c.alive(func() (err error) {
		begun, err = c.Conn.(driver.ConnBeginTx).BeginTx(ctx, options)
		return err
	}))
	if err != nil {
		if begun != nil {
			_ = begun.Rollback()
		}
		return nil, err
	}
	return &transaction{begun, ctx, c}, nil
}

// A stmt is a prepared statement.
type stmt struct {
	driver.Stmt
	statement string
	conn      *conn
}

func (s *stmt) Close() error { return s.conn.release(s.Stmt) }

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.exec(ctx, s.statement, args, false, func() (driver.Result, error) {
		return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	})
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.query(ctx, s.statement, args, false, func() (driver.Rows, error) {
		return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	})
}

// rows are what a query gave.
type rows struct {
	driver.Rows
	ctx       context.Context
	statement string
	conn      *conn
}

func (r *rows) Close() error { return r.conn.release(r.Rows) }

func (r *rows) Next(values []driver.Value) error {
	return r.conn.line.pass(&call{ctx: r.ctx, what: "next", statement: r.statement, conn: r.conn, rows: r.Rows},
		r.conn.alive(func() error { return r.Rows.Next(values) }))
}

// A transaction is one that database/sql began.
type transaction struct {
	driver.Tx
	ctx  context.Context
	conn *conn
}

func (t *transaction) Commit() error {
	return t.conn.line.pass(&call{ctx: t.ctx, what: "commit", conn: t.conn}, t.conn.alive(t.Tx.Commit))
}

func (t *transaction) Rollback() error {
	return t.conn.line.pass(&call{ctx: t.ctx, what: "rollback", conn: t.conn}, t.conn.alive(t.Tx.Rollback))
}

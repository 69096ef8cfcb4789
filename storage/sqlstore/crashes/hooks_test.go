package crashes_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
)

// Hooks stand between database/sql and a driver.
type hooks struct {
	// before is called before a COMMIT, and after when a statement was executed.
	before, after func(statement string)
	// instead, unless it is nil, is called in place of running a statement that isn't prepared and returns no rows.
	instead func(c *hookedConn, statement string, run func() (driver.Result, error)) (driver.Result, error)
}

type hooked struct {
	driver.Connector
	hooks *hooks
}

func (h hooked) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := h.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &hookedConn{Conn: conn, hooks: h.hooks}, nil
}

// A hookedConn is a connection whose statements the hooks see. What is sent as it is and what is prepared first look
// the same to them.
type hookedConn struct {
	driver.Conn
	hooks *hooks
	late  chan struct{} // closed when what was put off is done; nil if nothing was
}

// settle waits for what was put off.
func (c *hookedConn) settle() {
	if c.late != nil {
		<-c.late
		c.late = nil
	}
}

func (c *hookedConn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	c.settle()
	run := func(ctx context.Context) (driver.Result, error) {
		return hook(c, statement, func() (driver.Result, error) {
			return c.Conn.(driver.ExecerContext).ExecContext(ctx, statement, args)
		})
	}
	if c.hooks.instead == nil || len(args) > 0 {
		return run(ctx)
	}
	return c.hooks.instead(c, statement, func() (driver.Result, error) { return run(context.WithoutCancel(ctx)) })
}

func (c *hookedConn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	c.settle()
	return hook(c, statement, func() (driver.Rows, error) {
		return c.Conn.(driver.QueryerContext).QueryContext(ctx, statement, args)
	})
}

func (c *hookedConn) PrepareContext(ctx context.Context, statement string) (driver.Stmt, error) {
	c.settle()
	prepared, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	return &hookedStatement{prepared, c, statement}, nil
}

func (c *hookedConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	c.settle()
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, options)
}

func (c *hookedConn) ResetSession(ctx context.Context) error {
	c.settle()
	if resetter, ok := c.Conn.(driver.SessionResetter); ok {
		return resetter.ResetSession(ctx)
	}
	return nil
}

func (c *hookedConn) IsValid() bool {
	if c.late != nil {
		return true // asked when the connection goes back to the pool: nothing waits there
	}
	validator, ok := c.Conn.(driver.Validator)
	return !ok || validator.IsValid()
}

func (c *hookedConn) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

func (c *hookedConn) Close() error {
	c.settle()
	return c.Conn.Close()
}

// A hookedStatement is a prepared one.
type hookedStatement struct {
	driver.Stmt
	conn *hookedConn
	text string
}

func (s *hookedStatement) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.conn.settle()
	return hook(s.conn, s.text, func() (driver.Result, error) { return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args) })
}

func (s *hookedStatement) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.conn.settle()
	return hook(s.conn, s.text, func() (driver.Rows, error) { return s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args) })
}

func (s *hookedStatement) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := s.Stmt.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return s.conn.CheckNamedValue(value)
}

// hook runs a statement between the hooks. One that the driver wants prepared first isn't run yet.
func hook[T any](c *hookedConn, statement string, run func() (T, error)) (T, error) {
	if c.hooks.before != nil && isCommit(statement) {
		c.hooks.before(statement)
	}
	value, err := run()
	if !errors.Is(err, driver.ErrSkip) && c.hooks.after != nil {
		c.hooks.after(statement)
	}
	return value, err
}

func isCommit(statement string) bool { return strings.HasPrefix(statement, "COMMIT") }

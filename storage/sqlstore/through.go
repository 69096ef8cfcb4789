package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
)

// through is a connector for database/sql whose one connection is a session that is there already, so that what wants a
// handle of its own works in a transaction of ours. Transactions in it are part of that one: begin and end do nothing.
type through struct{ session Session }

var errThrough = errors.New("sqlstore: a migration can't prepare statements")

func (t through) Connect(context.Context) (driver.Conn, error) { return throughConn(t), nil }
func (t through) Driver() driver.Driver                        { return nil }

type throughConn struct{ session Session }

func (c throughConn) Prepare(string) (driver.Stmt, error) { return nil, errThrough }
func (c throughConn) Close() error                        { return nil }
func (c throughConn) Begin() (driver.Tx, error)           { return throughTx{}, nil }

func (c throughConn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) {
	return throughTx{}, nil
}

func (c throughConn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	return c.session.ExecContext(ctx, statement, values(args)...)
}

func (c throughConn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.session.QueryContext(ctx, statement, values(args)...)
	if err != nil {
		return nil, err
	}
	columns, err := rows.Columns()
	if err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return &throughRows{rows, columns}, nil
}

func values(args []driver.NamedValue) []any {
	values := make([]any, len(args))
	for i, arg := range args {
		values[i] = arg.Value
	}
	return values
}

type throughTx struct{}

func (throughTx) Commit() error   { return nil }
func (throughTx) Rollback() error { return nil }

type throughRows struct {
	*sql.Rows
	columns []string
}

func (r *throughRows) Columns() []string { return r.columns }

func (r *throughRows) Next(row []driver.Value) error {
	if !r.Rows.Next() {
		if err := r.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	targets := make([]any, len(row))
	for i := range row {
		targets[i] = &row[i]
	}
	return r.Scan(targets...)
}

package pgxtx

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/jackc/pgx/v5"
)

// A connector hands out a transaction of the host as a connection of database/sql. Closing that closes nothing.
type connector struct{ tx pgx.Tx }

func (c connector) Connect(context.Context) (driver.Conn, error) { return conn(c), nil }
func (c connector) Driver() driver.Driver                        { return nil }

// A conn runs statements in a transaction of the host, and does nothing else.
type conn struct{ tx pgx.Tx }

var (
	_ driver.ExecerContext     = conn{}
	_ driver.QueryerContext    = conn{}
	_ driver.NamedValueChecker = conn{}
)

// errUnused is what methods return that database/sql has no reason to call here.
var errUnused = errors.New("pgxtx: a joined transaction only runs statements")

func (c conn) Prepare(string) (driver.Stmt, error) { return nil, errUnused }
func (c conn) Begin() (driver.Tx, error)           { return nil, errUnused }
func (c conn) Close() error                        { return nil }

// CheckNamedValue leaves arguments as they are, for pgx to encode.
func (c conn) CheckNamedValue(*driver.NamedValue) error { return nil }

func (c conn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	tag, err := c.tx.Exec(ctx, statement, values(args)...)
	return driver.RowsAffected(tag.RowsAffected()), err
}

func (c conn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	found, err := c.tx.Query(ctx, statement, values(args)...)
	if err != nil {
		return nil, err
	}
	return &rows{found: found, more: found.Next()}, nil // what columns there are is known with the first row
}

func values(args []driver.NamedValue) []any {
	values := make([]any, len(args))
	for i, arg := range args {
		values[i] = arg.Value
	}
	return values
}

// rows are one row ahead of database/sql.
type rows struct {
	found pgx.Rows
	more  bool
}

func (r *rows) Columns() []string {
	fields := r.found.FieldDescriptions()
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = field.Name
	}
	return names
}

func (r *rows) Close() error {
	r.found.Close()
	return r.found.Err()
}

// Next converts a row to what drivers give to database/sql: int64, string, []byte, and so on.
func (r *rows) Next(row []driver.Value) error {
	if !r.more {
		if err := r.found.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	values, err := r.found.Values()
	if err != nil {
		return err
	}
	for i, value := range values {
		if row[i], err = driver.DefaultParameterConverter.ConvertValue(value); err != nil {
			return err
		}
	}
	r.more = r.found.Next()
	return nil
}

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/rosterkit/roster/access"
)

// A failure is an error of the driver. Drivers put keys and addresses into their texts, so that its own text says only
// what was tried and the number that the database gives to the error. The driver's error is found by errors.As.
type failure struct {
	what string
	err  error
}

func (f *failure) Error() string {
	var coded interface{ Code() int }
	var state sqlState
	number := numberOf(f.err)
	switch {
	case errors.Is(f.err, context.Canceled):
		return fmt.Sprintf("sqlstore: %s: %v", f.what, context.Canceled)
	case errors.Is(f.err, context.DeadlineExceeded):
		return fmt.Sprintf("sqlstore: %s: %v", f.what, context.DeadlineExceeded)
	case errors.As(f.err, &coded):
		return fmt.Sprintf("sqlstore: %s: error %d of the database", f.what, coded.Code())
	case errors.As(f.err, &state):
		return fmt.Sprintf("sqlstore: %s: error %s of the database", f.what, state.SQLState())
	case number != 0:
		return fmt.Sprintf("sqlstore: %s: error %d of the database", f.what, number)
	}
	return fmt.Sprintf("sqlstore: %s: failed", f.what)
}

func (f *failure) Unwrap() error { return f.err }

// An sqlState is an error that a server sent, with the five characters that the standard has for it.
type sqlState interface{ SQLState() string }

// failed wraps an error of the driver. Where the context has ended, that is the cause, however the driver puts it.
func failed(ctx context.Context, what string, err error) error {
	if ended := ctx.Err(); ended != nil {
		err = ended
	}
	return &failure{what, err}
}

// A row is a *sql.Row or the current one of *sql.Rows.
type row interface{ Scan(targets ...any) error }

// ready returns an error if the unit can't go on. After a failure the engine may have ended the transaction by itself:
// a further statement would be a transaction of its own.
func (t *tx) ready(ctx context.Context) error {
	if t.ended {
		return errEnded
	}
	if err := t.Failed(); err != nil {
		return err
	}
	return ctx.Err()
}

// writable is ready for a write. A write that isn't done is a failed one.
func (t *tx) writable(ctx context.Context) error {
	if t.readOnly {
		return errReadOnly
	}
	return t.Fail(t.ready(ctx))
}

// hold is writable for a write to an account, which must be locked.
func (t *tx) hold(ctx context.Context, account access.AccountID) error {
	if t.readOnly {
		return errReadOnly
	}
	t.MustHold(account)
	return t.writable(ctx)
}

// text returns a statement as the engine is sent it. In a transaction of the host, what is read after the first lock must
// be true now: the snapshot that it reads may be older. Before, nothing is decided yet, and a read that locks would only
// make those who read the same wait for each other.
func (t *tx) text(statement string) string { return t.db.text(statement, t.joined && t.wrote) }

// send sends a write.
func (t *tx) send(ctx context.Context, statement string, args []any) (sql.Result, error) {
	t.wrote = true
	return t.session.ExecContext(ctx, t.text(statement), plain(args)...)
}

// run runs a write.
func (t *tx) run(ctx context.Context, what, statement string, args ...any) (sql.Result, error) {
	if err := t.writable(ctx); err != nil {
		return nil, err
	}
	result, err := t.send(ctx, statement, args)
	if err != nil {
		return nil, t.Fail(failed(ctx, what, err))
	}
	return result, nil
}

// exec runs a write and returns how many rows it concerned.
func (t *tx) exec(ctx context.Context, what, statement string, args ...any) (int64, error) {
	result, err := t.run(ctx, what, statement, args...)
	if err != nil {
		return 0, err
	}
	return t.concerned(ctx, what, result)
}

// concerned returns how many rows a write concerned.
func (t *tx) concerned(ctx context.Context, what string, result sql.Result) (int64, error) {
	n, err := result.RowsAffected()
	if err != nil {
		return 0, t.Fail(failed(ctx, what, err))
	}
	return n, nil
}

// insert runs an INSERT that does nothing if a key is taken. It returns access.ErrExists then.
func (t *tx) insert(ctx context.Context, what, statement string, args ...any) error {
	if err := t.writable(ctx); err != nil {
		return err
	}
	result, err := t.send(ctx, statement, args)
	if err != nil {
		if t.db.engine.isDuplicate != nil && t.db.engine.isDuplicate(err) {
			return access.ErrExists
		}
		return t.Fail(failed(ctx, what, err))
	}
	inserted, err := t.concerned(ctx, what, result)
	if err == nil && inserted == 0 {
		err = access.ErrExists
	}
	return err
}

// insertRows runs an INSERT of one row for many of them, a few at a time.
func (t *tx) insertRows(ctx context.Context, what, statement string, rows [][]any) error {
	for _, n := range [...]int{maxRows, 64, 32, 16, 8, 4, 2, 1} {
		for ; len(rows) >= n; rows = rows[n:] {
			if _, err := t.exec(ctx, what, withRows(statement, n), slices.Concat(rows[:n]...)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// insertMany is insertRows for rows of texts and numbers only, which are given by columns where that is possible: not one
// row, which is sent with less ado.
func (t *tx) insertMany(ctx context.Context, what, statement string, rows [][]any) error {
	if !t.db.engine.arrays {
		return t.insertRows(ctx, what, statement, rows)
	}
	for some := range slices.Chunk(rows, maxRows) {
		text, args := statement, some[0]
		if len(some) > 1 {
			text, args = givenRows(statement, some)
		}
		if _, err := t.exec(ctx, what, text, args...); err != nil {
			return err
		}
	}
	return nil
}

// withRows writes an INSERT of one row as one of n.
func withRows(statement string, n int) string {
	head, rest, _ := strings.Cut(statement, "VALUES ")
	row, tail, _ := strings.Cut(rest, ")")
	return head + "VALUES " + row + ")" + strings.Repeat(", "+row+")", n-1) + tail
}

// maxRows is how many rows are inserted with one statement: few enough to stay well below the number of arguments that
// engines take. Fewer are inserted by powers of two, to have few texts.
const maxRows = 100

// one reads the row of a statement that has at most one. If it has none, found is false.
func one[T any](ctx context.Context, t *tx, read func(row) (T, error), what, statement string, args ...any) (value T, found bool, err error) {
	if err := t.ready(ctx); err != nil {
		return value, false, err
	}
	value, err = read(t.session.QueryRowContext(ctx, t.text(statement), t.db.engine.searched(args)...))
	if errors.Is(err, sql.ErrNoRows) {
		return value, false, nil
	}
	if err != nil {
		return value, false, t.Fail(failed(ctx, what, err))
	}
	return value, true, nil
}

// find is one for a thing that has to be there: ErrNotFound if it isn't.
func find[T any](ctx context.Context, t *tx, read func(row) (T, error), thing, statement string, args ...any) (T, error) {
	value, found, err := one(ctx, t, read, "read "+thing, statement, args...)
	if err == nil && !found {
		err = access.NotFound(thing)
	}
	return value, err
}

// list reads the rows of a statement.
func list[T any](ctx context.Context, t *tx, read func(row) (T, error), what, statement string, args ...any) ([]T, error) {
	return rows(ctx, t, 0, math.MaxInt, read, what, statement, t.db.engine.searched(args))
}

// returned runs a write and reads the rows that it returns.
func returned[T any](ctx context.Context, t *tx, read func(row) (T, error), what, statement string, args ...any) ([]T, error) {
	if err := t.writable(ctx); err != nil {
		return nil, err
	}
	t.wrote = true
	return rows(ctx, t, 0, math.MaxInt, read, what, statement, plain(args))
}

// pageOf is list for a statement that ends with LIMIT.
func pageOf[T any](ctx context.Context, t *tx, limit int, read func(row) (T, error), what, statement string, args ...any) ([]T, error) {
	const usual = 64
	limit = min(max(limit, 0), math.MaxInt32) // SQLite takes a negative one for none
	return rows(ctx, t, min(limit, usual), limit, read, what, statement, t.db.engine.searched(append(args, limit)))
}

// rows reads rows, at most limit of them, into a slice that is made for as many as are expected.
func rows[T any](ctx context.Context, t *tx, expected, limit int, read func(row) (T, error), what, statement string, args []any) ([]T, error) {
	if err := t.ready(ctx); err != nil {
		return nil, err
	}
	rows, err := t.session.QueryContext(ctx, t.text(statement), args...)
	if err != nil {
		return nil, t.Fail(failed(ctx, what, err))
	}
	defer rows.Close()
	var values []T
	for rows.Next() {
		value, err := read(rows)
		if err != nil {
			return nil, t.Fail(failed(ctx, what, err))
		}
		if len(values) == cap(values) { // by more than append would, which copies long lists again and again
			values = append(make([]T, 0, min(max(expected, 4*len(values)), limit)), values...)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		return nil, t.Fail(failed(ctx, what, err))
	}
	return values, nil
}

// andMark is where conditions are added to a statement.
const andMark = `/*and*/`

// A condition is added to a statement where a filter asks for it.
type condition struct {
	asked bool
	text  string
	args  []any
}

// narrowed adds the conditions that are asked for to a statement with these arguments: a planner has less to think about
// than with conditions that hold for all rows, and plans for what is asked.
func narrowed(statement string, args []any, conditions ...condition) (string, []any) {
	var added strings.Builder
	for _, c := range conditions {
		if c.asked {
			added.WriteString(c.text)
			args = append(args, c.args...)
		}
	}
	return strings.Replace(statement, andMark, added.String(), 1), args
}

// number reads a row of one integer.
func number(r row) (n int, err error) {
	err = r.Scan(&n)
	return n, err
}

// text reads a row of one text.
func text(r row) (s string, err error) {
	err = r.Scan(&s)
	return s, err
}

// maxList is how many values are asked for in one statement: well below what any engine takes, and few enough to be
// looked up one by one, where planners would rather read a table from end to end for many.
const maxList = 100

// in writes placeholders for values in the place of the statement's "(?...)". No value at all becomes one that equals
// nothing. The number of placeholders is a power of two or maxList, and the last value is repeated to fill them: there
// are few texts of a statement so, which the DB, the driver and the server remember.
func in[T ~string](statement string, values []T) (string, []any) {
	if len(values) == 0 {
		return in(statement, []T{""})
	}
	if len(values) > maxList {
		panic("sqlstore: a list that is too long for a statement")
	}
	places := 1
	for places < len(values) {
		places = min(2*places, maxList)
	}
	args := make([]any, places)
	for i := range args {
		args[i] = string(values[min(i, len(values)-1)])
	}
	return strings.Replace(statement, "(?...)", "(?"+strings.Repeat(", ?", places-1)+")", 1), args
}

// whenMark is where a CASE gets its values.
const whenMark = `/*when*/`

// when writes values of rows into the CASEs of a statement, a list for each CASE, and the rows' ids into its "(?...)".
// As with in, their number is a power of two or maxList.
func when[T ~string](statement string, ids []T, values ...[]any) (string, []any) {
	statement, places := in(statement, ids)
	args := make([]any, 0, len(places)*(2*len(values)+1))
	for _, column := range values {
		for i := range places {
			args = append(args, places[i], column[min(i, len(column)-1)])
		}
	}
	return strings.ReplaceAll(statement, whenMark, strings.Repeat(" WHEN ? THEN ?", len(places))), append(args, places...)
}

package faults_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
)

// A fault is a way in which a call of the driver fails.
type fault string

// The faults. But for silence, what comes after the call works again, over another connection where this one was lost.
const (
	refused   fault = "refused"              // an error instead of the effect
	unheard   fault = "error after"          // an error after the effect
	lost      fault = "lost before"          // the connection ends before the effect
	lostAfter fault = "lost after"           // the connection ends after the effect
	hung      fault = "hangs before"         // nothing happens until the context ends, which also ends the connection
	hungAfter fault = "hangs after"          // the same after the effect
	silence   fault = "silence from here on" // every call from this one on hangs, over other connections as well
	conflict  fault = "conflict"             // the server takes back the transaction, because of others
)

// faultsOf are the faults of an engine. Whoever writes to SQLite is alone, so that nothing conflicts there.
func faultsOf(engine string) []fault {
	all := []fault{refused, unheard, lost, lostAfter, hung, hungAfter, silence}
	if engine == "sqlite" {
		return all
	}
	return append(all, conflict)
}

// What drivers put into the texts of their errors, and what mustn't come through.
const (
	somebody = "secret.person@example.org"
	token    = "AZrzBNQ9eM2sQmFzZTY0dXJsU2VjcmV0VG9rZW5PZlNpeHR5Rm91ckNoYXJhY3RlcnM"
)

// errInjected is an error with such a text.
var errInjected = errors.New("key (canonical, token)=(" + somebody + ", " + token + ") is out of order")

// A failing is a watcher that has one call fail. The calls are counted from 1.
type failing struct {
	engine string
	at     int // which call
	fault  fault
	// end ends the context of the verb, as its deadline would, when a call begins to hang.
	end func()

	mu     sync.Mutex
	calls  int
	struck *call // the call that failed, if there were so many
	inside bool  // a transaction, when it failed
	trace  []string
}

// begin counts a call and reports whether it fails.
func (f *failing) begin(c *call) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	f.trace = append(f.trace, c.String())
	if f.calls == f.at {
		f.struck = c
	} else if f.struck == nil && c.what == "exec" {
		f.inside = (f.inside || isBegin(c.statement)) && !isEnd(c.statement)
	}
	return f.calls == f.at || f.fault == silence && f.struck != nil
}

// where describes what failed.
func (f *failing) where() string { return fmt.Sprintf("%s at call %d: %v", f.fault, f.at, f.struck) }

func isBegin(statement string) bool {
	return strings.HasPrefix(statement, "BEGIN") || strings.HasPrefix(statement, "START TRANSACTION")
}

func isEnd(statement string) bool { return statement == "COMMIT" || statement == "ROLLBACK" }

func (f *failing) watch(c *call, do func() error) error {
	if f.engine == "mysql" && c.direct && len(c.args) > 0 { // the driver only says that it wants the statement prepared
		return do()
	}
	if !f.begin(c) {
		return do()
	}
	if f.fault == unheard || f.fault == lostAfter || f.fault == hungAfter {
		if err := do(); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	switch f.fault {
	case lost, lostAfter:
		c.lose()
		return f.lossError()
	case hung, hungAfter, silence:
		f.end()
		return hang(c)
	case conflict:
		return f.conflict(c)
	}
	return errInjected
}

// lose ends the connection of a call, if it has one.
func (c *call) lose() {
	if c.conn != nil {
		c.conn.lose()
	}
}

// patience is how long a call hangs whose context never ends. It is longer than any verb may take.
const patience = 5 * time.Second

// hang waits for the end of the context, and ends the connection as drivers do that were interrupted.
func hang(c *call) error {
	impatient := time.NewTimer(patience)
	defer impatient.Stop()
	var err error
	select {
	case <-c.ctx.Done():
		err = c.ctx.Err()
	case <-impatient.C:
		err = errors.New("nobody ended a call that hangs")
	}
	c.lose()
	return err
}

// lossError is what a driver says of a connection that is lost: one of several things.
func (f *failing) lossError() error {
	losses := []error{
		driver.ErrBadConn,
		fmt.Errorf("%w: %w", errInjected, io.ErrUnexpectedEOF),
		fmt.Errorf("%w: %w", errInjected, syscall.ECONNRESET),
	}
	switch f.engine {
	case "postgres":
		losses = append(losses, &pgconn.PgError{Severity: "FATAL", Code: "57P01", Message: errInjected.Error()})
	case "mysql":
		losses = append(losses, mysql.ErrInvalidConn, &mysql.MySQLError{Number: 1053, Message: errInjected.Error()})
	}
	return losses[f.at%len(losses)]
}

// conflict has the server take the transaction back and says why.
func (f *failing) conflict(c *call) error {
	if c.what == "next" {
		_ = c.conn.release(c.rows)
	}
	if c.conn != nil {
		if _, err := c.conn.Conn.(driver.ExecerContext).ExecContext(context.WithoutCancel(c.ctx), "ROLLBACK", nil); err != nil {
			return err
		}
	}
	if f.engine == "mysql" {
		return &mysql.MySQLError{Number: 1213, SQLState: [5]byte([]byte("40001")), Message: errInjected.Error()}
	}
	return &pgconn.PgError{Severity: "ERROR", Code: "40P01", Message: errInjected.Error()}
}

// A deadline is a context whose deadline passes when end is called, so that no test waits for one.
type deadline struct {
	context.Context
	once   sync.Once
	passed chan struct{}
	at     time.Time // when it passed
}

func newDeadline(ctx context.Context) *deadline {
	return &deadline{Context: ctx, passed: make(chan struct{})}
}

func (d *deadline) end() {
	d.once.Do(func() {
		d.at = time.Now()
		close(d.passed)
	})
}

func (d *deadline) Done() <-chan struct{} { return d.passed }

func (d *deadline) Err() error {
	select {
	case <-d.passed:
		return context.DeadlineExceeded
	default:
		return d.Context.Err()
	}
}

package crashes_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A mutant is a way of being wrong.
type mutant string

const (
	commitsLate   mutant = "commits late"   // a COMMIT is answered at once, and sent a while later
	logsEarly     mutant = "logs early"     // a verb is in the journal before its COMMIT is sent
	answersEarly  mutant = "answers early"  // the server answers a COMMIT before what it has is safe
	losesAnswers  mutant = "loses answers"  // the connection breaks at a COMMIT, now and then: no mutant, but a bad day
	beginsNothing mutant = "begins nothing" // each statement is a transaction of its own
)

// late is how long a late COMMIT takes.
const late = 20 * time.Millisecond

// open opens a database in the mutant's way. The zero mutant is right.
func (m mutant) open(d database) (*sql.DB, error) { return d.through(m.hooks(hooks{})) }

// hooks adds to hooks what the mutant does instead of what it should.
func (m mutant) hooks(h hooks) *hooks {
	switch m {
	case commitsLate:
		h.instead = commitLate
	case losesAnswers:
		h.instead = new(loss).loseAnswer
	case beginsNothing:
		h.instead = beginNothing
	}
	return &h
}

func commitLate(c *hookedConn, statement string, run func() (driver.Result, error)) (driver.Result, error) {
	if !isCommit(statement) {
		return run()
	}
	done := make(chan struct{})
	c.late = done
	go func() {
		defer close(done)
		time.Sleep(late)
		_, _ = run()
	}()
	return driver.RowsAffected(0), nil
}

// A loss counts the COMMITs of which the answers may be lost.
type loss struct{ commits atomic.Int64 }

// loseAnswer breaks the connection at each fifth COMMIT, in turn before it and after it.
func (l *loss) loseAnswer(c *hookedConn, statement string, run func() (driver.Result, error)) (driver.Result, error) {
	const each = 5
	n := int64(0)
	if isCommit(statement) {
		n = l.commits.Add(1)
	}
	if n%each != 0 || n == 0 {
		return run()
	}
	if n/each%2 == 0 {
		if _, err := run(); err != nil {
			return nil, err
		}
	}
	return nil, errors.Join(errLost, c.Conn.Close())
}

var errLost = errors.New("the connection is lost")

func beginNothing(_ *hookedConn, statement string, run func() (driver.Result, error)) (driver.Result, error) {
	if strings.HasPrefix(statement, "BEGIN") || strings.HasPrefix(statement, "START") || isCommit(statement) {
		return driver.RowsAffected(0), nil
	}
	return run()
}

// forget makes the server of a database forgetful, until it is started again.
func (m mutant) forget(t *testing.T, d database) database {
	t.Helper()
	if m != answersEarly {
		return d
	}
	if d.Engine == "postgres" {
		d.Source += " synchronous_commit=off"
		return d
	}
	_, err := d.Open(t).ExecContext(t.Context(), "SET GLOBAL innodb_flush_log_at_trx_commit = 0")
	require.NoError(t, err)
	return d
}

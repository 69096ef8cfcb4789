package faults_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// A side is one of two processes on a database: a pool of its own, over a line of its own.
type side struct {
	handle *sql.DB
	line   *line
	db     *sqlstore.DB
	do     *services
}

// newSide opens a database once more.
func (d *database) newSide(t *testing.T) *side {
	t.Helper()
	s := &side{}
	s.handle, s.line = openLine(t, d.Driver, d.Source)
	s.db = d.store(t, s.handle)
	s.do = newServices(t, s.db)
	return s
}

// hurry has a side, which hasn't connected yet, wait as short for a lock as the engine can: so a test learns that it waits.
func (a *arena) hurry(s *side) {
	s.line.first = map[string]string{
		"sqlite":   "PRAGMA busy_timeout = 1",
		"postgres": "SET lock_timeout = 50",
		"mysql":    "SET SESSION innodb_lock_wait_timeout = 1",
	}[a.Engine]
}

// An arena is a database with two sides.
type arena struct {
	*database
	p, q *side
	ctx  context.Context
}

// newArena makes acme, owned by olga, with ann and bob, who manage users, and room for one more.
func newArena(t *testing.T, d *database) *arena {
	t.Helper()
	a := &arena{database: d, p: d.newSide(t), q: d.newSide(t)}
	var cancel context.CancelFunc
	a.ctx, cancel = context.WithTimeout(t.Context(), 4*patience)
	t.Cleanup(cancel)
	do := newServices(t, d.store(t, d.plain))
	_, err := do.members.CreateAccount(a.ctx, access.AsSystem("signup"), access.NewAccount{ID: acme, Owner: olga, Profile: access.Profile{Name: "Olga"}})
	require.NoError(t, err)
	for _, user := range []access.UserID{ann, bob} {
		_, err := do.members.AddMember(a.ctx, staff(), acme, user, access.Terms{Permissions: access.ManageUsers | access.PayInvoices})
		require.NoError(t, err)
	}
	_, err = do.members.SetPolicy(a.ctx, staff(), acme, access.Policy{Seats: 3})
	require.NoError(t, err)
	a.p.do.seed(1)
	a.q.do.seed(2)
	return a
}

// A gate is passed once it is open.
type gate struct {
	once sync.Once
	way  chan struct{}
}

func newGate() *gate { return &gate{way: make(chan struct{})} }

func (g *gate) open() { g.once.Do(func() { close(g.way) }) }

// pass waits for the gate, or the end of the context.
func (g *gate) pass(ctx context.Context) error {
	select {
	case <-g.way:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isStatement reports whether a call sends a statement that begins in one of some ways.
func isStatement(c *call, starts []string) bool {
	if c.what != "exec" && c.what != "query" {
		return false
	}
	for _, start := range starts {
		if strings.HasPrefix(c.statement, start) {
			return true
		}
	}
	return false
}

// before watches for the first statement that begins so, and does something before it is sent.
func before(do func() error, starts ...string) watcher {
	var once sync.Once
	return func(c *call, run func() error) (err error) {
		if isStatement(c, starts) {
			once.Do(func() { err = do() })
			if err != nil {
				return err
			}
		}
		return run()
	}
}

// onError watches for calls that fail.
func onError(do func()) watcher {
	return func(_ *call, run func() error) error {
		err := run()
		if err != nil && !errors.Is(err, driver.ErrSkip) && err != io.EOF {
			do()
		}
		return err
	}
}

// meet runs p until it arrives at a statement that begins so, then q, and lets p go on when q opens the gate or has ended.
// It returns the errors of both.
func (a *arena) meet(at string, p, q func() error, qWatch func(release func()) watcher) (pErr, qErr error) {
	arrived, released := newGate(), newGate()
	a.p.line.set(before(func() error {
		arrived.open()
		return released.pass(a.ctx)
	}, at))
	a.q.line.set(qWatch(released.open))
	var group sync.WaitGroup
	group.Go(func() {
		defer arrived.open()
		pErr = p()
	})
	group.Go(func() {
		defer released.open()
		if qErr = arrived.pass(a.ctx); qErr == nil {
			qErr = q()
		}
	})
	group.Wait()
	a.p.line.set(nil)
	a.q.line.set(nil)
	return pErr, qErr
}

// unit is an update that counts how often it runs.
func (s *side) unit(ctx context.Context, runs *int, fn func(context.Context, storage.Tx) error) error {
	return s.db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		*runs++
		return fn(ctx, tx)
	})
}

package crashes_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// TestKilledAfterEachStatement kills a process in each verb, once after each statement it sends and once before each
// COMMIT, and compares what is there with what there was before and would have been after.
func TestKilledAfterEachStatement(t *testing.T) {
	for _, engine := range servertest.Engines() {
		t.Run(engine, func(t *testing.T) {
			every := size(1, everyMoment(engine))
			offset := int(newSeed(t) % uint64(every))
			queue := make(chan verb)
			var group sync.WaitGroup
			lanes := []*lane{newLane(t, engine), newLane(t, engine)}
			for _, lane := range lanes {
				lane.every, lane.offset = every, offset
				group.Go(func() {
					for v := range queue {
						if err := lane.interrupt(t, v); err != nil {
							t.Errorf("%s: %v", v.name, err)
						}
					}
				})
			}
			for _, v := range verbs() {
				queue <- v
			}
			close(queue)
			group.Wait()
			t.Logf("report: %s: %d verbs of %d statements; a process was killed at %d moments: at each COMMIT, and after each %d. of the other statements",
				lanes[0].Version(t), len(verbs()), lanes[0].statements+lanes[1].statements, lanes[0].kills+lanes[1].kills, every)
		})
	}
}

// TestHalvesAreCaught shows that a verb which isn't all or nothing would be found out.
func TestHalvesAreCaught(t *testing.T) {
	for _, engine := range servertest.Engines() {
		t.Run(engine, func(t *testing.T) {
			lane := newLane(t, engine)
			lane.every, lane.mutant = 1, beginsNothing
			index := slices.IndexFunc(verbs(), func(v verb) bool { return v.name == "access.Remove" })
			err := lane.interrupt(t, verbs()[index])
			require.ErrorContains(t, err, "all of it should be there, or nothing")
		})
	}
}

// everyMoment is how many of the moments are left out from one to the next. A server rolls back what it hasn't been told
// to commit, whichever statement was the last.
func everyMoment(engine string) int {
	if engine == "sqlite" {
		return everyMomentOfSQLite
	}
	return 3
}

// A lane is a database with a scene, in which one verb is tried after the other.
type lane struct {
	database
	handle         *sql.DB
	db             *sqlstore.DB
	scene          scene
	tables         []string
	before         snapshot
	every, offset  int
	mutant         mutant // of the processes that are killed
	statements     int
	kills, counted int
}

func newLane(t *testing.T, engine string) *lane {
	t.Helper()
	l := &lane{database: fresh(t, engine)}
	l.handle = l.Open(t)
	l.handle.SetMaxOpenConns(1)
	l.db = l.on(l.handle)
	t.Cleanup(func() { require.NoError(t, l.db.Close()) })
	var err error
	l.scene, err = newScene(t.Context(), l.db)
	require.NoError(t, err)
	l.tables, err = l.database.tables(t.Context(), l.handle)
	require.NoError(t, err)
	l.before, err = take(t.Context(), l.handle, l.tables)
	require.NoError(t, err)
	return l
}

// A rehearsal is what a verb does that nobody interrupts.
type rehearsal struct {
	statements []string
	states     []snapshot // after each COMMIT, and before the first
}

func (l *lane) rehearse(ctx context.Context, v verb) (r rehearsal, err error) {
	r.states = []snapshot{l.before}
	var failed error
	err = l.do(&hooks{after: func(statement string) {
		r.statements = append(r.statements, statement)
		if isCommit(statement) {
			state, err := take(ctx, l.handle, l.tables)
			r.states, failed = append(r.states, state), errors.Join(failed, err)
		}
	}}, v, l.scene, v.name)
	return r, errors.Join(err, failed)
}

func (r rehearsal) complete() snapshot { return r.states[len(r.states)-1] }

// interrupt does a verb once as it should be, and then kills processes in it.
func (l *lane) interrupt(t *testing.T, v verb) error {
	r, err := l.rehearse(t.Context(), v)
	if err != nil {
		return fmt.Errorf("uninterrupted: %w", err)
	}
	if len(r.states) < 2 || r.complete().text() == l.before.text() {
		return errors.New("it changes nothing")
	}
	l.statements += len(r.statements)
	if err := l.restore(t.Context(), l.handle, l.before, r.complete()); err != nil {
		return err
	}
	commits := 0
	for i, statement := range r.statements {
		if isCommit(statement) {
			if err := l.kill(t, v, r, commits, interruption{At: i, Before: true}); err != nil {
				return fmt.Errorf("before statement %d of %d, a COMMIT: %w", i+1, len(r.statements), err)
			}
			commits++
		}
		l.counted++
		if !isCommit(statement) && l.counted%l.every != l.offset {
			continue
		}
		if err := l.kill(t, v, r, commits, interruption{At: i + 1}); err != nil {
			start, _, _ := strings.Cut(statement, "(")
			return fmt.Errorf("after statement %d of %d, %s...: %w", i+1, len(r.statements), start, err)
		}
	}
	return nil
}

// kill has a process do a verb in which it is killed, when so many COMMITs were executed, and looks what is there. Then
// it does the verb again.
func (l *lane) kill(t *testing.T, v verb, r rehearsal, commits int, i interruption) error {
	i.Verb, i.Scene, i.Mutant = v.name, l.scene, l.mutant
	child := processtest.Start(t, limit, task{Database: l.Database, Verb: &i})
	if text, err := child.Hear("survived"); err == nil {
		return fmt.Errorf("it wasn't killed%s", text)
	}
	if err := child.Wait(); err == nil || child.Complaints() != "" {
		return fmt.Errorf("it ended otherwise: %w", err)
	}
	l.kills++
	ctx := t.Context()
	if err := l.atRest(ctx, l.handle); err != nil {
		return err
	}
	is, err := take(ctx, l.handle, l.tables)
	if err != nil {
		return err
	}
	if diff := difference(r.states[commits], is); diff != "" {
		return fmt.Errorf("all of it should be there, or nothing (-want +got):\n%s", diff)
	}
	if err := l.again(ctx, v, r, commits); err != nil {
		return err
	}
	is, err = take(ctx, l.handle, l.tables)
	return errors.Join(err, l.restore(ctx, l.handle, l.before, is))
}

func difference(want, got snapshot) string {
	return cmp.Diff(want.versions(), got.versions()) + cmp.Diff(want.text(), got.text())
}

// again does a verb again of which so many units are there. Nothing of it is done twice.
func (l *lane) again(ctx context.Context, v verb, r rehearsal, commits int) error {
	name := v.name
	if commits > 0 {
		name += ", again" // with other ids: the same would hide that it is done twice
	}
	err := l.do(&hooks{}, v, l.scene, name)
	if err != nil && (commits == 0 || !isRefusal(err)) {
		return fmt.Errorf("done again: %w", err)
	}
	is, err := take(ctx, l.handle, l.tables)
	if err != nil {
		return err
	}
	diff := ""
	switch {
	case commits == 0:
		diff = difference(r.complete(), is)
	case commits == len(r.states)-1:
		diff = cmp.Diff(r.complete().text(), is.text())
	default: // the rest has other ids
		diff = cmp.Diff(r.complete().sizes(), is.sizes())
	}
	if diff != "" {
		return fmt.Errorf("done again, it leaves (-want +got):\n%s", diff)
	}
	return storagetest.CheckInvariants(ctx, l.db, []access.AccountID{acme, globex, "initech"}, later())
}

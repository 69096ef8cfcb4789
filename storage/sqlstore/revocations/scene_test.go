package revocations_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// A scene is a database with the accounts, and this process as one that asks and changes it without a memory.
type scene struct {
	testing.TB
	context context.Context // with an end, so that nobody waits for ever
	task    task
	db      storage.DB
	members *access.Service
	own     journal
}

// limit is how long a scene may take.
const limit = 10 * time.Minute

func newScene(t testing.TB, engine string) *scene {
	t.Helper()
	return newSceneWith(t, engine, sqlstore.Config{})
}

func newSceneWith(t testing.TB, engine string, config sqlstore.Config) *scene {
	t.Helper()
	database := servertest.Fresh(t, engine)
	db := sqlstore.New(database.Open(t), processtest.Dialect(engine), config)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	require.NoError(t, db.Migrate(ctx))
	s := &scene{TB: t, context: ctx, db: db, members: access.New(timedDB{db}, access.Config{}), own: journal{Process: -1},
		task: task{Database: database, Folder: t.TempDir(), Seed: processtest.Seed(t)}}
	for _, account := range accounts() {
		_, err := s.members.CreateAccount(ctx, access.AsSystem("revocations"), access.NewAccount{ID: account, Owner: "owner",
			Profile: access.Profile{Name: "Revoked"}})
		require.NoError(t, err)
		for _, user := range users() {
			s.do(verb{Kind: add, Account: account, User: user, Bits: access.PayInvoices | access.OpenTickets | access.ViewDomains})
		}
	}
	require.NoError(t, s.members.SetLease(ctx, lease))
	return s
}

// Context ends with the test, or when the scene has taken too long.
func (s *scene) Context() context.Context { return s.context }

// hear waits until a process says something: ready, when it answers from memory if it does that at all, or done, when it
// doesn't write any more.
func (s *scene) hear(p *processtest.Process, word string) {
	s.Helper()
	_, err := p.Hear(word)
	require.NoError(s, err)
}

// end waits for a process to end, which was closed, and returns what it wrote down.
func (s *scene) end(p *processtest.Process, work task) journal {
	s.Helper()
	require.NoError(s, p.Wait())
	j, err := readJournal(work.journal())
	require.NoError(s, err)
	return j
}

// do does a verb that succeeds.
func (s *scene) do(v verb) verb {
	s.Helper()
	v = do(s.Context(), s.members, v, patience)
	require.Equal(s, done, v.Answer, "%s, after %s: %s", v, time.Duration(v.Over-v.Call), v.Cause)
	s.own.Verbs = append(s.own.Verbs, v)
	return v
}

// judge looks at what processes wrote down, after this one.
func (s *scene) judge(journals ...journal) verdict {
	s.Helper()
	journals = append(journals, s.own)
	require.Empty(s, failures(journals))
	require.NoError(s, storagetest.CheckInvariants(s.Context(), s.db, accounts(), time.Now()))
	j, err := newJudge(s.Context(), s.db, journals)
	require.NoError(s, err)
	return j.judge(journals)
}

// race has four processes with memories and one without write, and all of them check, while something may disturb them
// until a time. It returns what they wrote down.
func (s *scene) race(length time.Duration, disturb func(processes []*processtest.Process, until int64)) []journal {
	s.Helper()
	const cached, processes = 4, 5
	work, racing := make([]task, processes), make([]*processtest.Process, processes)
	for i := range racing {
		work[i] = s.task
		work[i].Process, work[i].Cached, work[i].Poll, work[i].Writers = i, i < cached, poll, 1
		racing[i] = processtest.Start(s, length+10*patience, work[i])
	}
	for _, p := range racing {
		s.hear(p, "ready")
	}
	until := processtest.Now() + int64(length)
	for _, p := range racing {
		require.NoError(s, p.Tell(until))
	}
	if disturb != nil {
		disturb(racing, until)
	}
	for _, p := range racing {
		s.hear(p, "done")
	}
	pause(s.Context(), 2*lease) // so long that everybody has to know how it ended
	for _, p := range racing {
		require.NoError(s, p.Close())
	}
	journals := make([]journal, processes)
	for i, p := range racing {
		journals[i] = s.end(p, work[i])
	}
	return journals
}

// changeLeases has the lease be half as long again and again, until a time.
func (s *scene) changeLeases(_ []*processtest.Process, until int64) {
	s.Helper()
	for half := true; processtest.Now() < until; half = !half {
		next := lease
		if half {
			next = lease / 2
		}
		require.NoError(s, s.members.SetLease(s.Context(), next))
		pause(s.Context(), lease)
	}
}

// stopSome stops one process after the other for a while, wherever it is, until a time.
func (s *scene) stopSome(processes []*processtest.Process, until int64) {
	s.Helper()
	for processtest.Now() < until {
		p := processes[rand.IntN(len(processes))]
		p.Stop(s)
		pause(s.Context(), rand.N(2*lease))
		p.Resume(s)
		pause(s.Context(), rand.N(lease))
	}
}

// followers counts those who are registered.
func (s *scene) followers() int {
	s.Helper()
	all, err := s.db.Followers(s.Context())
	require.NoError(s, err)
	return len(all)
}

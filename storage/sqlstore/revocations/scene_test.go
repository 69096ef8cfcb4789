package revocations_test

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/storagetest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// A scene is a database with the accounts, and this process as one that asks and changes it without a memory.
type scene struct {
	*testing.T
	task    task
	handle  *sql.DB
	db      storage.DB
	members *access.Service
	own     journal
}

func newScene(t *testing.T, engine string) *scene {
	t.Helper()
	database := servertest.Fresh(t, engine)
	handle := database.Open(t)
	db := sqlstore.New(handle, dialects()[engine], sqlstore.Config{})
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.Migrate(t.Context()))
	s := &scene{T: t, handle: handle, db: db, members: access.New(timedDB{db}, access.Config{}), own: journal{Process: -1},
		task: task{Engine: engine, Driver: database.Driver, Source: database.Source, Folder: t.TempDir(), Seed: seed(t)}}
	for _, account := range accounts() {
		_, err := s.members.CreateAccount(t.Context(), access.AsSystem("revocations"), access.NewAccount{ID: account, Owner: "owner",
			Profile: access.Profile{Name: "Revoked"}})
		require.NoError(t, err)
		for _, user := range users() {
			s.do(verb{Kind: add, Account: account, User: user, Bits: access.PayInvoices | access.OpenTickets | access.ViewDomains})
		}
	}
	require.NoError(t, s.members.SetLease(t.Context(), lease))
	return s
}

// do does a verb that succeeds.
func (s *scene) do(v verb) verb {
	s.Helper()
	v = do(s.Context(), s.members, v, patience)
	require.Equal(s, done, v.Answer, "%s %s", v, v.Failure)
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

// race has three processes with memories and one without write, and all of them check, while something may disturb them
// until a time. It returns what they wrote down.
func (s *scene) race(length time.Duration, disturb func(processes []*process, until int64)) []journal {
	s.Helper()
	const cached, processes = 3, 4
	ctx, cancel := context.WithTimeout(s.Context(), length+3*patience)
	defer cancel()
	racing := make([]*process, processes)
	for i := range racing {
		work := s.task
		work.Process, work.Cached, work.Writers = i, i < cached, 1
		if !work.Cached {
			work.Writers = 2
		}
		racing[i] = start(ctx, s.T, work)
	}
	for _, p := range racing {
		p.says(s.T, "ready")
	}
	until := now() + int64(length)
	for _, p := range racing {
		p.begin(s.T, until)
	}
	if disturb != nil {
		disturb(racing, until)
	}
	for _, p := range racing {
		p.says(s.T, "done")
	}
	pause(ctx, 2*lease) // so long that everybody has to know how it ended
	journals := make([]journal, processes)
	for i, p := range racing {
		journals[i] = p.end(s.T)
	}
	return journals
}

// changeLeases has the lease be half as long again and again, until a time.
func (s *scene) changeLeases(_ []*process, until int64) {
	s.Helper()
	for half := true; now() < until; half = !half {
		next := lease
		if half {
			next = lease / 2
		}
		require.NoError(s, s.members.SetLease(s.Context(), next))
		pause(s.Context(), lease)
	}
}

// stopSome stops one process after the other for a while, wherever it is, until a time.
func (s *scene) stopSome(processes []*process, until int64) {
	s.Helper()
	for now() < until {
		p := processes[rand.IntN(len(processes))]
		p.stop(s.T)
		pause(s.Context(), rand.N(2*lease))
		p.resume(s.T)
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

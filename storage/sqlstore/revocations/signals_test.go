package revocations_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
)

// margin is how much longer than it has to a revocation may take to settle on a busy machine.
const margin = 500 * time.Millisecond

// revoke removes a user, and returns how long that took to settle.
func (s *scene) revoke(v verb) time.Duration {
	s.Helper()
	v.Kind = remove
	v = s.do(v)
	return time.Duration(v.Return - v.Over)
}

// follower starts a process that answers from memory, and says yes to everything.
func (s *scene) follower() *processtest.Process {
	s.Helper()
	work := s.task
	work.Cached, work.Poll = true, poll
	p := processtest.Start(s, limit, work)
	s.hear(p, "ready")
	require.NoError(s, p.Tell(0))
	return p
}

// A standstill is what happened to two users whose access was taken away while a follower stood still.
type standstill struct {
	journal
	stopped, resumed int64
	first, second    time.Duration // that the revocations took to settle
}

// standStill stops a follower for twice the lease, and takes access away meanwhile.
func (s *scene) standStill() standstill {
	s.Helper()
	s.task.Far = true
	p := s.follower()
	p.Stop(s)
	still := standstill{stopped: processtest.Now()}
	still.first = s.revoke(verb{Account: "acme", User: "ann"})
	still.second = s.revoke(verb{Account: "globex", User: "ann"})
	pause(s.Context(), 2*lease-time.Duration(processtest.Now()-still.stopped))
	still.resumed = processtest.Now()
	p.Resume(s)
	pause(s.Context(), 2*lease)
	s.revoke(verb{Account: "acme", User: "bob"}) // of which it has to hear
	pause(s.Context(), lease)
	require.NoError(s, p.Close())
	still.journal = s.end(p, s.task)
	return still
}

// said counts how often the follower said yes or no about the two, from a time until another.
func (s standstill) said(yes bool, from, until int64) int {
	n := 0
	for _, c := range s.Checks {
		if c.Yes == yes && from < c.Call && c.Call < until && questions()[c.Question].user == "ann" {
			n++
		}
	}
	return n
}

// TestStopped shows that a follower that stood still, for which a revocation waited no longer than it could say yes, says
// yes no more in any check that begins after it goes on.
func TestStopped(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		s := newScene(t, engine)
		still := s.standStill()
		require.Greater(t, still.first, lease)
		require.Less(t, still.first, lease+poll+margin)
		require.Less(t, still.second, lease, "it waited once more for who had outlived the lease")
		require.NotZero(t, still.said(true, 0, still.stopped))
		require.NotZero(t, still.said(false, still.resumed, processtest.Now()))
		require.Zero(t, still.said(true, still.resumed, processtest.Now()))
		found := s.judge(still.journal)
		require.Zero(t, found.wrong, "%v", found.examples)
		require.Empty(t, found.disorders)
		t.Logf("report: %s: a follower stopped for %s, a revocation took %s to settle meanwhile, the next one %s; %d checks that began afterwards said no",
			s.task.Database.Version(t), time.Duration(still.resumed-still.stopped).Round(time.Millisecond),
			still.first.Round(100*time.Microsecond), still.second.Round(100*time.Microsecond), still.said(false, still.resumed, processtest.Now()))
	})
}

// TestStoppedNotices shows that the same finds a follower that takes its lease for longer.
func TestStoppedNotices(t *testing.T) {
	s := newScene(t, "sqlite")
	s.task.Mutant = "a lease four times as long"
	still := s.standStill()
	require.NotZero(t, still.said(true, still.resumed, processtest.Now()), "nobody noticed")
	found := s.judge(still.journal)
	require.NotZero(t, found.late, "nobody noticed")
	require.NotEmpty(t, found.disorders, "porcupine didn't notice")
}

// TestKilled kills a follower: a revocation waits for it once.
func TestKilled(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		s := newScene(t, engine)
		p := s.follower()
		p.Kill()
		require.Equal(t, 1, s.followers())
		first := s.revoke(verb{Account: "acme", User: "ann"})
		require.Greater(t, first, lease)
		require.Less(t, first, lease+poll+margin)
		require.Zero(t, s.followers())
		second := s.revoke(verb{Account: "acme", User: "bob"})
		require.Less(t, second, lease)
		t.Logf("report: %s: after a follower was killed a revocation took %s to settle, the next one %s", s.task.Database.Version(t),
			first.Round(100*time.Microsecond), second.Round(100*time.Microsecond))
	})
}

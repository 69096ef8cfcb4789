package revocations_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
func (s *scene) follower() *process {
	s.Helper()
	work := s.task
	work.Cached = true
	p := start(s.Context(), s.T, work)
	p.says(s.T, "ready")
	p.begin(s.T, 0)
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
	p.stop(s.T)
	still := standstill{stopped: now()}
	still.first = s.revoke(verb{Account: "acme", User: "ann"})
	still.second = s.revoke(verb{Account: "globex", User: "ann"})
	pause(s.Context(), 2*lease-time.Duration(now()-still.stopped))
	still.resumed = now()
	p.resume(s.T)
	pause(s.Context(), 2*lease)
	s.revoke(verb{Account: "acme", User: "bob"}) // of which it has to hear
	pause(s.Context(), lease)
	still.journal = p.end(s.T)
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
		require.NotZero(t, still.said(false, still.resumed, now()))
		require.Zero(t, still.said(true, still.resumed, now()))
		found := s.judge(still.journal)
		require.Zero(t, found.wrong, "%v", found.examples)
		t.Logf("report: %s: a follower stopped for %s, a revocation took %s to settle meanwhile, the next one %s; %d checks that began afterwards said no",
			version(t, engine, s.handle), time.Duration(still.resumed-still.stopped).Round(time.Millisecond),
			still.first.Round(100*time.Microsecond), still.second.Round(100*time.Microsecond), still.said(false, still.resumed, now()))
	})
}

// TestStoppedNotices shows that the same finds a follower that takes its lease for longer.
func TestStoppedNotices(t *testing.T) {
	s := newScene(t, "sqlite")
	s.task.Mutant = "a lease four times as long"
	still := s.standStill()
	require.NotZero(t, still.said(true, still.resumed, now()), "nobody noticed")
	require.NotZero(t, s.judge(still.journal).late, "nobody noticed")
}

// TestKilled kills a follower: a revocation waits for it once.
func TestKilled(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		s := newScene(t, engine)
		p := s.follower()
		require.NoError(t, p.command.Process.Kill())
		require.Error(t, p.command.Wait())
		require.Equal(t, 1, s.followers())
		first := s.revoke(verb{Account: "acme", User: "ann"})
		require.Greater(t, first, lease)
		require.Less(t, first, lease+poll+margin)
		require.Zero(t, s.followers())
		second := s.revoke(verb{Account: "acme", User: "bob"})
		require.Less(t, second, lease)
		t.Logf("report: %s: after a follower was killed a revocation took %s to settle, the next one %s", version(t, engine, s.handle),
			first.Round(100*time.Microsecond), second.Round(100*time.Microsecond))
	})
}

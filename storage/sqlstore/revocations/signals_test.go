//go:build unix

package revocations_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// margin is how much longer than it has to a revocation may take on a busy machine.
const margin = 500 * time.Millisecond

// stop stops the process as it is, and returns when it stands still.
func (p *process) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, p.command.Process.Signal(syscall.SIGSTOP))
	var status syscall.WaitStatus
	_, err := syscall.Wait4(p.command.Process.Pid, &status, syscall.WUNTRACED, nil)
	require.NoError(t, err)
	require.True(t, status.Stopped(), "%v", status)
}

// resume has the process go on.
func (p *process) resume(t *testing.T) {
	t.Helper()
	require.NoError(t, p.command.Process.Signal(syscall.SIGCONT))
}

// revoke removes a user, and returns how long that took.
func (s *scene) revoke(v verb) time.Duration {
	s.Helper()
	v.Kind = remove
	v = s.do(v)
	return time.Duration(v.Return - v.Call)
}

// follower starts a process that answers from memory, and says yes to everything.
func (s *scene) follower() *process {
	s.Helper()
	work := s.task
	work.Cached = true
	p := start(s.Context(), s.T, work)
	p.ready(s.T)
	p.begin(s.T, 0)
	return p
}

// TestStopped stops a follower for twice the lease, and takes access away meanwhile.
func TestStopped(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		s := newScene(t, engine)
		p := s.follower()
		p.stop(t)
		stopped := now()
		took := s.revoke(verb{Account: "acme", User: "ann"})
		require.Greater(t, took, lease)
		require.Less(t, took, lease+poll+margin)
		again := s.revoke(verb{Account: "globex", User: "bob"})
		require.Less(t, again, lease, "it waited once more for who outlived the lease")
		pause(t.Context(), 2*lease-time.Duration(now()-stopped))
		resumed := now()
		p.resume(t)
		pause(t.Context(), 2*lease)
		s.revoke(verb{Account: "acme", User: "cid"}) // which it has to hear of again
		pause(t.Context(), lease)
		j := p.end(t)
		found := s.judge(j)
		require.Zero(t, found.wrong, "%v", found.examples)
		before, after, late := 0, 0, 0
		for _, c := range j.Checks {
			q := questions()[c.Question]
			revoked := q.account == "acme" && q.user == "ann" || q.account == "globex" && q.user == "bob"
			switch {
			case c.Call < stopped && c.Yes && revoked:
				before++
			case c.Call > resumed && revoked:
				require.False(t, c.Yes, "%+v", c)
				after++
			case c.Call > resumed && c.Yes:
				late++
			}
		}
		require.NotZero(t, before)
		require.NotZero(t, after)
		require.NotZero(t, late)
		t.Logf("report: %s: stopped for %s, the revocation took %s, the next one %s; %d checks that began after it went on said no",
			version(t, engine, s.handle), time.Duration(resumed-stopped).Round(time.Millisecond), took.Round(time.Millisecond),
			again.Round(time.Millisecond), after)
	})
}

// TestKilled kills a follower: that is waited for once.
func TestKilled(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		s := newScene(t, engine)
		p := s.follower()
		require.NoError(t, p.command.Process.Kill())
		require.Error(t, p.command.Wait())
		followers, err := s.db.Followers(t.Context())
		require.NoError(t, err)
		require.Len(t, followers, 1)
		took := s.revoke(verb{Account: "acme", User: "ann"})
		require.Greater(t, took, lease)
		require.Less(t, took, lease+poll+margin)
		followers, err = s.db.Followers(t.Context())
		require.NoError(t, err)
		require.Empty(t, followers)
		again := s.revoke(verb{Account: "acme", User: "bob"})
		require.Less(t, again, lease)
		t.Logf("report: %s: the revocation after a follower was killed took %s, the next one %s", version(t, engine, s.handle),
			took.Round(time.Millisecond), again.Round(time.Millisecond))
	})
}

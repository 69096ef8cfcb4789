package servertest

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSkipWithoutPrograms(t *testing.T) {
	missing := fmt.Errorf("initdb: %w", exec.ErrNotFound)
	tests := []struct {
		name string
		err  error
		all  string
		want string
	}{
		{"a server", nil, "", "goes on"},
		{"a server, and all tests must run", nil, "1", "goes on"},
		{"no programs", missing, "", "skipped"},
		{"no programs, and all tests must run", missing, "1", "failed"},
		{"a server that doesn't start", errors.New("no space left"), "", "failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("ROSTER_TEST_ALL", tt.all)
			recorder := &recorder{TB: t, outcome: "goes on"}
			done := make(chan struct{})
			go func() {
				defer close(done)
				skipWithoutPrograms(recorder, tt.err, "install it")
			}()
			<-done
			require.Equal(t, tt.want, recorder.outcome)
		})
	}
}

// TestASharedServerIsStartedOnce also holds for one that doesn't start, which would take its time for each test again.
func TestASharedServerIsStartedOnce(t *testing.T) {
	starts := 0
	broken := &sharedServer{engine: postgresEngine{}, variable: "ROSTER_TEST_NOTHING", start: func(Options) (*Server, error) {
		starts++
		return nil, exec.ErrNotFound
	}}
	for range 2 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			broken.get(&recorder{TB: t})
		}()
		<-done
	}
	require.Equal(t, 1, starts)
	broken.stop() // which has nothing to end
}

func TestTheEnvironmentNamesAServer(t *testing.T) {
	t.Setenv("ROSTER_TEST_SOME", "ann@unix(/run/somewhere)/")
	named := &sharedServer{engine: mysqlEngine{}, variable: "ROSTER_TEST_SOME", start: func(Options) (*Server, error) {
		return nil, errors.New("started")
	}}
	server := named.get(t)
	require.Equal(t, "ann@unix(/run/somewhere)/?clientFoundRows=true", server.source)
	require.ErrorIs(t, server.Kill(), errElsewhere)
	require.ErrorIs(t, server.Shutdown(), errElsewhere)
	require.ErrorIs(t, server.Start(), errElsewhere)
	named.stop() // which leaves it alone
}

// A recorder is a test of which only the outcome is kept.
type recorder struct {
	testing.TB
	outcome string
}

func (r *recorder) Skipf(string, ...any)  { r.outcome = "skipped"; runtime.Goexit() }
func (r *recorder) Errorf(string, ...any) {}
func (r *recorder) FailNow()              { r.outcome = "failed"; runtime.Goexit() }

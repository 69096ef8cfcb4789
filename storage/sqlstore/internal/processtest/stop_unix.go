//go:build unix

package processtest

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Stop stops the process as it is, and returns when it stands still.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	require.NoError(t, p.command.Process.Signal(syscall.SIGSTOP))
	var status syscall.WaitStatus
	_, err := syscall.Wait4(p.command.Process.Pid, &status, syscall.WUNTRACED, nil)
	require.NoError(t, err)
	require.True(t, status.Stopped(), "%v", status)
}

// Resume has the process go on.
func (p *Process) Resume(t testing.TB) {
	t.Helper()
	require.NoError(t, p.command.Process.Signal(syscall.SIGCONT))
}

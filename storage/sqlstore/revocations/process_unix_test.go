//go:build unix

package revocations_test

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

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

//go:build !unix

package processtest

import "testing"

// Stop skips the test: no process can be stopped as it is here.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	t.Skip("there are no signals to stop a process with")
}

// Resume has the process go on.
func (p *Process) Resume(testing.TB) {}

//go:build !unix

package revocations_test

import "testing"

// stop skips the test: no process can be stopped as it is here.
func (p *process) stop(t *testing.T) {
	t.Helper()
	t.Skip("there are no signals to stop a process with")
}

func (p *process) resume(*testing.T) {}

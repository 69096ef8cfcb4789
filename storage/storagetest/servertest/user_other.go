//go:build !unix

package servertest

import (
	"fmt"
	"os/exec"
	"syscall"
)

// unprivileged says that no server is started here, as if it weren't installed: there are no signals to end it with.
func unprivileged(string) (*syscall.SysProcAttr, int, error) {
	return nil, 0, fmt.Errorf("servertest starts servers on Unix only: %w", exec.ErrNotFound)
}

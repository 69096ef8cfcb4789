//go:build !linux

package smtptest

import (
	"os"
	"syscall"
)

func endedWithThis() *syscall.SysProcAttr { return nil }

// endGroup asks the leader of a group of processes to end, and reports whether it is there.
func endGroup(leader int) bool {
	process, err := os.FindProcess(leader)
	return leader > 0 && err == nil && process.Signal(syscall.SIGTERM) == nil
}

//go:build !linux

package servertest

import "syscall"

// endedWithThis leaves the ending of servers to the tests.
func endedWithThis() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

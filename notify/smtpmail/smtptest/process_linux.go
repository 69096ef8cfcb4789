package smtptest

import "syscall"

// endedWithThis has the kernel end a server that outlives the tests, as when they run into their time limit.
func endedWithThis() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }

package smtptest

import "syscall"

// endedWithThis has the kernel end a server that outlives the tests, as when they run into their time limit.
func endedWithThis() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }

// endGroup asks the processes of a group to end, and reports whether there are any. There are none in group 0.
func endGroup(leader int) bool { return leader > 0 && syscall.Kill(-leader, syscall.SIGTERM) == nil }

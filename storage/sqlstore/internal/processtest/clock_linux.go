package processtest

import (
	"syscall"
	"unsafe"
)

// Now is the time since the machine was started, in nanoseconds: one clock for all processes, which never goes back, and
// by which Go measures leases too.
func Now() int64 {
	const monotonic = 1
	var t syscall.Timespec
	if _, _, failure := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, monotonic, uintptr(unsafe.Pointer(&t)), 0); failure != 0 {
		panic("processtest: there is no monotonic clock: " + failure.Error())
	}
	return t.Nano()
}

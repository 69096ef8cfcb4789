package races_test

import (
	"syscall"
	"time"
	"unsafe"
)

// now is the time since the machine was started, in nanoseconds: one clock for all processes, which never goes back.
func now() int64 {
	const monotonic = 1
	var t syscall.Timespec
	if _, _, failure := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, monotonic, uintptr(unsafe.Pointer(&t)), 0); failure != 0 {
		panic("races: there is no monotonic clock: " + failure.Error())
	}
	return t.Nano()
}

// timeOf is an instant of the clock for the services.
func timeOf(at int64) time.Time {
	return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(at))
}

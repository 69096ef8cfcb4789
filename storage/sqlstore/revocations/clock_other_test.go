//go:build !linux

package revocations_test

import "time"

// now is the time in nanoseconds: one clock for all processes, as long as nobody sets it.
func now() int64 { return time.Now().UnixNano() }

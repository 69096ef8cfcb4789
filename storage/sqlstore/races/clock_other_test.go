//go:build !linux

package races_test

import "time"

// now is the time in nanoseconds: one clock for all processes, as long as nobody sets it.
func now() int64 { return time.Now().UnixNano() }

// timeOf is an instant of the clock for the services.
func timeOf(at int64) time.Time { return time.Unix(0, at) }

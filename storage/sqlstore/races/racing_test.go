//go:build race

package races_test

import "time"

// With the race detector watching, SQLite, which is C translated to Go, takes ten times as long: races and their stages
// are longer, or little would meet.
const (
	short = 8 * time.Second
	stage = 2 * time.Second
)

//go:build !race

package races_test

import "time"

// How long a short race takes, and each of its stages.
const (
	short = 4 * time.Second
	stage = 500 * time.Millisecond
)

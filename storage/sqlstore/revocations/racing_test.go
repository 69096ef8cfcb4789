//go:build race

package revocations_test

import "time"

// short is how long writers write on one engine in the short form: longer with the race detector watching, or SQLite, which
// is C translated to Go, would do little.
const short = 8 * time.Second

//go:build !race

package revocations_test

import "time"

// short is how long writers write on one engine in the short form.
const short = 3300 * time.Millisecond

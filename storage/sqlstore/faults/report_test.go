package faults_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// grace is how long after its deadline a verb may return.
const grace = time.Second

// A report counts what was tried. It may be added to by several goroutines.
type report struct {
	mu       sync.Mutex
	verbs    int
	faults   int
	unknown  int             // faults after which the outcome was unknown
	overruns []time.Duration // how long after its deadline a verb returned that hung
}

// punctual has a verb done again that returned long after its deadline, as it does if this machine had other things to
// do: it is late if it is so three times.
func punctual(do func() (f *failing, deadline, returned time.Time)) (f *failing, deadline, returned time.Time) {
	for range 3 {
		f, deadline, returned = do()
		if deadline.IsZero() || returned.Sub(deadline) <= grace {
			break
		}
	}
	return f, deadline, returned
}

// late notes when a verb returned whose deadline passed, if it did.
func (r *report) late(t *testing.T, f *failing, deadline, returned time.Time) {
	t.Helper()
	if deadline.IsZero() {
		return
	}
	overrun := returned.Sub(deadline)
	r.overruns = append(r.overruns, overrun)
	if overrun > grace {
		t.Errorf("%s: it returned %v after its deadline:\n%s", f.where(), overrun, strings.Join(f.trace, "\n"))
	}
}

// add adds another report.
func (r *report) add(other *report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verbs += other.verbs
	r.faults += other.faults
	r.unknown += other.unknown
	r.overruns = append(r.overruns, other.overruns...)
}

// log prints the report.
func (r *report) log(t *testing.T, engine string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	t.Logf("report: %s: %d faults of %d verbs, %d with an unknown outcome", engine, r.faults, r.verbs, r.unknown)
	if len(r.overruns) == 0 {
		return
	}
	slices.Sort(r.overruns)
	share := func(percent int) time.Duration {
		return r.overruns[(len(r.overruns)-1)*percent/100].Round(10 * time.Microsecond)
	}
	t.Logf("report: %s: returned after the deadline: n=%d median=%v p90=%v p99=%v max=%v", engine, len(r.overruns), share(50), share(90),
		share(99), share(100))
}

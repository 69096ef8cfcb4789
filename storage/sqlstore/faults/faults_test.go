package faults_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// workers is how many verbs are tried at once on each engine. Most of the time they wait for something that hangs.
const workers = 4

// TestFaults lets each call of the driver fail in each way, for each call of each verb. The verb then succeeds, because
// something inside tried again, or changes nothing, or says that the outcome is unknown and has done all or nothing.
func TestFaults(t *testing.T) {
	for _, engine := range servertest.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			stride := strides(t, engine)
			queue := make(chan verb)
			var all report
			var group sync.WaitGroup
			for range workers {
				h := newHarness(t, engine, stride)
				group.Go(func() {
					for v := range queue {
						t.Run(v.name, func(t *testing.T) { all.add(h.verb(t, v)) })
					}
				})
			}
			for _, v := range verbs() {
				queue <- v
			}
			close(queue)
			group.Wait()
			all.log(t, engine)
		})
	}
}

// A stride says which calls of a verb, which may read only, fail in a way.
type stride func(verb string, reads bool, f fault) (first, step int)

// strides returns that all calls fail; or in the short form every third on a server, or of what only reads. What hangs
// from there on takes long, so that it is every seventh then. The first is chosen by the seed.
func strides(t *testing.T, engine string) stride {
	t.Helper()
	if os.Getenv("ROSTER_SOAK") != "" {
		return func(string, bool, fault) (first, step int) { return 1, 1 }
	}
	seed := newSeed(t)
	return func(verb string, reads bool, f fault) (first, step int) {
		switch {
		case f == silence:
			step = 7
		case engine == "sqlite" && !reads:
			step = 1
		default:
			step = 3
		}
		return firstOf(step, seed, verb, f), step
	}
}

// firstOf returns a number from 1 to step that the rest decides.
func firstOf(step int, rest ...any) int {
	hash := fnv.New64a()
	fmt.Fprint(hash, rest...)
	return 1 + int(hash.Sum64()%uint64(step))
}

// newSeed returns what ROSTER_SEED says, or any number. It is printed.
func newSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("ROSTER_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("report: ROSTER_SEED=%d", seed)
	return seed
}

// A harness does verbs in one scene, which it puts back.
type harness struct {
	*database
	scene  *scene
	before string // the dump of the scene
	stride stride
	report report // of the verb that is tried
}

func newHarness(t *testing.T, engine string, stride stride) *harness {
	t.Helper()
	d := open(t, engine)
	require.NoError(t, d.store(t, d.plain).Migrate(t.Context()))
	h := &harness{database: d, scene: newScene(t, d.store(t, d.handle)), stride: stride}
	d.keep(t)
	h.before = d.dump(t)
	return h
}

// An expectation is what a verb does where nothing fails.
type expectation struct {
	value      any
	done       string // the dump after the verb
	doneTwice  string // and when it was done again, with other ids
	doneLater  string // or only then
	errorTwice string // what it says the second time; empty for nothing
}

func (h *harness) expect(t *testing.T, v verb) expectation {
	t.Helper()
	var e expectation
	var err error
	h.scene.seed(1)
	e.value, err = v.do(t.Context(), h.scene)
	require.NoError(t, err)
	e.done = h.dump(t)
	e.errorTwice = h.again(t.Context(), v)
	e.doneTwice = h.dump(t)
	if diff := cmp.Diff(effects(e.done), effects(e.doneTwice)); diff != "" && !repeats[v.name] {
		t.Errorf("doing it twice has a second effect:\n%s", diff)
	}
	h.restore(t)
	require.Empty(t, h.again(t.Context(), v))
	e.doneLater = h.dump(t)
	h.restore(t)
	require.Equal(t, h.before, h.dump(t))
	return e
}

// repeats are the verbs that are meant to do more when they are done again.
var repeats = map[string]bool{
	"notify.Claim":        true, // leases those that come next
	"registry.DrawTicket": true, // draws another one
}

// effects are the lines of a dump without what counts attempts: versions of accounts, and limits.
func effects(dump string) []string {
	lines := strings.Split(dump, "\n")
	return slices.DeleteFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "roster_accounts ") || strings.HasPrefix(line, "roster_limit")
	})
}

// again does a verb, with other ids than the first time, and returns the text of its error.
func (h *harness) again(ctx context.Context, v verb) string {
	h.scene.seed(2)
	if _, err := v.do(ctx, h.scene); err != nil {
		return err.Error()
	}
	return ""
}

// verb has the calls of a verb fail.
func (h *harness) verb(t *testing.T, v verb) *report {
	h.report = report{verbs: 1}
	h.line.set(nil)
	if h.dump(t) != h.before { // another verb's test failed
		h.restore(t)
	}
	e := h.expect(t, v)
	for _, fault := range faultsOf(h.Engine) {
		first, step := h.stride(v.name, e.done == h.before, fault)
		for n := first; h.run(t, v, e, fault, n); n += step {
		}
		h.cold(t)
		h.run(t, v, e, fault, 1)
		// What the attempts left behind would show now.
		h.settle(t)
		if again := h.again(t.Context(), v); again != "" {
			t.Errorf("after %s: doing it again says %q", fault, again)
		}
		h.compare(t, "after "+string(fault)+": doing it again", h.dump(t), e.doneLater)
		h.restore(t)
	}
	return &h.report
}

// warm leaves a connection in the pool, cold none.
func (h *harness) warm(t *testing.T) {
	conn, err := h.handle.Conn(t.Context())
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

func (h *harness) cold(*testing.T) {
	h.handle.SetMaxIdleConns(0)
	h.handle.SetMaxIdleConns(2)
}

// skipsLocked are the verbs that leave out what is locked, perhaps by a transaction of which the server doesn't know yet
// that its connection is lost.
var skipsLocked = map[string]bool{"notify.Claim": true}

// run has the n-th call of a verb fail, unless it has fewer.
func (h *harness) run(t *testing.T, v verb, e expectation, fault fault, n int) (struck bool) {
	f, deadline, returned := punctual(func() (*failing, time.Time, time.Time) { return h.once(t, v, e, fault, n) })
	if f.struck == nil {
		return false
	}
	h.report.faults++
	h.report.late(t, f, deadline, returned)
	return true
}

func (h *harness) once(t *testing.T, v verb, e expectation, fault fault, n int) (f *failing, deadline, returned time.Time) {
	if n > 1 {
		h.warm(t)
	}
	h.scene.seed(1)
	ctx := newDeadline(t.Context())
	defer ctx.end()
	f = &failing{engine: h.Engine, at: n, fault: fault, end: ctx.end}
	h.line.set(f.watch)
	value, err := v.do(ctx, h.scene)
	returned = time.Now()
	h.line.set(nil)
	h.requireIdle(t)
	if skipsLocked[v.name] {
		h.settle(t)
	}
	if f.struck != nil {
		h.check(t, v, e, f, value, err)
		return f, ctx.at, returned
	}
	require.NoError(t, err)
	h.compare(t, "without a fault", h.dump(t), e.done)
	h.restore(t)
	return f, time.Time{}, returned
}

// check checks what a verb made of a fault.
func (h *harness) check(t *testing.T, v verb, e expectation, f *failing, value any, err error) {
	where := f.where()
	checkError(t, where, f, value, err)
	now := h.dump(t)
	switch {
	case err == nil:
		h.compare(t, where+": it succeeds", now, e.done)
		if diff := cmp.Diff(e.value, value, cmp.Exporter(exportAll)); diff != "" {
			t.Errorf("%s: the result differs:\n%s", where, diff)
		}
	case errors.Is(err, access.ErrUnknownOutcome):
		h.report.unknown++
		if now != h.before {
			h.compare(t, where+": the outcome is unknown", now, e.done)
		}
	case errors.Is(err, access.ErrUnsettled):
		h.compare(t, where+": done, and not certain to be heard of", now, e.done)
	default:
		h.compare(t, where+": "+err.Error(), now, h.before)
	}
	if now == h.before {
		return
	}
	if again := h.again(t.Context(), v); again != e.errorTwice {
		t.Errorf("%s: doing it again says %q instead of %q", where, again, e.errorTwice)
	}
	h.compare(t, where+": doing it again", h.dump(t), e.doneTwice)
	h.restore(t)
}

// checkError checks the error itself, and that nothing comes with it.
func checkError(t *testing.T, where string, f *failing, value any, err error) {
	if err == nil {
		return
	}
	if isRefusal(err) {
		t.Errorf("%s: a fault is taken for a refusal: %v", where, err)
	}
	if strings.Contains(err.Error(), somebody) || strings.Contains(err.Error(), token) {
		t.Errorf("%s: the text of the driver comes through: %v", where, err)
	}
	if f.fault == conflict && f.inside {
		t.Errorf("%s: a conflict isn't tried again: %v", where, err)
	}
	if !isZero(value) && !errors.Is(err, access.ErrUnsettled) {
		t.Errorf("%s: something comes with the error %v: %v", where, err, value)
	}
}

// compare compares two dumps.
func (h *harness) compare(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: the content differs (-want +got):\n%s", what, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
	}
}

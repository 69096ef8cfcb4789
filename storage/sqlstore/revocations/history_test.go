package revocations_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// A history is what was true in one account at each of its versions, and when.
//
// An answer has to be of some version between two. The latest is the last one of which the verb had been called when the
// check returned. The earliest is the last one of these:
//
//   - what a verb left that had settled, anywhere, before the check began: a revocation does when it returns;
//   - what any verb left that had returned a lease before the check began;
//   - what any verb left that had returned before the check began, if it was made in the same process, or the check asks
//     the database.
//
// So between the call of a revocation and its return each process may take it for done, or not yet, as it likes.
type history struct {
	held    map[access.UserID][]access.Permission // by version, what the user may use
	narrows []bool                                // by version, whether somebody may use less than before
	called  []int64                               // by version, when the last of the verbs up to it was called
	settled bounds
	took    []took
	left    bounds         // by any verb
	leftBy  map[int]bounds // by one process
}

// took is how long a revocation that settled took from its call to its return, and how long of that to settle.
type took struct{ whole, settling time.Duration }

// A bound says that from a time on a version is the least.
type bound struct {
	at      int64
	version uint64
}

// bounds are in the order of time, and then of versions.
type bounds []bound

// sorted sorts bounds and leaves out what doesn't raise them.
func (b bounds) sorted() bounds {
	slices.SortFunc(b, func(x, y bound) int { return cmp.Compare(x.at, y.at) })
	var raised bounds
	for _, next := range b {
		if len(raised) == 0 || next.version > raised[len(raised)-1].version {
			raised = append(raised, next)
		}
	}
	return raised
}

// before returns the least version for what begins at a time.
func (b bounds) before(at int64) uint64 {
	if i := sort.Search(len(b), func(i int) bool { return b[i].at >= at }); i > 0 {
		return b[i-1].version
	}
	return 0
}

// newHistory returns the history that an account's events and all journals tell.
func newHistory(account access.AccountID, events []access.Event, journals []journal) *history {
	h := &history{held: make(map[access.UserID][]access.Permission), leftBy: make(map[int]bounds)}
	last := uint64(0)
	for _, e := range events {
		last = max(last, e.Version)
	}
	for _, j := range journals {
		for _, v := range j.Verbs {
			if v.Account == account {
				last = max(last, v.Version)
			}
		}
	}
	h.narrows, h.called = make([]bool, last+1), make([]int64, last+1)
	for _, user := range users() {
		h.held[user] = make([]access.Permission, last+1)
		for _, e := range events {
			if e.Target.Kind == access.TargetUser && e.Target.ID == string(user) {
				h.tell(user, e)
			}
		}
	}
	for _, j := range journals {
		for _, v := range j.Verbs {
			if v.Account == account && v.Version > 0 {
				h.add(j.Process, v)
			}
		}
	}
	for version := 1; version < len(h.called); version++ {
		h.called[version] = max(h.called[version], h.called[version-1]) // they were committed in this order
	}
	h.settled, h.left = h.settled.sorted(), h.left.sorted()
	for process, b := range h.leftBy {
		h.leftBy[process] = b.sorted()
	}
	return h
}

// tell notes an event about a user. Events come in the order of versions.
func (h *history) tell(user access.UserID, e access.Event) {
	held := h.held[user]
	var after access.Permission
	if e.After.Status == access.Active.String() {
		after = e.After.Permissions
	}
	h.narrows[e.Version] = h.narrows[e.Version] || held[e.Version]&^after != 0
	for version := e.Version; version < uint64(len(held)); version++ {
		held[version] = after
	}
}

// add notes a verb of which the version is known.
func (h *history) add(process int, v verb) {
	h.called[v.Version] = v.Call
	b := bound{v.Return, v.Version}
	h.left, h.leftBy[process] = append(h.left, b), append(h.leftBy[process], b)
	if v.Settled > 0 {
		h.settled = append(h.settled, bound{v.Settled, v.Version})
	}
	if v.Answer == done && h.narrows[v.Version] {
		h.settled = append(h.settled, b)
		h.took = append(h.took, took{time.Duration(v.Return - v.Call), time.Duration(v.Return - v.Over)})
	}
}

// between returns of which versions the answer to a check may be.
func (h *history) between(j *journal, c check) (first, last uint64) {
	first = max(h.settled.before(c.Call), h.left.before(c.Call-int64(lease)), h.leftBy[j.Process].before(c.Call))
	if !j.Cached {
		first = max(first, h.left.before(c.Call))
	}
	last = uint64(sort.Search(len(h.called), func(i int) bool { return h.called[i] > c.Return }) - 1)
	return first, last
}

// A judge knows the histories of all accounts.
type judge map[access.AccountID]*history

func newJudge(ctx context.Context, db storage.DB, journals []journal) (judge, error) {
	j := make(judge)
	for _, account := range accounts() {
		events, err := eventsOf(ctx, db, account)
		if err != nil {
			return nil, err
		}
		j[account] = newHistory(account, events, journals)
	}
	return j, nil
}

// eventsOf reads the whole history of an account.
func eventsOf(ctx context.Context, db storage.DB, account access.AccountID) ([]access.Event, error) {
	var events []access.Event
	err := db.View(ctx, func(ctx context.Context, tx storage.Tx) error {
		for after := (access.EventKey{}); ; {
			const page = 1000
			records, err := tx.Events(ctx, account, access.EventFilter{}, after, true, page)
			if err != nil || len(records) == 0 {
				return err
			}
			for _, r := range records {
				e, err := r.Event()
				if err != nil {
					return err
				}
				events = append(events, e)
				after = access.EventKey{Version: e.Version, Index: e.Index}
			}
		}
	})
	return events, err
}

// A verdict is what was found in journals.
type verdict struct {
	yes, no     int
	wrong       int // of these
	late        int // of the wrong ones, those that said yes
	examples    []string
	revocations []took
	ordered     int      // operations on registers that porcupine was given
	disorders   []string // in which it found no order
}

// judge looks at all checks of journals, one by one and in their order.
func (j judge) judge(journals []journal) verdict {
	var v verdict
	for _, h := range j {
		v.revocations = append(v.revocations, h.took...)
	}
	all := questions()
	for i := range journals {
		for _, c := range journals[i].Checks {
			q := all[c.Question]
			if c.Yes {
				v.yes++
			} else {
				v.no++
			}
			if !j[q.account].fits(&journals[i], c, q) {
				v.wrong++
				if c.Yes {
					v.late++
				}
				if len(v.examples) < 5 {
					v.examples = append(v.examples, j.explain(&journals[i], c, q))
				}
			}
		}
	}
	v.ordered, v.disorders = j.order(journals)
	return v
}

// fits reports whether an answer is of a version that it may be of.
func (h *history) fits(j *journal, c check, q question) bool {
	first, last := h.between(j, c)
	for version := first; version <= last; version++ {
		if h.held[q.user][version].Has(q.bit) == c.Yes {
			return true
		}
	}
	return false
}

func (j judge) explain(by *journal, c check, q question) string {
	h := j[q.account]
	first, last := h.between(by, c)
	return fmt.Sprintf("process %d, from memory %t: may %s do %d in %s? %t, asked from %d to %d, but at versions %d to %d it is otherwise; the first had returned %s before",
		by.Process, by.Cached, q.user, q.bit, q.account, c.Yes, c.Call, c.Return, first, last, time.Duration(c.Call-h.since(first)))
}

// since returns when the verb of a version had returned.
func (h *history) since(version uint64) int64 {
	for _, b := range h.left {
		if b.version >= version {
			return b.at
		}
	}
	return 0
}

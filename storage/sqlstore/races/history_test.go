package races_test

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/rosterkit/roster/access"
)

// An order is how far a search for one has come.
type order struct {
	account account
	placed  int // operations of which the outcome is known
}

// outcomes are what a history tells of its operations before there is an order of them.
type outcomes struct {
	known    int             // operations, of which the outcome is
	versions map[uint64]bool // that verbs left
}

func outcomesOf(history []line) outcomes {
	told := outcomes{versions: make(map[uint64]bool)}
	for _, l := range history {
		if l.Result.Unknown {
			continue
		}
		told.known++
		if !l.Operation.reads() && l.Result.Code == "" && l.Operation.Kind != create { // which may find what others made
			told.versions[l.Result.Version] = true
		}
	}
	return told
}

// model tells porcupine what an account is.
func (told outcomes) model() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return order{} },
		Step: func(state, input, output any) (bool, any) {
			return told.step(state.(order), input.(operation), output.(result))
		},
		Equal: func(a, b any) bool {
			return a.(order).placed == b.(order).placed && a.(order).account.equal(b.(order).account)
		},
	}
}

func (told outcomes) step(at order, o operation, r result) (bool, order) {
	if r.Unknown {
		return told.unknown(at, o, r)
	}
	ok, next := at.account.step(o, r)
	return ok, order{next, at.placed + 1}
}

// unknown does a verb that may have been done or not. If it was, it left a version that no other verb did, and the next
// one that is known is later. If not, it may as well be put after all others. Without these two a search would try each
// such verb everywhere.
func (told outcomes) unknown(at order, o operation, r result) (bool, order) {
	next, code := at.account.do(o, r)
	if code != "" {
		return at.placed == told.known, at
	}
	next.version = at.account.version + 1
	return !told.versions[next.version], order{next, at.placed}
}

// checkPatience is how long the search for an order of one account's operations may take.
const checkPatience = 3 * time.Minute

// check returns what can't be in the history of one account, or nothing.
func check(history []line) string {
	operations := make([]porcupine.Operation, len(history))
	for i, l := range history {
		operations[i] = porcupine.Operation{ClientId: l.Client, Input: l.Operation, Call: l.Call, Output: l.Result, Return: l.Return, Metadata: i}
	}
	told := outcomesOf(history)
	switch porcupine.CheckOperationsTimeout(told.model(), operations, checkPatience) {
	case porcupine.Ok:
		return ""
	case porcupine.Illegal:
		_, info := porcupine.CheckOperationsVerbose(told.model(), operations, checkPatience)
		return explain(history, told, info)
	}
	return fmt.Sprintf("no order of %d operations on %s was found in %s", len(history), history[0].Operation.Account, checkPatience)
}

// explain writes down where the longest order that was found ends.
func explain(history []line, told outcomes, info porcupine.LinearizationInfo) string {
	var longest []porcupine.Operation
	for _, partial := range slices.Concat(info.PartialLinearizationsOperations()...) {
		if len(partial) > len(longest) {
			longest = partial
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d operations on %s have no order; the longest that was found, of %d, ends with\n",
		len(history), history[0].Operation.Account, len(longest))
	state, placed := order{}, make(map[int]bool)
	const shown = 12
	for i, o := range longest {
		_, state = told.step(state, o.Input.(operation), o.Output.(result))
		placed[o.Metadata.(int)] = true
		if i >= len(longest)-shown {
			fmt.Fprintf(&text, "  %s\n    version %d: %s\n", history[o.Metadata.(int)], state.account.version, state.account.seen())
		}
	}
	fmt.Fprintf(&text, "and these can't follow:\n")
	left := 0
	for _, l := range slices.SortedFunc(slices.Values(history), func(a, b line) int { return cmp.Compare(a.Call, b.Call) }) {
		if i := slices.Index(history, l); !placed[i] && left < shown {
			left++
			fmt.Fprintf(&text, "  %s\n", l)
		}
	}
	return text.String()
}

// byAccount sorts lines into histories.
func byAccount(lines []line) map[access.AccountID][]line {
	histories := make(map[access.AccountID][]line)
	for _, l := range lines {
		histories[l.Operation.Account] = append(histories[l.Operation.Account], l)
	}
	return histories
}

// checkAll checks the histories of all accounts. It returns what can't be, and how long the longest search took.
func checkAll(histories map[access.AccountID][]line) (found []string, longest time.Duration) {
	ids := slices.Sorted(maps.Keys(histories))
	found, took := make([]string, len(ids)), make([]time.Duration, len(ids))
	next := make(chan int)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := range next {
				began := time.Now()
				found[i] = check(histories[ids[i]])
				took[i] = time.Since(began)
			}
		})
	}
	for i := range ids {
		next <- i
	}
	close(next)
	group.Wait()
	return slices.DeleteFunc(found, func(text string) bool { return text == "" }), slices.Max(took)
}

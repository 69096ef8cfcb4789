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

// model tells porcupine what an account is.
func model() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return account{} },
		Step: func(state, input, output any) (bool, any) {
			return state.(account).step(input.(operation), output.(result))
		},
		Equal: func(a, b any) bool { return a.(account).equal(b.(account)) },
	}
}

// checkPatience is how long the search for an order of one account's operations may take.
const checkPatience = 3 * time.Minute

// check returns what can't be in the history of one account, or nothing.
func check(history []line) string {
	operations := make([]porcupine.Operation, len(history))
	for i, l := range history {
		operations[i] = porcupine.Operation{ClientId: l.Client, Input: l.Operation, Call: l.Call, Output: l.Result, Return: l.Return, Metadata: i}
	}
	switch porcupine.CheckOperationsTimeout(model(), operations, checkPatience) {
	case porcupine.Ok:
		return ""
	case porcupine.Illegal:
		_, info := porcupine.CheckOperationsVerbose(model(), operations, checkPatience)
		return explain(history, info)
	}
	return fmt.Sprintf("no order of %d operations on %s was found in %s", len(history), history[0].Operation.Account, checkPatience)
}

// explain writes down where the longest order that was found ends.
func explain(history []line, info porcupine.LinearizationInfo) string {
	var longest []porcupine.Operation
	for _, partial := range slices.Concat(info.PartialLinearizationsOperations()...) {
		if len(partial) > len(longest) {
			longest = partial
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d operations on %s have no order; the longest that was found, of %d, ends with\n",
		len(history), history[0].Operation.Account, len(longest))
	state, placed := account{}, make(map[int]bool)
	const shown = 12
	for i, o := range longest {
		_, next := state.step(o.Input.(operation), o.Output.(result))
		state = next
		placed[o.Metadata.(int)] = true
		if i >= len(longest)-shown {
			fmt.Fprintf(&text, "  %s\n    version %d: %s\n", history[o.Metadata.(int)], state.version, state.seen())
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

package revocations_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/rosterkit/roster/access"
)

// A register is what one user may use in one account. All changes of it, wherever they were made, and all that one process
// was answered about it, have to be linearizable: there must be one order of them in which each lies between its call and
// its return, and an answer is what the change before it left.
//
// A change may be in the order from the call of its verb on, until history.over: for one that settled, its return. The
// registers of two processes are two, because between the two one process may have heard of a change that another one
// hasn't; when it is over, all have.
type register struct {
	version uint64
	held    access.Permission
}

// model tells porcupine what a register is. Changes are in the order of versions; what is asked for is a permission.
func model(begin register) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return begin },
		Step: func(state, input, output any) (bool, any) {
			is := state.(register)
			if change, ok := input.(register); ok {
				return change.version > is.version, change
			}
			return is.held.Has(input.(access.Permission)) == output.(bool), is
		},
	}
}

// over returns when a process knows of a version at the latest: when nothing that it is asked from then on may be answered
// as of an earlier one.
func (h *history) over(j *journal, version uint64) int64 {
	over := min(h.settled.since(version), h.leftBy[j.Process].since(version))
	left := h.left.since(version)
	if j.Cached && left < math.MaxInt64 {
		left += int64(lease)
	}
	return min(over, left)
}

// since returns from when on a version is the least, or the end of time.
func (b bounds) since(version uint64) int64 {
	if i := sort.Search(len(b), func(i int) bool { return b[i].version >= version }); i < len(b) {
		return b[i].at
	}
	return math.MaxInt64
}

// changes are those of what a user may use, as far as a process can know.
func (h *history) changes(j *journal, user access.UserID) []porcupine.Operation {
	var all []porcupine.Operation
	held := h.held[user]
	for version := 1; version < len(held); version++ {
		if held[version] != held[version-1] {
			change := register{uint64(version), held[version]}
			all = append(all, porcupine.Operation{Input: change, Call: h.called[version], Return: h.over(j, change.version)})
		}
	}
	return all
}

// registers returns the operations on each register that a process was asked about, in the order of their calls. All checks
// of the journal are among them.
func (j judge) registers(by *journal) map[question][]porcupine.Operation {
	registers := make(map[question][]porcupine.Operation)
	all := questions()
	for _, c := range by.Checks {
		q := all[c.Question]
		of := question{account: q.account, user: q.user}
		registers[of] = append(registers[of], porcupine.Operation{Input: q.bit, Call: c.Call, Output: c.Yes, Return: c.Return})
	}
	for of, operations := range registers {
		registers[of] = sorted(append(operations, j[of.account].changes(by, of.user)...))
	}
	return registers
}

// sorted sorts operations by their calls.
func sorted(operations []porcupine.Operation) []porcupine.Operation {
	return slices.SortedStableFunc(slices.Values(operations), func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
}

// An episode is a part of what was done to a register, after all that was done before had ended.
type episode struct {
	begin      register
	operations []porcupine.Operation
}

// episodes divides operations into episodes of at least so many where nothing is under way. The search for an order takes
// less in the parts than in the whole, and finds the same: before each part there is one state that all can have left.
func episodes(operations []porcupine.Operation, least int) []episode {
	var all []episode
	var last register
	current, end := episode{}, int64(math.MinInt64)
	for _, o := range operations {
		if len(current.operations) >= least && o.Call > end {
			all = append(all, current)
			current = episode{begin: last}
		}
		current.operations = append(current.operations, o)
		end = max(end, o.Return)
		if change, ok := o.Input.(register); ok && change.version > last.version {
			last = change
		}
	}
	return append(all, current)
}

const (
	episodeLength = 200         // operations at least
	orderPatience = time.Minute // for the search for an order of one episode
)

// disorder returns what has no order in an episode, or nothing.
func (e episode) disorder() string {
	m := model(e.begin)
	switch porcupine.CheckOperationsTimeout(m, e.operations, orderPatience) {
	case porcupine.Ok:
		return ""
	case porcupine.Illegal:
		_, info := porcupine.CheckOperationsVerbose(m, e.operations, orderPatience)
		return e.explain(info)
	}
	return fmt.Sprintf("no order of %d operations was found in %s", len(e.operations), orderPatience)
}

// explain writes down where the longest order that was found ends.
func (e episode) explain(info porcupine.LinearizationInfo) string {
	var longest []porcupine.Operation
	for _, partial := range slices.Concat(info.PartialLinearizationsOperations()...) {
		if len(partial) > len(longest) {
			longest = partial
		}
	}
	const shown = 5
	var text strings.Builder
	fmt.Fprintf(&text, "%d operations have no order; the longest that was found, of %d, ends with\n", len(e.operations), len(longest))
	write := func(o porcupine.Operation) {
		fmt.Fprintf(&text, "  %d to %d: %v %v\n", o.Call, o.Return, o.Input, o.Output)
	}
	for _, o := range longest[max(0, len(longest)-shown):] {
		write(o)
	}
	fmt.Fprintln(&text, "and these can't follow:")
	left := 0
	for _, o := range e.operations {
		if !slices.Contains(longest, o) && left < shown {
			left++
			write(o)
		}
	}
	return text.String()
}

// order has porcupine look for an order of what each process was answered about each register.
func (j judge) order(journals []journal) (ordered int, disorders []string) {
	for i := range journals {
		for of, operations := range j.registers(&journals[i]) {
			for _, e := range episodes(operations, episodeLength) {
				ordered += len(e.operations)
				if text := e.disorder(); text != "" {
					disorders = append(disorders, fmt.Sprintf("process %d, %s in %s: %s", journals[i].Process, of.user, of.account, text))
					break
				}
			}
		}
	}
	return ordered, disorders
}

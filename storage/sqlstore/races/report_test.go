package races_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// counts are how often each kind of operation was answered how.
type counts map[string]map[string]int

func count(lines []line) counts {
	c := make(counts)
	for _, l := range lines {
		if c[l.Operation.Kind] == nil {
			c[l.Operation.Kind] = make(map[string]int)
		}
		c[l.Operation.Kind][l.answer()]++
	}
	return c
}

// requireRaces fails a test in which nothing of interest has met.
func (c counts) requireRaces(t *testing.T) {
	t.Helper()
	for _, kind := range []string{create, add, set, suspend, reinstate, remove, leave, transfer, send, resend, revoke, accept, grant, look} {
		require.NotZero(t, c[kind]["done"], "nobody could %s", kind)
	}
	for _, answer := range []string{"true", "false"} {
		require.NotZero(t, c[can][answer], "no decision was %s", answer)
	}
	for _, code := range []string{already, "invite.used", "invite.replaced", "invite.revoked", "member.exists"} {
		require.NotZero(t, c[accept][code], "nobody who accepted was told %s", code)
	}
	require.NotZero(t, c[set]["denies.manage"], "nobody was too late to demote")
	require.NotZero(t, c[add]["seats.used"]+c[send]["seats.used"], "nobody was too late for a seat")
}

// report says what was done, and how it was answered.
func report(lines []line, histories map[access.AccountID][]line, work tally) string {
	longest := 0
	for _, history := range histories {
		longest = max(longest, len(history))
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d operations on %d accounts, up to %d on one; %d registers of account, user and permission; "+
		"%d updates, begun again %d times after a conflict\n", len(lines), len(histories), longest, registers(lines), work.Updates, work.Again)
	c := count(lines)
	for _, kind := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&text, "  %-10s", kind)
		for _, answer := range slices.Sorted(maps.Keys(c[kind])) {
			fmt.Fprintf(&text, " %s %d", answer, c[kind][answer])
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// registers counts what a user may do in an account, permission by permission, as far as it was asked for.
func registers(lines []line) int {
	type register struct {
		account access.AccountID
		user    access.UserID
		bit     access.Permission
	}
	read := make(map[register]bool)
	for _, l := range lines {
		if l.Operation.Kind == can {
			read[register{l.Operation.Account, l.Operation.User, l.Operation.Bits}] = true
		}
	}
	return len(read)
}

package revocations_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// TestJudge has ann hold tickets from version 2 on, lose them at 3, and hold them again from 4 on; bob gets something at 5,
// and loses it at 6.
func TestJudge(t *testing.T) {
	const second = int64(time.Second)
	at := func(version uint64, user access.UserID, answer string, call, back int64) verb {
		return verb{Account: "acme", User: user, Version: version, Answer: answer, Call: call, Return: back}
	}
	event := func(version uint64, user string, held access.Permission) access.Event {
		return access.Event{Version: version, Target: access.Target{Kind: access.TargetUser, ID: user},
			After: access.Facts{Permissions: held, Status: "active"}}
	}
	events := []access.Event{
		{Version: 1, Kind: access.EventAccountCreated, Target: access.Target{Kind: access.TargetAccount, ID: "acme"}},
		event(2, "ann", access.OpenTickets), event(3, "ann", access.PayInvoices), event(4, "ann", access.OpenTickets),
		event(5, "bob", access.OpenTickets), event(6, "bob", 0),
	}
	verbs := []verb{
		at(2, "ann", done, 10*second, 11*second), at(3, "ann", done, 20*second, 25*second), at(4, "ann", done, 30*second, 31*second),
		at(5, "bob", done, 40*second, 41*second), at(6, "bob", unsettled, 50*second, 51*second),
	}
	for _, tt := range []struct {
		name       string
		by         int
		memory     bool
		user       access.UserID
		call, back int64
		yes, no    bool // whether it may be
	}{
		{"before anything", 1, true, "ann", 1 * second, 2 * second, false, true},
		{"while it is granted", 1, true, "ann", 10*second + 1, 10*second + 2, true, true},
		{"a moment after it was granted", 1, true, "ann", 11*second + 1, 11*second + 2, true, true},
		{"a moment after it was granted, in that process", 0, true, "ann", 11*second + 1, 11*second + 2, true, false},
		{"a moment after it was granted, without a memory", 1, false, "ann", 11*second + 1, 11*second + 2, true, false},
		{"a lease after it was granted", 1, true, "ann", 11*second + int64(lease), 11*second + int64(lease), true, true},
		{"longer than a lease after it was granted", 1, true, "ann", 11*second + int64(lease) + 1, 12 * second, true, false},
		{"while it is revoked", 1, true, "ann", 24 * second, 24*second + 1, true, true},
		{"from before it was revoked until afterwards", 1, true, "ann", 19 * second, 29 * second, true, true},
		{"when the revocation returns", 1, true, "ann", 25 * second, 26 * second, true, true},
		{"after it was revoked", 1, true, "ann", 25*second + 1, 29 * second, false, true},
		{"after it was revoked, until it is granted", 1, true, "ann", 25*second + 1, 30 * second, true, true},
		{"after another permission was unsettled", 1, true, "bob", 51*second + 1, 51*second + 2, true, true},
		{"after it was unsettled, in that process", 0, true, "bob", 51*second + 1, 51*second + 2, false, true},
		{"after it was unsettled, without a memory", 1, false, "bob", 51*second + 1, 51*second + 2, false, true},
		{"a lease after it was unsettled", 1, true, "bob", 52 * second, 53 * second, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := &journal{Process: tt.by, Cached: tt.memory}
			h := newHistory("acme", events, []journal{{Verbs: verbs}, *j})
			q := question{"acme", tt.user, access.OpenTickets}
			for yes, may := range map[bool]bool{true: tt.yes, false: tt.no} {
				c := check{Call: tt.call, Return: tt.back, Question: uint8(slices.Index(questions(), q)), Yes: yes}
				require.Equal(t, may, h.fits(j, c, q), "%t", yes)
				by := journal{Process: tt.by, Cached: tt.memory, Checks: []check{c}}
				_, disorders := judge{"acme": h}.order([]journal{by})
				require.Equal(t, may, len(disorders) == 0, "%t: %v", yes, disorders)
			}
		})
	}
}

// TestJudgeDoesntKnow has a verb of which nobody knows when it was done, and one that nobody knows to be done.
func TestJudgeDoesntKnow(t *testing.T) {
	events := []access.Event{
		{Version: 2, Target: access.Target{Kind: access.TargetUser, ID: "ann"}, After: access.Facts{Permissions: access.OpenTickets, Status: "active"}},
		{Version: 3, Target: access.Target{Kind: access.TargetUser, ID: "ann"}},
	}
	verbs := []verb{{Account: "acme", User: "ann", Version: 2, Answer: done, Call: 10, Return: 20},
		{Account: "acme", User: "ann", Answer: unknown, Call: 30, Return: 40}}
	j := &journal{Process: 0, Cached: false}
	h := newHistory("acme", events, []journal{{Verbs: verbs}})
	for _, yes := range []bool{true, false} {
		require.True(t, h.fits(j, check{Call: 50, Return: 60, Yes: yes}, question{"acme", "ann", access.OpenTickets}))
	}
	require.False(t, h.fits(j, check{Call: 1, Return: 9, Yes: true}, question{"acme", "ann", access.OpenTickets}))
}

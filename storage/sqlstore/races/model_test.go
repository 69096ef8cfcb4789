package races_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

const (
	managers  = access.ManageUsers
	invoicing = access.PayInvoices
)

// did is an operation from call to return; each has a client of its own.
func did(call, until int64, o operation, r result) line {
	return line{Client: int(call), Call: call, Return: until, Operation: o, Result: r}
}

// begun is an account owned by u0 with the managers u1 and u2, at version 3.
func begun() []line {
	return []line{
		did(1, 2, operation{Kind: create, User: "u0"}, result{Version: 1}),
		did(3, 4, operation{Kind: add, User: "u1", Bits: managers | invoicing}, result{Version: 2}),
		did(5, 6, operation{Kind: add, User: "u2", Bits: managers | invoicing}, result{Version: 3}),
	}
}

// TestModel shows what has an order and what hasn't: that the check can fail, for each thing that may go wrong.
func TestModel(t *testing.T) {
	demote := func(call, until int64, actor, user access.UserID, r result) line {
		return did(call, until, operation{Kind: set, Actor: actor, User: user, Bits: invoicing}, r)
	}
	mayManage := func(call, until int64, user access.UserID, yes bool) line {
		return did(call, until, operation{Kind: can, User: user, Bits: managers}, result{Yes: yes})
	}
	sent := func(call, until int64, r result) line {
		return did(call, until, operation{Kind: send, Actor: "u1", Address: "u4@example.com", Bits: managers}, r)
	}
	accepted := func(call, until int64, user access.UserID, generation uint16, r result) line {
		return did(call, until, operation{Kind: accept, User: user, Invite: "i", Generation: generation}, r)
	}
	looked := func(call, until int64, r result) line { return did(call, until, operation{Kind: look}, r) }
	first := result{Version: 4, Invite: "i", Generation: 1}

	tests := []struct {
		name    string
		history []line
		ok      bool
	}{
		{"one after the other", []line{mayManage(7, 8, "u1", true), demote(9, 10, "u0", "u1", result{Version: 4}), mayManage(11, 12, "u1", false)}, true},
		{"a stale read", []line{demote(9, 10, "u0", "u1", result{Version: 4}), mayManage(11, 12, "u1", true)}, false},
		{"a read meanwhile", []line{demote(9, 20, "u0", "u1", result{Version: 4}), mayManage(11, 12, "u1", true)}, true},
		{"another one meanwhile", []line{demote(9, 20, "u0", "u1", result{Version: 4}), mayManage(11, 12, "u1", false)}, true},
		{"back and forth", []line{demote(9, 20, "u0", "u1", result{Version: 4}), mayManage(11, 12, "u1", false), mayManage(13, 14, "u1", true)}, false},
		{"a decision of an old version", []line{demote(9, 10, "u0", "u2", result{Version: 4}),
			did(11, 12, operation{Kind: grant, User: "u1"}, result{Version: 3, Seen: "active 8320"})}, false},
		{"a decision", []line{demote(9, 10, "u0", "u2", result{Version: 4}),
			did(11, 12, operation{Kind: grant, User: "u1"}, result{Version: 4, Seen: "active 8320"})}, true},
		{"a decision after the removal", []line{did(7, 8, operation{Kind: remove, Actor: "u0", User: "u1"}, result{Version: 4}),
			mayManage(9, 10, "u1", true)}, false},
		{"a decision in a suspension", []line{did(7, 8, operation{Kind: suspend, Actor: "u0", User: "u1"}, result{Version: 4}),
			mayManage(9, 10, "u1", true)}, false},

		{"two demote each other", []line{demote(7, 20, "u1", "u2", result{Version: 4}), demote(8, 21, "u2", "u1", result{Code: "denies.manage"})}, true},
		{"both", []line{demote(7, 20, "u1", "u2", result{Version: 4}), demote(8, 21, "u2", "u1", result{Version: 5})}, false},
		{"neither", []line{demote(7, 20, "u1", "u2", result{Code: "denies.manage"}), demote(8, 21, "u2", "u1", result{Code: "denies.manage"})}, false},
		{"one version for two verbs", []line{demote(7, 20, "u0", "u2", result{Version: 4}), demote(8, 21, "u0", "u1", result{Version: 4})}, false},
		{"later, and an earlier version", []line{demote(7, 8, "u0", "u2", result{Version: 5}), demote(9, 10, "u0", "u1", result{Version: 4})}, false},

		{"a token", []line{sent(7, 8, first), accepted(9, 20, "u4", 1, result{Version: 5}), accepted(10, 21, "u5", 1, result{Code: "invite.used"})}, true},
		{"a token for two", []line{sent(7, 8, first), accepted(9, 20, "u4", 1, result{Version: 5}), accepted(10, 21, "u5", 1, result{Version: 6})}, false},
		{"a token twice", []line{sent(7, 8, first), accepted(9, 20, "u4", 1, result{Version: 5}), accepted(10, 21, "u4", 1, result{Version: 6})}, false},
		{"a token again", []line{sent(7, 8, first), accepted(9, 20, "u4", 1, result{Version: 5}), accepted(10, 21, "u4", 1, result{Code: already})}, true},
		{"a token for nobody", []line{sent(7, 8, first), accepted(9, 20, "u4", 1, result{Code: "invite.used"}), accepted(10, 21, "u5", 1, result{Code: "invite.used"})}, false},
		{"a token that was replaced", []line{sent(7, 8, first), sent(9, 10, result{Version: 5, Invite: "i", Generation: 2}),
			accepted(11, 12, "u4", 1, result{Version: 6})}, false},
		{"a token of somebody who was demoted", []line{sent(7, 8, first), demote(9, 10, "u0", "u1", result{Version: 5}),
			accepted(11, 12, "u4", 1, result{Version: 6})}, false},
		{"a token of somebody who is being demoted", []line{sent(7, 8, first), demote(9, 20, "u0", "u1", result{Version: 6}),
			accepted(11, 12, "u4", 1, result{Version: 5})}, true},
		{"a second pending invite", []line{sent(7, 8, first), sent(9, 10, result{Version: 5, Invite: "j", Generation: 1})}, false},

		{"the last seats", []line{sent(7, 20, first), did(8, 21, operation{Kind: add, User: "u3", Bits: invoicing}, result{Version: 5})}, true},
		{"no seat more", []line{sent(7, 20, first), did(8, 21, operation{Kind: add, User: "u3", Bits: invoicing}, result{Version: 5}),
			did(9, 22, operation{Kind: add, User: "u5", Bits: invoicing}, result{Code: "seats.used"})}, true},
		{"one seat more", []line{sent(7, 20, first), did(8, 21, operation{Kind: add, User: "u3", Bits: invoicing}, result{Version: 5}),
			did(9, 22, operation{Kind: add, User: "u5", Bits: invoicing}, result{Version: 6})}, false},

		{"another owner", []line{did(7, 8, operation{Kind: transfer, User: "u1"}, result{Version: 4}),
			looked(9, 10, result{Version: 4, Seen: "owner u1, 1 seats, u2 8320 false"})}, true},
		{"the old owner", []line{did(7, 8, operation{Kind: transfer, User: "u1"}, result{Version: 4}),
			looked(9, 10, result{Version: 3, Seen: "owner u0, 2 seats, u1 8320 false, u2 8320 false"})}, false},
		{"two owners", []line{did(7, 8, operation{Kind: transfer, User: "u1"}, result{Version: 4}),
			mayManage(9, 10, "u0", true)}, false},

		{"unknown, and done", []line{demote(7, forever, "u0", "u1", result{Unknown: true}), mayManage(9, 10, "u1", true), mayManage(11, 12, "u1", false)}, true},
		{"unknown, and not done", []line{demote(7, forever, "u0", "u1", result{Unknown: true}), mayManage(9, 10, "u1", true)}, true},
		{"unknown, and refused", []line{demote(7, forever, "u9", "u1", result{Unknown: true}), mayManage(9, 10, "u1", true),
			demote(11, 12, "u0", "u1", result{Version: 4})}, true},
		{"unknown, and undone", []line{demote(7, forever, "u0", "u1", result{Unknown: true}), mayManage(9, 10, "u1", false), mayManage(11, 12, "u1", true)}, false},
		{"unknown, and there is no version for it", []line{demote(7, forever, "u0", "u1", result{Unknown: true}), mayManage(9, 10, "u1", false),
			demote(11, 12, "u0", "u2", result{Version: 4})}, false},
		{"an unknown invite comes to light", []line{sent(7, forever, result{Unknown: true}), sent(9, 10, result{Version: 5, Invite: "i", Generation: 2}),
			accepted(11, 12, "u4", 2, result{Version: 6})}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := check(append(begun(), tt.history...))
			if tt.ok {
				require.Empty(t, found)
				return
			}
			require.Contains(t, found, "have no order")
		})
	}
}

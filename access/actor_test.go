package access_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

func TestActorCheck(t *testing.T) {
	staff := access.AsStaff("desk-7", "asked on the phone")
	with := func(a access.Actor, change func(*access.Actor)) access.Actor {
		change(&a)
		return a
	}
	tests := []struct {
		name        string
		actor       access.Actor
		code, field string
	}{
		{"a user", access.As("ann"), "", ""},
		{"staff", staff, "", ""},
		{"system", access.AsSystem("signup"), "", ""},
		{"staff for somebody, silently", with(staff, func(a *access.Actor) { a.OnBehalf, a.Silent = "ann", true }), "", ""},
		{"a user with a reason and a request", access.Actor{Kind: access.ActorUser, ID: "ann", Reason: "left us",
			Request: strings.Repeat("r", 200), IP: strings.Repeat("f", 64)}, "", ""},
		{"nobody", access.Actor{}, "actor.zero", "actor"},
		{"an id without a kind", access.Actor{ID: "ann"}, "actor.zero", "actor"},
		{"a kind that isn't one", access.Actor{Kind: 4, ID: "ann"}, "actor.zero", "actor"},
		{"a user without an id", access.As(""), "id.empty", "actor"},
		{"a system without a name", access.AsSystem(""), "id.empty", "actor"},
		{"a long id", access.As(access.UserID(strings.Repeat("a", 129))), "id.long", "actor"},
		{"an id with a control character", access.As("a\n"), "id.text", "actor"},
		{"staff without a reason", access.AsStaff("desk-7", ""), "actor.reason", "actor"},
		{"a user, silently", with(access.As("ann"), func(a *access.Actor) { a.Silent = true }), "actor.staff", "actor"},
		{"a user for somebody", with(access.As("ann"), func(a *access.Actor) { a.OnBehalf = "bob" }), "actor.staff", "actor"},
		{"a system, silently", with(access.AsSystem("job"), func(a *access.Actor) { a.Silent = true }), "actor.staff", "actor"},
		{"staff for an id that is none", with(staff, func(a *access.Actor) { a.OnBehalf = "a\x00" }), "id.text", "actor"},
		{"a long reason", access.AsStaff("desk-7", strings.Repeat("r", 201)), "text.long", "reason"},
		{"a reason of two lines", access.AsStaff("desk-7", "a\nb"), "text.control", "reason"},
		{"a long request", with(staff, func(a *access.Actor) { a.Request = strings.Repeat("r", 201) }), "text.long", "request"},
		{"a request of two lines", with(staff, func(a *access.Actor) { a.Request = "a\r\nb" }), "text.control", "request"},
		{"a long IP", with(staff, func(a *access.Actor) { a.IP = strings.Repeat("f", 65) }), "text.long", "ip"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { requireOutcome(t, tt.actor.Check(), tt.code, tt.field) })
	}
}

func TestOnlyAUserIsAUser(t *testing.T) {
	require.Equal(t, access.UserID("ann"), access.As("ann").User())
	require.Empty(t, access.AsStaff("ann", "r").User())
	require.Empty(t, access.AsSystem("ann").User())
	require.Empty(t, access.Actor{ID: "ann"}.User())
}

func TestActorIsPrintedBriefly(t *testing.T) {
	a := access.AsStaff("desk-7", "the reason")
	a.IP = "192.0.2.1"
	require.Equal(t, `access.Actor{staff "desk-7"}`, fmt.Sprintf("%#v", a))
}

func TestNumbersAreStored(t *testing.T) {
	require.Equal(t, []access.ActorKind{1, 2, 3}, []access.ActorKind{access.ActorUser, access.ActorStaff, access.ActorSystem})
	require.Equal(t, []access.Status{1, 2}, []access.Status{access.Active, access.Suspended})
	require.Equal(t, []access.AccountStatus{1, 2, 3},
		[]access.AccountStatus{access.AccountActive, access.AccountSuspended, access.AccountClosed})
	require.Equal(t, "nobody user staff system nobody", fmt.Sprint(access.ActorKind(0), " ", access.ActorUser, " ", access.ActorStaff,
		" ", access.ActorSystem, " ", access.ActorKind(4)))
	require.Equal(t, "none active suspended none", fmt.Sprint(access.Status(0), " ", access.Active, " ", access.Suspended, " ", access.Status(3)))
	require.Equal(t, "none active suspended closed none", fmt.Sprint(access.AccountStatus(0), " ", access.AccountActive, " ",
		access.AccountSuspended, " ", access.AccountClosed, " ", access.AccountStatus(4)))
}

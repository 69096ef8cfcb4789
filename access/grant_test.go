package access_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// The one moment at which the tests of this file ask.
var asked = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// mayNaively says the decision once more, as the invariant words it: Can is true only for the owner or an active,
// started, unexpired membership that holds every asked bit, in an account that is active, or suspended and the bits
// are in WhileSuspended.
func mayNaively(g access.Grant, p access.Permission, now time.Time) bool {
	if p == 0 {
		return false
	}
	for bit := range 64 {
		one := access.Permission(1) << bit
		if p&one == 0 {
			continue
		}
		account := g.Account == access.AccountActive || g.Account == access.AccountSuspended && g.WhileSuspended&one != 0
		started := g.Starts.IsZero() || g.Starts.Equal(now) || g.Starts.Before(now)
		unexpired := g.Expires.IsZero() || g.Expires.After(now)
		member := g.Status == access.Active && started && unexpired && g.Permissions&one != 0
		if bit == 63 || !account || !(g.Owner || member) {
			return false
		}
	}
	return true
}

// everyGrant calls f with every combination of what a decision is made from.
func everyGrant(f func(access.Grant)) {
	sets := []access.Permission{0, 1, 2, 3, access.All, 1<<63 | 1}
	instants := []time.Time{{}, asked.Add(-time.Microsecond), asked, asked.Add(time.Microsecond), asked.In(time.FixedZone("", 7200))}
	for account := range access.AccountStatus(5) {
		for status := range access.Status(4) {
			for _, owner := range []bool{false, true} {
				for _, starts := range instants {
					for _, expires := range instants {
						for _, held := range sets {
							for _, suspended := range []access.Permission{0, 1, 2, 3} {
								f(access.Grant{Owner: owner, Permissions: held, WhileSuspended: suspended, Status: status,
									Account: account, Starts: starts, Expires: expires})
							}
						}
					}
				}
			}
		}
	}
}

func TestDecisionIsTheInvariant(t *testing.T) {
	questions := []access.Permission{0, 1, 2, 3, 4, 5, 1 << 62, 1 << 63, 1<<63 | 1, access.All}
	yes := 0
	everyGrant(func(g access.Grant) {
		for _, p := range questions {
			want := mayNaively(g, p, asked)
			if g.Can(p, asked) != want || g.Decide(p, asked).Allows() != want {
				t.Fatalf("%+v: Can(%b) is %v, %v", g, p, g.Can(p, asked), g.Decide(p, asked))
			}
			if want {
				yes++
			}
		}
	})
	require.Positive(t, yes)
}

func TestEffectiveIsCanBitByBit(t *testing.T) {
	everyGrant(func(g access.Grant) {
		var may, inActive access.Permission
		active := g
		active.Account = access.AccountActive
		for bit := range 64 {
			one := access.Permission(1) << bit
			if mayNaively(g, one, asked) {
				may |= one
			}
			if mayNaively(active, one, asked) && (g.Account == access.AccountActive || g.Account == access.AccountSuspended) {
				inActive |= one
			}
		}
		if g.Effective(asked) != may || g.Held(asked) != inActive {
			t.Fatalf("%+v: may %b, Effective %b; would hold %b, Held %b", g, may, g.Effective(asked), inActive, g.Held(asked))
		}
	})
}

func TestExactInstants(t *testing.T) {
	g := access.Grant{Account: access.AccountActive, Status: access.Active, Permissions: 1,
		Starts: asked, Expires: asked.Add(time.Hour)}
	require.Equal(t, access.DeniesEarly, g.Decide(1, asked.Add(-time.Nanosecond)))
	require.Equal(t, access.AllowsHeld, g.Decide(1, asked), "at Starts it works")
	require.Equal(t, access.AllowsHeld, g.Decide(1, asked.Add(time.Hour-time.Nanosecond)))
	require.Equal(t, access.DeniesExpired, g.Decide(1, asked.Add(time.Hour)), "at Expires it is over")
	require.Equal(t, access.DeniesExpired, g.Decide(1, asked.Add(time.Hour).In(time.FixedZone("", -7200))))
}

func TestRules(t *testing.T) {
	member := access.Grant{Account: access.AccountActive, Status: access.Active, Permissions: 3, WhileSuspended: 1}
	with := func(change func(*access.Grant)) access.Grant {
		g := member
		change(&g)
		return g
	}
	tests := []struct {
		name  string
		grant access.Grant
		asked access.Permission
		want  access.Rule
	}{
		{"the zero grant", access.Grant{}, 1, access.DeniesStranger},
		{"holds it", member, 3, access.AllowsHeld},
		{"nothing asked", member, 0, access.DeniesEmpty},
		{"nothing asked by the owner", access.Grant{Account: access.AccountActive, Owner: true}, 0, access.DeniesEmpty},
		{"bit 63 asked by the owner", access.Grant{Account: access.AccountActive, Owner: true}, 1 << 63, access.DeniesEmpty},
		{"tomorrow's bit asked by the owner", access.Grant{Account: access.AccountActive, Owner: true}, 1 << 62, access.AllowsOwner},
		{"lacks one", member, 5, access.DeniesMissing},
		{"a suspended member", with(func(g *access.Grant) { g.Status = access.Suspended }), 1, access.DeniesSuspended},
		{"no member", with(func(g *access.Grant) { g.Status = 0 }), 1, access.DeniesStranger},
		{"a status that isn't one", with(func(g *access.Grant) { g.Status = 3 }), 1, access.DeniesStranger},
		{"no account", with(func(g *access.Grant) { g.Account = 0 }), 1, access.DeniesStranger},
		{"an account's status that isn't one", with(func(g *access.Grant) { g.Account = 4 }), 1, access.DeniesStranger},
		{"a closed account", with(func(g *access.Grant) { g.Account = access.AccountClosed }), 1, access.DeniesClosed},
		{"a closed account's owner", with(func(g *access.Grant) { g.Account, g.Owner = access.AccountClosed, true }), 1, access.DeniesClosed},
		{"a suspended account", with(func(g *access.Grant) { g.Account = access.AccountSuspended }), 1, access.AllowsHeld},
		{"a suspended account's owner", with(func(g *access.Grant) { g.Account, g.Owner = access.AccountSuspended, true }), 1, access.AllowsOwner},
		{"what doesn't work in it", with(func(g *access.Grant) { g.Account = access.AccountSuspended }), 2, access.DeniesAccountSuspended},
		{"one that works and one that doesn't", with(func(g *access.Grant) { g.Account = access.AccountSuspended }), 3, access.DeniesAccountSuspended},
		{"a stranger to a suspended account",
			with(func(g *access.Grant) { g.Account, g.Status = access.AccountSuspended, 0 }), 2, access.DeniesStranger},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, tt.grant.Decide(tt.asked, asked)) })
	}
}

func TestRuleNames(t *testing.T) {
	names := map[access.Rule]string{
		access.DeniesStranger: "denies.stranger", access.DeniesEmpty: "denies.empty", access.DeniesClosed: "denies.closed",
		access.DeniesAccountSuspended: "denies.account_suspended", access.DeniesSuspended: "denies.suspended",
		access.DeniesEarly: "denies.early", access.DeniesExpired: "denies.expired", access.DeniesMissing: "denies.missing",
		access.AllowsOwner: "allows.owner", access.AllowsHeld: "allows.held",
	}
	for rule, name := range names {
		require.Equal(t, name, rule.String())
		require.Equal(t, name[:6] == "allows", rule.Allows(), name)
	}
	var zero access.Rule
	require.False(t, zero.Allows(), "the zero value denies")
	require.Equal(t, "denies.unknown", access.Rule(len(names)).String(), "every rule has a name above")
	require.False(t, access.Rule(len(names)).Allows())
}

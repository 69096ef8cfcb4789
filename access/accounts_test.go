package access_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

var fullProfile = access.Profile{
	Name: "Olive Oil", Company: "Oil & Sons", Phone: "+43 1 234", Locale: "de-AT", TimeZone: "Europe/Vienna",
	Billing: access.PostalAddress{Street: "Ring 1", City: "Wien", Region: "W", PostalCode: "1010", Country: "AT"},
	Postal:  access.PostalAddress{Street: "Weg 2", City: "Graz", Country: "AT"},
}

func TestCreateAccount(t *testing.T) {
	policy := access.Policy{Seats: 3, Domains: []string{"example.com"}}
	for _, tt := range []struct {
		actor  access.Actor
		policy access.Policy
	}{{access.As("nobody"), access.Policy{}}, {access.As("nobody"), access.Policy{Domains: []string{}}}, {support, policy}, {signup, policy}} {
		t.Run(tt.actor.Kind.String(), func(t *testing.T) {
			w := newWorld(t)
			w.leaves(t, "fresh", func() (access.Revision, error) {
				return w.Members.CreateAccount(t.Context(), tt.actor,
					access.NewAccount{ID: "fresh", Owner: "nobody", Profile: fullProfile, Policy: tt.policy})
			}, access.Event{Kind: access.EventAccountCreated, Actor: tt.actor,
				Target: access.Target{Kind: access.TargetUser, ID: "nobody", After: map[string]string{
					"name": "Olive Oil", "company": "Oil & Sons", "phone": "+43 1 234", "locale": "de-AT", "time_zone": "Europe/Vienna",
					"billing": "Ring 1, 1010, Wien, W, AT", "postal": "Weg 2, Graz, AT",
				}},
				After: access.Facts{Status: "active", Seats: tt.policy.Seats, Domains: tt.policy.Domains}})
			a := w.account("fresh")
			require.Equal(t, access.Account{ID: "fresh", Owner: "nobody", Status: access.AccountActive, Profile: fullProfile,
				Policy: access.Policy{Seats: tt.policy.Seats, Domains: a.Policy.Domains}, Created: w.Members.Now(), Version: 1, Head: a.Head}, a)
			require.Equal(t, access.Membership{Account: "fresh", User: "nobody", Status: access.Active, Created: w.Members.Now()},
				w.membership("fresh", "nobody"))
			w.As("nobody").Can("fresh", access.All)
			require.Empty(t, w.receivers())
		})
	}
}

func TestCreateAccountAgain(t *testing.T) {
	w := newWorld(t)
	n := access.NewAccount{ID: "fresh", Owner: "nobody", Profile: fullProfile}
	w.must(w.Members.CreateAccount(t.Context(), access.As("nobody"), n))
	w.must(w.Members.SetLabel(t.Context(), signup, "acme", "ivan", "so that there is something to compare"))
	before := w.dump()
	for _, actor := range []access.Actor{access.As("nobody"), support, signup} {
		r, err := w.Members.CreateAccount(t.Context(), actor, n)
		require.NoError(t, err)
		require.Equal(t, access.Revision{Account: "fresh", Version: 1}, r)
		require.Equal(t, before, w.dump(), "the same content changes nothing")
	}
	for name, change := range map[string]func(*access.NewAccount){
		"owner":   func(n *access.NewAccount) { n.Owner = "olive" },
		"profile": func(n *access.NewAccount) { n.Profile.Billing.City = "Linz" },
		"seats":   func(n *access.NewAccount) { n.Policy.Seats = 1 },
		"domains": func(n *access.NewAccount) { n.Policy.Domains = []string{"example.com"} },
	} {
		t.Run(name, func(t *testing.T) {
			other := n
			change(&other)
			w.refuses(t, access.ErrExists, "account.exists", "account", func() (any, error) {
				return w.Members.CreateAccount(t.Context(), signup, other)
			})
		})
	}
}

func TestCreateAccountRefuses(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("a", 201)
	good := access.NewAccount{ID: "fresh", Owner: "nobody", Profile: fullProfile}
	for _, tt := range []struct {
		name        string
		actor       access.Actor
		kind        error
		code, field string
		change      func(*access.NewAccount)
	}{
		{"for somebody else", olive, access.ErrDenied, "denies.host", "", func(*access.NewAccount) {}},
		{"with seats", access.As("nobody"), access.ErrDenied, "denies.host", "", func(n *access.NewAccount) { n.Policy.Seats = 5 }},
		{"with domains", access.As("nobody"), access.ErrDenied, "denies.host", "", func(n *access.NewAccount) { n.Policy.Domains = []string{"example.com"} }},
		{"no name", signup, access.ErrInvalid, "text.empty", "name", func(n *access.NewAccount) { n.Profile.Name = "  " }},
		{"a long name", signup, access.ErrInvalid, "text.long", "name", func(n *access.NewAccount) { n.Profile.Name = long }},
		{"a name that forges", signup, access.ErrInvalid, "text.control", "name", func(n *access.NewAccount) { n.Profile.Name = "a\r\nBcc: b" }},
		{"a long company", signup, access.ErrInvalid, "text.long", "company", func(n *access.NewAccount) { n.Profile.Company = long }},
		{"a country", signup, access.ErrInvalid, "country.text", "postal.country", func(n *access.NewAccount) { n.Profile.Postal.Country = "at" }},
		{"seats", signup, access.ErrInvalid, "seats.range", "seats", func(n *access.NewAccount) { n.Policy.Seats = -1 }},
		{"domains", signup, access.ErrInvalid, "domain.invalid", "domains", func(n *access.NewAccount) { n.Policy.Domains = []string{"Example.com"} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := good
			tt.change(&n)
			w.refuses(t, tt.kind, tt.code, tt.field, func() (any, error) { return w.Members.CreateAccount(t.Context(), tt.actor, n) })
		})
	}
}

func TestUpdateAccount(t *testing.T) {
	for _, actor := range []access.Actor{olive, alma, support, signup} {
		w := newWorld(t)
		w.leaves(t, "acme", func() (access.Revision, error) {
			return w.Members.UpdateAccount(t.Context(), actor, "acme", fullProfile)
		}, access.Event{Kind: access.EventAccountUpdated, Actor: actor,
			Target: access.Target{Kind: access.TargetAccount, ID: "acme",
				Before: map[string]string{"name": "acme", "company": "", "phone": "", "locale": "", "time_zone": "", "billing": "", "postal": ""},
				After: map[string]string{"name": "Olive Oil", "company": "Oil & Sons", "phone": "+43 1 234", "locale": "de-AT",
					"time_zone": "Europe/Vienna", "billing": "Ring 1, 1010, Wien, W, AT", "postal": "Weg 2, Graz, AT"}},
			After: access.Facts{Fields: []string{"billing", "company", "locale", "name", "phone", "postal", "time_zone"}}})
		require.Equal(t, fullProfile, w.account("acme").Profile)

		w.leaves(t, "acme", func() (access.Revision, error) {
			return w.Members.UpdateAccount(t.Context(), actor, "acme", fullProfile)
		}) // the same profile leaves no event
		require.Empty(t, w.receivers())
	}
}

func TestUpdateAccountRecordsWhatChanged(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.UpdateAccount(t.Context(), olive, "acme", fullProfile))
	p := fullProfile
	p.Phone = ""
	w.leaves(t, "acme", func() (access.Revision, error) { return w.Members.UpdateAccount(t.Context(), olive, "acme", p) },
		access.Event{Kind: access.EventAccountUpdated, Actor: olive,
			Target: access.Target{Kind: access.TargetAccount, ID: "acme",
				Before: map[string]string{"phone": "+43 1 234"}, After: map[string]string{"phone": ""}},
			After: access.Facts{Fields: []string{"phone"}}})
}

// TestUpdateAccountMovesALine: an address whose lines are the same text in other places is another address.
func TestUpdateAccountMovesALine(t *testing.T) {
	w := newWorld(t)
	p := access.Profile{Name: "acme", Billing: access.PostalAddress{City: "Singapore"}, Postal: access.PostalAddress{Street: "a, b"}}
	w.must(w.Members.UpdateAccount(t.Context(), olive, "acme", p))
	p.Billing = access.PostalAddress{Region: "Singapore"}
	p.Postal = access.PostalAddress{Street: "a", City: "b"}
	w.leaves(t, "acme", func() (access.Revision, error) { return w.Members.UpdateAccount(t.Context(), olive, "acme", p) },
		access.Event{Kind: access.EventAccountUpdated, Actor: olive,
			Target: access.Target{Kind: access.TargetAccount, ID: "acme",
				Before: map[string]string{"billing": "Singapore", "postal": "a, b"},
				After:  map[string]string{"billing": "Singapore", "postal": "a, b"}},
			After: access.Facts{Fields: []string{"billing", "postal"}}})
	require.Equal(t, p, w.account("acme").Profile)
}

func TestUpdateAccountRefuses(t *testing.T) {
	w := newWorld(t)
	update := func(actor access.Actor, p access.Profile) func() (any, error) {
		return func() (any, error) { return w.Members.UpdateAccount(t.Context(), actor, "acme", p) }
	}
	w.refuses(t, access.ErrDenied, "denies.missing", "", update(mona, fullProfile))
	w.refuses(t, access.ErrDenied, "denies.suspended", "", update(access.As("sue"), fullProfile))
	w.refuses(t, access.ErrDenied, "denies.expired", "", update(access.As("ella"), fullProfile))
	w.refuses(t, access.ErrDenied, "denies.early", "", update(access.As("nora"), fullProfile))
	w.refuses(t, access.ErrInvalid, "text.long", "name", update(olive, access.Profile{Name: strings.Repeat("a", 201)}))
	w.refuses(t, access.ErrInvalid, "time_zone.unknown", "time_zone", update(olive, access.Profile{Name: "a", TimeZone: "Mars/Base"}))
	w.must(w.Members.SuspendAccount(t.Context(), support, "acme"))
	w.refuses(t, access.ErrDenied, "denies.account_suspended", "", update(olive, fullProfile))
	w.must(w.Members.UpdateAccount(t.Context(), support, "acme", fullProfile))
	w.must(w.Members.CloseAccount(t.Context(), support, "acme"))
	w.refuses(t, access.ErrDenied, "denies.closed", "", update(olive, access.Profile{Name: "b"}))
	w.refuses(t, access.ErrDenied, "denies.closed", "", update(support, access.Profile{Name: "b"}))
}

func TestSetPolicy(t *testing.T) {
	w := newWorld(t)
	set := func(actor access.Actor, p access.Policy) func() (access.Revision, error) {
		return func() (access.Revision, error) { return w.Members.SetPolicy(t.Context(), actor, "acme", p) }
	}
	seats := access.Policy{Seats: 20}
	both := access.Policy{Seats: 20, Domains: []string{"example.com", "example.org"}}
	w.leaves(t, "acme", set(support, seats), access.Event{Kind: access.EventAccountPolicySet, Actor: support,
		Target: theAccount("acme"), Before: access.Facts{Status: "active"}, After: access.Facts{Status: "active", Seats: 20}})
	w.leaves(t, "acme", set(alma, both), access.Event{Kind: access.EventAccountPolicySet, Actor: alma, Target: theAccount("acme"),
		Before: access.Facts{Status: "active", Seats: 20},
		After:  access.Facts{Status: "active", Seats: 20, Domains: both.Domains}})
	require.Equal(t, both, w.account("acme").Policy)
	w.leaves(t, "acme", set(olive, both))
	require.Empty(t, w.receivers())

	refuses := func(actor access.Actor, p access.Policy, kind error, code, field string) {
		t.Helper()
		w.refuses(t, kind, code, field, func() (any, error) { return w.Members.SetPolicy(t.Context(), actor, "acme", p) })
	}
	refuses(olive, access.Policy{Seats: 21, Domains: both.Domains}, access.ErrDenied, "denies.host", "")
	refuses(olive, access.Policy{}, access.ErrDenied, "denies.host", "")
	refuses(ivan, both, access.ErrDenied, "denies.manage", "")
	refuses(mona, access.Policy{Seats: 20}, access.ErrDenied, "permissions.beyond", "permissions")
	refuses(support, access.Policy{Seats: 1_000_001}, access.ErrInvalid, "seats.range", "seats")
	refuses(olive, access.Policy{Seats: 20, Domains: []string{"a.example", "a.example"}}, access.ErrInvalid, "domains.repeated", "domains")
	w.must(w.Members.SuspendAccount(t.Context(), support, "acme"))
	refuses(olive, access.Policy{Seats: 20}, access.ErrDenied, "denies.account_suspended", "")
	refuses(support, access.Policy{}, access.ErrDenied, "denies.account_suspended", "")
}

func TestAccountStatus(t *testing.T) {
	w := newWorld(t)
	step := func(actor access.Actor, kind access.EventKind, verb func() (access.Revision, error), before, after string) {
		t.Helper()
		w.leaves(t, "acme", verb, access.Event{Kind: kind, Actor: actor, Target: theAccount("acme"),
			Before: access.Facts{Status: before}, After: access.Facts{Status: after}})
		require.Equal(t, after, w.account("acme").Status.String())
	}
	suspend := func() (access.Revision, error) { return w.Members.SuspendAccount(t.Context(), support, "acme") }
	reactivate := func() (access.Revision, error) { return w.Members.ReactivateAccount(t.Context(), signup, "acme") }
	closes := func() (access.Revision, error) { return w.Members.CloseAccount(t.Context(), support, "acme") }

	w.leaves(t, "acme", reactivate) // is active
	step(support, access.EventAccountSuspended, suspend, "active", "suspended")
	w.leaves(t, "acme", suspend)
	w.As("olive").Can("acme", access.PayInvoices).Can("acme", access.OpenTickets).Cannot("acme", access.ViewProducts).Cannot("acme", access.All)
	w.As("ivan").Can("acme", access.PayInvoices).Cannot("acme", access.OpenTickets)
	w.As("mona").Cannot("acme", access.ManageUsers)
	step(signup, access.EventAccountReactivated, reactivate, "suspended", "active")
	w.As("olive").Can("acme", access.All)
	step(support, access.EventAccountSuspended, suspend, "active", "suspended")
	step(support, access.EventAccountClosed, closes, "suspended", "closed")
	w.leaves(t, "acme", closes)
	require.Empty(t, w.receivers())
	for _, verb := range []func() (access.Revision, error){suspend, reactivate} {
		w.refuses(t, access.ErrDenied, "denies.closed", "", func() (any, error) { return verb() })
	}
}

func TestAccountIsForItsPeople(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.UpdateAccount(t.Context(), olive, "acme", fullProfile))
	for _, actor := range []access.Actor{olive, mona, ivan, support, signup} {
		a, err := w.Members.Account(t.Context(), actor, "acme")
		require.NoError(t, err)
		require.Equal(t, w.account("acme"), a)
	}
	for _, user := range []access.UserID{"sue", "ella", "nora"} { // who may not use it see what a chooser shows
		a, err := w.Members.Account(t.Context(), access.As(user), "acme")
		require.NoError(t, err)
		full := w.account("acme")
		require.Equal(t, access.Account{ID: "acme", Owner: "olive", Status: access.AccountActive, Created: full.Created, Version: full.Version,
			Profile: access.Profile{Name: "Olive Oil", Company: "Oil & Sons", Locale: "de-AT", TimeZone: "Europe/Vienna"}}, a)
	}
	_, err := w.Members.Account(t.Context(), gina, "acme")
	require.Equal(t, access.NotFound("account"), err)
	_, err = w.Members.Account(t.Context(), support, "nowhere")
	require.Equal(t, access.NotFound("account"), err)
}

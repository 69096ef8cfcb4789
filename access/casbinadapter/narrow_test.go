package casbinadapter_test

import (
	"context"
	"errors"
	"testing"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/casbinadapter"
	"github.com/stretchr/testify/require"
)

var errBroken = errors.New("broken")

// An authorizer answers every question alike.
type authorizer struct {
	yes bool
	err error
}

func (a authorizer) Can(context.Context, access.UserID, access.AccountID, access.Permission) (bool, error) {
	return a.yes, a.err
}

// An enforcer answers by the first argument.
type enforcer func(argument any) (bool, error)

func (e enforcer) Enforce(request ...any) (bool, error) { return e(request[0]) }

func TestNarrowedIsYesOnlyIfBothAre(t *testing.T) {
	allow := func(any) (bool, error) { return true, nil }
	deny := func(any) (bool, error) { return false, nil }
	fails := func(any) (bool, error) { return true, errBroken }
	panics := func(any) (bool, error) { panic("out of range") }
	onlyInvoices := func(p any) (bool, error) { return p == access.PayInvoices, nil }
	never := func(any) (bool, error) { return true, errors.New("was asked") }

	invoices, both := access.PayInvoices, access.PayInvoices|access.PlaceOrders
	for _, test := range []struct {
		name       string
		authorizer authorizer
		enforcer   enforcer
		request    error
		p          access.Permission
		yes        bool
		err        string
	}{
		{"both say yes", authorizer{yes: true}, allow, nil, invoices, true, ""},
		{"the enforcer says no", authorizer{yes: true}, deny, nil, invoices, false, ""},
		{"the authorizer says no, and the enforcer isn't asked", authorizer{}, never, nil, invoices, false, ""},
		{"the authorizer fails", authorizer{yes: true, err: errBroken}, never, nil, invoices, false, "broken"},
		{"the enforcer fails while it says yes", authorizer{yes: true}, fails, nil, invoices, false, "broken"},
		{"the enforcer panics", authorizer{yes: true}, panics, nil, invoices, false, "out of range"},
		{"the request fails", authorizer{yes: true}, allow, errBroken, invoices, false, "broken"},
		{"every one of several is asked", authorizer{yes: true}, onlyInvoices, nil, both, false, ""},
		{"one of several fails", authorizer{yes: true}, fails, nil, both, false, "broken"},
		{"all of several", authorizer{yes: true}, allow, nil, both, true, ""},
		{"All is asked as such", authorizer{yes: true}, func(p any) (bool, error) { return p == access.All, nil }, nil, access.All, true, ""},
		{"All fails", authorizer{yes: true}, fails, nil, access.All, false, "broken"},
		{"nothing is never allowed", authorizer{yes: true}, allow, nil, 0, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			narrowed := casbinadapter.Narrow(test.authorizer, test.enforcer,
				func(_ context.Context, _ access.UserID, _ access.AccountID, p access.Permission) ([]any, error) {
					return []any{p}, test.request
				})
			yes, err := narrowed.Can(context.Background(), "bob", "acme", test.p)
			require.Equal(t, test.yes, yes)
			if test.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.err)
			}
		})
	}
}

func TestNarrowedSurvivesAPanicOfTheRequest(t *testing.T) {
	narrowed := casbinadapter.Narrow(authorizer{yes: true}, enforcer(func(any) (bool, error) { return true, nil }),
		func(context.Context, access.UserID, access.AccountID, access.Permission) ([]any, error) {
			panic("no session")
		})
	yes, err := narrowed.Can(context.Background(), "bob", "acme", access.PayInvoices)
	require.False(t, yes)
	require.ErrorContains(t, err, "no session")
}

// TestTheRequestHearsWhatIsAsked shows that it is given the question as it is, one permission at a time.
func TestTheRequestHearsWhatIsAsked(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, "from the session")
	var heard []any
	narrowed := casbinadapter.Narrow(authorizer{yes: true}, enforcer(func(any) (bool, error) { return true, nil }),
		func(ctx context.Context, user access.UserID, account access.AccountID, p access.Permission) ([]any, error) {
			heard = append(heard, ctx.Value(key{}), user, account, p)
			return []any{p}, nil
		})
	yes, err := narrowed.Can(ctx, "bob", "acme", access.ViewProducts|access.PayInvoices)
	require.NoError(t, err)
	require.True(t, yes)
	require.Equal(t, []any{"from the session", access.UserID("bob"), access.AccountID("acme"), access.ViewProducts,
		"from the session", access.UserID("bob"), access.AccountID("acme"), access.PayInvoices}, heard)
}

func TestNarrowNeedsAllThree(t *testing.T) {
	request := func(context.Context, access.UserID, access.AccountID, access.Permission) ([]any, error) {
		return nil, nil
	}
	allow := enforcer(func(any) (bool, error) { return true, nil })
	require.PanicsWithValue(t, "casbinadapter: Narrow without an authorizer, an enforcer or a request",
		func() { casbinadapter.Narrow(nil, allow, request) })
	require.Panics(t, func() { casbinadapter.Narrow(authorizer{}, nil, request) })
	require.Panics(t, func() { casbinadapter.Narrow(authorizer{}, allow, nil) })
}

// TestCasbinNarrows goes through a real enforcer: office hours, address ranges and amounts, and mistakes in them.
func TestCasbinNarrows(t *testing.T) {
	const text = `
[request_definition]
r = act, hour, address, amount
[policy_definition]
p = act, network, rule
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && ipMatch(r.address, p.network) && eval(p.rule)`
	m, err := model.NewModelFromString(text)
	require.NoError(t, err)
	e, err := casbin.NewSyncedEnforcer(m)
	require.NoError(t, err)
	_, err = e.AddPolicies([][]string{
		{"orders", "10.0.0.0/8", "r.hour >= 9 && r.hour < 17 && r.amount <= 500"},
		{"invoices", "0.0.0.0/0", "true"},
		{"tickets", "0.0.0.0/0", "r.nothing > 1"},
	})
	require.NoError(t, err)

	w := world(t)
	add(t, w, "acme", "cem", access.Terms{Permissions: access.PlaceOrders | access.PayInvoices | access.OpenTickets | access.ViewEmails})
	for _, test := range []struct {
		name    string
		user    access.UserID
		p       access.Permission
		hour    int
		address string
		amount  float64
		yes     bool
		fails   bool
	}{
		{"within everything", "cem", access.PlaceOrders, 9, "10.1.2.3", 500, true, false},
		{"before hours", "cem", access.PlaceOrders, 8, "10.1.2.3", 500, false, false},
		{"after hours", "cem", access.PlaceOrders, 17, "10.1.2.3", 500, false, false},
		{"from elsewhere", "cem", access.PlaceOrders, 9, "192.0.2.1", 500, false, false},
		{"too much", "cem", access.PlaceOrders, 9, "10.1.2.3", 500.01, false, false},
		{"no address", "cem", access.PlaceOrders, 9, "nonsense", 500, false, true},
		{"another permission at night", "cem", access.PayInvoices, 3, "192.0.2.1", 9999, true, false},
		{"both at night", "cem", access.PayInvoices | access.PlaceOrders, 3, "10.1.2.3", 1, false, false},
		{"a permission without a policy", "cem", access.ViewEmails, 9, "10.1.2.3", 1, false, false},
		{"a rule that can't be read", "cem", access.OpenTickets, 9, "10.1.2.3", 1, false, true},
		{"a right that isn't held", "bob", access.PlaceOrders, 9, "10.1.2.3", 1, false, false},
		{"the owner is narrowed too", "ann", access.PlaceOrders, 3, "10.1.2.3", 1, false, false},
		{"a stranger", "dan", access.PayInvoices, 9, "10.1.2.3", 1, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			narrowed := casbinadapter.Narrow(w.Members, e,
				func(_ context.Context, _ access.UserID, _ access.AccountID, p access.Permission) ([]any, error) {
					return []any{w.Members.Catalog().Keys(p)[0], test.hour, test.address, test.amount}, nil
				})
			yes, err := narrowed.Can(context.Background(), test.user, "acme", test.p)
			require.Equal(t, test.yes, yes)
			require.Equal(t, test.fails, err != nil, "%v", err)
		})
	}
}

package casbinadapter_test

import (
	"context"
	"testing"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/casbinadapter"
	"github.com/stretchr/testify/require"
)

// TestWhatIsLoaded shows the rules of one account of every kind of member.
func TestWhatIsLoaded(t *testing.T) {
	w := world(t)
	starts := w.Clock.Now().Add(time.Hour)
	add(t, w, "acme", "cem", access.Terms{Permissions: access.All})
	add(t, w, "acme", "dan", access.Terms{Permissions: access.ViewProducts, Starts: starts})
	add(t, w, "acme", "eve", access.Terms{Permissions: access.ViewProducts, Expires: starts})
	add(t, w, "acme", "fay", access.Terms{Permissions: access.PayInvoices})
	require.NoError(t, second(w.Members.Suspend(context.Background(), system, "acme", "fay")))

	e := attached(t, newAdapter(w), casbinadapter.Model())
	require.NoError(t, e.LoadPolicy())
	content := contentOf(t, e)
	require.Len(t, content["p"], 15, "the catalog's and all")
	require.Equal(t, [][]string{
		{"ann", "set\t9223372036854775807", "acme"},
		{"bob", "set\t128", "acme"},
		{"cem", "set\t9223372036854775807", "acme"},
	}, content["g"])
	require.Equal(t, [][]string{
		{"dan", "set\t4\t2026-11-02T13:00:00Z\t", "acme"},
		{"eve", "set\t4\t\t2026-11-02T13:00:00Z", "acme"},
	}, content["g2"])

	e = attached(t, newAdapter(w), casbinadapter.DomainsModel())
	require.NoError(t, e.LoadPolicy())
	require.Contains(t, contentOf(t, e)["p"], []string{"invoices", "acme", "account", "invoices"})
}

func TestFilters(t *testing.T) {
	acme, globex := casbinadapter.Filter{Accounts: []access.AccountID{"acme"}}, casbinadapter.Filter{Accounts: []access.AccountID{"globex"}}
	for _, test := range []struct {
		name         string
		load         func(e *casbin.SyncedEnforcer) error
		acme, globex bool
		filtered     bool
	}{
		{"everything", func(e *casbin.SyncedEnforcer) error { return e.LoadPolicy() }, true, true, false},
		{"no filter", func(e *casbin.SyncedEnforcer) error { return e.LoadFilteredPolicy(nil) }, true, true, false},
		{"one account", func(e *casbin.SyncedEnforcer) error { return e.LoadFilteredPolicy(acme) }, true, false, true},
		{"a pointer", func(e *casbin.SyncedEnforcer) error { return e.LoadFilteredPolicy(&globex) }, false, true, true},
		{"no account", func(e *casbin.SyncedEnforcer) error { return e.LoadFilteredPolicy(casbinadapter.Filter{}) }, false, false, true},
		{"one after the other", func(e *casbin.SyncedEnforcer) error {
			require.NoError(t, e.LoadFilteredPolicy(acme))
			return e.LoadFilteredPolicy(globex)
		}, false, true, true},
		{"one added to the other", func(e *casbin.SyncedEnforcer) error {
			require.NoError(t, e.LoadFilteredPolicy(acme))
			require.NoError(t, e.LoadIncrementalFilteredPolicy(acme))
			return e.LoadIncrementalFilteredPolicy(globex)
		}, true, true, true},
		{"an account that isn't there", func(e *casbin.SyncedEnforcer) error {
			return e.LoadFilteredPolicy(casbinadapter.Filter{Accounts: []access.AccountID{"nowhere"}})
		}, false, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := world(t)
			create(t, w, "globex", "gil")
			e := attached(t, newAdapter(w), casbinadapter.Model())
			require.NoError(t, test.load(e))
			require.Equal(t, test.filtered, e.IsFiltered())
			for account, want := range map[string]bool{"acme": test.acme, "globex": test.globex} {
				owner := map[string]string{"acme": "ann", "globex": "gil"}[account]
				yes, err := e.Enforce(owner, account, "invoices")
				require.NoError(t, err)
				require.Equal(t, want, yes, account)
			}
		})
	}
	require.ErrorContains(t, newAdapter(world(t)).LoadFilteredPolicy(casbinadapter.Model(), "acme"), "filter")
	require.True(t, func() bool {
		a := newAdapter(world(t))
		require.NoError(t, a.LoadFilteredPolicy(casbinadapter.Model(), acme))
		return a.IsFilteredCtx(context.Background())
	}())
}

func TestAnEnforcerWithContextLoads(t *testing.T) {
	w := world(t)
	a := newAdapter(w)
	made, err := casbin.NewContextEnforcer(casbinadapter.Model(), a)
	require.NoError(t, err)
	e := made.(*casbin.ContextEnforcer)
	a.Attach(e.Enforcer)
	require.NoError(t, e.LoadPolicyCtx(context.Background()))
	yes, err := e.Enforce("bob", "acme", "invoices")
	require.NoError(t, err)
	require.True(t, yes)
	require.ErrorIs(t, second(e.AddPolicyCtx(context.Background(), "new")), casbinadapter.ErrReadOnly)
	require.NoError(t, e.LoadFilteredPolicyCtx(context.Background(), casbinadapter.Filter{}))
	yes, err = e.Enforce("bob", "acme", "invoices")
	require.NoError(t, err)
	require.False(t, yes)
}

// TestWithoutAttachEveryQuestionIsAnError forgets it.
func TestWithoutAttachEveryQuestionIsAnError(t *testing.T) {
	for name, m := range models() {
		e, err := casbin.NewSyncedEnforcer(m(), newAdapter(world(t)))
		require.NoError(t, err)
		request := []any{"ann", "acme", "invoices"}
		if name == "domains" {
			request = []any{"ann", "acme", "account", "invoices"}
		}
		yes, err := e.Enforce(request...)
		require.Error(t, err)
		require.False(t, yes)
	}
}

// TestAModelOfTheHosts has another order of fields, an effect, and no place for periods: those with one are left out.
func TestAModelOfTheHosts(t *testing.T) {
	w := world(t)
	add(t, w, "acme", "cem", access.Terms{Permissions: access.PayInvoices, Expires: w.Clock.Now().Add(time.Hour)})
	e := attached(t, newAdapter(w), parse(t, `
[request_definition]
r = act, dom, sub
[policy_definition]
p = eft, act, sub
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.act == p.act && g(r.sub, p.sub, r.dom) && current(r.sub, r.dom)`))
	require.NoError(t, e.LoadPolicy())
	for user, want := range map[string]bool{"ann": true, "bob": true, "cem": false, "dan": false} {
		yes, err := e.Enforce("invoices", "acme", user)
		require.NoError(t, err)
		require.Equal(t, want, yes, user)
	}
}

func TestModelsWithoutRoomAreRefused(t *testing.T) {
	w := world(t)
	for name, m := range map[string]string{
		"no grouping":        "p = act",
		"a grouping of two":  "p = act\n[role_definition]\ng = _, _",
		"no action":          "p = sub\n[role_definition]\ng = _, _, _",
		"an unknown field":   "p = act, hour\n[role_definition]\ng = _, _, _",
		"g2 is the host's":   "p = act\n[role_definition]\ng = _, _, _\ng2 = _, _",
		"conditions of ours": "p = act, rule\n[role_definition]\ng = _, _, _\ng2 = _, _, _",
	} {
		text := "[request_definition]\nr = act\n[policy_definition]\n" + m + "\n[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = r.act == p.act"
		require.ErrorContains(t, newAdapter(w).LoadPolicy(parse(t, text)), "casbinadapter: the model", name)
		e, err := casbin.NewSyncedEnforcer(parse(t, text))
		require.NoError(t, err)
		_, err = casbinadapter.NewWatcher(newAdapter(w), e, casbinadapter.WatcherConfig{})
		require.ErrorContains(t, err, "casbinadapter: the model", name)
	}
}

func parse(t *testing.T, text string) model.Model {
	t.Helper()
	m, err := model.NewModelFromString(text)
	require.NoError(t, err)
	return m
}

// TestCasbinListsRoles asks Casbin's own questions about roles.
func TestCasbinListsRoles(t *testing.T) {
	w := world(t)
	create(t, w, "globex", "gil")
	add(t, w, "globex", "bob", access.Terms{Permissions: access.ViewEmails})
	add(t, w, "acme", "cem", access.Terms{Permissions: access.PayInvoices, Expires: w.Clock.Now().Add(time.Hour)})
	e := follow(t, w, casbinadapter.Model(), casbinadapter.WatcherConfig{})
	require.Equal(t, []string{"invoices"}, e.GetRolesForUserInDomain("bob", "acme"))
	require.Contains(t, e.GetRolesForUserInDomain("ann", "acme"), "all")
	require.Empty(t, e.GetRolesForUserInDomain("dan", "acme"))
	require.Equal(t, []string{"ann", "bob"}, e.GetUsersForRoleInDomain("invoices", "acme"))
	require.Equal(t, []string{"gil"}, e.GetUsersForRoleInDomain("invoices", "globex"))

	manager, periods := e.GetRoleManager(), e.GetNamedRoleManager("g2")
	accounts, err := manager.GetDomains("bob")
	require.NoError(t, err)
	require.Equal(t, []string{"acme", "globex"}, accounts)
	accounts, err = manager.GetAllDomains()
	require.NoError(t, err)
	require.Equal(t, []string{"acme", "globex"}, accounts)

	implicit, err := periods.GetImplicitRoles("cem", "acme")
	require.NoError(t, err)
	require.Equal(t, []string{"invoices"}, implicit)
	yes, err := periods.HasLink("cem", "invoices", "acme")
	require.NoError(t, err)
	require.False(t, yes, "Casbin would keep the answer")
	w.Clock.Advance(time.Hour)
	implicit, err = periods.GetImplicitUsers("invoices", "acme")
	require.NoError(t, err)
	require.Empty(t, implicit)

	for _, domains := range [][]string{{}, {"acme", "globex"}} {
		_, err := manager.HasLink("ann", "invoices", domains...)
		require.Error(t, err)
		_, err = manager.GetRoles("ann", domains...)
		require.Error(t, err)
		_, err = manager.GetUsers("invoices", domains...)
		require.Error(t, err)
		require.Error(t, manager.AddLink("ann", "set\t1", domains...))
		require.Error(t, manager.DeleteLink("ann", "set\t1", domains...))
	}
	require.Error(t, manager.AddLink("ann", "invoices", "acme"), "links are to sets")
}

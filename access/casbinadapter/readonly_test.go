package casbinadapter_test

import (
	"context"
	"testing"

	"github.com/casbin/casbin/v2"
	"github.com/rosterkit/roster/access/casbinadapter"
	"github.com/stretchr/testify/require"
)

// writes are what Casbin has for changing policies.
var writes = map[string]func(e *casbin.SyncedEnforcer) error{
	"AddPolicy":            func(e *casbin.SyncedEnforcer) error { return second(e.AddPolicy("new")) },
	"AddPolicies":          func(e *casbin.SyncedEnforcer) error { return second(e.AddPolicies([][]string{{"new"}})) },
	"AddPoliciesEx":        func(e *casbin.SyncedEnforcer) error { return second(e.AddPoliciesEx([][]string{{"new"}})) },
	"RemovePolicy":         func(e *casbin.SyncedEnforcer) error { return second(e.RemovePolicy("invoices")) },
	"RemovePolicies":       func(e *casbin.SyncedEnforcer) error { return second(e.RemovePolicies([][]string{{"invoices"}})) },
	"RemoveFilteredPolicy": func(e *casbin.SyncedEnforcer) error { return second(e.RemoveFilteredPolicy(0, "invoices")) },
	"UpdatePolicy": func(e *casbin.SyncedEnforcer) error {
		return second(e.UpdatePolicy([]string{"invoices"}, []string{"new"}))
	},
	"UpdatePolicies": func(e *casbin.SyncedEnforcer) error {
		return second(e.UpdatePolicies([][]string{{"invoices"}}, [][]string{{"new"}}))
	},
	"UpdateFilteredPolicies": func(e *casbin.SyncedEnforcer) error {
		return second(e.UpdateFilteredPolicies([][]string{{"new"}}, 0, "invoices"))
	},
	"AddGroupingPolicy": func(e *casbin.SyncedEnforcer) error { return second(e.AddGroupingPolicy("cem", "set\t128", "acme")) },
	"AddRoleForUserInDomain": func(e *casbin.SyncedEnforcer) error {
		return second(e.AddRoleForUserInDomain("cem", "set\t128", "acme"))
	},
	"AddGroupingPolicies": func(e *casbin.SyncedEnforcer) error {
		return second(e.AddGroupingPolicies([][]string{{"cem", "set\t128", "acme"}}))
	},
	"RemoveGroupingPolicy": func(e *casbin.SyncedEnforcer) error { return second(e.RemoveGroupingPolicy("bob", "set\t128", "acme")) },
	"DeleteUser":           func(e *casbin.SyncedEnforcer) error { return second(e.DeleteUser("bob")) },
	"UpdateGroupingPolicy": func(e *casbin.SyncedEnforcer) error {
		return second(e.UpdateGroupingPolicy([]string{"bob", "set\t128", "acme"}, []string{"bob", "set\t255", "acme"}))
	},
	"SavePolicy": func(e *casbin.SyncedEnforcer) error { return e.SavePolicy() },
}

func second[T any](_ T, err error) error { return err }

func TestWritingThroughCasbinIsRefused(t *testing.T) {
	for name, write := range writes {
		t.Run(name, func(t *testing.T) {
			w := world(t)
			e := attached(t, newAdapter(w), casbinadapter.Model())
			require.NoError(t, e.LoadPolicy())
			before := contentOf(t, e)
			require.ErrorIs(t, write(e), casbinadapter.ErrReadOnly)
			require.Equal(t, before, contentOf(t, e))
			yes, err := e.Enforce("bob", "acme", "invoices")
			require.NoError(t, err)
			require.True(t, yes)
			yes, err = e.Enforce("cem", "acme", "invoices")
			require.NoError(t, err)
			require.False(t, yes)
		})
	}
}

// TestEveryWriteOfTheAdapterIsRefused asks for those that only some enforcers call.
func TestEveryWriteOfTheAdapterIsRefused(t *testing.T) {
	a, ctx, rule, rules := newAdapter(world(t)), context.Background(), []string{"x"}, [][]string{{"x"}}
	m := casbinadapter.Model()
	for name, err := range map[string]error{
		"SavePolicy":                a.SavePolicy(m),
		"SavePolicyCtx":             a.SavePolicyCtx(ctx, m),
		"AddPolicy":                 a.AddPolicy("p", "p", rule),
		"AddPolicyCtx":              a.AddPolicyCtx(ctx, "p", "p", rule),
		"AddPolicies":               a.AddPolicies("p", "p", rules),
		"AddPoliciesCtx":            a.AddPoliciesCtx(ctx, "p", "p", rules),
		"RemovePolicy":              a.RemovePolicy("p", "p", rule),
		"RemovePolicyCtx":           a.RemovePolicyCtx(ctx, "p", "p", rule),
		"RemovePolicies":            a.RemovePolicies("p", "p", rules),
		"RemovePoliciesCtx":         a.RemovePoliciesCtx(ctx, "p", "p", rules),
		"RemoveFilteredPolicy":      a.RemoveFilteredPolicy("p", "p", 0, "x"),
		"RemoveFilteredPolicyCtx":   a.RemoveFilteredPolicyCtx(ctx, "p", "p", 0, "x"),
		"UpdatePolicy":              a.UpdatePolicy("p", "p", rule, rule),
		"UpdatePolicyCtx":           a.UpdatePolicyCtx(ctx, "p", "p", rule, rule),
		"UpdatePolicies":            a.UpdatePolicies("p", "p", rules, rules),
		"UpdatePoliciesCtx":         a.UpdatePoliciesCtx(ctx, "p", "p", rules, rules),
		"UpdateFilteredPolicies":    second(a.UpdateFilteredPolicies("p", "p", rules, 0, "x")),
		"UpdateFilteredPoliciesCtx": second(a.UpdateFilteredPoliciesCtx(ctx, "p", "p", rules, 0, "x")),
	} {
		require.ErrorIs(t, err, casbinadapter.ErrReadOnly, name)
	}
	require.Empty(t, m["p"]["p"].Policy)
	// With this text Casbin takes a refusal for a missing feature and changes its memory.
	require.NotEqual(t, "not implemented", casbinadapter.ErrReadOnly.Error())
}

// TestWhatIsWrittenToMemoryGoes keeps Casbin from asking the adapter: the watcher objects, and the next poll undoes it.
func TestWhatIsWrittenToMemoryGoes(t *testing.T) {
	for name, write := range writes {
		t.Run(name, func(t *testing.T) {
			e := follow(t, world(t), casbinadapter.Model(), casbinadapter.WatcherConfig{})
			before := contentOf(t, e.SyncedEnforcer)
			e.EnableAutoSave(false)
			if err := write(e.SyncedEnforcer); name != "UpdateFilteredPolicies" { // which tells the watcher nothing
				require.ErrorIs(t, err, casbinadapter.ErrReadOnly)
			}
			e.poll(t)
			require.Equal(t, before, contentOf(t, e.SyncedEnforcer))
			require.True(t, e.can(t, "bob", "acme", "invoices"))
			require.False(t, e.can(t, "cem", "acme", "invoices"))
		})
	}
}

// TestClearedPoliciesComeBack clears what the watcher has loaded, of which it isn't told.
func TestClearedPoliciesComeBack(t *testing.T) {
	e := follow(t, world(t), casbinadapter.Model(), casbinadapter.WatcherConfig{})
	before := contentOf(t, e.SyncedEnforcer)
	e.ClearPolicy()
	require.False(t, e.can(t, "bob", "acme", "invoices"))
	e.poll(t)
	require.Equal(t, before, contentOf(t, e.SyncedEnforcer))
	require.True(t, e.can(t, "bob", "acme", "invoices"))
}

// TestAWatcherLoadsAlone shows that loading beside the watcher is refused, and leaves nothing behind.
func TestAWatcherLoadsAlone(t *testing.T) {
	for name, load := range map[string]func(e *casbin.SyncedEnforcer) error{
		"all":         func(e *casbin.SyncedEnforcer) error { return e.LoadPolicy() },
		"filtered":    func(e *casbin.SyncedEnforcer) error { return e.LoadFilteredPolicy(casbinadapter.Filter{}) },
		"incremental": func(e *casbin.SyncedEnforcer) error { return e.LoadIncrementalFilteredPolicy(casbinadapter.Filter{}) },
	} {
		t.Run(name, func(t *testing.T) {
			e := follow(t, world(t), casbinadapter.Model(), casbinadapter.WatcherConfig{})
			before := contentOf(t, e.SyncedEnforcer)
			require.ErrorIs(t, load(e.SyncedEnforcer), casbinadapter.ErrFollowed)
			e.poll(t)
			require.Equal(t, before, contentOf(t, e.SyncedEnforcer))
			require.True(t, e.can(t, "bob", "acme", "invoices"))
		})
	}
}

// contentOf returns all rules of an enforcer, by kind.
func contentOf(t testing.TB, e *casbin.SyncedEnforcer) map[string][][]string {
	t.Helper()
	content := map[string][][]string{}
	var err error
	content["p"], err = e.GetPolicy()
	require.NoError(t, err)
	for _, kind := range []string{"g", "g2"} {
		content[kind], err = e.GetNamedGroupingPolicy(kind)
		require.NoError(t, err)
	}
	for kind, rules := range content {
		content[kind] = append([][]string{}, rules...)
	}
	return content
}

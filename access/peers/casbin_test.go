package peers_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/casbinadapter"
	"github.com/rosterkit/roster/access/internal/benchtest"
)

// An enforcer is one of Casbin's that may be asked while policies change.
type enforcer interface {
	Enforce(values ...any) (bool, error)
	AddGroupingPolicies(rules [][]string) (bool, error)
	AddPolicies(rules [][]string) (bool, error)
}

// casbinRBAC is RBAC with domains as Casbin documents it: a role is defined for each domain. Here it is named after the
// set of permissions that it stands for.
func casbinRBAC(tb testing.TB, s *benchtest.Scene, _ []benchtest.Question) benchtest.Can {
	e, err := casbin.NewSyncedEnforcer(parse(tb, "r = sub, dom, obj, act", "p = sub, dom, obj, act",
		"g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act"))
	require.NoError(tb, err)
	defined := make(map[[2]string]bool)
	var groupings, policies [][]string
	for i, user := range s.Users {
		account, role := string(s.Account(i)), fmt.Sprint("set ", uint64(s.Held[i]))
		groupings = append(groupings, []string{string(user), role, account})
		if defined[[2]string{role, account}] {
			continue
		}
		defined[[2]string{role, account}] = true
		for _, key := range keysOf(s.Held[i]) {
			policies = append(policies, []string{role, account, "account", key})
		}
	}
	fill(tb, e, groupings, policies)
	return func(q *benchtest.Question) bool {
		yes, err := e.Enforce(string(q.User), string(q.Account), "account", keyOf(q.Permission))
		return yes && err == nil
	}
}

// casbinFast is Casbin's own best case: a role for each permission, shared by all accounts, so that there are as many
// policies as permissions.
func casbinFast(tb testing.TB, s *benchtest.Scene, _ []benchtest.Question) benchtest.Can {
	e, err := casbin.NewSyncedEnforcer(sharedRoles(tb))
	require.NoError(tb, err)
	return withSharedRoles(tb, s, e)
}

// casbinCached is casbinFast with a cache of answers before it, which knows all of the questions.
func casbinCached(tb testing.TB, s *benchtest.Scene, questions []benchtest.Question) benchtest.Can {
	e, err := casbin.NewSyncedCachedEnforcer(sharedRoles(tb))
	require.NoError(tb, err)
	can := withSharedRoles(tb, s, e)
	for i := range questions {
		can(&questions[i])
	}
	return can
}

func sharedRoles(tb testing.TB) model.Model {
	return parse(tb, "r = sub, dom, act", "p = act", "r.act == p.act && g(r.sub, p.act, r.dom)")
}

func withSharedRoles(tb testing.TB, s *benchtest.Scene, e enforcer) benchtest.Can {
	tb.Helper()
	var groupings, policies [][]string
	for i, user := range s.Users {
		for _, key := range keysOf(s.Held[i]) {
			groupings = append(groupings, []string{string(user), key, string(s.Account(i))})
		}
	}
	for _, key := range keysOf(1<<benchtest.BitsInUse - 1) {
		policies = append(policies, []string{key})
	}
	fill(tb, e, groupings, policies)
	return asked(e)
}

// casbinAdapter is the arrangement of casbinadapter, in which a membership is one grouping and roster's role manager knows
// what it stands for.
func casbinAdapter(tb testing.TB, s *benchtest.Scene, _ []benchtest.Question) benchtest.Can {
	require.NoError(tb, access.New(s.DB, access.Config{}).SetLease(tb.Context(), 10_000*time.Hour))
	e, err := casbin.NewSyncedEnforcer(casbinadapter.Model())
	require.NoError(tb, err)
	watcher, err := casbinadapter.NewWatcher(casbinadapter.New(s.DB, casbinadapter.Config{}), e,
		casbinadapter.WatcherConfig{Filter: &casbinadapter.Filter{Accounts: s.Accounts}})
	require.NoError(tb, err)
	require.NoError(tb, watcher.Poll(tb.Context()))
	return asked(e)
}

func asked(e enforcer) benchtest.Can {
	return func(q *benchtest.Question) bool {
		yes, err := e.Enforce(string(q.User), string(q.Account), keyOf(q.Permission))
		return yes && err == nil
	}
}

// parse returns a model with roles in domains.
func parse(tb testing.TB, request, policy, matcher string) model.Model {
	tb.Helper()
	m, err := model.NewModelFromString("[request_definition]\n" + request + "\n[policy_definition]\n" + policy +
		"\n[role_definition]\ng = _, _, _\n[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = " + matcher)
	require.NoError(tb, err)
	return m
}

func fill(tb testing.TB, e enforcer, groupings, policies [][]string) {
	tb.Helper()
	added, err := e.AddGroupingPolicies(groupings)
	require.NoError(tb, err)
	require.True(tb, added)
	added, err = e.AddPolicies(policies)
	require.NoError(tb, err)
	require.True(tb, added)
}

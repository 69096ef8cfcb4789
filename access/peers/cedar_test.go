package peers_test

import (
	"testing"

	"github.com/cedar-policy/cedar-go"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/internal/benchtest"
)

// cedarGroups is Cedar with everything in its own entities: a user is in a group for each permission in an account. It is
// faster than tags of the user for accounts.
func cedarGroups(tb testing.TB, s *benchtest.Scene, _ []benchtest.Question) benchtest.Can {
	policies := parsePolicies(tb, `permit (principal, action, resource) when { principal in resource };`)
	entities := make(cedar.EntityMap, s.N)
	for i, user := range s.Users {
		var groups []cedar.EntityUID
		for _, key := range keysOf(s.Held[i]) {
			groups = append(groups, group(key, s.Account(i)))
		}
		uid := cedar.NewEntityUID("User", cedar.String(user))
		entities[uid] = cedar.Entity{UID: uid, Parents: cedar.NewEntityUIDSet(groups...)}
	}
	return func(q *benchtest.Question) bool {
		decision, _ := cedar.Authorize(policies, entities, cedar.Request{
			Principal: cedar.NewEntityUID("User", cedar.String(q.User)),
			Action:    cedar.NewEntityUID("Action", "do"),
			Resource:  group(keyOf(q.Permission), q.Account),
		})
		return bool(decision)
	}
}

// group is of those who have a permission in an account.
func group(key string, account access.AccountID) cedar.EntityUID {
	return cedar.NewEntityUID(cedar.EntityType(key), cedar.String(account))
}

// cedarContext is Cedar's best case: the host has a map of its own, and passes what the user may do in the account; sets
// of permissions are shared by all who have the same.
func cedarContext(tb testing.TB, s *benchtest.Scene, _ []benchtest.Question) benchtest.Can {
	policies := parsePolicies(tb, `permit (principal, action, resource) when { context.may.contains(action) };`)
	sets := make(map[access.Permission]cedar.Record)
	contexts := make(map[benchtest.Pair]cedar.Record, s.N)
	for i, user := range s.Users {
		held := s.Held[i]
		if _, ok := sets[held]; !ok {
			sets[held] = mayDo(held)
		}
		contexts[benchtest.Pair{User: string(user), Account: string(s.Account(i))}] = sets[held]
	}
	return func(q *benchtest.Question) bool {
		context, ok := contexts[benchtest.Pair{User: string(q.User), Account: string(q.Account)}]
		if !ok {
			return false
		}
		decision, _ := cedar.Authorize(policies, nil, cedar.Request{
			Principal: cedar.NewEntityUID("User", cedar.String(q.User)),
			Action:    cedar.NewEntityUID("Action", cedar.String(keyOf(q.Permission))),
			Resource:  cedar.NewEntityUID("Account", cedar.String(q.Account)),
			Context:   context,
		})
		return bool(decision)
	}
}

func mayDo(held access.Permission) cedar.Record {
	var actions []cedar.Value
	for _, key := range keysOf(held) {
		actions = append(actions, cedar.NewEntityUID("Action", cedar.String(key)))
	}
	return cedar.NewRecord(cedar.RecordMap{"may": cedar.NewSet(actions...)})
}

func parsePolicies(tb testing.TB, text string) *cedar.PolicySet {
	tb.Helper()
	policies, err := cedar.NewPolicySetFromBytes("policies", []byte(text))
	require.NoError(tb, err)
	return policies
}

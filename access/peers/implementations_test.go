package peers_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// An implementation answers questions about a scene.
type implementation struct {
	name    string // as it is in the names of benchmarks
	largest int    // among how many memberships it is measured
	build   func(tb testing.TB, s *scene, questions []question) can
}

// A can answers one question. Errors are no.
type can func(q *question) bool

// implementations are what is measured, each floor before what is compared with it.
func implementations() []implementation {
	return []implementation{
		{"impl=bare/mode=single", 10_000_000, bareSingle},
		{"impl=roster/mode=single", 10_000_000, rosterSingle},
		{"impl=bare/mode=leased", 10_000_000, bareLeased},
		{"impl=roster/mode=leased", 10_000_000, rosterLeased},
		{"impl=casbin-rbac", 1_000, casbinRBAC},
		{"impl=casbin-fast", 100_000, casbinFast},
		{"impl=casbin-cached", 100_000, casbinCached},
		{"impl=casbin-adapter", 100_000, casbinAdapter},
		{"impl=cedar-groups", 100_000, cedarGroups},
		{"impl=cedar-context", 10_000_000, cedarContext},
	}
}

// bareSingle is a map by both ids: what one would write by hand.
func bareSingle(_ testing.TB, s *scene, _ []question) can {
	return func(q *question) bool {
		p := access.Permission(s.bare[pair{string(q.user), string(q.account)}])
		return p&q.permission == q.permission
	}
}

// bareLeased is bareSingle and one reading of the clock, without which nobody knows how old the map is.
func bareLeased(tb testing.TB, s *scene, questions []question) can {
	bare := bareSingle(tb, s, questions)
	return func(q *question) bool { now := time.Now(); return bare(q) && !now.IsZero() }
}

// rosterSingle is a Cache of the process that is the only writer, and remembers the answers.
func rosterSingle(tb testing.TB, s *scene, questions []question) can {
	cache := access.NewCache(access.New(s.db, access.Config{}), access.CacheConfig{Entries: 3 * s.n, Single: true, SensitiveToo: true})
	return remembering(tb, cache, questions)
}

// rosterLeased is a Cache that follows what other processes write.
func rosterLeased(tb testing.TB, s *scene, questions []question) can {
	members := access.New(s.db, access.Config{})
	require.NoError(tb, members.SetLease(tb.Context(), 10_000*time.Hour))
	cache := access.NewCache(members, access.CacheConfig{Entries: 3 * s.n, SensitiveToo: true})
	require.NoError(tb, cache.Poll(tb.Context()))
	return remembering(tb, cache, questions)
}

func remembering(tb testing.TB, cache *access.Cache, questions []question) can {
	ctx := context.Background()
	for i := range questions {
		q := &questions[i]
		if _, err := cache.Can(ctx, q.user, q.account, q.permission); err != nil {
			require.NoError(tb, err)
		}
	}
	return func(q *question) bool {
		yes, err := cache.Can(ctx, q.user, q.account, q.permission)
		return yes && err == nil
	}
}

// rosterGrant asks one grant in hand, as the handlers of one request do.
func rosterGrant(tb testing.TB, s *scene, questions []question) can {
	grant, err := access.New(s.db, access.Config{}).Grant(tb.Context(), questions[0].user, questions[0].account)
	require.NoError(tb, err)
	now := time.Now()
	return func(q *question) bool { return grant.Can(q.permission, now) }
}

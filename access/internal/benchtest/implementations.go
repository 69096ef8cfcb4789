package benchtest

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// An Implementation answers questions about a scene.
type Implementation struct {
	Name    string // as it is in the names of benchmarks
	Largest int    // among how many memberships it is measured
	Build   func(tb testing.TB, s *Scene, questions []Question) Can
}

// A Can answers one question. Errors are no.
type Can func(q *Question) bool

// Ours are a bare map and a Cache, each floor before what is compared with it.
func Ours() []Implementation {
	const largest = 10_000_000
	return []Implementation{
		{"impl=bare/mode=single", largest, bareSingle},
		{"impl=roster/mode=single", largest, rosterSingle},
		{"impl=bare/mode=leased", largest, bareLeased},
		{"impl=roster/mode=leased", largest, rosterLeased},
	}
}

// Grant asks one grant in hand, as the handlers of one request do: about the user and the account of the first question.
func Grant() Implementation { return Implementation{"impl=roster/mode=grant", 10_000_000, rosterGrant} }

// Measure builds an implementation, if it is asked for, checks a sample of its answers, and runs it on as many cores as are
// told. What answers wrongly isn't measured, but fails.
func Measure(b *testing.B, s *Scene, impl Implementation, dist string, questions []Question) {
	var can Can
	b.Run(fmt.Sprintf("%s/dist=%s/n=%d", impl.Name, dist, s.N), func(b *testing.B) {
		if can == nil {
			can = impl.Build(b, s, questions)
			require.Empty(b, s.Wrong(can, questions), "%s answers wrongly", impl.Name)
			runtime.GC() // what was there before is not to be collected while this is measured
		}
		b.ReportAllocs()
		b.ResetTimer()
		var started, allowed atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			i := int(started.Add(1)) * (len(questions) / 3)
			yes := int64(0)
			for pb.Next() {
				i++
				if can(&questions[i&(len(questions)-1)]) {
					yes++
				}
			}
			allowed.Add(yes)
		})
	})
}

// bareSingle is a map by both ids: what one would write by hand.
func bareSingle(_ testing.TB, s *Scene, _ []Question) Can {
	return func(q *Question) bool {
		p := access.Permission(s.bare[Pair{string(q.User), string(q.Account)}])
		return p&q.Permission == q.Permission
	}
}

// bareLeased is bareSingle and one reading of the clock, without which nobody knows how old the map is.
func bareLeased(tb testing.TB, s *Scene, questions []Question) Can {
	bare := bareSingle(tb, s, questions)
	return func(q *Question) bool { now := time.Now(); return bare(q) && !now.IsZero() }
}

// rosterSingle is a Cache of the process that is the only writer, and remembers the answers.
func rosterSingle(tb testing.TB, s *Scene, questions []Question) Can {
	cache := access.NewCache(access.New(s.DB, access.Config{}), access.CacheConfig{Entries: 3 * s.N, Single: true, SensitiveToo: true})
	return remembering(tb, cache, questions)
}

// rosterLeased is a Cache that follows what other processes write.
func rosterLeased(tb testing.TB, s *Scene, questions []Question) Can {
	members := access.New(s.DB, access.Config{})
	require.NoError(tb, members.SetLease(tb.Context(), 10_000*time.Hour))
	cache := access.NewCache(members, access.CacheConfig{Entries: 3 * s.N, SensitiveToo: true})
	require.NoError(tb, cache.Poll(tb.Context()))
	return remembering(tb, cache, questions)
}

func remembering(tb testing.TB, cache *access.Cache, questions []Question) Can {
	ctx := context.Background()
	for i := range questions {
		q := &questions[i]
		if _, err := cache.Can(ctx, q.User, q.Account, q.Permission); err != nil {
			require.NoError(tb, err)
		}
	}
	return func(q *Question) bool {
		yes, err := cache.Can(ctx, q.User, q.Account, q.Permission)
		return yes && err == nil
	}
}

func rosterGrant(tb testing.TB, s *Scene, questions []Question) Can {
	grant, err := access.New(s.DB, access.Config{}).Grant(tb.Context(), questions[0].User, questions[0].Account)
	require.NoError(tb, err)
	now := time.Now()
	return func(q *Question) bool { return grant.Can(q.Permission, now) }
}

package access_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

var tenMillion = flag.Bool("tenmillion", false, "measure checks among ten million memberships too")

// BenchmarkCan asks whether users may do something in accounts, half of the time with the answer no. impl=roster is a
// Cache on the memory backend, or a grant in hand; impl=bare is a map by both ids, and where the Cache has to know the time,
// one reading of the clock. mode=grant asks one grant again, as those do who serve one request.
func BenchmarkCan(b *testing.B) {
	for _, n := range memberships() {
		s := newScene(b, n)
		for _, dist := range []string{"uniform", "zipf"} {
			benchmarkCan(b, s, dist)
		}
	}
}

// memberships are how many there are.
func memberships() []int {
	sizes := []int{1_000, 100_000, 1_000_000}
	if *tenMillion {
		sizes = append(sizes, 10_000_000)
	}
	return sizes
}

type question struct {
	user       access.UserID
	account    access.AccountID
	permission access.Permission
}

// A scene is a number of memberships, ten in each account.
type scene struct {
	n        int
	users    []access.UserID
	accounts []access.AccountID
	db       *memory.DB
	members  *access.Service
	bare     map[struct{ User, Account string }]uint64
}

func newScene(b *testing.B, n int) *scene {
	b.Helper()
	random := rand.New(rand.NewPCG(uint64(n), 1))
	db := memory.New()
	s := &scene{n: n, db: db, members: access.New(db, access.Config{}), bare: make(map[struct{ User, Account string }]uint64, n)}
	for range n {
		s.users = append(s.users, access.UserID(uuid.NewString()))
	}
	for at := 0; at < n; at += 10 {
		account := access.AccountID(uuid.NewString())
		s.accounts = append(s.accounts, account)
		require.NoError(b, db.Update(b.Context(), func(ctx context.Context, tx storage.Tx) error {
			if err := tx.InsertAccount(ctx, access.Account{ID: account, Owner: "nobody", Status: access.AccountActive}); err != nil {
				return err
			}
			for _, user := range s.users[at : at+10] {
				p := access.Permission(random.Uint64()) & 0x1fff &^ access.PayInvoices
				if err := tx.PutMembership(ctx, access.Membership{Account: account, User: user, Permissions: p, Status: access.Active}); err != nil {
					return err
				}
				// Other strings than those of the questions, as the ids in requests are.
				s.bare[struct{ User, Account string }{strings.Clone(string(user)), strings.Clone(string(account))}] = uint64(p)
			}
			return nil
		}))
	}
	return s
}

// questions are asked in a round: half of them about a permission that the member holds, the others about one that they
// don't, or about somebody else's account.
func (s *scene) questions(dist string) []question {
	random := rand.New(rand.NewPCG(1, uint64(s.n)))
	zipf := rand.NewZipf(random, 1.1, 1, uint64(s.n-1))
	questions := make([]question, 1<<20)
	for i := range questions {
		at := random.IntN(s.n)
		if dist == "zipf" {
			at = int(zipf.Uint64())
		}
		q := question{s.users[at], s.accounts[at/10], 0}
		held := access.Permission(s.bare[struct{ User, Account string }{string(q.user), string(q.account)}])
		switch {
		case i%2 == 0 && held != 0:
			q.permission = held & -held
		case i%4 == 1:
			q.permission = access.PayInvoices
		default:
			q.permission, q.account = 1, s.accounts[(at/10+1)%len(s.accounts)]
		}
		questions[i] = q
	}
	return questions
}

func benchmarkCan(b *testing.B, s *scene, dist string) {
	questions := s.questions(dist)
	single := access.NewCache(s.members, access.CacheConfig{Entries: 3 * s.n, Single: true, SensitiveToo: true})
	leased := access.NewCache(s.members, access.CacheConfig{Entries: 3 * s.n, SensitiveToo: true})
	require.NoError(b, s.members.SetLease(b.Context(), time.Hour))
	require.NoError(b, leased.Poll(b.Context()))
	ctx := context.Background()
	cached := func(c *access.Cache) func(q *question) bool {
		for i := range questions {
			if _, err := c.Can(ctx, questions[i].user, questions[i].account, questions[i].permission); err != nil {
				b.Fatal(err)
			}
		}
		return func(q *question) bool {
			yes, err := c.Can(ctx, q.user, q.account, q.permission)
			return yes && err == nil
		}
	}
	bare := func(q *question) bool {
		p := access.Permission(s.bare[struct{ User, Account string }{string(q.user), string(q.account)}])
		return p&q.permission == q.permission
	}
	run := func(impl, mode string, questions []question, can func(q *question) bool) {
		b.Run(fmt.Sprintf("impl=%s/mode=%s/dist=%s/n=%d", impl, mode, dist, s.n), func(b *testing.B) {
			b.ReportAllocs()
			var at int
			var yes int
			var mu sync.Mutex
			b.RunParallel(func(pb *testing.PB) {
				mu.Lock()
				at += len(questions) / 3
				i := at
				mu.Unlock()
				n := 0
				for pb.Next() {
					i++
					if can(&questions[i&(len(questions)-1)]) {
						n++
					}
				}
				mu.Lock()
				yes += n
				mu.Unlock()
			})
		})
	}
	run("bare", "single", questions, bare)
	run("roster", "single", questions, cached(single))
	run("bare", "leased", questions, func(q *question) bool { now := time.Now(); return bare(q) && !now.IsZero() })
	run("roster", "leased", questions, cached(leased))
	grant, err := single.Grant(ctx, questions[0].user, questions[0].account)
	require.NoError(b, err)
	now := time.Now()
	run("roster", "grant", aboutOne(questions[0]), func(q *question) bool { return grant.Can(q.permission, now) })
}

// aboutOne returns a round of questions about the user and the account of one question, half of them about a permission
// that the member doesn't hold.
func aboutOne(first question) []question {
	questions := make([]question, 1<<10)
	for i := range questions {
		questions[i] = first
		if i%2 == 0 {
			questions[i].permission = access.PayInvoices
		}
	}
	return questions
}

// BenchmarkPreload reads n memberships from the memory backend into a Cache. B/membership is what the Cache keeps.
func BenchmarkPreload(b *testing.B) {
	for _, n := range memberships() {
		var s *scene
		b.Run(fmt.Sprintf("impl=roster/db=memory/n=%d", n), func(b *testing.B) {
			if s == nil {
				s = newScene(b, n)
			}
			var cache *access.Cache
			before := heap()
			for b.Loop() {
				members := access.New(s.db, access.Config{}) // which keeps its caches: one for each
				cache = access.NewCache(members, access.CacheConfig{Entries: n + n/4, Single: true})
				if loaded, err := cache.Preload(b.Context()); err != nil || loaded != n {
					b.Fatalf("%d memberships, %v", loaded, err)
				}
			}
			b.ReportMetric(max(0, heap()-before)/float64(n), "B/membership")
			runtime.KeepAlive(cache)
		})
	}
}

// heap returns how many bytes are in use that aren't rubbish.
func heap() float64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // pools let go of what they have only with the second
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}

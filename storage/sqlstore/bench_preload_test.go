package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// BenchmarkPreload reads n memberships into memory, on SQLite. impl=bare is one query and the scan of its rows, of which
// nothing is kept; impl=map puts the bits of each into a map by both ids, what one would write by hand; impl=roster is
// access.Cache.Preload. B/membership is what is in the heap afterwards that wasn't before.
func BenchmarkPreload(b *testing.B) {
	for _, n := range sizes() {
		handle, db := sqliteEngine.migrated(b)
		loadMemberships(b, sqliteEngine, handle, n)
		for _, impl := range []struct {
			name string
			load func(ctx context.Context) (kept any, loaded int, err error)
		}{
			{"bare", func(ctx context.Context) (any, int, error) {
				loaded, err := scanMemberships(ctx, handle, func(loadedMembership) {})
				return nil, loaded, err
			}},
			{"map", func(ctx context.Context) (any, int, error) {
				kept := make(map[struct{ User, Account string }]uint64)
				loaded, err := scanMemberships(ctx, handle, func(m loadedMembership) {
					kept[struct{ User, Account string }{m.user, m.account}] = m.permissions
				})
				return kept, loaded, err
			}},
			{"roster", func(ctx context.Context) (any, int, error) {
				members := access.New(db, access.Config{}) // which keeps its caches: one for each
				cache := access.NewCache(members, access.CacheConfig{Entries: n + n/4, Single: true})
				loaded, err := cache.Preload(ctx)
				return cache, loaded, err
			}},
		} {
			b.Run(fmt.Sprintf("impl=%s/db=sqlite/n=%d", impl.name, n), func(b *testing.B) {
				before := heap()
				var kept any
				for b.Loop() {
					kept = nil // what the last round has left is rubbish
					var loaded int
					var err error
					kept, loaded, err = impl.load(b.Context())
					if err != nil || loaded != n {
						b.Fatalf("%d memberships, %v", loaded, err)
					}
				}
				b.ReportMetric(max(0, heap()-before)/float64(n), "B/membership")
				runtime.KeepAlive(kept)
			})
		}
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

// A loadedMembership is what a decision needs of a row.
type loadedMembership struct {
	user, account   string
	permissions     uint64
	status, ofUser  int
	owner           bool
	starts, expires time.Time
}

// scanMemberships passes on every membership.
func scanMemberships(ctx context.Context, handle *sql.DB, keep func(loadedMembership)) (n int, err error) {
	rows, err := handle.QueryContext(ctx, `SELECT m.account_id, m.user_id, m.permissions, m.status, m.starts_at, m.expires_at,
			a.owner_id = m.user_id, a.status
		FROM roster_memberships AS m CROSS JOIN roster_accounts AS a ON a.id = m.account_id
		ORDER BY m.account_id, m.user_id`) // both tables from their beginnings to their ends
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		var m loadedMembership
		var starts, expires int64
		if err := rows.Scan(&m.account, &m.user, &m.permissions, &m.ofUser, &starts, &expires, &m.owner, &m.status); err != nil {
			return n, err
		}
		m.starts, m.expires = time.UnixMicro(starts), time.UnixMicro(expires)
		keep(m)
	}
	return n, rows.Err()
}

// TestScannedMemberships shows that what BenchmarkPreload compares with reads the memberships.
func TestScannedMemberships(t *testing.T) {
	handle, db := sqliteEngine.migrated(t)
	members := access.New(db, access.Config{})
	account := access.NewAccount{ID: "acme", Owner: "ann", Profile: access.Profile{Name: "Acme"}}
	_, err := members.CreateAccount(t.Context(), access.AsSystem("test"), account)
	require.NoError(t, err)
	_, err = members.AddMember(t.Context(), access.AsSystem("test"), "acme", "bob", access.Terms{Permissions: access.PayInvoices})
	require.NoError(t, err)

	found := make(map[string]uint64)
	n, err := scanMemberships(t.Context(), handle, func(m loadedMembership) { found[m.user] = m.permissions })
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, map[string]uint64{"ann": 0, "bob": uint64(access.PayInvoices)}, found)
}

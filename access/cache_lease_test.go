package access_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// TestNewLeaseIsForNewAnswers holds a check up after it has found an answer, until its process, which had been given up,
// follows again.
func TestNewLeaseIsForNewAnswers(t *testing.T) {
	w := newWorld(t)
	meanwhile := func() {}
	members := access.New(w.DB, access.Config{Now: func() time.Time {
		hold := meanwhile
		meanwhile = func() {}
		hold()
		return w.Clock.Now()
	}})
	cache := access.NewCache(members, access.CacheConfig{SensitiveToo: true})
	require.NoError(t, cache.Poll(t.Context()))
	can := func() bool {
		yes, err := cache.Can(t.Context(), "ivan", "acme", access.PayInvoices)
		require.NoError(t, err)
		return yes
	}
	require.True(t, can())
	followers, err := w.DB.Followers(t.Context())
	require.NoError(t, err)
	w.Clock.Advance(2 * access.DefaultLease)
	require.NoError(t, w.DB.Unfollow(t.Context(), 1000, followers[0].ID))
	_, err = access.New(w.DB, access.Config{Now: w.Clock.Now}).Remove(t.Context(), olive, "acme", "ivan")
	require.NoError(t, err)
	meanwhile = func() {
		require.NoError(t, cache.Poll(t.Context()), "as a new follower")
	}
	require.False(t, can())
}

package revocations_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rosterkit/roster/access"
)

// TestRunLeavesNothing ends a Cache after callers who have gone while it read for them.
func TestRunLeavesNothing(t *testing.T) {
	s := newScene(t, "sqlite")
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for range 20 {
		cache := access.NewCache(s.members, access.CacheConfig{Poll: poll})
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		returned := make(chan error)
		go func() { returned <- cache.Run(ctx) }()
		for cache.Stats().Polls == 0 {
			_, err := cache.Can(ctx, "ann", "acme", access.OpenTickets)
			require.NoError(t, err)
		}
		caller, gone := context.WithCancel(ctx)
		misses := cache.Stats().Misses
		var callers sync.WaitGroup
		for i := range 10 {
			callers.Go(func() { cache.Can(caller, access.UserID(fmt.Sprint(i)), "acme", access.OpenTickets) })
		}
		for cache.Stats().Misses == misses {
			require.NoError(t, ctx.Err(), "nobody read")
			runtime.Gosched()
		}
		gone()
		callers.Wait()
		cancel()
		require.NoError(t, <-returned)
		require.Zero(t, s.followers())
	}
}

package access_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rosterkit/roster/access"
)

// TestRunLeavesNothing ends a Cache while it reads for somebody who has gone.
func TestRunLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for name, config := range map[string]access.CacheConfig{"single": {Single: true}, "leased": {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newWorld(t).process(config)
				goOn := make(chan struct{})
				p.db.grant = func(read func() (access.Grant, error)) (access.Grant, error) {
					<-goOn
					return read()
				}
				ctx, cancel := context.WithCancel(t.Context())
				returned := make(chan error, 1)
				go func() { returned <- p.cache.Run(ctx) }()
				caller, gone := context.WithCancel(t.Context())
				asked := make(chan error)
				go func() {
					_, err := p.cache.Can(caller, "ivan", "acme", access.PayInvoices)
					asked <- err
				}()
				synctest.Wait()
				gone()
				require.ErrorIs(t, <-asked, context.Canceled)
				cancel()
				synctest.Wait()
				require.Empty(t, returned, "it left a read behind")
				close(goOn)
				require.NoError(t, <-returned)
			})
		})
	}
}

// TestPollsAreTurns has what is counted of the answers from memory begin anew with each poll.
func TestPollsAreTurns(t *testing.T) {
	for name, config := range map[string]access.CacheConfig{"single": {Single: true}, "leased": {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newWorld(t).process(config)
				for range 3 {
					require.True(t, p.can("ivan", "acme", access.PayInvoices))
				}
				require.EqualValues(t, 2, p.cache.Counted())
				ctx, cancel := context.WithCancel(t.Context())
				go func() { _ = p.cache.Run(ctx) }()
				time.Sleep(time.Second) // of the bubble's time
				synctest.Wait()
				require.Zero(t, p.cache.Counted())
				require.EqualValues(t, 2, p.cache.Stats().Hits)
				cancel()
			})
		})
	}
}

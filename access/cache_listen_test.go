package access_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// A listener is a Listen that does what it is told.
type listener struct {
	begins chan error // nil for one that listens
	loses  chan error
	wakes  chan struct{}
	calls  int
}

func newListener() *listener {
	return &listener{begins: make(chan error), loses: make(chan error), wakes: make(chan struct{})}
}

func (l *listener) Listen(ctx context.Context, woken func()) error {
	l.calls++
	select {
	case err := <-l.begins:
		if err != nil {
			return err
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		woken()
		select {
		case <-l.wakes:
		case err := <-l.loses:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

const rarely = time.Hour

// listens runs a test with a Cache that polls rarely, and whose clock stands still, so that its lease is never over.
func listens(t *testing.T, test func(t *testing.T, p *process, l *listener, log *bytes.Buffer)) {
	synctest.Test(t, func(t *testing.T) {
		l, log := newListener(), new(bytes.Buffer)
		p := newWorld(t).process(access.CacheConfig{Poll: rarely, Listen: l.Listen, Log: slog.New(slog.NewTextHandler(log, nil))})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- p.cache.Run(ctx) }()
		synctest.Wait()
		test(t, p, l, log)
		cancel()
		require.NoError(t, <-ended)
	})
}

func (p *process) polls() uint64 { return p.cache.Stats().Polls }

func TestListenWakesTheCache(t *testing.T) {
	listens(t, func(t *testing.T, p *process, l *listener, log *bytes.Buffer) {
		before := p.polls()
		l.begins <- nil
		synctest.Wait()
		require.Equal(t, before+1, p.polls(), "it may have missed something before it listened")
		l.wakes <- struct{}{}
		synctest.Wait()
		require.Equal(t, before+2, p.polls())
		time.Sleep(rarely)
		synctest.Wait()
		require.Equal(t, before+3, p.polls(), "it has to poll though nobody wakes it")
		require.Empty(t, log.String())
	})
}

func TestLostListenForgets(t *testing.T) {
	listens(t, func(t *testing.T, p *process, l *listener, log *bytes.Buffer) {
		l.begins <- nil
		synctest.Wait()
		can := func() bool { return p.can("ivan", "acme", access.PayInvoices) }
		require.True(t, can())
		require.True(t, can())
		require.Equal(t, 1, p.asked())
		before := p.polls()

		l.loses <- errBroken
		synctest.Wait()
		require.Equal(t, before+1, p.polls(), "at once")
		require.True(t, can())
		require.True(t, can())
		require.Equal(t, 1, p.asked(), "it has forgotten, and remembers again")
		require.Equal(t, 1, strings.Count(log.String(), errBroken.Error()))

		time.Sleep(rarely)
		l.begins <- errBroken
		synctest.Wait()
		require.True(t, can())
		require.Zero(t, p.asked(), "nothing was lost with what never listened")
		require.Equal(t, 1, strings.Count(log.String(), errBroken.Error()), "it is known already")

		time.Sleep(rarely)
		l.begins <- nil
		synctest.Wait()
		require.True(t, can())
		require.Zero(t, p.asked())
		l.loses <- nil
		synctest.Wait()
		require.True(t, can())
		require.Equal(t, 1, p.asked())
		require.Contains(t, log.String(), "nobody listens any more")
		require.Equal(t, 3, l.calls)
	})
}

// TestLostDuringPoll loses the connection while a poll is under way, which may have been asked of another database.
func TestLostDuringPoll(t *testing.T) {
	listens(t, func(t *testing.T, p *process, l *listener, _ *bytes.Buffer) {
		l.begins <- nil
		synctest.Wait()
		require.True(t, p.can("ivan", "acme", access.PayInvoices))
		p.asked()
		polls := 0
		p.db.poll = func(position access.Position, err error) (access.Position, error) {
			if polls++; polls == 1 {
				l.loses <- errBroken
				time.Sleep(time.Second) // so that it is noticed
			}
			require.Empty(t, p.cache.Stats().Follower)
			require.True(t, p.can("ivan", "acme", access.PayInvoices))
			require.Equal(t, 1, p.asked(), "the poll before has given a lease")
			return position, err
		}
		l.wakes <- struct{}{}
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 2, polls)
		require.NotEmpty(t, p.cache.Stats().Follower)
	})
}

// TestRunWaitsForListen has Listen take its time to end; and the only writer has nobody to listen to.
func TestRunWaitsForListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		listen := func(ctx context.Context, _ func()) error {
			<-ctx.Done()
			time.Sleep(time.Minute)
			ended = true
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, newWorld(t).process(access.CacheConfig{Single: true, Listen: listen}).cache.Run(ctx))
		require.False(t, ended)
		p := newWorld(t).process(access.CacheConfig{Listen: listen})
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, p.cache.Run(ctx))
		require.True(t, ended)
	})
}

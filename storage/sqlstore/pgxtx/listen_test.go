package pgxtx_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/sqlstore/pgxtx"
)

const channel = "roster_revocations"

// A listening is what tests know of one Listen.
type listening struct {
	listen func(context.Context, func()) error
	gate   chan struct{} // is passed before it begins
	begun  chan struct{}
	woken  chan struct{} // after it has begun
	ended  chan error
}

// newListening returns one of a host's database that begins when its gate lets it pass.
func newListening(h host) *listening {
	return &listening{listen: pgxtx.Listen(h.pool.Config().ConnConfig, channel), begun: make(chan struct{}, 100),
		woken: make(chan struct{}, 100), ended: make(chan error, 100), gate: make(chan struct{}, 100)}
}

func (l *listening) Listen(ctx context.Context, woken func()) error {
	select {
	case <-l.gate:
	case <-ctx.Done():
		return ctx.Err()
	}
	begun := false
	err := l.listen(ctx, func() {
		woken()
		if begun {
			l.woken <- struct{}{}
		} else {
			l.begun <- struct{}{}
		}
		begun = true
	})
	l.ended <- err
	return err
}

// run runs a Listen or a Cache until the test ends, and waits for it then.
func run(t *testing.T, fn func(context.Context)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { fn(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// cut ends all connections that listen, and returns how many there were.
func (h host) cut(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, h.pool.QueryRow(t.Context(), `SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND query LIKE 'LISTEN %'`).Scan(&n))
	return n
}

// listeners returns how many connections listen.
func (h host) listeners(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, h.pool.QueryRow(t.Context(), `SELECT COUNT(*) FROM pg_stat_activity
		WHERE datname = current_database() AND query LIKE 'LISTEN %'`).Scan(&n))
	return n
}

// TestListenIsWoken draws tickets in every way in which pgx sends statements.
func TestListenIsWoken(t *testing.T) {
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe,
		pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		t.Run(mode.String(), func(t *testing.T) {
			h := openHost(t, func(config *pgxpool.Config) { config.ConnConfig.DefaultQueryExecMode = mode })
			l := newListening(h)
			l.gate <- struct{}{}
			run(t, func(ctx context.Context) { _ = l.Listen(ctx, func() {}) })
			<-l.begun
			for want := uint64(1); want <= 3; want++ {
				ticket, wait, err := h.db.DrawTicket(t.Context())
				require.NoError(t, err)
				require.Equal(t, want, ticket)
				require.Equal(t, access.DefaultLease, wait)
				<-l.woken
			}
		})
	}
}

// TestNotifyIsOffByDefault has two DBs draw a ticket, of which one has no channel: what is heard is of the other one.
func TestNotifyIsOffByDefault(t *testing.T) {
	h := openHost(t, func(*pgxpool.Config) {})
	conn, err := pgx.ConnectConfig(t.Context(), h.pool.Config().ConnConfig)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), "LISTEN "+channel)
	require.NoError(t, err)
	silent := sqlstore.New(h.handle, sqlstore.Postgres, sqlstore.Config{})
	defer silent.Close()
	_, _, err = silent.DrawTicket(t.Context())
	require.NoError(t, err)
	_, err = h.pool.Exec(t.Context(), "NOTIFY "+channel+", 'the first'")
	require.NoError(t, err)
	said, err := conn.WaitForNotification(t.Context())
	require.NoError(t, err)
	require.Equal(t, "the first", said.Payload)
}

// TestListenSaysNoSecrets has connecting and listening fail.
func TestListenSaysNoSecrets(t *testing.T) {
	h := openHost(t, func(*pgxpool.Config) {})
	config := h.pool.Config().ConnConfig
	config.Database = "secret"
	err := pgxtx.Listen(config, channel)(t.Context(), func() { t.Error("it listens") })
	require.EqualError(t, err, "pgxtx: can't connect: error 3D000 of the database")

	l := newListening(h)
	l.gate <- struct{}{}
	run(t, func(ctx context.Context) { _ = l.Listen(ctx, func() {}) })
	<-l.begun
	require.Equal(t, 1, h.cut(t))
	require.EqualError(t, <-l.ended, "pgxtx: can't wait for a notification: error 57P01 of the database")

	require.PanicsWithValue(t, "pgxtx: Listen without a configuration or a channel", func() { pgxtx.Listen(nil, channel) })
	require.PanicsWithValue(t, "pgxtx: Listen without a configuration or a channel", func() { pgxtx.Listen(config, "") })
}

// TestListenEndsWithItsContext leaves no connection behind.
func TestListenEndsWithItsContext(t *testing.T) {
	h := openHost(t, func(*pgxpool.Config) {})
	l := newListening(h)
	l.gate <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _ = l.Listen(ctx, func() {}) }()
	<-l.begun
	require.Equal(t, 1, h.listeners(t))
	cancel()
	require.ErrorIs(t, <-l.ended, context.Canceled)
	require.Eventually(t, func() bool { return h.listeners(t) == 0 }, 10*time.Second, time.Millisecond)
}

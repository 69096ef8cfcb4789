package peers_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// BenchmarkOutbox enqueues mails, so many in a unit of work, and then delivers them to a mailer that takes everything.
// An operation is one mail. The servers bring each commit to the disk, as in production.
func BenchmarkOutbox(b *testing.B) {
	databases := newDatabases(b)
	for _, unit := range []int{1, 100} {
		for _, impl := range implementations() {
			b.Run(fmt.Sprintf("%s/unit=%d", impl.name, unit), func(b *testing.B) {
				measure(b, impl.open(b, databases(b, impl.engine)), unit)
			})
		}
	}
}

// BenchmarkOutboxBehind is BenchmarkOutbox for an outbox in which so many mails of another account wait already. It is
// roster's only, which serves accounts in turns: in River the others would be delivered first.
func BenchmarkOutboxBehind(b *testing.B) {
	databases := newDatabases(b)
	for _, queued := range []int{0, 100_000} {
		for _, impl := range implementations() {
			if !impl.fair {
				continue
			}
			b.Run(fmt.Sprintf("%s/queued=%d", impl.name, queued), func(b *testing.B) {
				box := impl.open(b, databases(b, impl.engine))
				for _, orders := range newOrders(queued, 1000) {
					for i := range orders {
						orders[i].Account = another
					}
					require.NoError(b, box.enqueue(b.Context(), orders))
				}
				measure(b, box, 100)
			})
		}
	}
}

// measure enqueues b.N mails and delivers them.
func measure(b *testing.B, box outbox, unit int) {
	before, err := box.left(b.Context())
	require.NoError(b, err)
	units := newOrders(b.N, unit)
	m := newMailer(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for _, orders := range units {
		require.NoError(b, box.enqueue(b.Context(), orders))
	}
	enqueued := b.Elapsed()
	require.NoError(b, box.deliver(b.Context(), m))
	whole := b.Elapsed()
	b.StopTimer()
	left, err := box.left(context.WithoutCancel(b.Context()))
	require.NoError(b, err)
	require.LessOrEqual(b, left, before)
	perSecond := func(took time.Duration) float64 { return float64(b.N) / took.Seconds() }
	b.ReportMetric(perSecond(enqueued), "enqueued/s")
	b.ReportMetric(perSecond(whole-enqueued), "delivered/s")
	b.ReportMetric(perSecond(whole), "mails/s")
}

// newDatabases returns what makes a fresh database of an engine, all on one durable server.
func newDatabases(b *testing.B) func(*testing.B, string) servertest.Database {
	servers := make(map[string]*servertest.Server)
	server := func(b *testing.B, engine string, start func(servertest.Options) (*servertest.Server, error)) servertest.Database {
		if servers[engine] == nil {
			server, err := start(servertest.Options{Durable: true})
			require.NoError(b, err)
			servers[engine] = server
		}
		return servertest.Database{Engine: engine, Driver: servers[engine].Driver(), Source: servers[engine].Database(b)}
	}
	b.Cleanup(func() {
		for _, server := range servers {
			server.Stop()
		}
	})
	return func(b *testing.B, engine string) servertest.Database {
		switch engine {
		case "postgres":
			return server(b, engine, servertest.StartPostgres)
		case "mysql":
			return server(b, engine, servertest.StartMySQL)
		}
		return servertest.Fresh(b, engine) // which is durable by itself
	}
}

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
				measure(b, impl.open(b, databases[impl.engine](b)), unit)
			})
		}
	}
}

func measure(b *testing.B, box outbox, unit int) {
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
	require.Zero(b, left)
	perSecond := func(took time.Duration) float64 { return float64(b.N) / took.Seconds() }
	b.ReportMetric(perSecond(enqueued), "enqueued/s")
	b.ReportMetric(perSecond(whole-enqueued), "delivered/s")
	b.ReportMetric(perSecond(whole), "mails/s")
}

// newDatabases returns for each engine what makes a fresh database on one durable server.
func newDatabases(b *testing.B) map[string]func(*testing.B) servertest.Database {
	databases := map[string]func(*testing.B) servertest.Database{
		"sqlite": func(b *testing.B) servertest.Database { return servertest.Fresh(b, "sqlite") }, // durable by itself
	}
	for engine, start := range map[string]func(servertest.Options) (*servertest.Server, error){
		"postgres": servertest.StartPostgres, "mysql": servertest.StartMySQL,
	} {
		server, err := start(servertest.Options{Durable: true})
		require.NoError(b, err)
		b.Cleanup(server.Stop)
		databases[engine] = func(b *testing.B) servertest.Database {
			return servertest.Database{Engine: engine, Driver: server.Driver(), Source: server.Database(b)}
		}
	}
	return databases
}

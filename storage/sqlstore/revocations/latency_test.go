package revocations_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/sqlstore/pgxtx"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// The watched question: the answer is yes, and no after a revocation.
const (
	watchedAccount access.AccountID = "acme"
	watchedUser    access.UserID    = "ann"
	watchedBit                      = access.OpenTickets
)

// watch asks one question from memory, again and again: on each line that it reads until the answer is yes, of which it
// says "yes", and then until it is no, of which it says when.
func (t task) watch(backend storage.DB) error {
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	config := access.CacheConfig{Poll: t.Poll}
	if t.Wakes {
		connection, err := pgx.ParseConfig(t.Database.Source)
		if err != nil {
			return err
		}
		config.Listen = pgxtx.Listen(connection, channel)
	}
	cache := access.NewCache(access.New(backend, access.Config{}), config)
	group.Go(func() { cache.Run(ctx) })
	fmt.Println("ready")
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		for _, answer := range []bool{true, false} {
			at, err := await(ctx, cache, answer)
			if err != nil {
				return err
			}
			fmt.Println(answer, at)
		}
	}
	return nil
}

// await asks until the answer is the given one, and returns when that was.
func await(ctx context.Context, cache *access.Cache, answer bool) (at int64, err error) {
	const pace = 50 * time.Microsecond
	for {
		yes, err := cache.Can(ctx, watchedUser, watchedAccount, watchedBit)
		if err != nil || yes == answer {
			return processtest.Now(), err
		}
		pause(ctx, pace)
	}
}

// BenchmarkRevocation measures how long it takes from the commit of a revocation in one process until another one, which
// answers from memory, says no, and until the verb has settled and returns.
func BenchmarkRevocation(b *testing.B) {
	for _, engine := range servertest.Engines() {
		ways := []struct {
			how  string
			work task
		}{
			{"poll-100ms", task{Poll: 100 * time.Millisecond}}, // as where nobody sets it
			{"poll-5ms", task{Poll: 5 * time.Millisecond}},
		}
		if engine == "postgres" {
			ways = append(ways, ways[0])
			ways[2].how, ways[2].work.Wakes = "notify", true
		}
		for _, hears := range ways {
			b.Run(fmt.Sprintf("db=%s/hears=%s/of=no", engine, hears.how), func(b *testing.B) {
				no, _ := latencies(b, engine, hears.work)
				reportLatencies(b, no)
			})
			b.Run(fmt.Sprintf("db=%s/hears=%s/of=settled", engine, hears.how), func(b *testing.B) {
				_, settled := latencies(b, engine, hears.work)
				reportLatencies(b, settled)
			})
		}
	}
}

// latencies has a process watch how permissions are taken away. It returns how long after each commit it said no, and the
// verb had settled.
func latencies(b *testing.B, engine string, work task) (no, settled []time.Duration) {
	b.Helper()
	s := newSceneWith(b, engine, work.config())
	require.NoError(b, s.members.SetLease(s.Context(), time.Second)) // as where nobody sets it
	work.Database, work.Watches = s.task.Database, true
	p := processtest.Start(b, limit, work)
	s.hear(p, "ready")
	for b.Loop() {
		n, e := s.latency(p, work.Poll)
		no, settled = append(no, n), append(settled, e)
	}
	require.NoError(b, p.Close())
	require.NoError(b, p.Wait())
	return no, settled
}

// reportLatencies reports the median and the 99th percentile instead of a mean, which would have the grant in it, and the
// pauses.
func reportLatencies(b *testing.B, all []time.Duration) {
	b.Helper()
	slices.Sort(all)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(milliseconds(all[len(all)/2]), "ms-p50")
	b.ReportMetric(milliseconds(all[len(all)*99/100]), "ms-p99")
}

// latency takes the watched permission away and returns how long after the commit the watching process said no, and the
// verb had settled. The moment is any between two polls.
func (s *scene) latency(p *processtest.Process, every time.Duration) (no, settled time.Duration) {
	s.Helper()
	s.do(verb{Kind: set, Account: watchedAccount, User: watchedUser, Bits: watchedBit | access.PayInvoices})
	require.NoError(s, p.Tell("watch"))
	s.hear(p, "true")
	pause(s.Context(), rand.N(every))
	v := s.do(verb{Kind: set, Account: watchedAccount, User: watchedUser, Bits: access.PayInvoices})
	text, err := p.Hear("false ")
	require.NoError(s, err)
	var at int64
	_, err = fmt.Sscan(text, &at)
	require.NoError(s, err)
	return time.Duration(at - v.Over), time.Duration(v.Return - v.Over)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

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

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
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
	cache := access.NewCache(access.New(backend, access.Config{}), access.CacheConfig{Poll: t.Poll})
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
		for _, every := range []time.Duration{100 * time.Millisecond, 5 * time.Millisecond} {
			for _, of := range []string{"no", "settled"} {
				b.Run(fmt.Sprintf("db=%s/poll=%s/of=%s", engine, every, of), func(b *testing.B) {
					s := newScene(b, engine)
					require.NoError(b, s.members.SetLease(s.Context(), time.Second)) // as where nobody sets it
					work := s.task
					work.Watches, work.Poll = true, every
					p := processtest.Start(b, limit, work)
					s.hear(p, "ready")
					var latencies []time.Duration
					for b.Loop() {
						no, settled := s.latency(p, every)
						latencies = append(latencies, map[string]time.Duration{"no": no, "settled": settled}[of])
					}
					slices.Sort(latencies)
					b.ReportMetric(0, "ns/op") // which has the grant in it, and the pauses
					b.ReportMetric(milliseconds(latencies[len(latencies)/2]), "ms-p50")
					b.ReportMetric(milliseconds(latencies[len(latencies)*99/100]), "ms-p99")
					require.NoError(b, p.Close())
					require.NoError(b, p.Wait())
				})
			}
		}
	}
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

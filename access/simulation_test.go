package access_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

// TestSimulation runs several processes, each with a Service, a Cache and a clock of its own, on one database, and stops,
// crashes, pauses and cuts them off, changes the lease and restores backups, while access is given and revoked and asked
// for. ROSTER_SEED=n repeats one run, ROSTER_SOAK=1 makes many more.
func TestSimulation(t *testing.T) {
	first, last := uint64(1), uint64(simulations)
	if os.Getenv("ROSTER_SOAK") != "" {
		last = 5_000
	}
	if seed := os.Getenv("ROSTER_SEED"); seed != "" {
		n, err := strconv.ParseUint(seed, 10, 64)
		require.NoError(t, err)
		first, last = n, n
	}
	var sum tally
	for seed := first; seed <= last; seed++ {
		s := simulate(t, seed, mutant{})
		require.Empty(t, s.violation, "ROSTER_SEED=%d repeats it", seed)
		sum.add(s.tally)
	}
	t.Logf("%d runs: %+v", last-first+1, sum)
}

// A mutant is what a process does otherwise than this package. Nil is as this package.
type mutant struct {
	poll   func(ctx context.Context, i *instance) error
	store  func(*simulatedStore) storage.DB
	check  func(i *instance, r *right) (bool, error)
	settle func(ctx context.Context, i *instance) error
}

// A simulation is one run. Its time is that of a synctest bubble. What happens is drawn from a seed: goroutines that go on
// at one moment draw by the moment and the place in the program, so that their order doesn't matter.
type simulation struct {
	seed   uint64
	mutant mutant
	slow   string // place of the program
	t      testing.TB
	ctx    context.Context
	start  time.Time
	group  sync.WaitGroup

	mu         sync.Mutex
	db         *memory.DB
	committed  []change // since the beginning
	generation int      // how often a backup was restored
	down       time.Time
	instances  []*instance
	rights     []*right
	violation  string
	nextTicket chan struct{}
	sequence   sequence // of a mutant's
	tally      tally
}

// A change is what a transaction did, to be done again on another database.
type change func(ctx context.Context, db *memory.DB) error

// A tally is what happened in a run.
type tally struct {
	Checks, Denied, Settled, Unsettled, Starts, Crashes, Pauses, Restored, Leases, Woken int
}

func (t *tally) add(u tally) {
	t.Checks += u.Checks
	t.Denied += u.Denied
	t.Settled += u.Settled
	t.Unsettled += u.Unsettled
	t.Starts += u.Starts
	t.Crashes += u.Crashes
	t.Pauses += u.Pauses
	t.Restored += u.Restored
	t.Leases += u.Leases
	t.Woken += u.Woken
}

const (
	simulatedFor  = 6 * time.Second
	simulatedPoll = 20 * time.Millisecond
	shortestLease = 50 * time.Millisecond
	longestLease  = 8 * shortestLease
)

func simulate(t *testing.T, seed uint64, m mutant) *simulation {
	var s *simulation
	synctest.Test(t, func(t *testing.T) {
		s = &simulation{seed: seed, mutant: m, slow: slowPlaces[seed%uint64(len(slowPlaces))], t: t, ctx: t.Context(), start: time.Now()}
		s.nextTicket = make(chan struct{})
		for number := range 6 {
			account := access.AccountID(fmt.Sprint("account ", number/2))
			s.rights = append(s.rights, &right{user: access.UserID(fmt.Sprint("user ", number)), account: account})
		}
		s.db = s.fresh()
		for number := range 3 {
			s.instances = append(s.instances, s.newInstance(number))
		}
		for number := range s.instances {
			s.actor("instance", number, func(random *rand.Rand) { s.keepRunning(number, random) })
		}
		for number, r := range s.rights {
			s.actor("writer", number, func(random *rand.Rand) { s.toggle(r, random) })
		}
		for number := range 6 {
			s.actor("reader", number, s.read)
		}
		s.actor("disturbance", 0, s.disturb)
		s.actor("operator", 0, s.operate)
		s.group.Wait()
		time.Sleep(time.Minute) // until what is still being read, for nobody any more, is there
	})
	return s
}

// fresh returns a database as it is at the beginning.
func (s *simulation) fresh() *memory.DB {
	db := memory.New()
	members := access.New(db, access.Config{Now: func() time.Time { return s.start }, Random: rand.NewChaCha8([32]byte{1})})
	for _, r := range s.rights {
		_, err := members.CreateAccount(s.ctx, signup, access.NewAccount{ID: r.account, Owner: "olive", Profile: access.Profile{Name: string(r.account)}})
		require.NoError(s.t, err)
		_, err = members.AddMember(s.ctx, signup, r.account, r.user, access.Terms{Permissions: access.OpenTickets})
		require.NoError(s.t, err)
	}
	require.NoError(s.t, db.SetLease(s.ctx, shortestLease))
	require.NoError(s.t, db.ShortenWait(s.ctx, 1))
	return db
}

// actor runs a goroutine until the end, with numbers of its own to draw.
func (s *simulation) actor(name string, number int, run func(*rand.Rand)) {
	random := s.draw(name, number)
	s.group.Go(func() { run(random) })
}

// draw returns what happens at a place of the program now.
func (s *simulation) draw(place string, number int) *rand.Rand {
	return rand.New(rand.NewPCG(s.seed, s.here(place, number)))
}

// here returns a number that stands for a place of the program and this moment.
func (s *simulation) here(place string, number int) uint64 {
	h := 14695981039346656037 ^ s.seed // FNV-1a
	for i := range len(place) {
		h = (h ^ uint64(place[i])) * 1099511628211
	}
	for _, n := range [...]uint64{uint64(number), uint64(time.Now().UnixNano())} {
		h = (h ^ n) * 1099511628211
		h ^= h >> 29
	}
	return h
}

// nap sleeps, up to the given time and a bit more, and reports whether the run goes on.
func (s *simulation) nap(random *rand.Rand, most time.Duration) bool {
	time.Sleep(time.Duration(random.Int64N(int64(most))) + 1)
	return s.runs()
}

// runs reports whether the run goes on.
func (s *simulation) runs() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.violation == "" && time.Since(s.start) < simulatedFor
}

func (s *simulation) violated(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.violation == "" {
		s.violation = time.Since(s.start).String() + ": " + fmt.Sprintf(format, args...)
	}
}

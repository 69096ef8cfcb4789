package access_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// An instance is one process of a simulation.
type instance struct {
	*simulation
	number   int
	speed    float64 // of its clock, which is at most one percent off any other
	database storage.DB
	members  *access.Service
	cache    *access.Cache
	ctx      context.Context
	crash    context.CancelFunc
	quiet    atomic.Int32 // while it is above 0 nothing is in between

	mu     sync.Mutex
	paused time.Time // until then
}

func (s *simulation) newInstance(number int) *instance {
	random := s.draw("new", number)
	i := &instance{simulation: s, number: number, speed: 0.995 + random.Float64()/100}
	i.ctx, i.crash = context.WithCancel(s.ctx)
	store := &simulatedStore{DB: s.lockedDB(), instance: i}
	i.database = store
	var key [32]byte
	for at := range key {
		key[at] = byte(random.Uint32())
	}
	chance := &lockedReader{reader: rand.NewChaCha8(key)}
	if s.mutant.store != nil {
		i.database = s.mutant.store(store)
	}
	i.members = access.New(i.database, access.Config{Now: i.now, Random: chance})
	config := access.CacheConfig{
		Entries: 1000, Poll: simulatedPoll, SensitiveToo: true, Log: slog.New(slog.DiscardHandler), Random: chance,
	}
	if s.seed%2 == 0 {
		config.Listen = i.listen
	}
	i.cache = access.NewCache(i.members, config)
	return i
}

// A lockedReader is for several goroutines.
type lockedReader struct {
	mu     sync.Mutex
	reader *rand.ChaCha8
}

func (r *lockedReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reader.Read(p)
}

// now is the clock. A goroutine may be held up before it looks and after.
func (i *instance) now() time.Time {
	i.hold("to the clock", 8)
	elapsed := time.Since(i.start)
	i.hold("from the clock", 8)
	return i.start.Add(time.Duration(i.number)*time.Hour + time.Duration(float64(elapsed)*i.speed))
}

// hold has a goroutine go on in a while, one time in so many; and not as long as the instance is paused.
func (i *instance) hold(place string, one uint64) {
	if i.quiet.Load() > 0 {
		return
	}
	if place == i.slow || i.here(place, i.number)>>8%one == 0 {
		i.sleepAt(place, 0)
	}
	begin := time.Since(i.start)
	for left := i.left(); left > 0; left = i.left() {
		time.Sleep(left)
		i.sleepAt(place, begin) // not all that were paused go on at one moment
	}
}

// sleepAt sleeps: most of the time not for long. It takes long more often after a pause, and at one place in each run.
func (i *instance) sleepAt(place string, begin time.Duration) {
	random := i.draw(place, i.number+int(begin))
	most, n := 100*time.Microsecond, random.IntN(1000)
	if place == i.slow || begin > 0 {
		n /= 4
	}
	switch {
	case n < 15:
		most = time.Second
	case n < 80:
		most = 100 * time.Millisecond
	case n < 400:
		most = 8 * time.Millisecond
	}
	time.Sleep(time.Duration(random.Int64N(int64(most))) + 1)
}

// slowPlaces are the places that may take long.
var slowPlaces = []string{
	"none of them", "to the clock", "from the clock", "to Grant", "from Grant", "to Poll", "from Poll", "from Changes", "to Acknowledge",
	"from Acknowledge", "to Follow", "from Follow", "from Update", "to Followers", "from Followers", "to DrawTicket", "to Unfollow",
}

// left is how long the instance is still paused.
func (i *instance) left() time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	return time.Until(i.paused)
}

// pause stops all that the instance does for a while.
func (i *instance) pause(while time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.paused = time.Now().Add(while)
}

// run follows the feed until the context ends.
func (i *instance) run(ctx context.Context) {
	if i.mutant.poll == nil {
		_ = i.cache.Run(ctx)
		return
	}
	for ctx.Err() == nil {
		_ = i.mutant.poll(ctx, i)
		select {
		case <-time.After(simulatedPoll):
		case <-ctx.Done():
		}
	}
	i.cache.Stop(context.WithoutCancel(ctx))
}

// keepRunning has one instance after the other in a place.
func (s *simulation) keepRunning(number int, random *rand.Rand) {
	i := s.instance(number)
	for s.nap(random, 50*time.Millisecond) {
		ctx, stop := context.WithCancel(i.ctx)
		var running sync.WaitGroup
		running.Go(func() { i.run(ctx) })
		goesOn := s.nap(random, 5*time.Second)
		if goesOn && random.IntN(2) == 0 {
			i.crash()
			s.count(func(t *tally) { t.Crashes++ })
		}
		stop()
		running.Wait()
		if !goesOn {
			return
		}
		s.nap(random, 100*time.Millisecond) // one that is stopped is asked all the same
		next := s.newInstance(number)
		s.mu.Lock()
		s.instances[number] = next
		s.tally.Starts++
		s.mu.Unlock()
		i = next
	}
}

func (s *simulation) instance(number int) *instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.instances[number%len(s.instances)]
}

func (s *simulation) anyInstance(random *rand.Rand) *instance { return s.instance(random.IntN(3)) }

func (s *simulation) count(fn func(*tally)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn(&s.tally)
}

// disturb pauses instances, cuts the database off, and restores it, which some runs do often.
func (s *simulation) disturb(random *rand.Rand) {
	restores := 1 + int(s.seed%3)*4
	for s.nap(random, 300*time.Millisecond) {
		switch n := random.IntN(20); {
		case n < restores:
			down := longestLease*104/100 + 10*time.Millisecond + time.Duration(random.Int64N(int64(100*time.Millisecond)))
			s.anyInstance(random).pause(down/2 + time.Duration(random.Int64N(int64(2*down))))
			s.restore(random, down)
			time.Sleep(down)
			s.nap(random, time.Second) // when what goes wrong shows
		case n < 18:
			s.anyInstance(random).pause(time.Duration(random.Int64N(int64(2 * s.position().Wait))))
			s.count(func(t *tally) { t.Pauses++ })
		default:
			s.cutOff(time.Duration(random.Int64N(int64(200 * time.Millisecond))))
		}
	}
}

// operate changes the lease.
func (s *simulation) operate(random *rand.Rand) {
	for s.nap(random, 300*time.Millisecond) {
		lease := []time.Duration{shortestLease, shortestLease, 2 * shortestLease, longestLease}[random.IntN(4)]
		if err := s.anyInstance(random).members.SetLease(s.ctx, lease); err == nil {
			s.count(func(t *tally) { t.Leases++ })
		}
	}
}

package access_test

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// A right is a permission that a user is given and that is revoked again, all the time.
type right struct {
	user    access.UserID
	account access.AccountID
	state   state
}

// A state is what everybody has to answer about a right from a moment on, until it changes.
type state struct {
	number int
	answer expected
	since  time.Time
}

type expected uint8

const (
	unclear expected = iota
	revoked
	given
)

// state returns what is to be answered about a right now.
func (s *simulation) state(r *right) state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return r.state
}

// becomes has everybody answer something else, unless a backup was restored since the given generation.
func (s *simulation) becomes(r *right, a expected, generation int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if generation == s.generation {
		r.state = state{r.state.number + 1, a, time.Now()}
	}
}

func (s *simulation) present() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.generation
}

// toggle gives a right and revokes it, again and again.
func (s *simulation) toggle(r *right, random *rand.Rand) {
	for s.nap(random, 100*time.Millisecond) {
		generation := s.present()
		i := s.anyInstance(random)
		if _, err := i.members.SetPermissions(i.ctx, olive, r.account, r.user, access.OpenTickets|access.PayInvoices); err == nil {
			s.becomes(r, given, generation)
		}
		while := 150 * time.Millisecond
		if random.IntN(8) == 0 {
			while = 2 * lateGrant
		}
		if !s.nap(random, while) {
			return
		}
		generation = s.present()
		s.becomes(r, unclear, generation)
		if s.revoke(r, random) {
			s.becomes(r, revoked, generation)
			for number := range s.instances {
				s.actor("reader after all", number, func(random *rand.Rand) {
					for range 5 {
						s.check(s.instance(number), r, random.IntN(4))
						s.nap(random, 10*time.Millisecond)
					}
				})
			}
			s.nap(random, 200*time.Millisecond)
		}
		s.becomes(r, unclear, s.present())
	}
}

// revoke reports whether a right was revoked, and that was settled.
func (s *simulation) revoke(r *right, random *rand.Rand) bool {
	for range 5 {
		i := s.anyInstance(random)
		err := i.revoke(r, random.IntN(2) == 0)
		if err == nil {
			s.count(func(t *tally) { t.Settled++ })
			return true
		}
		s.count(func(t *tally) { t.Unsettled++ })
		if !s.nap(random, 100*time.Millisecond) {
			return false
		}
	}
	return false
}

// revoke revokes a right and settles, with one verb or in a unit of work. What is revoked already has yet to settle.
func (i *instance) revoke(r *right, inUnit bool) error {
	settle := i.members.Settle
	if i.mutant.settle != nil {
		settle = func(ctx context.Context, _ ...access.Revision) error { return i.mutant.settle(ctx, i) }
		inUnit = true
	}
	i.simulation.mu.Lock()
	g, err := i.db.Grant(context.Background(), r.account, r.user)
	i.simulation.mu.Unlock()
	revision := access.Revision{Account: r.account}
	switch {
	case err != nil:
		return err
	case !g.Permissions.Has(access.PayInvoices):
		return settle(i.ctx, revision)
	case !inUnit:
		_, err := i.members.SetPermissions(i.ctx, olive, r.account, r.user, access.OpenTickets)
		return err
	}
	err = i.database.Update(i.ctx, func(ctx context.Context, tx storage.Tx) (err error) {
		revision, err = i.members.Within(tx).SetPermissions(ctx, olive, r.account, r.user, access.OpenTickets)
		return err
	})
	if err != nil {
		return err
	}
	return settle(i.ctx, revision)
}

// read asks again and again.
func (s *simulation) read(random *rand.Rand) {
	for s.nap(random, 20*time.Millisecond) {
		s.check(s.anyInstance(random), s.rights[random.IntN(len(s.rights))], random.IntN(4))
	}
}

// check asks an instance about a right, and compares.
func (s *simulation) check(i *instance, r *right, way int) {
	before, begin := s.state(r), time.Now()
	held, err := i.can(r, way)
	after := s.state(r)
	if i.ctx.Err() != nil || before.number != after.number {
		return // nobody hears what a crashed process says
	}
	s.count(func(t *tally) {
		t.Checks++
		if before.answer == revoked {
			t.Denied++
		}
	})
	switch {
	case held && err != nil:
		s.violated("yes and an error")
	case before.answer == revoked && held:
		s.violated("instance %d said yes to %s, which was settled as revoked %v before it was asked, %v ago", i.number, r.user, begin.Sub(before.since), time.Since(begin))
	case before.answer == given && !held && err == nil && begin.Sub(before.since) > lateGrant:
		s.violated("instance %d said no to %s, who was given it %v before it was asked, %v ago", i.number, r.user, begin.Sub(before.since), time.Since(begin))
	}
}

// lateGrant is when everybody has heard of what was given: after the longest lease and a poll.
const lateGrant = longestLease*102/100 + simulatedPoll

func (i *instance) can(r *right, way int) (bool, error) {
	switch {
	case i.mutant.check != nil:
		return i.mutant.check(i, r)
	case way == 0:
		g, err := i.cache.Grant(i.ctx, r.user, r.account)
		return err == nil && g.Can(access.PayInvoices, i.now()), err
	}
	return i.cache.Can(i.ctx, r.user, r.account, access.PayInvoices)
}

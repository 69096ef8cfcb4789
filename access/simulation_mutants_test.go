//go:build !race

package access_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// TestSimulationCatches shows that each way to get the protocol wrong is found. The seeds are those that find it soonest;
// if they don't any more, others are tried.
func TestSimulationCatches(t *testing.T) {
	for _, tt := range []struct {
		name string
		seed uint64
		mutant
	}{
		{"nobody waits", 1, mutant{settle: waitsForNobody}},
		{"the lease begins when the poll ends", 95, mutant{poll: pollsAndThenBegins}},
		{"the lease is given before acknowledging", 943, mutant{store: func(s *simulatedStore) storage.DB { return &extendsEarly{simulatedStore: s} }}},
		{"the wait begins with the commit", 695, mutant{settle: waitsFromTheCommit}},
		{"a follower registers with its second poll", 45, mutant{store: func(s *simulatedStore) storage.DB { return &registersLate{simulatedStore: s} }}},
		{"a follower serves before its first poll", 379, mutant{store: func(s *simulatedStore) storage.DB { return servesAtOnce{s} }}},
		{"a shorter lease is waited for at once", 114, mutant{store: func(s *simulatedStore) storage.DB { return shrinksAtOnce{s} }}},
		{"the epoch is taken after the grant", 27, mutant{store: func(s *simulatedStore) storage.DB { return remembersLate{s} }}},
		{"an answer is stamped when it is complete", 13, mutant{check: remembersAnswers}},
		{"a flight is joined across a write", 352, mutant{check: joinsAnyFlight}},
		{"a flight is joined without a lease", 209, mutant{check: joinsWithoutLease}},
		{"the lease is looked at after the answer", 492, mutant{check: looksAtTheLeaseLast}},
		{"a no is for ever", 7, mutant{check: refusesForEver()}},
		{"the feed is a sequence", 247, mutant{store: func(s *simulatedStore) storage.DB { return &sequenceStore{simulatedStore: s} }}},
		{"the end of the feed isn't compared", 50, mutant{store: func(s *simulatedStore) storage.DB { return &trustsNumbers{simulatedStore: s} }}},
		{"a follower trusts that it has acknowledged", 4913, mutant{store: func(s *simulatedStore) storage.DB { return &acknowledgesOnce{simulatedStore: s} }}},
		{"what was read before a backup is remembered", 5384, mutant{poll: remembersThroughPauses}},
		{"a follower that isn't woken doesn't poll", 64, mutant{store: func(s *simulatedStore) storage.DB { return &trustsWakeUps{simulatedStore: s} }}},
		{"who looked away gives followers up", 2845, mutant{settle: givesUpAnyway}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := tt.seed; seed < tt.seed+5000; seed++ {
				if s := simulate(t, seed, tt.mutant); s.violation != "" {
					t.Logf("seed %d: %s", seed, s.violation)
					require.Empty(t, simulate(t, seed, mutant{}).violation, "without the mutant")
					return
				}
			}
			require.Fail(t, "the mutant survives")
		})
	}
}

func waitsForNobody(context.Context, *instance) error { return nil }

// pollsAndThenBegins counts the lease from the end of the poll.
func pollsAndThenBegins(ctx context.Context, i *instance) error {
	if err := i.cache.Poll(ctx); err != nil {
		return err
	}
	i.cache.Extend(i.now(), i.position().Lease)
	return nil
}

// remembersThroughPauses has the follower believe that its lease isn't over.
func remembersThroughPauses(ctx context.Context, i *instance) error { return i.cache.PollOn(ctx) }

// extendsEarly gives the lease before it acknowledges.
type extendsEarly struct {
	*simulatedStore
	begin time.Time
}

func (s *extendsEarly) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	if id != "" {
		s.begin = s.instance.now()
	}
	return s.simulatedStore.Poll(ctx, id)
}

func (s *extendsEarly) Acknowledge(ctx context.Context, id access.FollowerID, ticket uint64) error {
	s.instance.cache.Extend(s.begin, s.instance.position().Lease)
	return s.simulatedStore.Acknowledge(ctx, id, ticket)
}

// waitsFromTheCommit takes the time before it draws the ticket.
func waitsFromTheCommit(ctx context.Context, i *instance) error {
	commit := i.now()
	w, err := i.members.WaitForFollowers(ctx)
	if err != nil || w == nil {
		return err
	}
	w.CountFrom(commit)
	for {
		if done, err := w.Over(ctx); err != nil || done {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// givesUpAnyway isn't aware that it may have looked away.
func givesUpAnyway(ctx context.Context, i *instance) error {
	w, err := i.members.WaitForFollowers(ctx)
	if err != nil || w == nil {
		return err
	}
	for {
		w.LookAt(i.now())
		if done, err := w.Over(ctx); err != nil || done {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// acknowledgesOnce remembers what it acknowledged, and doesn't do it again, though a backup may have been restored.
type acknowledgesOnce struct {
	*simulatedStore
	id     access.FollowerID
	ticket uint64
}

func (s *acknowledgesOnce) Acknowledge(ctx context.Context, id access.FollowerID, ticket uint64) error {
	if id == s.id && ticket <= s.ticket {
		return nil
	}
	err := s.simulatedStore.Acknowledge(ctx, id, ticket)
	if err == nil {
		s.id, s.ticket = id, ticket
	}
	return err
}

// registersLate says that it follows, and has itself registered with its second poll.
type registersLate struct {
	*simulatedStore
	due    access.FollowerID
	polled bool
}

func (s *registersLate) Follow(_ context.Context, id access.FollowerID) error {
	s.due, s.polled = id, false
	return nil
}

func (s *registersLate) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	if s.polled && id == s.due {
		if err := s.simulatedStore.Follow(ctx, id); err != nil {
			return access.Position{}, err
		}
		s.due = ""
	}
	position, err := s.simulatedStore.Poll(ctx, id)
	s.polled = s.polled || err == nil && id != ""
	position.Registered = position.Registered || id != "" && id == s.due
	return position, err
}

func (s *registersLate) Acknowledge(ctx context.Context, id access.FollowerID, ticket uint64) error {
	if id == s.due {
		return nil
	}
	return s.simulatedStore.Acknowledge(ctx, id, ticket)
}

// servesAtOnce doesn't wait for the first poll.
type servesAtOnce struct{ *simulatedStore }

func (s servesAtOnce) Follow(ctx context.Context, id access.FollowerID) error {
	begin := s.instance.now()
	err := s.simulatedStore.Follow(ctx, id)
	if err == nil {
		s.instance.cache.Extend(begin, s.instance.position().Lease)
	}
	return err
}

// shrinksAtOnce has nobody wait for those who were told a longer lease.
type shrinksAtOnce struct{ *simulatedStore }

func (s shrinksAtOnce) SetLease(ctx context.Context, lease time.Duration) error {
	if err := s.simulatedStore.SetLease(ctx, lease); err != nil {
		return err
	}
	p, err := s.Poll(ctx, "")
	if err != nil {
		return err
	}
	return s.ShortenWait(ctx, p.LeaseChanges)
}

// remembersLate takes the epoch when the grant is there.
type remembersLate struct{ *simulatedStore }

func (s remembersLate) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	g, err := s.simulatedStore.Grant(ctx, account, user)
	if err == nil {
		s.instance.cache.Remember(user, account, g)
	}
	return g, err
}

// remembersAnswers remembers what it was told when it has been told.
func remembersAnswers(i *instance, r *right) (bool, error) {
	g, err := i.cache.Grant(i.ctx, r.user, r.account)
	if err != nil {
		return false, err
	}
	i.cache.Remember(r.user, r.account, g)
	return g.Can(access.PayInvoices, i.now()), nil
}

// joinsAnyFlight joins a read that began before something changed.
func joinsAnyFlight(i *instance, r *right) (bool, error) {
	i.cache.JoinAnyway(r.user, r.account)
	return i.cache.Can(i.ctx, r.user, r.account, access.PayInvoices)
}

// joinsWithoutLease joins a read that began before what this process may not have heard of.
func joinsWithoutLease(i *instance, r *right) (bool, error) {
	if i.cache.Certain() {
		return i.cache.Can(i.ctx, r.user, r.account, access.PayInvoices)
	}
	g, err := i.cache.JoinUncertain(i.ctx, r.user, r.account)
	return err == nil && g.Can(access.PayInvoices, i.now()), err
}

// looksAtTheLeaseLast lets the lease of a later poll vouch for an answer that was found before.
func looksAtTheLeaseLast(i *instance, r *right) (bool, error) {
	if held, ok := i.cache.FindFirst(r.user, r.account); ok {
		return held.Has(access.PayInvoices), nil
	}
	return i.cache.Can(i.ctx, r.user, r.account, access.PayInvoices)
}

// refusesForEver returns a check that remembers each no.
func refusesForEver() func(i *instance, r *right) (bool, error) {
	type told struct {
		*instance
		*right
	}
	var no sync.Map
	return func(i *instance, r *right) (bool, error) {
		if _, ok := no.Load(told{i, r}); ok {
			return false, nil
		}
		yes, err := i.cache.Can(i.ctx, r.user, r.account, access.PayInvoices)
		if !yes && err == nil {
			no.Store(told{i, r}, true)
		}
		return yes, err
	}
}

package access_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

// A mutant is what a process does otherwise than this package. Nil is as this package.
type mutant struct {
	poll   func(ctx context.Context, i *instance) error
	store  func(*simulatedStore) storage.DB
	check  func(i *instance, r *right) (bool, error)
	settle func(ctx context.Context, i *instance) error
}

// TestSimulationCatches shows that each way to get the protocol wrong is found.
func TestSimulationCatches(t *testing.T) {
	for name, m := range map[string]mutant{
		"the lease begins when the poll ends":        {poll: pollsAndThenBegins},
		"the lease is given before acknowledging":    {store: func(s *simulatedStore) storage.DB { return &extendsEarly{simulatedStore: s} }},
		"the wait begins with the commit":            {settle: waitsFromTheCommit},
		"nobody waits":                               {settle: func(context.Context, *instance) error { return nil }},
		"a follower polls, then registers":           {store: func(s *simulatedStore) storage.DB { return &registersLate{simulatedStore: s} }},
		"a follower serves once it has registered":   {store: func(s *simulatedStore) storage.DB { return servesAtOnce{s} }},
		"a shorter lease is waited for at once":      {store: func(s *simulatedStore) storage.DB { return shrinksAtOnce{s} }},
		"the epoch is taken after the grant":         {store: func(s *simulatedStore) storage.DB { return remembersLate{s} }},
		"an answer is stamped when it is complete":   {check: remembersAnswers},
		"a flight is joined across a write":          {check: joinsAnyFlight},
		"a flight is joined without a lease":         {check: joinsWithoutLease},
		"a follower trusts that it has acknowledged": {store: func(s *simulatedStore) storage.DB { return &acknowledgesOnce{simulatedStore: s} }},
		"who looked away deletes followers":          {settle: deletesAnyway},
		"the feed is a sequence":                     {store: func(s *simulatedStore) storage.DB { return &sequenceStore{simulatedStore: s} }},
		"the end of the feed isn't compared":         {store: func(s *simulatedStore) storage.DB { return &trustsNumbers{simulatedStore: s} }},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := uint64(1); seed <= 2000; seed++ {
				if s := simulate(t, seed, m); s.violation != "" {
					t.Logf("seed %d: %s", seed, s.violation)
					return
				}
			}
			require.Fail(t, "the mutant survives")
		})
	}
}

// pollsAndThenBegins counts the lease from the end of the poll.
func pollsAndThenBegins(ctx context.Context, i *instance) error {
	if err := i.cache.Poll(ctx); err != nil {
		return err
	}
	i.cache.Extend(i.now(), i.position().Lease)
	return nil
}

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

// deletesAnyway isn't aware that it may have looked away.
func deletesAnyway(ctx context.Context, i *instance) error {
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
	return s.ShortenWait(ctx, lease)
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

// trustsNumbers follows the feed by its numbers alone, though after a backup was restored they begin again.
type trustsNumbers struct {
	*simulatedStore
	told, last [access.Shards]access.FeedHead
}

func (s *trustsNumbers) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	position, err := s.simulatedStore.Poll(ctx, id)
	if err != nil || id == "" {
		return position, err
	}
	for shard, head := range position.Heads {
		if head.Number <= s.told[shard].Number {
			position.Heads[shard] = s.told[shard]
		}
	}
	s.last, s.told = s.told, position.Heads
	return position, nil
}

func (s *trustsNumbers) Read(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return s.simulatedStore.Read(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, trustingTx{tx, s}) })
}

type trustingTx struct {
	storage.Tx
	store *trustsNumbers
}

func (tx trustingTx) Changes(ctx context.Context, shard int, after uint64, limit int) ([]access.Record, error) {
	changes, err := tx.Tx.Changes(ctx, shard, after, limit)
	for i := range changes {
		if last := tx.store.last[shard]; changes[i].Number == last.Number {
			changes[i].ID = last.Tail
		}
	}
	return changes, err
}

// A sequenceStore has a feed whose numbers are taken before the commit, and that is read from the highest one on: who
// commits late is lost.
type sequenceStore struct {
	*simulatedStore
	db   *memory.DB                     // that was read
	last [access.Shards]uint64          // the highest number that was seen
	seen [access.Shards][]access.Record // what was
}

func (s *sequenceStore) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	number := s.instance.sequence.next()
	return s.simulatedStore.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		return fn(ctx, numberedTx{tx, &s.instance.sequence, number})
	})
}

// A sequence is the numbers of events.
type sequence struct {
	mu      sync.Mutex
	last    uint64
	numbers map[access.EventID]uint64
}

func (s *sequence) next() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	return s.last
}

func (s *sequence) of(event access.EventID) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.numbers[event]
}

type numberedTx struct {
	storage.Tx
	sequence *sequence
	number   uint64
}

func (tx numberedTx) Append(ctx context.Context, r access.Record) error {
	tx.sequence.mu.Lock()
	defer tx.sequence.mu.Unlock()
	if tx.sequence.numbers == nil {
		tx.sequence.numbers = make(map[access.EventID]uint64)
	}
	tx.sequence.numbers[r.ID] = tx.number
	return tx.Tx.Append(ctx, r)
}

func (s *sequenceStore) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	return reach(s.simulatedStore, "Poll", func(db *memory.DB) (access.Position, error) {
		position, err := db.Poll(ctx, id)
		if err != nil || id == "" {
			return position, err
		}
		if db != s.db { // what becomes of a backup is another mutant's matter
			*s = sequenceStore{simulatedStore: s.simulatedStore, db: db}
		}
		return position, db.View(ctx, func(ctx context.Context, tx storage.Tx) error {
			for shard, head := range position.Heads {
				if head.Number > 0 {
					position.Heads[shard], err = s.look(ctx, tx, shard)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// look reads what has a higher number than all that was seen.
func (s *sequenceStore) look(ctx context.Context, tx storage.Tx, shard int) (head access.FeedHead, err error) {
	changes, err := tx.Changes(ctx, shard, 0, 10_000)
	if err != nil {
		return head, err
	}
	last := s.last[shard]
	for _, r := range changes {
		if number := s.instance.sequence.of(r.ID); number > last || number == 0 && s.seen[shard] == nil {
			s.last[shard] = max(s.last[shard], number)
			r.Number = uint64(len(s.seen[shard])) + 1
			s.seen[shard] = append(s.seen[shard], r)
		}
	}
	if n := len(s.seen[shard]); n > 0 {
		head = access.FeedHead{Number: uint64(n), Tail: s.seen[shard][n-1].ID}
	}
	return head, nil
}

func (s *sequenceStore) Read(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return s.simulatedStore.Read(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, sequenceTx{tx, s}) })
}

type sequenceTx struct {
	storage.Tx
	store *sequenceStore
}

func (tx sequenceTx) Changes(_ context.Context, shard int, after uint64, limit int) ([]access.Record, error) {
	seen := tx.store.seen[shard]
	seen = seen[min(after, uint64(len(seen))):]
	return seen[:min(limit, len(seen))], nil
}

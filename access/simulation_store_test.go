package access_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

var errUnreachable = errors.New("the database can't be reached")

// A simulatedStore is the way from an instance to the database: slow, and broken at times.
type simulatedStore struct {
	storage.DB // for what isn't simulated
	instance   *instance
}

// reach does something with the database, some time later, and comes back with the answer some time after, or without
// it.
func reach[T any](s *simulatedStore, place string, do func(*memory.DB) (T, error)) (answer T, err error) {
	var none T
	s.instance.hold("to "+place, 1)
	db, err := s.instance.reached()
	if err != nil {
		return none, err
	}
	answer, err = do(db)
	s.instance.hold("from "+place, 1)
	if now, lost := s.instance.reached(); lost != nil || now != db || s.instance.here("lost "+place, s.instance.number)>>8%1000 == 0 {
		return none, errUnreachable
	}
	return answer, err
}

// reached returns the database, if it can be reached.
func (i *instance) reached() (*memory.DB, error) {
	i.simulation.mu.Lock()
	defer i.simulation.mu.Unlock()
	if i.ctx.Err() != nil || time.Now().Before(i.down) {
		return nil, errUnreachable
	}
	return i.db, nil
}

// commit does something to the database that is noted.
func (s *simulatedStore) commit(ctx context.Context, place string, do change) error {
	_, err := reach(s, place, func(db *memory.DB) (struct{}, error) {
		err := do(ctx, db)
		if err == nil {
			s.instance.note(do)
		}
		return struct{}{}, err
	})
	return err
}

func (s *simulation) note(c change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.committed = append(s.committed, c)
}

func (s *simulatedStore) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	return reach(s, "Grant", func(db *memory.DB) (access.Grant, error) { return db.Grant(ctx, account, user) })
}

func (s *simulatedStore) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	return reach(s, "Poll", func(db *memory.DB) (access.Position, error) { return db.Poll(ctx, id) })
}

func (s *simulatedStore) Followers(ctx context.Context) ([]access.Follower, error) {
	return reach(s, "Followers", func(db *memory.DB) ([]access.Follower, error) { return db.Followers(ctx) })
}

func (s *simulatedStore) Follow(ctx context.Context, id access.FollowerID) error {
	return s.commit(ctx, "Follow", func(ctx context.Context, db *memory.DB) error { return db.Follow(ctx, id) })
}

func (s *simulatedStore) Acknowledge(ctx context.Context, id access.FollowerID, ticket uint64) error {
	return s.commit(ctx, "Acknowledge", func(ctx context.Context, db *memory.DB) error { return db.Acknowledge(ctx, id, ticket) })
}

func (s *simulatedStore) Unfollow(ctx context.Context, below uint64, ids ...access.FollowerID) error {
	return s.commit(ctx, "Unfollow", func(ctx context.Context, db *memory.DB) error { return db.Unfollow(ctx, below, ids...) })
}

func (s *simulatedStore) SetLease(ctx context.Context, lease time.Duration) error {
	return s.commit(ctx, "SetLease", func(ctx context.Context, db *memory.DB) error { return db.SetLease(ctx, lease) })
}

func (s *simulatedStore) ShortenWait(ctx context.Context, leaseChanges uint64) error {
	return s.commit(ctx, "ShortenWait", func(ctx context.Context, db *memory.DB) error { return db.ShortenWait(ctx, leaseChanges) })
}

func (s *simulatedStore) DrawTicket(ctx context.Context) (uint64, time.Duration, error) {
	type drawn struct {
		ticket uint64
		wait   time.Duration
	}
	answer, err := reach(s, "DrawTicket", func(db *memory.DB) (drawn, error) {
		ticket, wait, err := db.DrawTicket(ctx)
		if err == nil {
			s.instance.drawn()
			s.instance.note(func(ctx context.Context, db *memory.DB) error {
				_, _, err := db.DrawTicket(ctx)
				return err
			})
		}
		return drawn{ticket, wait}, err
	})
	return answer.ticket, answer.wait, err
}

// Read lets every statement see what was committed since the one before.
func (s *simulatedStore) Read(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	db, err := s.instance.reached()
	if err != nil {
		return err
	}
	return db.Read(ctx, func(ctx context.Context, tx storage.Tx) error {
		return fn(ctx, &simulatedTx{Tx: tx, store: s, db: db})
	})
}

// Update commits at one moment. The process learns of it later, or never.
func (s *simulatedStore) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	var unit *simulatedTx
	_, err := reach(s, "Update", func(db *memory.DB) (struct{}, error) {
		s.instance.quiet.Add(1)
		defer s.instance.quiet.Add(-1)
		return struct{}{}, db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
			unit = &simulatedTx{Tx: tx, store: s, db: db}
			tx.AfterCommit(func() { s.instance.note(unit.again) })
			return fn(ctx, unit)
		})
	})
	if errors.Is(err, errUnreachable) && unit != nil {
		err = access.ErrUnknownOutcome
	}
	if unit != nil && (err == nil || errors.Is(err, access.ErrUnknownOutcome)) {
		for _, fn := range unit.after {
			fn()
		}
	}
	return err
}

// A simulatedTx notes what is written of memberships.
type simulatedTx struct {
	storage.Tx
	store *simulatedStore
	db    *memory.DB
	wrote []func(ctx context.Context, tx storage.Tx) error
	after []func()
}

// again does it again.
func (tx *simulatedTx) again(ctx context.Context, db *memory.DB) error {
	return db.Update(ctx, func(ctx context.Context, other storage.Tx) error {
		for _, write := range tx.wrote {
			if err := write(ctx, other); err != nil {
				return err
			}
		}
		return nil
	})
}

func (tx *simulatedTx) Lock(ctx context.Context, ids ...access.AccountID) ([]access.Account, error) {
	tx.wrote = append(tx.wrote, func(ctx context.Context, other storage.Tx) error {
		_, err := other.Lock(ctx, ids...)
		return err
	})
	return tx.Tx.Lock(ctx, ids...)
}

func (tx *simulatedTx) PutMembership(ctx context.Context, m access.Membership) error {
	tx.wrote = append(tx.wrote, func(ctx context.Context, other storage.Tx) error { return other.PutMembership(ctx, m) })
	return tx.Tx.PutMembership(ctx, m)
}

func (tx *simulatedTx) Append(ctx context.Context, r access.Record) error {
	tx.wrote = append(tx.wrote, func(ctx context.Context, other storage.Tx) error { return other.Append(ctx, r) })
	return tx.Tx.Append(ctx, r)
}

func (tx *simulatedTx) AfterCommit(fn func()) { tx.after = append(tx.after, fn) }

func (tx *simulatedTx) Changes(ctx context.Context, shard int, after uint64, limit int) ([]access.Record, error) {
	var changes []access.Record
	_, err := reach(tx.store, "Changes", func(db *memory.DB) (struct{}, error) {
		if db != tx.db {
			return struct{}{}, errUnreachable
		}
		return struct{}{}, db.View(context.Background(), func(ctx context.Context, now storage.Tx) (err error) {
			changes, err = now.Changes(ctx, shard, after, limit)
			return err
		})
	})
	return changes, err
}

// cutOff makes the database unreachable for a while.
func (s *simulation) cutOff(while time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until := time.Now().Add(while); until.After(s.down) {
		s.down = until
	}
}

// position returns what a poll would return at once.
func (s *simulation) position() access.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	position, _ := s.db.Poll(context.Background(), "")
	return position
}

// lockedDB returns the database of this moment, which a restored backup replaces.
func (s *simulation) lockedDB() *memory.DB {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.db
}

// restore puts the database back to where it was. It can't be reached meanwhile, for longer than the lease. From then on
// only what is committed afterwards counts.
func (s *simulation) restore(random *rand.Rand, down time.Duration) {
	s.cutOff(down)
	s.mu.Lock()
	defer s.mu.Unlock()
	lost := random.IntN(10)
	if random.IntN(2) == 0 {
		lost *= 20
	}
	s.committed = slices.Clip(s.committed[:max(0, len(s.committed)-lost)])
	s.db = s.fresh()
	for _, c := range s.committed {
		require.NoError(s.t, c(context.Background(), s.db))
	}
	s.generation++
	s.tally.Restored++
	for _, r := range s.rights {
		r.state = state{number: r.state.number + 1}
	}
}

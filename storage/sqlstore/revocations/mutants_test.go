package revocations_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
)

// A mutant is a storage on which a revocation returns while somebody may still say yes.
type mutant struct {
	make func(storage.DB) storage.DB
	deaf int // one poll in so many, if it shows only then
}

func mutants() map[string]mutant {
	return map[string]mutant{
		"the feed stands still":        {func(db storage.DB) storage.DB { return &standsStill{DB: db} }, 0},
		"acknowledges before it hears": {func(db storage.DB) storage.DB { return acknowledgesEarly{db} }, 0},
		"knows no followers":           {func(db storage.DB) storage.DB { return knowsNobody{db} }, 0},
		"waits for a quarter":          {func(db storage.DB) storage.DB { return waitsShort{db} }, 20},
		"a lease four times as long":   {func(db storage.DB) storage.DB { return leasesLong{db} }, 20},
		"reads what was a moment ago":  {func(db storage.DB) storage.DB { return &lagsBehind{DB: db, kept: make(map[question]kept)} }, 0},
	}
}

// TestRevocationsNotice shows that a wrong answer is found.
func TestRevocationsNotice(t *testing.T) {
	for name, m := range mutants() {
		t.Run(name, func(t *testing.T) {
			const tries = 5
			var found verdict
			for try := 0; try < tries && found.late == 0; try++ {
				s := newScene(t, "sqlite")
				s.task.Mutant, s.task.Deaf = name, m.deaf
				found = s.judge(s.race(1500*time.Millisecond, nil)...)
				t.Logf("seed %d, %d checks, %d of them wrong, %d said yes", s.task.Seed, found.yes+found.no, found.wrong, found.late)
			}
			require.NotZero(t, found.late, "nobody noticed")
			require.NotEmpty(t, found.disorders, "porcupine didn't notice")
			t.Log(found.examples[0], "\n", found.disorders[0])
		})
	}
}

// standsStill sees no change after the first poll.
type standsStill struct {
	storage.DB
	once  sync.Once
	heads [access.Shards]access.FeedHead
}

func (m *standsStill) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	p, err := m.DB.Poll(ctx, id)
	if err == nil {
		m.once.Do(func() { m.heads = p.Heads })
		p.Heads = m.heads
	}
	return p, err
}

// acknowledgesEarly does so when it learns of a ticket, and hears a moment later what changed.
type acknowledgesEarly struct{ storage.DB }

func (m acknowledgesEarly) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	p, err := m.DB.Poll(ctx, id)
	if err == nil && p.Registered {
		err = m.Acknowledge(ctx, id, p.Ticket)
		pause(ctx, 4*poll)
	}
	return p, err
}

type knowsNobody struct{ storage.DB }

func (m knowsNobody) Followers(context.Context) ([]access.Follower, error) { return nil, nil }

type waitsShort struct{ storage.DB }

func (m waitsShort) DrawTicket(ctx context.Context) (uint64, time.Duration, error) {
	ticket, wait, err := m.DB.DrawTicket(ctx)
	return ticket, wait / 4, err
}

type leasesLong struct{ storage.DB }

func (m leasesLong) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	p, err := m.DB.Poll(ctx, id)
	p.Lease *= 4
	return p, err
}

// lagsBehind keeps decisions for a while, as a replica of the database that follows it.
type lagsBehind struct {
	storage.DB
	mutex sync.Mutex
	kept  map[question]kept
}

type kept struct {
	access.Grant
	until int64
}

func (m *lagsBehind) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	key, at := question{account: account, user: user}, processtest.Now()
	if k := m.kept[key]; at < k.until {
		return k.Grant, nil
	}
	g, err := m.DB.Grant(ctx, account, user)
	if err == nil {
		m.kept[key] = kept{g, at + int64(50*time.Millisecond)}
	}
	return g, err
}

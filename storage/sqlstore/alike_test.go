package sqlstore_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/rosterkit/roster/storage/storagetest"
)

// TestAnswersAreAlike gives the same random commands to all backends, in transactions side by side, and compares each
// answer: the value, and the kind of refusal. After each transaction it compares all that is stored.
func TestAnswersAreAlike(t *testing.T) {
	tries := setChecks(t, alikeChecks)
	backends := []backend{{"memory", nil}}
	var emptied []func(require.TestingT)
	for _, engine := range engines() {
		database := engine.database(t)
		emptied = append(emptied, engine.emptied(t, database))
		backends = append(backends, backend{engine.name, engine.open(t, database.Open(t))})
	}
	commands := 0
	rapid.Check(t, func(t *rapid.T) {
		backends := slices.Clone(backends)
		backends[0].db = memory.New()
		for _, empty := range emptied {
			empty(t)
		}
		ids := &idSource{}
		for range rapid.IntRange(2, 4).Draw(t, "transactions") {
			require.NoError(t, sideBySide(context.Background(), backends, nil, func(units []unit) {
				n := rapid.IntRange(1, 80).Draw(t, "writes")
				commandsAlike(t, units, n, ids)
				commands += (1 + readsEach) * n
			}))
			claimAlike(t, backends)
			followAlike(t, backends)
			storedAlike(t, backends)
		}
	})
	t.Logf("report: %s: %d commands, each on %d backends", tries, commands, len(backends))
}

// A backend is one of those whose answers are compared. The first of several is what the others are compared with.
type backend struct {
	name string
	db   storage.DB
}

// A unit is a transaction of a backend.
type unit struct {
	name string
	ctx  context.Context
	tx   storage.Tx
}

// sideBySide runs fn in a transaction of each backend.
func sideBySide(ctx context.Context, backends []backend, begun []unit, fn func([]unit)) error {
	if len(backends) == 0 {
		fn(begun)
		return nil
	}
	return backends[0].db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		return sideBySide(ctx, backends[1:], append(begun, unit{backends[0].name, ctx, tx}), fn)
	})
}

// readsEach is how many reads follow a write.
const readsEach = 2

// commandsAlike gives n writes to each unit, and reads after each of them.
func commandsAlike(t *rapid.T, units []unit, n int, ids *idSource) {
	for _, u := range units {
		require.NoError(t, lockAll(u.ctx, u.tx))
	}
	for range n {
		write := drawWrite(t, ids)
		alike(t, units, func(u unit) (string, answer) { return u.name, answer{nil, write(u.ctx, u.tx)} })
		for range readsEach {
			read := drawRead(t)
			alike(t, units, func(u unit) (string, answer) {
				value, err := read(u.ctx, u.tx)
				return u.name, answer{value, err}
			})
		}
	}
}

// claimAlike has a worker of each backend claim messages and say what became of them.
func claimAlike(t *rapid.T, backends []backend) {
	now, n := drawTime(t), drawNumber(t)
	claimed := alike(t, backends, func(b backend) (string, answer) {
		messages, err := b.db.Claim(context.Background(), now, time.Hour, n)
		return b.name, answer{messages, err}
	})
	for _, m := range claimed.value.([]notify.Message) {
		attempt := m.Attempt - drawNumber(t)/4
		result := notify.Result{ID: m.ID, Attempt: attempt, State: notify.State(drawNumber(t)), At: now, Due: drawTime(t),
			Uncounted: rapid.Bool().Draw(t, "uncounted"), Reason: "because", Address: "a", Subject: "s"}
		alike(t, backends, func(b backend) (string, answer) {
			fenced, err := b.db.Finish(context.Background(), result)
			return b.name, answer{fenced, err}
		})
	}
	dead := alike(t, backends, func(b backend) (string, answer) {
		messages, err := b.db.DeadLetters(context.Background(), "", n)
		return b.name, answer{messages, err}
	})
	for _, m := range dead.value.([]notify.Message) {
		change := rapid.SampledFrom([]func(notify.Queue, context.Context, time.Time, ...notify.MessageID) (int, error){
			notify.Queue.Retry, notify.Queue.Drop}).Draw(t, "change")
		alike(t, backends, func(b backend) (string, answer) {
			changed, err := change(b.db, context.Background(), now, m.ID)
			return b.name, answer{changed, err}
		})
	}
	alike(t, backends, func(b backend) (string, answer) {
		backlog, err := b.db.Backlog(context.Background())
		return b.name, answer{backlog, err}
	})
}

// followAlike has followers of each backend do something, and those who wait for them.
func followAlike(t *rapid.T, backends []backend) {
	ctx := context.Background()
	for range rapid.IntRange(1, 10).Draw(t, "calls") {
		id := rapid.SampledFrom([]access.FollowerID{"a", "A", "a ", "b"}).Draw(t, "follower")
		ticket := rapid.Uint64Range(0, 6).Draw(t, "ticket")
		lease := time.Duration(rapid.IntRange(0, 3000).Draw(t, "lease")) * time.Millisecond / 2
		call := rapid.SampledFrom([]func(storage.DB) error{
			func(db storage.DB) error { return db.Follow(ctx, id) },
			func(db storage.DB) error { return db.Acknowledge(ctx, id, ticket) },
			func(db storage.DB) error { return db.Unfollow(ctx, ticket, id, "b") },
			func(db storage.DB) error { return db.SetLease(ctx, lease) },
			func(db storage.DB) error { return db.ShortenWait(ctx, ticket) },
			func(db storage.DB) error {
				p, err := db.Poll(ctx, id)
				return errors.Join(err, db.ShortenWait(ctx, p.LeaseChanges))
			},
		}).Draw(t, "call")
		alike(t, backends, func(b backend) (string, answer) { return b.name, answer{nil, call(b.db)} })
		alike(t, backends, func(b backend) (string, answer) {
			ticket, wait, err := b.db.DrawTicket(ctx)
			return b.name, answer{[]any{ticket, wait}, err}
		})
		alike(t, backends, func(b backend) (string, answer) {
			followers, err := b.db.Followers(ctx)
			return b.name, answer{followers, err}
		})
		alike(t, backends, func(b backend) (string, answer) {
			p, err := b.db.Poll(ctx, id)
			return b.name, answer{p, err}
		})
	}
}

// storedAlike compares all that can be read, and all decisions.
func storedAlike(t *rapid.T, backends []backend) {
	alike(t, backends, func(b backend) (string, answer) {
		text, err := storagetest.Dump(context.Background(), b.db, someAccounts, someUsers)
		return b.name, answer{text, err}
	})
	for _, account := range someAccounts {
		for _, user := range someUsers {
			alike(t, backends, func(b backend) (string, answer) {
				grant, err := b.db.Grant(context.Background(), account, user)
				return b.name, answer{grant, err}
			})
		}
	}
}

// An answer is what a backend answers to a command.
type answer struct {
	value any
	err   error
}

// alike gives a command to each of several backends and ends the test if one doesn't answer as the first does, whose
// answer it returns.
func alike[T any](t *rapid.T, of []T, command func(T) (name string, answer answer)) answer {
	_, want := command(of[0])
	for _, other := range of[1:] {
		name, got := command(other)
		for _, kind := range []error{access.ErrNotFound, access.ErrExists, access.ErrInvalid} {
			require.Equal(t, errors.Is(want.err, kind), errors.Is(got.err, kind), "%s: want %v, got %v", name, want.err, got.err)
		}
		require.Equal(t, want.err == nil, got.err == nil, "%s: want %v, got %v", name, want.err, got.err)
		// Events that the transaction appended need not be seen: all see them at its end.
		require.Empty(t, cmp.Diff(want.value, got.value, cmpopts.EquateEmpty(),
			cmp.Comparer(func(a, b access.Address) bool { return a == b })), name)
	}
	return want
}

package peers_test

import (
	"context"
	"testing"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// An outbox is what is measured: it keeps mails until they are delivered.
type outbox interface {
	// enqueue stores mails in one unit of work.
	enqueue(ctx context.Context, orders []order) error
	// deliver hands to a mailer what is stored. It returns when the mailer has taken all that it waits for, and that is
	// recorded.
	deliver(ctx context.Context, m *mailer) error
	// left returns how many mails are stored that aren't recorded as delivered.
	left(ctx context.Context) (int, error)
}

// An implementation makes outboxes of one kind on one engine.
type implementation struct {
	name   string // as it is in the names of benchmarks
	engine string // one of servertest.Engines
	fair   bool   // serves accounts in turns
	open   func(tb testing.TB, database servertest.Database) outbox
}

// implementations are what is measured: roster's on each engine, and River, which is for PostgreSQL, with as many mails in
// hand at a time.
func implementations() []implementation {
	return []implementation{
		{"impl=roster/db=sqlite/hand=200", "sqlite", true, openRoster(200)},
		{"impl=roster/db=mysql/hand=200", "mysql", true, openRoster(200)},
		{"impl=roster/db=postgres/hand=200", "postgres", true, openRoster(200)},
		{"impl=river/db=postgres/hand=200", "postgres", false, openRiver(200)},
		{"impl=roster/db=postgres/hand=2000", "postgres", true, openRoster(2000)},
		{"impl=river/db=postgres/hand=2000", "postgres", false, openRiver(2000)},
	}
}

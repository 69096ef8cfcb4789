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
	open   func(tb testing.TB, database servertest.Database) outbox
}

// implementations are what is measured: ours on each engine with two workers, and River as our two workers are, which have
// two mails in hand at a time, and again with as many jobs as ours claim.
func implementations() []implementation {
	return []implementation{
		{"impl=roster/db=sqlite/workers=2", "sqlite", openRoster},
		{"impl=roster/db=mysql/workers=2", "mysql", openRoster},
		{"impl=roster/db=postgres/workers=2", "postgres", openRoster},
		{"impl=river/db=postgres/workers=2", "postgres", openRiver(2)},
		{"impl=river/db=postgres/workers=200", "postgres", openRiver(200)},
		{"impl=river/db=postgres/workers=2000", "postgres", openRiver(2000)},
	}
}

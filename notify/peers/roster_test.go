package peers_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// rosterWorkers is how many mails are handed over at a time.
const rosterWorkers = 2

// A rosterOutbox is roster's.
type rosterOutbox struct {
	db    *sqlstore.DB
	batch int
}

// openRoster makes outboxes whose workers have so many mails in hand together.
func openRoster(hand int) func(tb testing.TB, database servertest.Database) outbox {
	return func(tb testing.TB, database servertest.Database) outbox {
		return rosterOutbox{openStore(tb, database), hand / rosterWorkers}
	}
}

func openStore(tb testing.TB, database servertest.Database) *sqlstore.DB {
	dialect := map[string]sqlstore.Dialect{"sqlite": sqlstore.SQLite, "postgres": sqlstore.Postgres, "mysql": sqlstore.MySQL}[database.Engine]
	if database.Engine == "mysql" {
		database.Source += "&interpolateParams=true" // as hosts are told
	}
	db := sqlstore.New(database.Open(tb), dialect, sqlstore.Config{})
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	require.NoError(tb, db.Migrate(tb.Context()))
	return db
}

func (o rosterOutbox) enqueue(ctx context.Context, orders []order) error {
	now := time.Now()
	messages := make([]notify.Message, len(orders))
	for i, order := range orders {
		messages[i] = notify.Message{ID: notify.MessageID(order.ID), Kind: "invoice", Group: order.Account, Ref: order.Ref, Created: now, Due: now}
	}
	return o.db.Update(ctx, func(ctx context.Context, tx storage.Tx) error { return tx.Enqueue(ctx, messages...) })
}

func (o rosterOutbox) deliver(ctx context.Context, m *mailer) error {
	worker, err := notify.NewWorker(o.db, m, notify.WorkerConfig{Batch: o.batch, Log: slog.New(slog.DiscardHandler)}, invoices{})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var workers sync.WaitGroup
	for range rosterWorkers {
		workers.Go(func() { _ = worker.Run(ctx) }) // which returns nil
	}
	<-m.done
	stop()
	workers.Wait()
	return nil
}

func (o rosterOutbox) left(ctx context.Context) (int, error) {
	backlog, err := o.db.Backlog(ctx)
	return backlog.Queued + backlog.Dead, err
}

// Invoices writes the mails.
type invoices struct{}

func (invoices) Kinds() []notify.Kind { return []notify.Kind{"invoice"} }

func (invoices) Prepare(_ context.Context, messages []notify.Message) []notify.Prepared {
	prepared := make([]notify.Prepared, len(messages))
	for i, m := range messages {
		prepared[i].Mail = order{ID: string(m.ID), Account: m.Group, Ref: m.Ref}.write()
	}
	return prepared
}

package peers_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// A riverOutbox has a job in River for each mail.
type riverOutbox struct {
	pool    *pgxpool.Pool
	sender  *river.Client[pgx.Tx] // which works nothing
	workers int
}

// openRiver makes outboxes that have so many mails in hand: River has as many workers, and fetches what they can begin.
func openRiver(hand int) func(tb testing.TB, database servertest.Database) outbox {
	return func(tb testing.TB, database servertest.Database) outbox {
		pool, err := pgxpool.New(tb.Context(), database.Source+" pool_max_conns=10")
		require.NoError(tb, err)
		tb.Cleanup(pool.Close)
		migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
		require.NoError(tb, err)
		_, err = migrator.Migrate(tb.Context(), rivermigrate.DirectionUp, nil)
		require.NoError(tb, err)
		sender, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Logger: slog.New(slog.DiscardHandler)})
		require.NoError(tb, err)
		return riverOutbox{pool, sender, hand}
	}
}

// A mailJob is an order as the arguments of a job.
type mailJob order

func (mailJob) Kind() string { return "mail" }

// enqueue inserts the jobs as River's documentation has it for many: by COPY.
func (o riverOutbox) enqueue(ctx context.Context, orders []order) error {
	return pgx.BeginFunc(ctx, o.pool, func(tx pgx.Tx) error {
		if len(orders) == 1 {
			_, err := o.sender.InsertTx(ctx, tx, mailJob(orders[0]), nil)
			return err
		}
		jobs := make([]river.InsertManyParams, len(orders))
		for i, order := range orders {
			jobs[i].Args = mailJob(order)
		}
		_, err := o.sender.InsertManyFastTx(ctx, tx, jobs)
		return err
	})
}

// deliver works with the shortest wait between fetches that River allows: by default it is a hundred times as long, and
// would be all that is measured.
func (o riverOutbox) deliver(ctx context.Context, m *mailer) error {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &mailWorker{mailer: m}); err != nil {
		return err
	}
	client, err := river.NewClient(riverpgxv5.New(o.pool), &river.Config{
		Logger:        slog.New(slog.DiscardHandler),
		Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: o.workers}},
		Workers:       workers,
		FetchCooldown: river.FetchCooldownMin, FetchPollInterval: 100 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	<-m.done
	return client.Stop(ctx) // when what was done is recorded
}

func (o riverOutbox) left(ctx context.Context) (n int, err error) {
	err = o.pool.QueryRow(ctx, `SELECT COUNT(*) FROM river_job WHERE state <> 'completed'`).Scan(&n)
	return n, err
}

// A mailWorker writes and sends the mail of a job.
type mailWorker struct {
	river.WorkerDefaults[mailJob]
	mailer *mailer
}

func (w *mailWorker) Work(ctx context.Context, job *river.Job[mailJob]) error {
	mail := order(job.Args).write()
	if err := mail.Check(); err != nil {
		return err
	}
	return w.mailer.Send(ctx, mail)
}

package sqlstore_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// BenchmarkDeliver enqueues mails, a hundred in a transaction, and has two workers deliver them to a mailer that takes
// everything: an operation is one mail. With queued=100000 so many of another account wait in the line behind.
func BenchmarkDeliver(b *testing.B) {
	for _, engine := range engines() {
		for _, queued := range []int{0, 100_000} {
			b.Run(fmt.Sprintf("impl=roster/db=%s/queued=%d", engine.name, queued), func(b *testing.B) {
				benchmarkDeliver(b, engine, queued)
			})
		}
	}
}

const (
	mailsAtOnce = 100
	senders     = 2
)

func benchmarkDeliver(b *testing.B, engine engine, queued int) {
	_, db := engine.durable(b)
	for range queued / 1000 {
		enqueueMails(b, db, "big", 1000)
	}
	var sent atomic.Int64
	worker, err := notify.NewWorker(db, nullMailer{&sent}, notify.WorkerConfig{Batch: 100, Log: slog.New(slog.DiscardHandler)}, notices{})
	require.NoError(b, err)
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; left -= mailsAtOnce {
		enqueueMails(b, db, fmt.Sprint(left/mailsAtOnce%50), min(left, mailsAtOnce))
	}
	var group sync.WaitGroup
	for range senders {
		group.Go(func() {
			for sent.Load() < int64(b.N) {
				if _, err := worker.Deliver(b.Context()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}

func enqueueMails(b *testing.B, db *sqlstore.DB, group string, n int) {
	b.Helper()
	now := time.Now()
	messages := make([]notify.Message, n)
	for i := range messages {
		id := uuid.Must(uuid.NewV7()).String()
		messages[i] = notify.Message{ID: notify.MessageID(id), Kind: "notice", Group: group, Ref: id, Created: now, Due: now}
	}
	for some := range slices.Chunk(messages, mailsAtOnce) {
		require.NoError(b, db.Update(b.Context(), func(ctx context.Context, tx storage.Tx) error { return tx.Enqueue(ctx, some...) }))
	}
}

// Notices prepares mails of the kind "notice", all with the same text.
type notices struct{}

func (notices) Kinds() []notify.Kind { return []notify.Kind{"notice"} }

func (notices) Prepare(ctx context.Context, messages []notify.Message) []notify.Prepared {
	prepared := make([]notify.Prepared, len(messages))
	for i := range messages {
		prepared[i].Mail = notify.Mail{To: "ann@example.com", Subject: "Your invoice", Text: "It is ready to be paid.\n"}
	}
	return prepared
}

// A nullMailer takes every mail, and counts them.
type nullMailer struct{ sent *atomic.Int64 }

func (m nullMailer) Send(context.Context, notify.Mail) error {
	m.sent.Add(1)
	return nil
}

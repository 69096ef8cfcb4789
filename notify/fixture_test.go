package notify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// An outbox is a queue in memory with a clock that stands still.
type outbox struct {
	t   *testing.T
	db  *memory.DB
	now time.Time
	log bytes.Buffer
}

func newOutbox(t *testing.T) *outbox {
	return &outbox{t: t, db: memory.New(), now: noon}
}

func messageID(n int) notify.MessageID {
	return notify.MessageID(fmt.Sprintf("01900000-0000-7000-8000-%012x", n))
}

// enqueue stores messages of a kind, numbered from first to last, all due now.
func (o *outbox) enqueue(kind notify.Kind, first, last int) {
	o.t.Helper()
	var messages []notify.Message
	for n := first; n <= last; n++ {
		messages = append(messages, notify.Message{ID: messageID(n), Kind: kind, Group: "acme", Ref: fmt.Sprint(n), Created: o.now, Due: o.now})
	}
	require.NoError(o.t, o.db.Update(context.Background(), func(ctx context.Context, tx storage.Tx) error {
		return tx.Enqueue(ctx, messages...)
	}))
}

// messages returns what is stored, oldest first.
func (o *outbox) messages() []notify.Message {
	o.t.Helper()
	var messages []notify.Message
	require.NoError(o.t, o.db.View(context.Background(), func(ctx context.Context, tx storage.Tx) error {
		page, err := tx.Messages(ctx, "acme", notify.MessageQuery{Limit: 10_000})
		for i := range page {
			messages = append(messages, page[len(page)-1-i])
		}
		return err
	}))
	return messages
}

// message returns the only message that is stored.
func (o *outbox) message() notify.Message {
	o.t.Helper()
	messages := o.messages()
	require.Len(o.t, messages, 1)
	return messages[0]
}

// said returns what the only message that is stored said.
func (o *outbox) said() (said string) {
	o.t.Helper()
	id := o.message().ID
	require.NoError(o.t, o.db.View(context.Background(), func(ctx context.Context, tx storage.Tx) error {
		m, err := tx.Message(ctx, "acme", id)
		said = m.Said
		return err
	}))
	return said
}

// config is a worker's configuration with this outbox's clock and log, and without chance.
func (o *outbox) config() notify.WorkerConfig {
	return notify.WorkerConfig{
		Now:    func() time.Time { return o.now },
		Random: func() float64 { return 0 },
		Log:    slog.New(slog.NewTextHandler(&o.log, nil)),
	}
}

func (o *outbox) worker(mailer notify.Mailer, preparers ...notify.Preparer) *notify.Worker {
	o.t.Helper()
	return o.workerOn(o.db, mailer, preparers...)
}

func (o *outbox) workerOn(queue notify.Queue, mailer notify.Mailer, preparers ...notify.Preparer) *notify.Worker {
	o.t.Helper()
	if len(preparers) == 0 {
		preparers = []notify.Preparer{greetings{}}
	}
	w, err := notify.NewWorker(queue, mailer, o.config(), preparers...)
	require.NoError(o.t, err)
	return w
}

// deliver makes one pass, in which the worker settles so many messages.
func (o *outbox) deliver(w *notify.Worker, settled int) {
	o.t.Helper()
	got, err := w.Deliver(o.t.Context())
	require.NoError(o.t, err)
	require.Equal(o.t, settled, got)
}

// Greetings prepares messages of the kind "greeting".
type greetings struct{}

func (greetings) Kinds() []notify.Kind { return []notify.Kind{"greeting"} }

func (greetings) Prepare(ctx context.Context, messages []notify.Message) []notify.Prepared {
	prepared := make([]notify.Prepared, len(messages))
	for i, m := range messages {
		prepared[i].Mail = greeting(m)
	}
	return prepared
}

func greeting(m notify.Message) notify.Mail {
	return notify.Mail{To: "Bob" + m.Ref + "@example.com", Subject: "Greeting " + m.Ref, Text: "Hello"}
}

// A preparerFunc prepares one message of the kind "greeting".
type preparerFunc func(m notify.Message) notify.Prepared

func (f preparerFunc) Kinds() []notify.Kind { return []notify.Kind{"greeting"} }

func (f preparerFunc) Prepare(ctx context.Context, messages []notify.Message) []notify.Prepared {
	var prepared []notify.Prepared
	for _, m := range messages {
		prepared = append(prepared, f(m))
	}
	return prepared
}

// A mailerFunc is a mailer.
type mailerFunc func(ctx context.Context, m notify.Mail) error

func (f mailerFunc) Send(ctx context.Context, m notify.Mail) error { return f(ctx, m) }

// A brokenQueue fails when it is told to.
type brokenQueue struct {
	notify.Queue
	mu     sync.Mutex
	claim  int // how many calls of Claim fail
	finish int // how many calls of Finish fail
}

var errBroken = errors.New("connection to db@example.com lost")

func (q *brokenQueue) Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]notify.Message, error) {
	if q.fails(&q.claim) {
		return nil, errBroken
	}
	return q.Queue.Claim(ctx, now, lease, n)
}

func (q *brokenQueue) Finish(ctx context.Context, results ...notify.Result) ([]notify.MessageID, error) {
	if q.fails(&q.finish) {
		return nil, errBroken
	}
	return q.Queue.Finish(ctx, results...)
}

func (q *brokenQueue) fails(times *int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	*times--
	return *times >= 0
}

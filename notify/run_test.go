package notify_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/notifytest"
	"github.com/stretchr/testify/require"
)

// start runs a worker with the bubble's clock and returns a function that ends it and waits.
func start(t *testing.T, queue notify.Queue, mailer notify.Mailer, cfg notify.WorkerConfig) (stop func()) {
	t.Helper()
	w, err := notify.NewWorker(queue, mailer, cfg, greetings{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		require.NoError(t, <-ended)
	}
}

func TestRunPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, mailer := newOutbox(t), &notifytest.Recorder{}
		o.now = time.Now()
		stop := start(t, o.db, mailer, notify.WorkerConfig{Log: slog.New(slog.DiscardHandler)})
		synctest.Wait()
		o.enqueue("greeting", 1, 120)
		time.Sleep(time.Second - time.Nanosecond)
		require.Empty(t, mailer.Mails())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Len(t, mailer.Mails(), 120, "batch after batch, without waiting in between")
		stop()
	})
}

func TestRunOutlivesItsQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, mailer, log := newOutbox(t), &notifytest.Recorder{}, &bytes.Buffer{}
		o.now = time.Now()
		o.enqueue("greeting", 1, 1)
		queue := &brokenQueue{Queue: o.db, claim: 8}
		begun := time.Now()
		stop := start(t, queue, mailer, notify.WorkerConfig{Log: slog.New(slog.NewTextHandler(log, nil))})
		// It waits 1, 2, 4, 8, 16, 32, 60 and 60 seconds.
		time.Sleep(183*time.Second - time.Nanosecond)
		require.Empty(t, mailer.Mails())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Len(t, mailer.Mails(), 1)
		require.Equal(t, 183*time.Second, time.Since(begun))
		stop()
		require.Equal(t, 8, bytes.Count(log.Bytes(), []byte("the outbox failed")))
		require.Contains(t, log.String(), "connection to … lost")
	})
}

func TestRunStopsCleanly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, mailer, log := newOutbox(t), &notifytest.Recorder{}, &bytes.Buffer{}
		o.now = time.Now()
		o.enqueue("greeting", 1, 3)
		stop := start(t, o.db, mailerFunc(func(ctx context.Context, m notify.Mail) error {
			time.Sleep(10 * time.Second)
			if err := ctx.Err(); err != nil {
				return err
			}
			return mailer.Send(ctx, m)
		}), notify.WorkerConfig{Log: slog.New(slog.NewTextHandler(log, nil))})
		time.Sleep(15 * time.Second) // the second mail is in hand
		stop()
		require.Len(t, mailer.Mails(), 2)
		require.NotContains(t, log.String(), "level=ERROR")
		for i, m := range o.messages() {
			require.Equal(t, i < 2, m.State == notify.Sent)
			require.Zero(t, m.Leased)
		}
	})
}

func TestRunBoundsTheMailer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(t)
		o.now = time.Now()
		o.enqueue("greeting", 1, 1)
		stop := start(t, o.db, mailerFunc(func(ctx context.Context, m notify.Mail) error {
			<-ctx.Done() // a server that never answers
			return ctx.Err()
		}), notify.WorkerConfig{Log: slog.New(slog.DiscardHandler)})
		time.Sleep(20 * time.Second)
		synctest.Wait()
		require.Equal(t, notify.Queued, o.message().State)
		require.Equal(t, "context deadline exceeded", o.message().Reason)
		stop()
	})
}

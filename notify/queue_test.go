package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/notifytest"
	"github.com/rosterkit/roster/storage"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A countingQueue notes how many results are recorded at once.
type countingQueue struct {
	notify.Queue
	finished []int
}

func (q *countingQueue) Finish(ctx context.Context, results ...notify.Result) ([]notify.MessageID, error) {
	q.finished = append(q.finished, len(results))
	return q.Queue.Finish(ctx, results...)
}

func TestResultsAreRecordedTogetherWhileMailsAreFast(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 1, 30)
	queue := &countingQueue{Queue: o.db}
	took := []time.Duration{5 * time.Millisecond, 5 * time.Millisecond, 15 * time.Millisecond, time.Second, 20 * time.Millisecond, 19 * time.Millisecond}
	sent := 0
	w := o.workerOn(queue, mailerFunc(func(context.Context, notify.Mail) error {
		if sent < len(took) {
			o.now = o.now.Add(took[sent])
		}
		sent++
		return nil
	}))
	o.deliver(w, 30)
	// The third mail has the first three recorded, the two slow ones are recorded alone, all others at the end.
	require.Equal(t, []int{3, 1, 1, 25}, queue.finished)
}

func TestSmallAccountIsNotHeldUp(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		o := newOutbox(t)
		mailer := &notifytest.Recorder{}
		cfg := o.config()
		cfg.Batch = rapid.IntRange(1, 60).Draw(r, "batch")
		w, err := notify.NewWorker(o.db, mailer, cfg, greetings{})
		require.NoError(r, err)
		next := 0
		enqueue := func(group string, n int) {
			var messages []notify.Message
			for range n {
				next++
				messages = append(messages, notify.Message{ID: messageID(next), Kind: "greeting", Group: group, Ref: fmt.Sprint(next), Created: o.now, Due: o.now})
			}
			require.NoError(r, o.db.Update(context.Background(), func(ctx context.Context, tx storage.Tx) error { return tx.Enqueue(ctx, messages...) }))
		}
		others := rapid.IntRange(1, 5).Draw(r, "big groups")
		for range rapid.IntRange(1, 20).Draw(r, "enqueued") {
			enqueue(fmt.Sprint("big ", rapid.IntRange(1, others).Draw(r, "group")), rapid.IntRange(1, 80).Draw(r, "mails"))
			if rapid.Bool().Draw(r, "deliver") {
				_, err := w.Deliver(context.Background())
				require.NoError(r, err)
			}
		}
		mailer.Reset()
		enqueue("small", 1)
		ref := fmt.Sprint(next)
		before := func() int {
			for i, m := range mailer.Mails() {
				if m.To == greeting(notify.Message{Ref: ref}).To {
					return i
				}
			}
			return -1
		}
		for range next {
			_, err := w.Deliver(context.Background())
			require.NoError(r, err)
			if before() >= 0 {
				break
			}
		}
		// Each of the others may have what is left of its turn, and its next one.
		require.GreaterOrEqual(r, before(), 0)
		require.LessOrEqual(r, before(), 2*others)
	})
}

func TestPutBackMessagesAreNotGivenUp(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 1, 1)
	for range 200 { // twice the attempts that a message has
		ctx, stop := context.WithCancel(t.Context())
		w := o.worker(&notifytest.Recorder{}, preparerFunc(func(m notify.Message) notify.Prepared {
			stop()
			return notify.Prepared{Mail: greeting(m)}
		}))
		_, err := w.Deliver(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, notify.WorkerStats{Returned: 1}, w.Stats())
	}
	require.Equal(t, 200, o.message().Attempt)
	o.deliver(o.worker(&notifytest.Failing{Times: -1}), 0)
	require.Equal(t, noon.Add(7500*time.Millisecond), o.message().Due, "the first wait")
}

func TestRetriedDeadLetterStartsAnew(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 1, 2)
	w := o.worker(&notifytest.Failing{Times: 3, Mailer: &notifytest.Recorder{}})
	o.now = o.now.Add(3 * 24 * time.Hour)
	o.deliver(w, 2)
	dead, err := o.db.DeadLetters(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, dead, 2)

	retried, err := o.db.Retry(t.Context(), o.now, messageID(1))
	require.NoError(t, err)
	require.Equal(t, 1, retried)
	dropped, err := o.db.Drop(t.Context(), o.now, messageID(2))
	require.NoError(t, err)
	require.Equal(t, 1, dropped)
	o.deliver(w, 0) // fails a third time
	require.Equal(t, notify.Queued, o.messages()[0].State, "though it is older than messages that fail may be")
	o.now = o.now.Add(7500 * time.Millisecond)
	o.deliver(w, 1)
	require.Equal(t, notify.Sent, o.messages()[0].State)
	require.Equal(t, notify.Dropped, o.messages()[1].State)
	require.Equal(t, "dropped", o.messages()[1].State.String())
	require.Equal(t, notify.WorkerStats{Sent: 1, Failed: 1, Dead: 2}, w.Stats())
}

func TestWorkerStats(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 1, 6)
	other := o.worker(&notifytest.Recorder{})
	w := o.worker(mailerFunc(func(ctx context.Context, m notify.Mail) error {
		o.now = o.now.Add(20 * time.Millisecond) // each is recorded before the next begins
		switch m.MessageID {
		case messageID(3):
			return errors.New("busy")
		case messageID(4):
			return notify.Permanent(errors.New("unknown"))
		case messageID(6):
			o.now = o.now.Add(time.Minute)
			o.deliver(other, 2) // the third too, which is due again
		}
		return nil
	}), preparerFunc(func(m notify.Message) notify.Prepared {
		if m.Ref == "2" {
			return notify.Prepared{Cancel: "it has changed"}
		}
		return notify.Prepared{Mail: greeting(m)}
	}))
	require.Zero(t, w.Stats())
	o.deliver(w, 4)
	require.Equal(t, notify.WorkerStats{Sent: 2, Cancelled: 1, Failed: 1, Dead: 1, TakenOver: 1}, w.Stats())
	require.Equal(t, notify.WorkerStats{Sent: 2}, other.Stats())
}

// TestRateOutlivesAClockThatIsSetBack has the clock of the machine put right by an hour: the worker doesn't wait for that long.
func TestRateOutlivesAClockThatIsSetBack(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("greeting", 1, 2)
	cfg := o.config()
	cfg.Rate = 1
	w, err := notify.NewWorker(o.db, mailer, cfg, greetings{})
	require.NoError(t, err)
	o.now = o.now.Add(time.Hour)
	o.deliver(w, 1)
	o.now = o.now.Add(-time.Hour)
	o.deliver(w, 1)
	require.Len(t, mailer.Mails(), 2)
}

// TestRate has a worker send for a while at a rate, with mails of different speed, and looks at every second of it.
func TestRate(t *testing.T) {
	for _, rate := range []int{1, 2, 7, 30, 250} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOutbox(t)
				o.now = time.Now()
				n := 10 * rate
				o.enqueue("greeting", 1, n)
				var begun []time.Time
				w, err := notify.NewWorker(o.db, mailerFunc(func(context.Context, notify.Mail) error {
					begun = append(begun, time.Now())
					if len(begun)%5 == 0 {
						time.Sleep(3 * time.Millisecond)
					}
					return nil
				}), notify.WorkerConfig{Rate: rate, Log: slog.New(slog.DiscardHandler)}, greetings{})
				require.NoError(t, err)
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- w.Run(ctx) }()
				time.Sleep(12 * time.Second)
				stop()
				require.NoError(t, <-ended)
				require.Len(t, begun, n, "about so many per second")
				for i := range begun[rate:] {
					require.GreaterOrEqual(t, begun[i+rate].Sub(begun[i]), time.Second, "%d mails within a second", rate+1)
				}
			})
		})
	}
}

// TestRateOfDeliver has a clock that stands still: what isn't allowed isn't claimed.
func TestRateOfDeliver(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("greeting", 1, 10)
	cfg := o.config()
	cfg.Rate = 4
	w, err := notify.NewWorker(o.db, mailer, cfg, preparerFunc(func(m notify.Message) notify.Prepared {
		if m.Ref == "2" {
			return notify.Prepared{Cancel: "it has changed"} // which isn't sent, and doesn't count
		}
		return notify.Prepared{Mail: greeting(m)}
	}))
	require.NoError(t, err)
	o.deliver(w, 4)
	o.deliver(w, 1)
	o.deliver(w, 0)
	for _, m := range o.messages()[5:] {
		require.Zero(t, m.Attempt)
	}
	o.now = o.now.Add(time.Second - time.Nanosecond)
	o.deliver(w, 0)
	o.now = o.now.Add(time.Nanosecond)
	o.deliver(w, 4)
	require.Len(t, mailer.Mails(), 8)
	backlog, err := o.db.Backlog(t.Context())
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(notify.Backlog{Queued: 1, Oldest: noon}, backlog))
}

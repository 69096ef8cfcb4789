package notify_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/notifytest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNewWorkerRefuses(t *testing.T) {
	o := newOutbox(t)
	mailer := &notifytest.Recorder{}
	tests := []struct {
		name      string
		queue     notify.Queue
		mailer    notify.Mailer
		cfg       notify.WorkerConfig
		preparers []notify.Preparer
		want      string
	}{
		{"no queue", nil, mailer, notify.WorkerConfig{}, []notify.Preparer{greetings{}}, "needs a queue"},
		{"no mailer", o.db, nil, notify.WorkerConfig{}, []notify.Preparer{greetings{}}, "needs a mailer"},
		{"no preparers", o.db, mailer, notify.WorkerConfig{}, nil, "needs a preparer"},
		{"a nil preparer", o.db, mailer, notify.WorkerConfig{}, []notify.Preparer{nil}, "preparer is nil"},
		{"one kind twice", o.db, mailer, notify.WorkerConfig{}, []notify.Preparer{greetings{}, preparerFunc(nil)}, `two preparers for kind "greeting"`},
		{"negative batch", o.db, mailer, notify.WorkerConfig{Batch: -1}, []notify.Preparer{greetings{}}, "negative"},
		{"negative size", o.db, mailer, notify.WorkerConfig{MaxBytes: -1}, []notify.Preparer{greetings{}}, "negative"},
		{"negative poll", o.db, mailer, notify.WorkerConfig{Poll: -1}, []notify.Preparer{greetings{}}, "negative"},
		{"long timeout", o.db, mailer, notify.WorkerConfig{Timeout: 31 * time.Second}, []notify.Preparer{greetings{}}, "half of its Lease"},
		{"short longest backoff", o.db, mailer, notify.WorkerConfig{MaxBackoff: time.Second}, []notify.Preparer{greetings{}}, "MaxBackoff"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := notify.NewWorker(tt.queue, tt.mailer, tt.cfg, tt.preparers...)
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err := notify.NewWorker(o.db, mailer, notify.WorkerConfig{}, greetings{})
	require.NoError(t, err)
}

func TestDeliversOnce(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("greeting", 1, 3)
	w := o.worker(mailer)
	o.deliver(w, 3)
	o.deliver(w, 0)

	want := []notify.Mail{}
	for n := 1; n <= 3; n++ {
		m := greeting(notify.Message{Ref: fmt.Sprint(n)})
		m.MessageID = messageID(n)
		want = append(want, m)
	}
	require.Empty(t, cmp.Diff(want, mailer.Mails()))
	first := notify.Message{ID: messageID(1), Kind: "greeting", Group: "acme", Ref: "1", Created: noon, Due: noon, State: notify.Sent,
		Attempt: 1, Done: noon, Address: "Bob1@example.com", Subject: "Greeting 1"}
	require.Empty(t, cmp.Diff(first, o.messages()[0]))
	require.NotContains(t, o.log.String(), "example.com")
	require.Contains(t, o.log.String(), `msg="mail sent"`)
}

func TestDeliversAtMostOneBatch(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("greeting", 1, 120)
	w := o.worker(mailer)
	o.deliver(w, 50)
	o.deliver(w, 50)
	o.deliver(w, 20)
	require.Len(t, mailer.Mails(), 120)
}

func TestRetriesWithBackoff(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("greeting", 1, 1)
	w := o.worker(&notifytest.Failing{Times: 12, Mailer: mailer})
	// Without chance the wait is half of 15 s, 30 s, 1 m, ... 1 h, 1 h.
	waits := []time.Duration{7500 * time.Millisecond, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute,
		8 * time.Minute, 16 * time.Minute, 30 * time.Minute, 30 * time.Minute, 30 * time.Minute, 30 * time.Minute}
	for attempt, wait := range waits {
		o.deliver(w, 0)
		m := o.message()
		require.Equal(t, notify.Queued, m.State)
		require.Equal(t, attempt+1, m.Attempt)
		require.Equal(t, "notifytest: refused", m.Reason)
		require.Equal(t, o.now.Add(wait), m.Due)

		o.now = o.now.Add(wait - time.Microsecond)
		o.deliver(w, 0)
		require.Equal(t, attempt+1, o.message().Attempt, "not before it is due")
		o.now = o.now.Add(time.Microsecond)
	}
	o.deliver(w, 1)
	require.Equal(t, notify.Sent, o.message().State)
	require.Empty(t, o.message().Reason)
	require.Len(t, mailer.Mails(), 1)
}

func TestBackoffIsSpread(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		o := newOutbox(t)
		o.enqueue("greeting", 1, 1)
		cfg := o.config()
		random := rapid.Float64Range(0, 0.999).Draw(r, "random")
		cfg.Random = func() float64 { return random }
		cfg.Backoff = time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(r, "backoff"))
		w, err := notify.NewWorker(o.db, &notifytest.Failing{Times: -1}, cfg, greetings{})
		require.NoError(r, err)
		o.deliver(w, 0)
		wait := o.message().Due.Sub(noon)
		require.GreaterOrEqual(r, wait, (cfg.Backoff / 2).Truncate(time.Microsecond))
		require.LessOrEqual(r, wait, cfg.Backoff)
	})
}

func TestRepeatsCarryTheSameMessageID(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("greeting", 1, 1)
	w := o.workerOn(&brokenQueue{Queue: o.db, finish: 1}, mailer)
	_, err := w.Deliver(t.Context()) // hands the mail over, and can't record it
	require.ErrorIs(t, err, errBroken)
	o.deliver(w, 0)
	o.now = o.now.Add(time.Minute)
	o.deliver(w, 1)

	require.Len(t, mailer.Mails(), 2)
	require.Equal(t, mailer.Mails()[0], mailer.Mails()[1])
	require.Equal(t, messageID(1), mailer.Mails()[1].MessageID)
}

func TestBrokenQueueStopsTheBatch(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("greeting", 1, 3)
	slow := mailerFunc(func(ctx context.Context, m notify.Mail) error {
		o.now = o.now.Add(20 * time.Millisecond)
		return mailer.Send(ctx, m)
	})
	_, err := o.workerOn(&brokenQueue{Queue: o.db, finish: 1}, slow).Deliver(t.Context())
	require.ErrorIs(t, err, errBroken)
	require.Len(t, mailer.Mails(), 1, "what can't be recorded isn't sent")
	_, err = o.workerOn(&brokenQueue{Queue: o.db, claim: 1}, mailer).Deliver(t.Context())
	require.ErrorIs(t, err, errBroken)
}

func TestLateWorkerIsFenced(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("greeting", 1, 2)
	other := o.worker(mailer)
	late := o.worker(mailerFunc(func(ctx context.Context, m notify.Mail) error {
		if m.MessageID != messageID(1) {
			return errors.New("the second mail is no longer this worker's")
		}
		o.now = o.now.Add(time.Minute) // this worker hangs until its lease is over
		o.deliver(other, 2)
		return errors.New("timed out")
	}))
	o.deliver(late, 0)

	require.Len(t, mailer.Mails(), 2)
	for _, m := range o.messages() {
		require.Equal(t, notify.Sent, m.State, "what the other worker recorded stays")
		require.Equal(t, 2, m.Attempt)
	}
	require.Contains(t, o.log.String(), "taken over")
}

func TestDeadWorkersLeaseIsTakenOver(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("greeting", 1, 1)
	_, err := o.db.Claim(t.Context(), o.now, time.Minute, 50) // by a worker that dies
	require.NoError(t, err)
	w := o.worker(mailer)
	o.now = o.now.Add(time.Minute - time.Microsecond)
	o.deliver(w, 0)
	o.now = o.now.Add(time.Microsecond)
	o.deliver(w, 1)
	require.Equal(t, 2, o.message().Attempt)
}

func TestSlowMailerGivesBackWhatItCannotSendInTime(t *testing.T) {
	o, sent := newOutbox(t), 0
	o.enqueue("greeting", 1, 10)
	w := o.worker(mailerFunc(func(ctx context.Context, m notify.Mail) error {
		sent++
		o.now = o.now.Add(15 * time.Second)
		return nil
	}))
	o.deliver(w, 3) // begun at 0 s, 15 s and 30 s; a fourth could last beyond the lease
	for _, m := range o.messages()[3:] {
		require.Equal(t, notify.Queued, m.State)
		require.Equal(t, noon, m.Due, "at once, for any worker")
		require.Zero(t, m.Leased)
	}
	o.deliver(w, 3)
	o.deliver(w, 3)
	o.deliver(w, 1)
	require.Equal(t, 10, sent)
}

func TestCancelled(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("greeting", 1, 1)
	o.deliver(o.worker(mailer, preparerFunc(func(notify.Message) notify.Prepared {
		return notify.Prepared{Cancel: "the invite was revoked"}
	})), 1)
	m := o.message()
	require.Equal(t, notify.Cancelled, m.State)
	require.Equal(t, "the invite was revoked", m.Reason)
	require.Equal(t, noon, m.Done)
	require.Empty(t, mailer.Mails())
}

func TestPermanentErrors(t *testing.T) {
	refused := notify.Permanent(errors.New("550 5.1.1 <bob@example.com>: user unknown, see https://example.com/bounce"))
	workers := map[string]func(*outbox) *notify.Worker{
		"of the mailer": func(o *outbox) *notify.Worker {
			return o.worker(mailerFunc(func(context.Context, notify.Mail) error { return fmt.Errorf("sending: %w", refused) }))
		},
		"of the preparer": func(o *outbox) *notify.Worker {
			return o.worker(&notifytest.Recorder{}, preparerFunc(func(notify.Message) notify.Prepared {
				return notify.Prepared{Err: fmt.Errorf("sending: %w", refused)}
			}))
		},
	}
	for name, worker := range workers {
		t.Run(name, func(t *testing.T) {
			o := newOutbox(t)
			o.enqueue("greeting", 1, 1)
			o.deliver(worker(o), 1)
			require.Equal(t, notify.Dead, o.message().State)
			require.Equal(t, "sending: 550 5.1.1 … user unknown, see …", o.message().Reason)
			require.NotContains(t, o.log.String(), "example.com")
		})
	}
}

func TestMailThatFailsItsCheckIsGivenUp(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("greeting", 1, 1)
	o.deliver(o.worker(mailer, preparerFunc(func(m notify.Message) notify.Prepared {
		mail := greeting(m)
		mail.Subject += "\r\nBcc: eve@example.com"
		return notify.Prepared{Mail: mail}
	})), 1)
	require.Equal(t, notify.Dead, o.message().State)
	require.Equal(t, "notify: subject holds control characters", o.message().Reason)
	require.Empty(t, mailer.Mails())
}

func TestGivenUpByAge(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 1, 1)
	w := o.worker(&notifytest.Failing{Times: -1})
	o.now = o.now.Add(3*24*time.Hour - time.Microsecond)
	o.deliver(w, 0)
	require.Equal(t, notify.Queued, o.message().State)
	o.now = o.message().Due
	o.deliver(w, 1)
	require.Equal(t, notify.Dead, o.message().State)
	require.Equal(t, "given up after 2 attempts: notifytest: refused", o.message().Reason)
	require.Contains(t, o.log.String(), "level=ERROR")
}

func TestGivenUpByAttempts(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 1, 1)
	cfg := o.config()
	cfg.Attempts = 3
	w, err := notify.NewWorker(o.db, &notifytest.Failing{Times: -1}, cfg, greetings{})
	require.NoError(t, err)
	for range 2 {
		o.deliver(w, 0)
		o.now = o.message().Due
	}
	o.deliver(w, 1)
	require.Equal(t, "given up after 3 attempts: notifytest: refused", o.message().Reason)
}

func TestMessageThatKillsItsWorkersIsGivenUp(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 1, 1)
	for range 100 {
		claimed, err := o.db.Claim(t.Context(), o.now, time.Minute, 1)
		require.NoError(t, err)
		require.Len(t, claimed, 1)
		o.now = o.now.Add(time.Minute)
	}
	o.deliver(o.worker(&notifytest.Recorder{}, preparerFunc(func(notify.Message) notify.Prepared {
		t.Error("prepared once more")
		return notify.Prepared{}
	})), 1)
	require.Equal(t, notify.Dead, o.message().State)
	require.Equal(t, "given up: too many attempts that never ended", o.message().Reason)
}

func TestPanicsAreFailures(t *testing.T) {
	t.Run("of the mailer", func(t *testing.T) {
		o := newOutbox(t)
		o.enqueue("greeting", 1, 1)
		o.deliver(o.worker(mailerFunc(func(ctx context.Context, m notify.Mail) error { panic("token " + m.Text) })), 0)
		require.Equal(t, notify.Queued, o.message().State)
		require.Equal(t, "the mailer panicked", o.message().Reason)
		require.Contains(t, o.log.String(), "panic=string")
		require.NotContains(t, o.log.String(), "token")
	})
	t.Run("of the preparer for one of many", func(t *testing.T) {
		o, mailer := newOutbox(t), &notifytest.Recorder{}
		o.enqueue("greeting", 1, 3)
		o.deliver(o.worker(mailer, preparerFunc(func(m notify.Message) notify.Prepared {
			var fields []string
			if m.Ref == "2" {
				return notify.Prepared{Cancel: fields[0]}
			}
			return notify.Prepared{Mail: greeting(m)}
		})), 2)
		require.Len(t, mailer.Mails(), 2, "the others are sent")
		require.Equal(t, "the preparer panicked", o.messages()[1].Reason)
		require.Contains(t, o.log.String(), "index out of range")
	})
}

// A forgetful preparer answers fewer messages than it is asked about.
type forgetful struct{ greetings }

func (f forgetful) Prepare(ctx context.Context, messages []notify.Message) []notify.Prepared {
	return f.greetings.Prepare(ctx, messages)[1:]
}

func TestPreparerThatAnswersTooFew(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 1, 2)
	o.deliver(o.worker(&notifytest.Recorder{}, forgetful{}), 0)
	for _, m := range o.messages() {
		require.Equal(t, notify.Queued, m.State)
		require.Equal(t, "the preparer answered 0 of 1 messages", m.Reason)
	}
}

func TestUnknownKindStaysQueued(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("farewell", 1, 1)
	w := o.worker(mailer)
	for range 150 { // more than the attempts and the age that end other messages
		o.deliver(w, 0)
		require.Equal(t, notify.Queued, o.message().State)
		require.Equal(t, "no preparer for this kind", o.message().Reason)
		require.True(t, o.message().Due.After(o.now))
		o.now = o.message().Due
	}
	o.deliver(o.worker(mailer, farewells{}), 1)
	require.Len(t, mailer.Mails(), 1, "the worker that it is for sends it")
}

// Farewells prepares messages of the kind "farewell".
type farewells struct{ greetings }

func (farewells) Kinds() []notify.Kind { return []notify.Kind{"farewell"} }

// TestTwoWorkers has workers race for the same messages: each is sent once, and never by two at a time.
func TestTwoWorkers(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("greeting", 1, 300)
	cfg := o.config()
	cfg.Batch = 7
	var workers sync.WaitGroup
	for range 4 {
		w, err := notify.NewWorker(o.db, mailer, cfg, greetings{})
		require.NoError(t, err)
		workers.Go(func() {
			for {
				settled, err := w.Deliver(context.Background())
				if err != nil {
					t.Error(err)
				}
				if settled == 0 {
					return
				}
			}
		})
	}
	workers.Wait()
	sent := make(map[notify.MessageID]bool)
	for _, m := range mailer.Mails() {
		require.False(t, sent[m.MessageID], "%s was sent twice", m.MessageID)
		sent[m.MessageID] = true
	}
	require.Len(t, sent, 300)
}

// TestStopInTheMiddle ends the context while the second of five mails is in hand.
func TestStopInTheMiddle(t *testing.T) {
	o, mailer := newOutbox(t), &notifytest.Recorder{}
	o.enqueue("greeting", 1, 5)
	ctx, stop := context.WithCancel(t.Context())
	w := o.worker(mailerFunc(func(ctx context.Context, m notify.Mail) error {
		if m.MessageID == messageID(2) {
			stop()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return mailer.Send(ctx, m)
	}))
	settled, err := w.Deliver(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 2, settled)
	require.Len(t, mailer.Mails(), 2, "the mail in hand is finished")

	o.deliver(o.worker(mailer), 3) // at once: nothing waits for a lease
	require.Len(t, mailer.Mails(), 5, "none is lost, none is sent twice")
	_, err = w.Deliver(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// TestStopWhilePreparing ends the context while the preparer works: its answers count for nothing.
func TestStopWhilePreparing(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 1, 2)
	ctx, stop := context.WithCancel(t.Context())
	_, err := o.worker(&notifytest.Recorder{}, preparerFunc(func(notify.Message) notify.Prepared {
		stop()
		return notify.Prepared{Err: context.Canceled}
	})).Deliver(ctx)
	require.ErrorIs(t, err, context.Canceled)
	for _, m := range o.messages() {
		require.Equal(t, noon, m.Due)
		require.Empty(t, m.Reason)
		require.Zero(t, m.Leased)
	}
}

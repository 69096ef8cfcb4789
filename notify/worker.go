package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"time"
)

// WorkerConfig holds what may be changed about a worker. The zero value of each field stands for its default.
type WorkerConfig struct {
	Now    func() time.Time // the clock; time.Now by default. Clocks of several workers may differ by a few seconds.
	Random func() float64   // in [0, 1), spreads retries; rand.Float64 by default. Safe for concurrent use.
	Log    *slog.Logger     // what became of each message, without addresses and secrets; slog.Default() by default

	Batch int           // how many messages are claimed at once; 50 by default
	Lease time.Duration // for how long no other worker takes them; 1 minute by default
	// Timeout bounds preparing a batch, fetching the attachments of one mail, handing it over, and recording what became of
	// it, each; a third of Lease by default, at most half. A server that takes a mail and says so later than that gets it
	// again: RFC 5321 section 4.5.3.2 has clients wait for up to 10 minutes. Give more Lease where servers look at mails for
	// long.
	Timeout time.Duration
	Poll    time.Duration // how long Run waits when nothing is due; 1 second by default
	Rate    int           // how many mails are begun in any second, by all calls of Run together; 0 for any number

	Backoff    time.Duration // the wait after the first failure, doubled after each further one; 15 seconds by default
	MaxBackoff time.Duration // the longest wait between attempts; 1 hour by default
	MaxAge     time.Duration // a message that fails this long after it was created or retried is given up; 3 days by default
	Attempts   int           // a message is given up after so many attempts; 100 by default

	MaxBytes int // a larger mail, by Mail.Size, is given up at once; by default as large as Mail.Check allows
}

// A Worker sends the messages of a queue. It is safe for concurrent use, and several workers in several processes
// may share a queue.
type Worker struct {
	queue     Queue
	mailer    Mailer
	preparers []Preparer
	places    map[Kind]int    // of the preparer of a kind
	takers    []FeedbackTaker // those of the preparers that are
	cfg       WorkerConfig
	limiter   limiter
	counts    counts
}

// NewWorker returns a worker that sends the messages of a queue through a mailer, as the preparers of their kinds write
// them. Preparers that are FeedbackTakers are told which addresses refuse mail. It returns an error if one of these is
// missing, if two preparers write the same kind, or if the configuration contradicts itself.
//
// A message of a kind that no preparer writes is put back for another worker, for as long as it takes: give each worker the
// preparers of all packages that you use, or watch for "no preparer for this kind" in the log.
func NewWorker(queue Queue, mailer Mailer, cfg WorkerConfig, preparers ...Preparer) (*Worker, error) {
	if queue == nil {
		return nil, errors.New("notify: a worker needs a queue")
	}
	if mailer == nil {
		return nil, errors.New("notify: a worker needs a mailer")
	}
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	w := &Worker{queue: queue, mailer: mailer, cfg: cfg, preparers: preparers, places: make(map[Kind]int), limiter: limiter{rate: cfg.Rate}}
	for place, preparer := range preparers {
		if preparer == nil {
			return nil, errors.New("notify: a preparer is nil")
		}
		for _, kind := range preparer.Kinds() {
			if _, taken := w.places[kind]; taken {
				return nil, fmt.Errorf("notify: two preparers for kind %q", kind)
			}
			w.places[kind] = place
		}
		if taker, ok := preparer.(FeedbackTaker); ok {
			w.takers = append(w.takers, taker)
		}
	}
	if len(w.places) == 0 {
		return nil, errors.New("notify: a worker needs a preparer")
	}
	return w, nil
}

// complete fills in the defaults.
func (c WorkerConfig) complete() (WorkerConfig, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	orDefault(&c.Batch, 50)
	orDefault(&c.Lease, time.Minute)
	orDefault(&c.Timeout, c.Lease/3)
	orDefault(&c.Poll, time.Second)
	orDefault(&c.Backoff, 15*time.Second)
	orDefault(&c.MaxBackoff, max(c.Backoff, time.Hour))
	orDefault(&c.MaxAge, 3*24*time.Hour)
	orDefault(&c.Attempts, 100)
	orDefault(&c.MaxBytes, math.MaxInt)
	if min(c.Batch, c.Attempts, c.MaxBytes, c.Rate) < 0 || min(c.Lease, c.Timeout, c.Poll, c.Backoff, c.MaxBackoff, c.MaxAge) < 0 {
		return WorkerConfig{}, errors.New("notify: a number of the worker's configuration is negative")
	}
	if c.Timeout > c.Lease/2 {
		return WorkerConfig{}, errors.New("notify: the worker's Timeout is more than half of its Lease")
	}
	if c.MaxBackoff < c.Backoff {
		return WorkerConfig{}, errors.New("notify: the worker's MaxBackoff is less than its Backoff")
	}
	return c, nil
}

func orDefault[T int | time.Duration](value *T, standard T) {
	if *value == 0 {
		*value = standard
	}
}

// Run sends what is due until the context ends: it finishes the mail in hand, puts back what it holds, and returns
// nil. When the queue fails it logs that, waits and tries again, up to a minute later. It sends one mail after the other:
// for several at a time, call it in several goroutines.
func (w *Worker) Run(ctx context.Context) error {
	for failures := 0; ctx.Err() == nil; {
		p, err := w.pass(ctx)
		if err != nil && !errors.Is(err, ctx.Err()) { // that the context ended is no failure
			failures++
			w.counts.broken.Add(1)
			w.cfg.Log.ErrorContext(ctx, "the outbox failed", "failures", failures, "reason", reasonOf(err))
			sleep(ctx, doubled(w.cfg.Poll, failures, max(w.cfg.Poll, time.Minute)))
			continue
		}
		failures = 0
		switch {
		case p.wait > 0:
			sleep(ctx, p.wait)
		case p.handled == 0:
			sleep(ctx, w.cfg.Poll)
		}
	}
	return nil
}

// Deliver sends one batch of what is due, and returns how many messages it settled: sent, cancelled or given up. When
// the context ends it finishes the mail in hand, puts the rest of the batch back and returns the context's error. Other
// errors are the queue's; mail that can't be sent is not an error but put back for a later attempt. With a Rate, it
// sends nothing until some may be sent.
func (w *Worker) Deliver(ctx context.Context) (int, error) {
	p, err := w.pass(ctx)
	return p.settled, err
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// doubled returns the n-th wait, counted from 1, of a series that doubles up to a longest.
func doubled(first time.Duration, n int, longest time.Duration) time.Duration {
	wait := first
	for ; n > 1 && wait < longest; n-- {
		wait *= 2
	}
	return min(wait, longest)
}

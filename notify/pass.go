package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// A pass is the way of one batch through a worker.
type pass struct {
	*Worker
	handled int // messages of which an attempt was made
	settled int // of these, the ones that need no further attempt
}

func (w *Worker) pass(ctx context.Context) (*pass, error) {
	p := &pass{Worker: w}
	if err := ctx.Err(); err != nil {
		return p, err
	}
	messages, err := w.queue.Claim(ctx, w.cfg.Now(), w.cfg.Lease, w.cfg.Batch)
	if err != nil {
		return p, err
	}
	prepared := p.prepare(ctx, messages)
	for i, m := range messages {
		err := p.deliver(ctx, m, prepared[i])
		if errors.Is(err, ErrFenced) {
			w.cfg.Log.WarnContext(ctx, "mail taken over by another worker", "message", m.ID, "kind", m.Kind, "attempt", m.Attempt)
			continue
		}
		if err != nil { // what is sent now couldn't be recorded either: the rest is left to its lease
			return p, err
		}
	}
	return p, ctx.Err()
}

// deliver settles one message or puts it back. Its errors are the queue's.
func (p *pass) deliver(ctx context.Context, m Message, prepared Prepared) error {
	if ctx.Err() != nil {
		return p.putBack(ctx, m)
	}
	switch {
	case prepared.Err != nil:
		return p.fail(ctx, m, prepared.Err)
	case prepared.Cancel != "":
		return p.finish(ctx, m, Result{State: Cancelled, Reason: plainReason(prepared.Cancel)})
	}
	mail := prepared.Mail
	mail.MessageID = m.ID
	if err := mail.Check(); err != nil {
		return p.fail(ctx, m, Permanent(err))
	}
	if mail.Size() > p.cfg.MaxBytes {
		return p.fail(ctx, m, Permanent(fmt.Errorf("notify: mail is larger than %d bytes", p.cfg.MaxBytes)))
	}
	if p.cfg.Now().Add(p.cfg.Timeout).After(m.Leased) { // it could still be under way when another worker begins
		return p.putBack(ctx, m)
	}
	if err := p.send(ctx, mail); err != nil {
		if err := p.tellRefused(ctx, mail, err); err != nil {
			return p.fail(ctx, m, err) // and so hears it again
		}
		return p.fail(ctx, m, err)
	}
	return p.finish(ctx, m, Result{State: Sent, Address: mail.To, Subject: mail.Subject})
}

// send hands a mail over. A mail in hand is finished even when the worker stops, as nobody could tell otherwise
// whether it was taken.
func (p *pass) send(ctx context.Context, mail Mail) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Timeout)
	defer cancel()
	defer p.recovered(ctx, "mailer", &err)
	return p.mailer.Send(ctx, mail)
}

// tellRefused tells the preparers that want to know it that the address of a mail refuses mail, if the mailer said so.
func (p *pass) tellRefused(ctx context.Context, mail Mail, err error) error {
	var refused *AddressError
	if !errors.As(err, &refused) {
		return nil
	}
	feedback := Feedback{ID: "refused/" + string(mail.MessageID), Kind: HardBounce, Address: mail.To,
		Message: mail.MessageID, Detail: reasonOf(err), At: p.cfg.Now()}
	for _, taker := range p.takers {
		if err := p.tell(ctx, taker, feedback); err != nil {
			return fmt.Errorf("the address refuses mail, which could not be recorded: %w", err)
		}
	}
	return nil
}

func (p *pass) tell(ctx context.Context, taker FeedbackTaker, f Feedback) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Timeout)
	defer cancel()
	defer p.recovered(ctx, "feedback taker", &err)
	return taker.TakeFeedback(ctx, f)
}

// fail puts a message back for a later attempt, or gives it up.
func (p *pass) fail(ctx context.Context, m Message, err error) error {
	now, reason := p.cfg.Now(), reasonOf(err)
	switch {
	case errors.Is(err, errNoPreparer): // it is for another worker
	case IsPermanent(err):
		return p.giveUp(ctx, m, reason)
	case m.Attempt >= p.cfg.Attempts || now.Sub(m.Created) >= p.cfg.MaxAge:
		return p.giveUp(ctx, m, fmt.Sprintf("given up after %d attempts: %s", m.Attempt, reason))
	}
	// Half of the wait is random, so that what failed together doesn't come back together.
	wait := doubled(p.cfg.Backoff, m.Attempt, p.cfg.MaxBackoff)
	wait = wait/2 + time.Duration(p.cfg.Random()*float64(wait/2))
	return p.finish(ctx, m, Result{State: Queued, Due: now.Add(wait), Reason: reason})
}

func (p *pass) giveUp(ctx context.Context, m Message, reason string) error {
	return p.finish(ctx, m, Result{State: Dead, Reason: reason})
}

// putBack ends a lease without an attempt, so that any worker can take the message at once.
func (p *pass) putBack(ctx context.Context, m Message) error {
	return p.record(ctx, m, Result{State: Queued, Due: m.Due, Reason: m.Reason})
}

// finish records what became of a message, and logs it.
func (p *pass) finish(ctx context.Context, m Message, r Result) error {
	p.handled++
	if err := p.record(ctx, m, r); err != nil {
		return err
	}
	level := slog.LevelInfo
	switch r.State {
	case Queued:
		level = slog.LevelWarn
	case Dead:
		level = slog.LevelError
	}
	p.cfg.Log.LogAttrs(ctx, level, "mail "+r.State.String(), slog.String("message", string(m.ID)),
		slog.String("kind", string(m.Kind)), slog.Int("attempt", m.Attempt), slog.String("reason", r.Reason))
	if r.State != Queued {
		p.settled++
	}
	return nil
}

func (p *pass) record(ctx context.Context, m Message, r Result) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Timeout)
	defer cancel()
	r.At = p.cfg.Now()
	return p.queue.Finish(ctx, m.ID, m.Attempt, r)
}

var (
	errNoPreparer = errors.New("no preparer for this kind")
	errNeverEnded = Permanent(errors.New("given up: too many attempts that never ended"))
)

// prepare asks each preparer for the messages of its kinds. A message whose attempts never ended is kept from it: it may
// be what ended the process.
func (p *pass) prepare(ctx context.Context, messages []Message) []Prepared {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	all := make([]Prepared, len(messages))
	shares := make([][]int, len(p.preparers)) // the messages of each preparer
	for i, m := range messages {
		place, known := p.places[m.Kind]
		switch {
		case !known:
			all[i].Err = errNoPreparer
		case m.Attempt > p.cfg.Attempts:
			all[i].Err = errNeverEnded
		default:
			shares[place] = append(shares[place], i)
		}
	}
	for place, share := range shares {
		theirs := make([]Message, len(share))
		for i, index := range share {
			theirs[i] = messages[index]
		}
		for i, prepared := range p.prepareFor(ctx, p.preparers[place], theirs) {
			all[share[i]] = prepared
		}
	}
	return all
}

// prepareFor asks a preparer for all messages, and if that fails as a whole for each one alone, so that a message
// that a preparer can't bear doesn't hold up the others.
func (p *pass) prepareFor(ctx context.Context, preparer Preparer, messages []Message) []Prepared {
	if len(messages) == 0 {
		return nil
	}
	prepared, err := p.call(ctx, preparer, messages)
	if err == nil {
		return prepared
	}
	if len(messages) == 1 {
		return []Prepared{{Err: err}}
	}
	prepared = nil
	for i := range messages {
		prepared = append(prepared, p.prepareFor(ctx, preparer, messages[i:i+1])...)
	}
	return prepared
}

func (p *pass) call(ctx context.Context, preparer Preparer, messages []Message) (prepared []Prepared, err error) {
	defer p.recovered(ctx, "preparer", &err)
	prepared = preparer.Prepare(ctx, messages)
	if len(prepared) != len(messages) {
		return nil, fmt.Errorf("the preparer answered %d of %d messages", len(prepared), len(messages))
	}
	return prepared, nil
}

// recovered turns a panic into an error. What was thrown may hold a secret: only an error of the runtime is repeated.
func (p *pass) recovered(ctx context.Context, who string, err *error) {
	thrown := recover()
	if thrown == nil {
		return
	}
	text := fmt.Sprintf("%T", thrown)
	if e, ok := thrown.(runtime.Error); ok {
		text = e.Error()
	}
	p.cfg.Log.ErrorContext(ctx, "a "+who+" panicked", "panic", text, "stack", string(debug.Stack()))
	*err = errors.New("the " + who + " panicked")
}

// maxReasonRunes is the length of the longest reason that is stored, in characters.
const maxReasonRunes = 200

// reasonOf returns an error's text as it may be stored and logged.
func reasonOf(err error) string { return plainReason(err.Error()) }

// plainReason puts a reason on one line and takes out every word that could be an address, a link or a secret: mail
// servers like to repeat those.
func plainReason(reason string) string {
	words := strings.Fields(oneLine(reason))
	for i, word := range words {
		if strings.Contains(word, "@") || strings.Contains(word, "://") || len(word) > 40 {
			words[i] = "…"
		}
	}
	return clip(strings.Join(words, " "), maxReasonRunes)
}

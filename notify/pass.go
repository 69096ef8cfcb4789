package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// recordWithin bounds for how long a result is held before it is recorded with others. What a worker holds when it dies
// is sent again: results of mails that take longer are recorded one by one, which costs little beside sending them.
const recordWithin = 20 * time.Millisecond

// A pass is the way of one batch through a worker.
type pass struct {
	*Worker
	handled int           // messages of which an attempt was made
	settled int           // of these, the ones that need no further attempt
	wait    time.Duration // before another pass is worthwhile

	refused  []string // the addresses that refused mail, in lower case
	held     []outcome
	recorded time.Time // when nothing was held last
}

// An outcome is a message with the result of an attempt.
type outcome struct {
	message Message
	result  Result
}

func (w *Worker) pass(ctx context.Context) (*pass, error) {
	p := &pass{Worker: w}
	if err := ctx.Err(); err != nil {
		return p, err
	}
	now := w.cfg.Now()
	reserved, wait := w.limiter.reserve(now, w.cfg.Batch)
	if reserved == 0 {
		p.wait = wait
		return p, nil
	}
	begun := 0
	defer func() { w.limiter.release(reserved - begun) }()
	messages, err := w.queue.Claim(ctx, now, w.cfg.Lease, reserved)
	if err != nil {
		return p, err
	}
	prepared := p.prepare(ctx, messages)
	p.recorded = w.cfg.Now()
	for i, m := range messages {
		r := p.deliver(ctx, m, prepared[i], &begun)
		r.ID, r.Attempt, r.At = m.ID, m.Attempt, w.cfg.Now()
		p.held = append(p.held, outcome{m, r})
		if r.At.Sub(p.recorded) < recordWithin {
			continue
		}
		if err := p.record(ctx); err != nil { // what is sent now couldn't be recorded either: the rest is left to its lease
			return p, err
		}
	}
	if err := p.record(ctx); err != nil {
		return p, err
	}
	return p, ctx.Err()
}

// deliver makes an attempt, or none if it is too late for one. It counts the mails that it begins to send.
func (p *pass) deliver(ctx context.Context, m Message, prepared Prepared, begun *int) Result {
	if ctx.Err() != nil {
		return putBack()
	}
	switch {
	case prepared.Err != nil:
		return p.failed(m, prepared.Err)
	case prepared.Cancel != "":
		return Result{State: Cancelled, Reason: plainReason(prepared.Cancel)}
	}
	mail := prepared.Mail
	mail.MessageID = m.ID
	if slices.Contains(p.refused, strings.ToLower(mail.To)) { // which its preparer couldn't know: it is asked again
		return putBack()
	}
	if prepared.Attach != nil {
		var err error
		if mail.Attachments, err = p.attach(ctx, prepared.Attach); err != nil {
			return p.failed(m, err)
		}
	}
	if err := mail.Check(); err != nil {
		return p.failed(m, Permanent(err))
	}
	if mail.Size() > p.cfg.MaxBytes {
		return p.failed(m, Permanent(fmt.Errorf("notify: mail is larger than %d bytes", p.cfg.MaxBytes)))
	}
	now := p.cfg.Now()
	if now.Add(p.cfg.Timeout).After(m.Leased) { // it could still be under way when another worker begins
		return putBack()
	}
	*begun++
	p.limiter.begin(now)
	if err := p.send(ctx, mail); err != nil {
		if refused := (*AddressError)(nil); errors.As(err, &refused) {
			return p.addressRefused(ctx, m, mail.To, err)
		}
		return p.failed(m, err)
	}
	return Result{State: Sent, Address: mail.To, Subject: mail.Subject, Said: clipBytes(storable(prepared.Said), MaxSaidBytes)}
}

// storable takes out what PostgreSQL stores in no text.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}

// attach fetches what is attached to a mail, which is in hand from then on.
func (p *pass) attach(ctx context.Context, fetch func(context.Context) ([]Attachment, error)) (attachments []Attachment, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Timeout)
	defer cancel()
	defer p.recovered(ctx, "preparer", &err)
	return fetch(ctx)
}

// send hands a mail over. A mail in hand is finished even when the worker stops, as nobody could tell otherwise
// whether it was taken.
func (p *pass) send(ctx context.Context, mail Mail) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Timeout)
	defer cancel()
	defer p.recovered(ctx, "mailer", &err)
	return p.mailer.Send(ctx, mail)
}

// addressRefused is the result of an attempt that an address refused. Its preparer, who has heard of it, may write to another
// one now.
func (p *pass) addressRefused(ctx context.Context, m Message, address string, err error) Result {
	if err := p.tellRefused(ctx, m, address, err); err != nil {
		return p.failed(m, err) // and so hears it again
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Timeout)
	defer cancel()
	again := p.prepareFor(ctx, p.preparers[p.places[m.Kind]], []Message{m})[0]
	if again.Err == nil && again.Cancel == "" && !strings.EqualFold(again.Mail.To, address) {
		return Result{State: Queued, Due: p.cfg.Now(), Reason: reasonOf(err)}
	}
	return p.failed(m, err)
}

// tellRefused tells the preparers that want to know it that an address refuses mail.
func (p *pass) tellRefused(ctx context.Context, m Message, address string, err error) error {
	p.refused = append(p.refused, strings.ToLower(address))
	feedback := Feedback{ID: fmt.Sprintf("refused/%s/%d", m.ID, m.Attempt), Kind: HardBounce, Address: address, Message: m.ID,
		Detail: reasonOf(err), At: p.cfg.Now()}
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

// failed is the result of an attempt that failed: there will be a later one, or the message is given up.
func (p *pass) failed(m Message, err error) Result {
	now, reason, attempts := p.cfg.Now(), reasonOf(err), m.Attempt-m.Uncounted
	since := m.Created
	if m.Retried.After(since) {
		since = m.Retried
	}
	switch {
	case errors.Is(err, errNoPreparer): // it is for another worker
	case IsPermanent(err):
		return Result{State: Dead, Reason: reason}
	case attempts >= p.cfg.Attempts || now.Sub(since) >= p.cfg.MaxAge:
		return Result{State: Dead, Reason: fmt.Sprintf("given up after %d attempts: %s", attempts, reason)}
	}
	// Half of the wait is random, so that what failed together doesn't come back together.
	wait := doubled(p.cfg.Backoff, attempts, p.cfg.MaxBackoff)
	wait = wait/2 + time.Duration(p.cfg.Random()*float64(wait/2))
	return Result{State: Queued, Due: now.Add(wait), Reason: reason}
}

// putBack ends a lease without an attempt, so that any worker can take the message at once.
func putBack() Result { return Result{State: Queued, Uncounted: true} }

// record records what is held, and logs it.
func (p *pass) record(ctx context.Context) error {
	if len(p.held) == 0 {
		return nil
	}
	held := p.held
	p.held = nil
	results := make([]Result, len(held))
	for i, o := range held {
		results[i] = o.result
		if !o.result.Uncounted {
			p.handled++
		}
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Timeout)
	defer cancel()
	fenced, err := p.queue.Finish(within, results...)
	if err != nil {
		return err
	}
	for _, o := range held {
		p.report(ctx, o, slices.Contains(fenced, o.message.ID))
	}
	p.recorded = p.cfg.Now()
	return nil
}

// report counts and logs an outcome that was recorded, or wasn't since another attempt has begun.
func (p *pass) report(ctx context.Context, o outcome, fenced bool) {
	m, r := o.message, o.result
	if fenced {
		p.counts.takenOver.Add(1)
		p.cfg.Log.WarnContext(ctx, "mail taken over by another worker", "message", m.ID, "kind", m.Kind, "attempt", m.Attempt)
		return
	}
	p.counts.count(r)
	if r.Uncounted {
		return
	}
	if r.State != Queued {
		p.settled++
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
		case m.Attempt-m.Uncounted > p.cfg.Attempts && m.Reason != errNoPreparer.Error(): // that one did end
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

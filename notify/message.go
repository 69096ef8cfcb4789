package notify

import (
	"context"
	"errors"
	"time"
)

// A MessageID names one mail. It is a UUIDv7 in its text form, so that ids sort by the time they were made.
type MessageID string

// A Kind says what a mail is about, for example "invite" or "owner.changed". Kinds are stored and never renamed.
type Kind string

// A State is what has become of a message. The zero value is no state.
type State uint8

// The states of a message. The numbers are stored: they are never changed or reused.
const (
	Queued    State = 1 // waits for a worker, or for its next attempt
	Sent      State = 2 // the mailer has taken it
	Cancelled State = 3 // no longer due when its turn came; Reason says why
	Dead      State = 4 // given up after the last attempt; Reason says why
	Dropped   State = 5 // was Dead, and somebody has put it aside; Reason says why it was given up
)

// String returns the state in lower case, "none" for the zero value.
func (s State) String() string {
	switch s {
	case Queued:
		return "queued"
	case Sent:
		return "sent"
	case Cancelled:
		return "cancelled"
	case Dead:
		return "dead"
	case Dropped:
		return "dropped"
	}
	return "none"
}

// A Message is a mail to be sent: not its text, but what is needed to write it when its turn comes. It is stored in
// the transaction that causes it, and its row is the e-mail history afterwards. It never holds a secret.
type Message struct {
	ID    MessageID
	Kind  Kind
	Group string // what the mail belongs to, and is listed under: an account's id
	Ref   string // what it is about, in the words of the package that owns the kind: an invite's id, an event's key
	// Generation is the state of Ref that caused the mail. A preparer cancels a mail whose generation has passed.
	Generation uint64
	To         string // the user or contact it goes to, by id, where Ref doesn't tell
	Created    time.Time

	State   State
	Due     time.Time // not sent before
	Attempt int       // attempts so far; also the fence against a late worker
	// Uncounted is how many of the attempts don't count towards giving up: those that ended before the mail was tried,
	// and those before Retried.
	Uncounted int
	Retried   time.Time // when it was last put back after it had been Dead; zero if never
	Leased    time.Time // a worker holds the message until then; zero when none does
	Done      time.Time // when it reached a state other than Queued
	Reason    string    // why it was cancelled, gave up, or failed last; without addresses and secrets
	// Address is where it went, as the person spells it: empty until it is sent, but of a message that is for one address,
	// whoever has it, where it is to go.
	Address string
	Subject string // its subject; empty until it is sent
	Said    string // what it said, as far as history keeps that: without secrets; empty until it is sent, and in lists
}

// ReplacedBy reports whether another message of the same kind and Ref is sent instead of this one: one of a later generation,
// or another one to the same receiver that the same generation caused, of which it does not matter which one is sent.
func (m Message) ReplacedBy(other Message) bool {
	again := other.Generation == m.Generation && other.To == m.To && other.ID != m.ID
	return other.Generation > m.Generation || again && m.ID != "" && other.ID != "" // those without an id aren't stored
}

// The lengths of the longest kind of a message, and of its Group, Ref and To.
const (
	MaxKindBytes = 64
	MaxRefBytes  = 128
)

// MaxSaidBytes is how much of what a mail said is kept.
const MaxSaidBytes = 1 << 14

// Check returns an error if the message can't be stored: it has no id or kind, or a text is too long. Backends call
// it in Enqueue.
func (m Message) Check() error {
	switch {
	case m.ID == "" || m.Kind == "":
		return errors.New("notify: a message without an id or a kind")
	case len(m.Kind) > MaxKindBytes || len(m.ID) > MaxKindBytes:
		return errors.New("notify: a message whose id or kind is too long")
	case len(m.Group) > MaxRefBytes || len(m.Ref) > MaxRefBytes || len(m.To) > MaxRefBytes:
		return errors.New("notify: a message whose group, reference or receiver is too long")
	}
	return nil
}

// A MessageQuery selects messages of one group, newest first.
type MessageQuery struct {
	States []State   // in one of these; any if there are none. Up to 5.
	Kinds  []Kind    // of one of these; any if there are none. Up to 100.
	Since  time.Time // created at or after
	Until  time.Time // created before; zero for no end
	Before MessageID // only messages with a lower id; empty for the newest
	Limit  int       // how many at most, above zero
}

// Tx is what this package needs of a transaction.
type Tx interface {
	// Enqueue stores messages, in state Queued. It returns an error if an id is taken or Message.Check refuses one.
	//
	// A message that is due when it is created gets a place in the line at once, the others when their time has come:
	// see Queue. The k-th of a group in one call is k turns behind the first turn in the line, or behind the group's
	// last one if that is later; with an empty line, its turn is k.
	Enqueue(ctx context.Context, messages ...Message) error
	// Message returns a group's message with what it said; the zero Message if there is none.
	Message(ctx context.Context, group string, id MessageID) (Message, error)
	// Messages returns a group's messages, newest first by id, without what they said.
	Messages(ctx context.Context, group string, q MessageQuery) ([]Message, error)
	// Deliveries returns, for each of refs in a group, the message of a kind with the highest generation, and of those
	// the highest id. Refs without one are left out.
	Deliveries(ctx context.Context, group string, kind Kind, refs []string) (map[string]Message, error)

	// AddFeedback puts feedback about a canonical address on the record. It reports false, and changes nothing, if there
	// is some about the address with its id. It returns an error if Feedback.Check refuses it.
	AddFeedback(ctx context.Context, f Feedback) (added bool, err error)
	// Feedback returns what is on the record about an address, newest first by its key.
	Feedback(ctx context.Context, q FeedbackQuery) ([]Feedback, error)
	// PutSuppression stores the suppression of an address, unless there is one that is as grave: the lower a kind's
	// number, the graver. Whoever else does so at the same time, the gravest is there then.
	PutSuppression(ctx context.Context, s Suppression) error
	// DeleteSuppression deletes the suppression of an address, and reports whether there was one.
	DeleteSuppression(ctx context.Context, address string) (deleted bool, err error)
	// Suppressions returns suppressions, ordered by address byte for byte, from the first address after `after`, at most
	// limit of them.
	Suppressions(ctx context.Context, after string, limit int) ([]Suppression, error)
	// Suppressed returns the suppressions of those of some canonical addresses that are suppressed.
	Suppressed(ctx context.Context, addresses []string) (map[string]Suppression, error)
}

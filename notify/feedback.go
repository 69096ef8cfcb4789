package notify

import (
	"context"
	"errors"
	"time"
)

// A FeedbackKind says what was heard about an address. The zero value is nothing.
type FeedbackKind uint8

// The kinds of feedback. The numbers are stored: they are never changed or reused. Of those that suppress an address the
// lower one is the graver: it stops more.
const (
	HardBounce FeedbackKind = 1 // the address refuses mail for good: it doesn't exist, or takes none
	SoftBounce FeedbackKind = 2 // the address refused a mail for now: the mailbox is full, or its server is away
	Complaint  FeedbackKind = 3 // the holder of the address marked a mail as unwanted
	Lifted     FeedbackKind = 4 // somebody lifted the suppression; no provider reports it
)

// String returns the kind in lower case: "hard bounce", "soft bounce", "complaint" or "lifted", "nothing" for the zero
// value.
func (k FeedbackKind) String() string {
	switch k {
	case HardBounce:
		return "hard bounce"
	case SoftBounce:
		return "soft bounce"
	case Complaint:
		return "complaint"
	case Lifted:
		return "lifted"
	}
	return "nothing"
}

// Feedback is what a mail provider reports about an address, long after it took the mail. The host receives it, makes
// sure that it comes from the provider, and passes it on. What is on the record has the same form.
type Feedback struct {
	// ID is what the provider calls this report, so that a repeat of it counts once; in up to 128 bytes. If it is
	// empty, two reports with the same address, kind, message and time are one.
	ID      string
	Kind    FeedbackKind
	Address string    // as the provider spells it; on the record, in its canonical form
	Message MessageID // the mail that it is about; empty if that isn't known
	Detail  string    // what was said; on the record, without what could be an address, a link or a secret
	At      time.Time // when it happened; if it is zero or in the future, now
	By      string    // on the record: who lifted the suppression, "staff/sam"; empty for a report
}

// Check returns an error if the feedback can't be stored. Backends call it in AddFeedback.
func (f Feedback) Check() error {
	switch {
	case f.ID == "" || f.Address == "" || f.Kind == 0:
		return errors.New("notify: feedback without an id, an address or a kind")
	case len(f.ID) > MaxRefBytes || len(f.Message) > MaxKindBytes || len(f.Address) > MaxAddressBytes:
		return errors.New("notify: feedback whose id, message or address is too long")
	}
	return nil
}

// A FeedbackQuery selects what is on the record about one address, newest first.
type FeedbackQuery struct {
	Address string       // in its canonical form
	Kind    FeedbackKind // only of this kind; zero for all
	Before  FeedbackKey  // only below this; zero for the newest
	Limit   int          // how many at most, above zero
}

// A FeedbackKey names feedback among that about one address, and sorts it, by At and then by ID byte for byte.
type FeedbackKey struct {
	At time.Time
	ID string
}

// Key returns the key of the feedback.
func (f Feedback) Key() FeedbackKey { return FeedbackKey{f.At, f.ID} }

// A Suppression says that an address gets no mail any more, because of what was heard about it. The zero value is none.
type Suppression struct {
	Address string       // in its canonical form
	Kind    FeedbackKind // the graver, if there were several: a complaint, soft bounces, a hard bounce
	Since   time.Time
}

// Stops reports whether mail to the address isn't sent. Security mail, which tells people about their own access, goes
// to those who complained too: they read their mail.
func (s Suppression) Stops(security bool) bool {
	return s.Kind != 0 && !(security && s.Kind == Complaint)
}

// Reason says why mail to the address isn't sent, for the e-mail history.
func (s Suppression) Reason() string { return "the address is suppressed: " + s.Kind.String() }

// A FeedbackTaker is a preparer that keeps what is heard about addresses. A worker tells it which ones refused a mail.
type FeedbackTaker interface {
	// TakeFeedback keeps feedback. A repeat changes nothing.
	TakeFeedback(ctx context.Context, f Feedback) error
}

// PlainReason returns a text on one line, cut to 200 characters, and without every word that could be an address, a link
// or a secret: what may be stored and logged of what others say.
func PlainReason(text string) string { return plainReason(text) }

package notify

import "context"

// A Preparer writes the mails of the kinds it owns, just before they are sent. The packages that enqueue messages
// provide them.
type Preparer interface {
	// Kinds returns the kinds of message this preparer writes, always the same.
	Kinds() []Kind
	// Prepare looks up what the messages are about as it is now, and returns one Prepared for each of them, in their
	// order: the mail, or why it is no longer due. It is called outside any transaction, by several goroutines at once,
	// and again for each attempt; it changes nothing.
	Prepare(ctx context.Context, messages []Message) []Prepared
}

// Prepared is what a preparer makes of a message: an error, or else a reason to cancel, or else a mail.
type Prepared struct {
	// Mail is to be sent. Its MessageID is set by the worker.
	Mail Mail
	// Attach, if it isn't nil, returns what is attached to the mail, when it is about to be sent: so that the attachments of
	// one mail are in memory, and not those of a batch. Those of a batch are called one after the other. Its error is as Err.
	Attach func(ctx context.Context) ([]Attachment, error)
	// Said is what the e-mail history keeps of the mail's text: no secrets, see WithoutLinks. Empty keeps nothing. What is
	// beyond MaxSaidBytes is cut off.
	Said string
	// Cancel says, if it isn't empty, why the mail is no longer due: "the invite was revoked". It is stored, and shown
	// in the e-mail history: no addresses, no secrets.
	Cancel string
	// Err says, if it isn't nil, that the answer isn't known now: the message is tried again later, or given up at once
	// if the error was made by Permanent.
	Err error
}

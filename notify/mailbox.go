package notify

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// A Mailbox is a mailer for development that sends nothing: it keeps the latest mails in memory, secrets and all, for
// a page that shows them. The zero value keeps 100. It is safe for concurrent use.
type Mailbox struct {
	max int // 0 for 100

	mu    sync.Mutex
	mails []Mail // oldest first
}

// NewMailbox returns a mailbox that keeps up to max mails. It panics if max isn't above zero.
func NewMailbox(max int) *Mailbox {
	if max < 1 {
		panic("notify: a mailbox needs room for a mail")
	}
	return &Mailbox{max: max}
}

// Send keeps a mail, in the place of the oldest one if the mailbox is full. A repeat takes the place of the mail with
// the same message id.
func (b *Mailbox) Send(ctx context.Context, m Mail) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mails = slices.DeleteFunc(b.mails, func(old Mail) bool { return old.MessageID == m.MessageID })
	b.mails = append(b.mails, m)
	if surplus := len(b.mails) - cmp.Or(b.max, 100); surplus > 0 {
		b.mails = slices.Delete(b.mails, 0, surplus)
	}
	return nil
}

// Mails returns what the mailbox holds, newest first.
func (b *Mailbox) Mails() []Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	mails := slices.Clone(b.mails)
	slices.Reverse(mails)
	return mails
}

// Mail returns the mail with a message id, and whether the mailbox holds it.
func (b *Mailbox) Mail(id MessageID) (Mail, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.mails {
		if m.MessageID == id {
			return m, true
		}
	}
	return Mail{}, false
}

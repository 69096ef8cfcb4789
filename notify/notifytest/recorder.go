package notifytest

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/rosterkit/roster/notify"
)

// A Recorder is a mailer that takes every mail and keeps it, repeats too. The zero value is ready to use, by several
// goroutines at once.
type Recorder struct {
	mu    sync.Mutex
	mails []notify.Mail
}

// Send records a mail.
func (r *Recorder) Send(ctx context.Context, m notify.Mail) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mails = append(r.mails, m)
	return nil
}

// Mails returns what was sent, in that order.
func (r *Recorder) Mails() []notify.Mail {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.mails)
}

// Last returns the latest mail to an address, spelled as in the mail, and whether there is one.
func (r *Recorder) Last(to string) (notify.Mail, bool) {
	mails := r.Mails()
	for _, m := range slices.Backward(mails) {
		if m.To == to {
			return m, true
		}
	}
	return notify.Mail{}, false
}

// Reset forgets what was sent.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mails = nil
}

var link = regexp.MustCompile(`https?://[^\s<>"]+`)

// FirstURL returns the first http or https link in a text, such as the one in an invite's mail; empty if there is
// none. A full stop or comma after the link is not part of it.
func FirstURL(text string) string { return strings.TrimRight(link.FindString(text), ".,;:!?)") }

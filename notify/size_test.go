package notify_test

import (
	"testing"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/notifytest"
	"github.com/stretchr/testify/require"
)

// TestLargerThanConfigured: a mail of just MaxBytes is sent, one byte more is a dead letter that says why.
func TestLargerThanConfigured(t *testing.T) {
	const max = 1000
	for surplus, state := range []notify.State{notify.Sent, notify.Dead} {
		o, mailer := newOutbox(t), &notifytest.Recorder{}
		o.enqueue("greeting", 1, 1)
		large := preparerFunc(func(m notify.Message) notify.Prepared {
			mail := greeting(m)
			mail.HTML = "<p>Hello</p>"
			mail.Attachments = []notify.Attachment{{Name: "invoice.pdf", Type: "application/pdf", Content: make([]byte, max+surplus-mail.Size())}}
			return notify.Prepared{Mail: mail}
		})
		config := o.config()
		config.MaxBytes = max
		w, err := notify.NewWorker(o.db, mailer, config, large)
		require.NoError(t, err)
		o.deliver(w, 1)
		require.Equal(t, state, o.message().State)
		if state == notify.Dead {
			require.Equal(t, "notify: mail is larger than 1000 bytes", o.message().Reason)
			require.Empty(t, mailer.Mails())
		}
	}
}

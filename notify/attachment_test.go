package notify_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/notify"
)

// TestAttachmentsAreFetchedOneMailAtATime, when the mail before has been handed over, and only for mails that go.
func TestAttachmentsAreFetchedOneMailAtATime(t *testing.T) {
	o := newOutbox(t)
	o.enqueue("greeting", 1, 4)
	var happened []string
	w := o.worker(mailerFunc(func(_ context.Context, m notify.Mail) error {
		require.Len(t, m.Attachments, 1)
		happened = append(happened, "sent "+m.Attachments[0].Name)
		return nil
	}), preparerFunc(func(m notify.Message) notify.Prepared {
		prepared := notify.Prepared{Mail: greeting(m), Attach: func(ctx context.Context) ([]notify.Attachment, error) {
			_, bounded := ctx.Deadline()
			require.True(t, bounded)
			happened = append(happened, "fetched "+m.Ref)
			return []notify.Attachment{{Name: m.Ref, Type: "text/plain"}}, nil
		}}
		if m.Ref == "2" {
			prepared.Cancel = "not any more"
		}
		return prepared
	}))
	o.deliver(w, 4)
	require.Equal(t, []string{"fetched 1", "sent 1", "fetched 3", "sent 3", "fetched 4", "sent 4"}, happened)
}

// TestAttachmentsThatCannotBeFetched keep back the mail that they belong to, and no other.
func TestAttachmentsThatCannotBeFetched(t *testing.T) {
	for name, tt := range map[string]struct {
		fetch func() ([]notify.Attachment, error)
		want  notify.State
	}{
		"now":             {func() ([]notify.Attachment, error) { return nil, errors.New("no storage") }, notify.Queued},
		"ever":            {func() ([]notify.Attachment, error) { return nil, notify.Permanent(errors.New("no such file")) }, notify.Dead},
		"without a panic": {func() ([]notify.Attachment, error) { panic("for bob1@example.com") }, notify.Queued},
		"as they can be sent": {func() ([]notify.Attachment, error) {
			return []notify.Attachment{{Name: "a/b", Type: "text/plain"}}, nil
		}, notify.Dead},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOutbox(t)
			o.enqueue("greeting", 1, 2)
			sent := 0
			w := o.worker(mailerFunc(func(context.Context, notify.Mail) error { sent++; return nil }), preparerFunc(func(m notify.Message) notify.Prepared {
				prepared := notify.Prepared{Mail: greeting(m)}
				if m.Ref == "1" {
					prepared.Attach = func(context.Context) ([]notify.Attachment, error) { return tt.fetch() }
				}
				return prepared
			}))
			_, err := w.Deliver(t.Context())
			require.NoError(t, err)
			require.Equal(t, 1, sent)
			messages := o.messages()
			require.Equal(t, tt.want, messages[0].State)
			require.NotContains(t, messages[0].Reason+o.log.String(), "bob1@")
			require.Equal(t, notify.Sent, messages[1].State)
		})
	}
}

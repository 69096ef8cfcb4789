package notify_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/rosterkit/roster/notify"
	"github.com/stretchr/testify/require"
)

func TestLogMailerKeepsSecrets(t *testing.T) {
	var log bytes.Buffer
	m := validMail()
	m.Text, m.HTML = "https://example.net/invite/secret", "secret"
	require.NoError(t, notify.LogMailer(slog.New(slog.NewTextHandler(&log, nil))).Send(t.Context(), m))

	require.Contains(t, log.String(), "to=B...@example.com")
	require.Contains(t, log.String(), m.Subject)
	require.Contains(t, log.String(), m.MessageID)
	require.NotContains(t, log.String(), "Builder")
	require.NotContains(t, log.String(), "secret")
	require.Panics(t, func() { notify.LogMailer(nil) })
}

func TestMailbox(t *testing.T) {
	mail := func(id notify.MessageID, subject string) notify.Mail {
		return notify.Mail{MessageID: id, Subject: subject}
	}
	box := notify.NewMailbox(2)
	send := func(m notify.Mail) { require.NoError(t, box.Send(t.Context(), m)) }
	require.Empty(t, box.Mails())
	send(mail("1", "first"))
	send(mail("1", "first again"))
	require.Equal(t, []notify.Mail{mail("1", "first again")}, box.Mails(), "a repeat only once")
	send(mail("2", "second"))
	send(mail("3", "third"))
	require.Equal(t, []notify.Mail{mail("3", "third"), mail("2", "second")}, box.Mails(), "newest first")

	got, found := box.Mail("2")
	require.True(t, found)
	require.Equal(t, "second", got.Subject)
	_, found = box.Mail("1")
	require.False(t, found, "the oldest one made room")
	require.Panics(t, func() { notify.NewMailbox(0) })
}

func TestZeroMailbox(t *testing.T) {
	var b notify.Mailbox
	for i := range 101 {
		require.NoError(t, b.Send(t.Context(), notify.Mail{MessageID: notify.MessageID(fmt.Sprint(i))}))
	}
	require.Len(t, b.Mails(), 100)
	require.Equal(t, notify.MessageID("100"), b.Mails()[0].MessageID)
}

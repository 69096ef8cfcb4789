package smtpmail_test

import (
	"bytes"
	"errors"
	"net"
	"testing"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/smtpmail"
	"github.com/rosterkit/roster/notify/smtpmail/smtptest"
	"github.com/stretchr/testify/require"
)

// TestPostfix sends to the mail server that most providers run, or behave like.
func TestPostfix(t *testing.T) {
	certificate := smtptest.NewCertificate(t)
	server := smtptest.StartPostfix(t, certificate)
	mailer := newMailer(t, server.Address, smtpmail.Config{TLS: certificate.Client})

	plain, full, foreign := validMail(), fullMail(), fullMail()
	plain.Text = "a\n.\n..\nFrom here\n"
	full.MessageID, full.Attachments[0].Content = mail(2).MessageID, bytes.Repeat([]byte("\x00\r\n.\r\n"), 100_000)
	foreign.MessageID, foreign.To, foreign.Subject, foreign.ToName = mail(3).MessageID, "jürgen@bücher.example", "Grüße  aus Köln", "Jürgen"
	want := map[notify.MessageID]notify.Mail{}
	for _, m := range []notify.Mail{plain, full, foreign} {
		require.NoError(t, mailer.Send(t.Context(), m))
		want[m.MessageID] = m
	}

	refusals := []struct {
		to, subject        string
		permanent, address bool
	}{
		{"gone@example.com", "Hello", true, true},
		{"busy@example.com", "Hello", false, false},
		{"bob@example.com", "spam", true, false},
	}
	for _, tt := range refusals {
		m := mail(4)
		m.To, m.Subject = tt.to, tt.subject
		err := mailer.Send(t.Context(), m)
		require.Error(t, err)
		requireDiscreet(t, err)
		var refused *notify.AddressError
		require.Equal(t, tt.permanent, notify.IsPermanent(err), err)
		require.Equal(t, tt.address, errors.As(err, &refused), err)
	}

	deliveries := server.Deliveries(t)
	require.Len(t, deliveries, len(want))
	for _, delivery := range deliveries {
		require.True(t, delivery.Encrypted)
		got := read(t, delivery.Message)
		requireSame(t, want[got.MessageID], got)
		require.Equal(t, got.From, delivery.From)
		require.Equal(t, got.To, delivery.To)
		require.Equal(t, got.MessageID == foreign.MessageID, delivery.UTF8)
	}
}

// TestPostfixEndsWithItsTest has nothing left that listens.
func TestPostfixEndsWithItsTest(t *testing.T) {
	address := ""
	t.Run("test", func(t *testing.T) { address = smtptest.StartPostfix(t, smtptest.NewCertificate(t)).Address })
	if address == "" {
		t.Skip("there was no Postfix")
	}
	connection, err := net.Dial("tcp", address)
	if err == nil {
		connection.Close()
	}
	require.Error(t, err)
}

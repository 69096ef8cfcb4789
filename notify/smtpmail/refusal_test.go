package smtpmail_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/smtpmail"
	"github.com/rosterkit/roster/notify/smtpmail/smtptest"
	"github.com/stretchr/testify/require"
)

func TestRefusals(t *testing.T) {
	type outcome string
	const temporary, permanent, address outcome = "temporary", "permanent", "address"
	tests := []struct {
		step   smtptest.Step
		code   int
		status string
		want   outcome
	}{
		{smtptest.Sender, 421, "4.3.2", temporary},
		{smtptest.Sender, 451, "", temporary},
		{smtptest.Sender, 530, "5.7.0", temporary}, // asks for a password: no word about the mail
		{smtptest.Sender, 550, "5.7.1", temporary}, // a wrong sender mustn't end the mail to everybody
		{smtptest.Sender, 550, "", temporary},
		{smtptest.Sender, 553, "5.1.8", temporary},
		{smtptest.Sender, 552, "5.3.4", permanent}, // the mail is too large
		{smtptest.Receiver, 421, "", temporary},
		{smtptest.Receiver, 450, "4.2.0", temporary},
		{smtptest.Receiver, 452, "4.2.2", temporary},
		{smtptest.Receiver, 450, "5.1.1", temporary}, // the reply code counts
		{smtptest.Receiver, 550, "", address},
		{smtptest.Receiver, 550, "5.1.1", address},
		{smtptest.Receiver, 551, "", address},
		{smtptest.Receiver, 550, "5.2.1", address},
		{smtptest.Receiver, 552, "", permanent},      // the mailbox is full
		{smtptest.Receiver, 552, "5.1.1", address},   // says the more exact one
		{smtptest.Receiver, 552, "5.2.2", permanent}, // the mailbox is full
		{smtptest.Receiver, 552, "5.2.3", permanent}, // the mail is too long for it
		{smtptest.Receiver, 553, "5.1.3", address},
		{smtptest.Receiver, 554, "", address},
		{smtptest.Receiver, 556, "5.1.10", address},
		{smtptest.Receiver, 550, "4.1.1", address},   // the reply code counts
		{smtptest.Receiver, 501, "5.1.3", permanent}, // a command that wasn't understood
		{smtptest.Receiver, 530, "5.7.0", temporary},
		{smtptest.Receiver, 550, "5.1.7", permanent}, // the sender's address
		{smtptest.Receiver, 550, "5.1.8", permanent},
		{smtptest.Receiver, 554, "5.7.1", permanent}, // "relay access denied", to everybody
		{smtptest.Receiver, 554, "5.3.2", permanent},
		{smtptest.Content, 421, "4.3.0", temporary},
		{smtptest.Content, 451, "4.7.1", temporary},
		{smtptest.Content, 550, "5.1.1", permanent},
		{smtptest.Content, 554, "", permanent},
	}
	for _, tt := range tests {
		refusal := smtptest.Refusal(tt.code, tt.status, "no mail with https://portal.example.net/invite/secret for <Bob.Builder@example.com>")
		t.Run(refusalName(tt.step, refusal), func(t *testing.T) {
			refusing := true
			server, mailer := unprotected(t, smtptest.Options{Answer: func(ctx context.Context, step smtptest.Step, address string) error {
				if step == tt.step && refusing {
					return refusal
				}
				return nil
			}})
			err := mailer.Send(t.Context(), validMail())
			require.Error(t, err)
			requireDiscreet(t, err)
			require.Equal(t, tt.want != temporary, notify.IsPermanent(err), err)
			var refused *notify.AddressError
			require.Equal(t, tt.want == address, errors.As(err, &refused), err)
			if tt.want == address {
				status := tt.status
				if status == "4.1.1" {
					status = ""
				}
				require.Equal(t, &notify.AddressError{Code: tt.code, Status: status}, refused)
			}
			require.Empty(t, server.Deliveries())

			refusing = false
			require.NoError(t, mailer.Send(t.Context(), mail(2)), "the next mail is not affected")
			connections := 1
			if tt.code == 421 {
				connections = 2
			}
			require.Equal(t, connections, server.Connections())
		})
	}
}

func refusalName(step smtptest.Step, refusal error) string {
	return string(step) + " " + refusal.Error()[:10]
}

// TestEachReceiverHasItsOwnResult sends a batch of which some are refused.
func TestEachReceiverHasItsOwnResult(t *testing.T) {
	server, mailer := unprotected(t, smtptest.Options{Answer: func(ctx context.Context, step smtptest.Step, address string) error {
		switch {
		case step == smtptest.Receiver && address == "gone@example.com":
			return smtptest.Refusal(550, "5.1.1", "unknown")
		case step == smtptest.Receiver && address == "busy@example.com":
			return smtptest.Refusal(450, "4.2.1", "later")
		}
		return nil
	}})
	var taken []string
	for n, to := range []string{"ann@example.com", "gone@example.com", "bob@example.com", "busy@example.com", "eve@example.com"} {
		m := mail(n)
		m.To = to
		err := mailer.Send(t.Context(), m)
		var refused *notify.AddressError
		require.Equal(t, to == "gone@example.com", errors.As(err, &refused))
		require.Equal(t, to == "gone@example.com" || to == "busy@example.com", err != nil)
	}
	for _, delivery := range server.Deliveries() {
		taken = append(taken, delivery.To)
	}
	require.Equal(t, []string{"ann@example.com", "bob@example.com", "eve@example.com"}, taken)
	require.Equal(t, 1, server.Connections(), "one connection for the batch")
}

func TestMailsThatTheServerCannotTake(t *testing.T) {
	t.Run("too large for it", func(t *testing.T) {
		server, mailer := unprotected(t, smtptest.Options{MaxBytes: 500})
		err := mailer.Send(t.Context(), validMail())
		require.ErrorContains(t, err, "larger than the server takes")
		require.True(t, notify.IsPermanent(err))
		require.Empty(t, server.Deliveries())
	})
	t.Run("too large for the mailer", func(t *testing.T) {
		server := smtptest.Start(t, smtptest.Options{})
		err := newMailer(t, server.Address, smtpmail.Config{Security: smtpmail.Unprotected, MaxBytes: 500}).Send(t.Context(), validMail())
		require.ErrorContains(t, err, "larger than 500 bytes")
		require.True(t, notify.IsPermanent(err))
		require.Zero(t, server.Connections())
	})
	t.Run("not as it should be", func(t *testing.T) {
		server, mailer := unprotected(t, smtptest.Options{})
		m := validMail()
		m.Subject = "x\r\nBcc: eve@example.com"
		err := mailer.Send(t.Context(), m)
		require.True(t, notify.IsPermanent(err))
		requireDiscreet(t, err)
		require.Zero(t, server.Connections())
	})
	t.Run("letters beyond ASCII in the address", func(t *testing.T) {
		m := validMail()
		m.To, m.ToName = "jürgen@bücher.example", "Jürgen  Bücher"
		server, mailer := unprotected(t, smtptest.Options{})
		err := mailer.Send(t.Context(), m)
		require.ErrorContains(t, err, "letters beyond ASCII")
		require.True(t, notify.IsPermanent(err))
		require.Empty(t, server.Deliveries())

		server, mailer = unprotected(t, smtptest.Options{UTF8: true})
		require.NoError(t, mailer.Send(t.Context(), m))
		require.NoError(t, mailer.Send(t.Context(), validMail()))
		deliveries := server.Deliveries()
		require.Equal(t, "jürgen@xn--bcher-kva.example", deliveries[0].To)
		require.True(t, deliveries[0].UTF8)
		require.Equal(t, m.ToName, read(t, deliveries[0].Message).ToName)
		require.False(t, deliveries[1].UTF8, "a mail that needs no such server doesn't ask for one")
	})
}

package smtpmail_test

import (
	"context"
	"crypto/tls"
	"syscall"
	"testing"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/smtpmail"
	"github.com/rosterkit/roster/notify/smtpmail/smtptest"
	"github.com/stretchr/testify/require"
)

func TestTLS(t *testing.T) {
	certificate := smtptest.NewCertificate(t)
	for name, kind := range map[string]struct {
		security smtpmail.Security
		options  smtptest.Options
	}{
		"STARTTLS": {smtpmail.STARTTLS, smtptest.Options{STARTTLS: certificate.Server}},
		"implicit": {smtpmail.ImplicitTLS, smtptest.Options{ImplicitTLS: certificate.Server}},
	} {
		for _, mechanism := range []string{"PLAIN", "LOGIN"} {
			t.Run(name+" with "+mechanism, func(t *testing.T) {
				kind.options.Username, kind.options.Password, kind.options.Mechanism = "portal", "swordfish", mechanism
				server := smtptest.Start(t, kind.options)
				mailer := newMailer(t, server.Address, smtpmail.Config{Security: kind.security, TLS: certificate.Client, Username: "portal", Password: "swordfish"})
				require.NoError(t, mailer.Send(t.Context(), validMail()))
				require.Len(t, server.Deliveries(), 1)
				require.True(t, server.Deliveries()[0].Encrypted)
				require.Equal(t, "portal", server.Deliveries()[0].Username)
			})
		}
	}
}

// TestMailsAreKeptBackFrom lists what a mailer doesn't trust with a mail or a password. None of it is the mail's fault, so
// that it is sent later.
func TestMailsAreKeptBackFrom(t *testing.T) {
	certificate, other := smtptest.NewCertificate(t), smtptest.NewCertificate(t)
	elsewhere := certificate.Client.Clone()
	elsewhere.ServerName = "mail.example.org"
	old := certificate.Server.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	tests := []struct {
		name    string
		options smtptest.Options
		cfg     smtpmail.Config
		want    string
	}{
		{"a server without TLS", smtptest.Options{}, smtpmail.Config{TLS: certificate.Client}, "offers no TLS"},
		{"a server without TLS at the port for it", smtptest.Options{}, smtpmail.Config{Security: smtpmail.ImplicitTLS, TLS: certificate.Client}, "tls: first record"},
		{"somebody's certificate", smtptest.Options{STARTTLS: certificate.Server}, smtpmail.Config{TLS: other.Client}, "unknown authority"},
		{"somebody's certificate from the start", smtptest.Options{ImplicitTLS: certificate.Server}, smtpmail.Config{Security: smtpmail.ImplicitTLS, TLS: other.Client}, "unknown authority"},
		{"a certificate that the machine doesn't know", smtptest.Options{STARTTLS: certificate.Server}, smtpmail.Config{}, "unknown authority"},
		{"another server's certificate", smtptest.Options{STARTTLS: certificate.Server}, smtpmail.Config{TLS: elsewhere}, "not mail.example.org"},
		{"an old version of TLS", smtptest.Options{STARTTLS: old}, smtpmail.Config{TLS: certificate.Client}, "protocol version"},
		{"a server that asks for no password", smtptest.Options{STARTTLS: certificate.Server},
			smtpmail.Config{TLS: certificate.Client, Username: "portal", Password: "swordfish"}, "neither AUTH PLAIN nor AUTH LOGIN"},
		{"a server that knows another password", smtptest.Options{STARTTLS: certificate.Server, Username: "portal", Password: "swordfish 2"},
			smtpmail.Config{TLS: certificate.Client, Username: "portal", Password: "swordfish"}, "refused the user and password: 535 5.7.8"},
		{"a server that asks for a password", smtptest.Options{STARTTLS: certificate.Server, Username: "portal"},
			smtpmail.Config{TLS: certificate.Client}, "refused the sender's address: 530 5.7.0"},
		{"a server that takes no connections", smtptest.Options{STARTTLS: certificate.Server, Answer: func(context.Context, smtptest.Step, string) error {
			return smtptest.Refusal(554, "5.7.1", "secret blocked")
		}}, smtpmail.Config{TLS: certificate.Client}, "refused the connection: 554 5.7.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := smtptest.Start(t, tt.options)
			mailer := newMailer(t, server.Address, tt.cfg)
			err := mailer.Send(t.Context(), validMail())
			require.ErrorContains(t, err, tt.want)
			require.False(t, notify.IsPermanent(err))
			require.NotContains(t, err.Error(), "swordfish")
			require.NotContains(t, err.Error(), "secret")
			require.Empty(t, server.Deliveries())
		})
	}
}

func TestNobodyListens(t *testing.T) {
	err := newMailer(t, unusedAddress(t), smtpmail.Config{}).Send(t.Context(), validMail())
	require.EqualError(t, err, "smtpmail: connecting: connect: connection refused", "customers see it, and no address of ours")
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.False(t, notify.IsPermanent(err))
	err = newMailer(t, "mail..internal:25", smtpmail.Config{}).Send(t.Context(), validMail())
	require.ErrorContains(t, err, "smtpmail: connecting: lookup the server: ")
	require.NotContains(t, err.Error(), "internal")
}

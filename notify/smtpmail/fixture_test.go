package smtpmail_test

import (
	"cmp"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/smtpmail"
	"github.com/rosterkit/roster/notify/smtpmail/smtptest"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.FixedZone("", 3600))

// newMailer returns a mailer for a server, which is closed with the test.
func newMailer(t testing.TB, server string, cfg smtpmail.Config) *smtpmail.Mailer {
	t.Helper()
	cfg.From = cmp.Or(cfg.From, "portal@example.net")
	cfg.FromName = cmp.Or(cfg.FromName, "The Portal")
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return noon }
	}
	mailer, err := smtpmail.New(server, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mailer.Close()) })
	return mailer
}

// unprotected starts a server without TLS, and returns a mailer for it.
func unprotected(t testing.TB, options smtptest.Options) (*smtptest.Server, *smtpmail.Mailer) {
	t.Helper()
	server := smtptest.Start(t, options)
	return server, newMailer(t, server.Address, smtpmail.Config{Security: smtpmail.Unprotected})
}

func validMail() notify.Mail {
	return notify.Mail{
		MessageID: "01900000-0000-7000-8000-000000000001",
		To:        "Bob.Builder@example.com",
		ToName:    "Bob Builder",
		Subject:   "Ann invites you",
		Text:      "Hello,\n\nhttps://portal.example.net/invite/secret\n",
		HTML:      "<p>Hello</p>\n",
	}
}

// mail returns a mail with a number of its own.
func mail(n int) notify.Mail {
	m := validMail()
	m.MessageID = notify.MessageID(fmt.Sprintf("01900000-0000-7000-8000-%012d", n))
	return m
}

// requireDiscreet fails if an error holds what logs must not.
func requireDiscreet(t testing.TB, err error) {
	t.Helper()
	for _, secret := range []string{"example.com", "Bob", "Builder", "secret", "example.net", "swordfish"} {
		require.NotContains(t, err.Error(), secret)
	}
}

// unusedAddress returns an address on which nobody listens.
func unusedAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

package smtpmail_test

import (
	"testing"
	"time"

	"github.com/rosterkit/roster/notify/smtpmail"
	"github.com/rosterkit/roster/notify/smtpmail/smtptest"
)

// BenchmarkSend sends mails one after the other to a server on this machine, over a connection that is kept and over a new
// one for each.
func BenchmarkSend(b *testing.B) {
	certificate := smtptest.NewCertificate(b)
	for _, connection := range []string{"kept", "new"} {
		b.Run("connection="+connection, func(b *testing.B) {
			server := smtptest.Start(b, smtptest.Options{STARTTLS: certificate.Server, Username: "portal", Password: "swordfish"})
			now := noon
			mailer := newMailer(b, server.Address, smtpmail.Config{TLS: certificate.Client, Username: "portal", Password: "swordfish",
				Now: func() time.Time { return now }})
			for b.Loop() {
				if connection == "new" {
					now = now.Add(time.Minute)
				}
				if err := mailer.Send(b.Context(), validMail()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

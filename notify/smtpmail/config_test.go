package smtpmail_test

import (
	"testing"
	"time"

	"github.com/rosterkit/roster/notify/smtpmail"
	"github.com/stretchr/testify/require"
)

func TestNewRefuses(t *testing.T) {
	const server = "mail.example.net:587"
	tests := []struct {
		name   string
		server string
		spoil  func(*smtpmail.Config)
		want   string
	}{
		{"no server", "", func(c *smtpmail.Config) {}, "host:port"},
		{"no port", "mail.example.net", func(c *smtpmail.Config) {}, "host:port"},
		{"no host", ":587", func(c *smtpmail.Config) {}, "host:port"},
		{"no sender", server, func(c *smtpmail.Config) { c.From = "" }, "is empty"},
		{"a sender with a name", server, func(c *smtpmail.Config) { c.From = "Portal <portal@example.net>" }, "sender's address holds"},
		{"a sender whose domain is none", server, func(c *smtpmail.Config) { c.From = "portal@-ä-.example.net" }, "no ASCII form"},
		{"line break in the sender's name", server, func(c *smtpmail.Config) { c.FromName = "Portal\r\nBcc: x" }, "sender's name holds"},
		{"bracket in the domain", server, func(c *smtpmail.Config) { c.Domain = "example.net>" }, "Domain"},
		{"line break in the domain", server, func(c *smtpmail.Config) { c.Domain = "example.net\r\nDATA" }, "Domain"},
		{"unknown security", server, func(c *smtpmail.Config) { c.Security = 3 }, "Security"},
		{"password for nobody", server, func(c *smtpmail.Config) { c.Password = "swordfish" }, "Password without a Username"},
		{"password in the clear", server, func(c *smtpmail.Config) {
			c.Security, c.Username, c.Password = smtpmail.Unprotected, "portal", "swordfish"
		}, "needs TLS"},
		{"negative timeout", server, func(c *smtpmail.Config) { c.Timeout = -time.Second }, "negative"},
		{"negative idle time", server, func(c *smtpmail.Config) { c.Idle = -time.Second }, "negative"},
		{"negative number of connections", server, func(c *smtpmail.Config) { c.Connections = -1 }, "negative"},
		{"negative size", server, func(c *smtpmail.Config) { c.MaxBytes = -1 }, "negative"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := smtpmail.Config{From: "portal@example.net"}
			tt.spoil(&cfg)
			_, err := smtpmail.New(tt.server, cfg)
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "swordfish")
			require.NotContains(t, err.Error(), "portal@")
		})
	}
	mailer, err := smtpmail.New(server, smtpmail.Config{From: "portal@example.net"})
	require.NoError(t, err)
	require.NoError(t, mailer.Close())
}

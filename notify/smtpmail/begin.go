package smtpmail

import (
	"context"
	"crypto/tls"
	"errors"

	"github.com/wneessen/go-mail/smtp"
)

// begin does what comes before mails: the greeting, TLS, and saying who is there.
func (c *connection) begin(ctx context.Context, host string, cfg Config) error {
	defer c.limit(ctx)()
	if err := c.greet(ctx, host, cfg); err != nil {
		return interrupted(ctx, atStart, err)
	}
	if cfg.Username != "" {
		if err := c.authenticate(host, cfg); err != nil {
			return interrupted(ctx, atPassword, err)
		}
	}
	c.usable = true
	return nil
}

func (c *connection) greet(ctx context.Context, host string, cfg Config) error {
	stream := c.network
	if cfg.Security == ImplicitTLS {
		protected := tls.Client(c.network, cfg.TLS)
		if err := protected.HandshakeContext(ctx); err != nil {
			return err
		}
		stream = protected
	}
	client, err := smtp.NewClient(stream, host)
	if err != nil {
		return err
	}
	c.client = client
	if err := client.Hello(cfg.Domain); err != nil {
		return err
	}
	if cfg.Security == STARTTLS {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return errNoTLS
		}
		if err := client.StartTLS(cfg.TLS); err != nil {
			return err
		}
	}
	if _, err := client.GetTLSConnectionState(); err != nil && cfg.Security != Unprotected {
		return errNoTLS
	}
	return nil
}

var (
	errNoTLS  = errors.New("the server offers no TLS")
	errNoAuth = errors.New("the server offers neither AUTH PLAIN nor AUTH LOGIN")
)

// authenticate says the password. Both ways say it as it is, which is why New insists on TLS.
func (c *connection) authenticate(host string, cfg Config) error {
	switch {
	case c.offers("AUTH", "PLAIN"):
		return c.client.Auth(smtp.PlainAuth("", cfg.Username, cfg.Password, host, false))
	case c.offers("AUTH", "LOGIN"):
		return c.client.Auth(smtp.LoginAuth(cfg.Username, cfg.Password, host, false))
	}
	return errNoAuth
}

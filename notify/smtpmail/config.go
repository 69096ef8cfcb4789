package smtpmail

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/rosterkit/roster/notify"
)

// A Security says how the connection to the server is protected.
type Security uint8

// The kinds of protection.
const (
	STARTTLS    Security = iota // begins in the clear and turns to TLS before anything is said (RFC 3207), as on port 587
	ImplicitTLS                 // is TLS from its first byte (RFC 8314), as on port 465
	Unprotected                 // none: whoever is on the way reads and changes the mails, with the links in them
)

// Config holds what a mailer needs to know beside the server. The zero value of each field but From stands for its
// default.
type Config struct {
	From     string // the sender's address of mails that name none; required
	FromName string // shown beside it; none by default
	// Domain is what stands right of the @ in every Message-ID, and the name by which the mailer greets the server; the
	// domain of From by default. Repeats of a mail carry the same Message-ID as long as it stays.
	Domain string

	Security Security
	TLS      *tls.Config // by default the machine's roots, the server's name, and TLS 1.2 or later
	Username string      // for the server's AUTH PLAIN or LOGIN; by default the mailer doesn't say who it is
	Password string      // needs TLS

	// Timeout bounds connecting, what comes before mails, and handing over one mail, each; 1 minute by default. The context
	// of Send may end them sooner, and a worker's does: see notify.WorkerConfig.Timeout.
	Timeout     time.Duration
	Idle        time.Duration    // a connection that wasn't used for so long isn't used again; 30 seconds by default
	Connections int              // how many unused connections are kept; 4 by default, enough for as many workers
	MaxBytes    int              // of a mail as it is sent, with attachments and all; 25 MiB by default
	Now         func() time.Time // the clock, for the header Date and for Idle; time.Now by default
}

// complete fills in the defaults for a server's host.
func (c Config) complete(host string) (Config, error) {
	sample := notify.Mail{MessageID: "1", To: "x@example.com", From: c.From, FromName: c.FromName, Subject: "x", Text: "x"}
	if err := sample.Check(); c.From == "" || err != nil {
		return Config{}, fmt.Errorf("smtpmail: From and FromName: %w", cmp.Or(err, errors.New("the sender's address is empty")))
	}
	if _, err := asciiAddress(c.From); err != nil {
		return Config{}, err
	}
	domain, err := asciiDomain(cmp.Or(c.Domain, c.From[strings.IndexByte(c.From, '@')+1:]))
	if err != nil || strings.ContainsFunc(domain, unfitForDomain) {
		return Config{}, errors.New("smtpmail: Domain is not an internet domain")
	}
	c.Domain = domain
	if c.Security > Unprotected {
		return Config{}, errors.New("smtpmail: Security is none of its kinds")
	}
	if c.Username == "" && c.Password != "" {
		return Config{}, errors.New("smtpmail: Password without a Username")
	}
	if c.Username != "" && c.Security == Unprotected {
		return Config{}, errors.New("smtpmail: a Username needs TLS: everybody on the way could read the Password")
	}
	if min(c.Timeout, c.Idle) < 0 || min(c.Connections, c.MaxBytes) < 0 {
		return Config{}, errors.New("smtpmail: Timeout, Idle, Connections or MaxBytes is negative")
	}
	if c.TLS == nil {
		c.TLS = &tls.Config{}
	}
	c.TLS = c.TLS.Clone()
	c.TLS.ServerName = cmp.Or(c.TLS.ServerName, host)
	c.TLS.MinVersion = cmp.Or(c.TLS.MinVersion, tls.VersionTLS12)
	c.Timeout = cmp.Or(c.Timeout, time.Minute)
	c.Idle = cmp.Or(c.Idle, 30*time.Second)
	c.Connections = cmp.Or(c.Connections, 4)
	c.MaxBytes = cmp.Or(c.MaxBytes, 25<<20)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// hostOf returns the host of "host:port".
func hostOf(server string) (string, error) {
	host, port, err := net.SplitHostPort(server)
	if err != nil || host == "" || port == "" {
		return "", errors.New(`smtpmail: the server is not given as "host:port"`)
	}
	return host, nil
}

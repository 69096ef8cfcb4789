package smtpmail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/rosterkit/roster/notify"
)

// A Mailer hands mails to one SMTP server. It is safe for concurrent use, and then uses a connection for each mail that
// is under way.
type Mailer struct {
	server string // host:port
	host   string
	cfg    Config

	mu     sync.Mutex
	idle   []*connection // the longest unused first
	closed bool
}

var _ notify.Mailer = (*Mailer)(nil)

// New returns a mailer for a server, "host:port". It doesn't connect yet. It returns an error if the server or the
// configuration can't be used.
func New(server string, cfg Config) (*Mailer, error) {
	host, err := hostOf(server)
	if err != nil {
		return nil, err
	}
	if cfg, err = cfg.complete(host); err != nil {
		return nil, err
	}
	return &Mailer{server: server, host: host, cfg: cfg}, nil
}

// errClosed is temporary: another process may send the mail.
var errClosed = errors.New("smtpmail: the mailer is closed")

// Send hands a mail to the server, over a connection that is there or a new one, and returns nil when the server has
// taken it. A mail that the server refuses for good, and one that can't be sent as it is, is an error of notify.Permanent;
// a refused address is a notify.AddressError. When the context ends, Send ends with its error.
func (m *Mailer) Send(ctx context.Context, mail notify.Mail) error {
	letter, err := m.compose(mail)
	if err != nil {
		return notify.Permanent(err)
	}
	connection, err := m.take()
	if err != nil {
		return err
	}
	if connection != nil {
		err := connection.send(ctx, letter)
		m.give(connection)
		if !errors.Is(err, errGone) {
			return err
		}
	}
	connection, err = m.dial(ctx)
	if err != nil {
		return err
	}
	err = connection.send(ctx, letter)
	m.give(connection)
	return err
}

// Close says goodbye on the connections that aren't in use. Those in use are closed after their mail. Later mails are
// refused, temporarily.
func (m *Mailer) Close() error {
	m.mu.Lock()
	idle := m.idle
	m.idle, m.closed = nil, true
	m.mu.Unlock()
	for _, connection := range idle {
		connection.quit()
	}
	return nil
}

// take returns a connection that was used lately, nil if there is none, and closes those that weren't.
func (m *Mailer) take() (*connection, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errClosed
	}
	now := m.cfg.Now()
	m.idle = slices.DeleteFunc(m.idle, func(c *connection) bool {
		old := now.Sub(c.used) >= m.cfg.Idle
		if old {
			c.leave()
		}
		return old
	})
	if len(m.idle) == 0 {
		return nil, nil
	}
	latest := m.idle[len(m.idle)-1]
	m.idle = m.idle[:len(m.idle)-1]
	return latest, nil
}

// give keeps a connection for the next mail, or closes it.
func (m *Mailer) give(c *connection) {
	m.mu.Lock()
	kept := c.usable && !m.closed && len(m.idle) < m.cfg.Connections
	if kept {
		c.used = m.cfg.Now()
		m.idle = append(m.idle, c)
	}
	m.mu.Unlock()
	switch {
	case kept:
	case c.usable:
		c.quit()
	default:
		c.close()
	}
}

// dial makes a connection on which a mail can be sent.
func (m *Mailer) dial(ctx context.Context) (*connection, error) {
	c, err := dial(ctx, m.server, m.cfg.Timeout)
	if err != nil {
		return nil, fmt.Errorf("smtpmail: connecting: %w", withoutMachines(err))
	}
	if err := c.begin(ctx, m.host, m.cfg); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

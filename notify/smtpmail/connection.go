package smtpmail

import (
	"context"
	"errors"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/rosterkit/roster/notify"
	"github.com/wneessen/go-mail/smtp"
)

// A connection is a session with the server. It is used by one goroutine at a time.
type connection struct {
	network net.Conn // below TLS: closing it never waits
	client  *smtp.Client
	timeout time.Duration
	carried bool      // whether it has carried a mail before
	usable  bool      // whether it can carry another mail
	used    time.Time // when it was last used
}

// errGone says that the server had ended the session before it heard of the mail.
var errGone = errors.New("smtpmail: the server has ended the connection")

// dial connects to a server, and says nothing yet.
func dial(ctx context.Context, server string, timeout time.Duration) (*connection, error) {
	dialer := net.Dialer{Timeout: timeout}
	network, err := dialer.DialContext(ctx, "tcp", server)
	if err != nil {
		return nil, err
	}
	return &connection{network: network, timeout: timeout}, nil
}

// limit ends what is read and written from now on after the timeout, and when the context ends. The function that it
// returns lifts that again.
func (c *connection) limit(ctx context.Context) (lift func()) {
	c.network.SetDeadline(time.Now().Add(c.timeout)) // on an error, reading fails as well
	stop := context.AfterFunc(ctx, func() { c.network.Close() })
	return func() {
		if !stop() {
			c.usable = false
		}
	}
}

// send hands over one mail. Its error is errGone if nothing of the mail was said on a connection that had been kept.
func (c *connection) send(ctx context.Context, l letter) error {
	defer c.limit(ctx)()
	kept := c.carried
	c.carried = true
	if err := c.fits(l); err != nil {
		return notify.Permanent(err)
	}
	c.client.SkipSMTPUTF8(!l.beyondASCII)
	if err := c.client.Mail("<" + l.from + ">"); err != nil {
		err = c.failed(ctx, toSender, err)
		if kept && !c.usable {
			return errGone
		}
		return err
	}
	if err := c.client.Rcpt("<" + l.to + ">"); err != nil {
		return c.failed(ctx, toReceiver, err)
	}
	content, err := c.client.Data()
	if err != nil {
		return c.failed(ctx, toMail, err)
	}
	if _, err := content.Write(l.message); err != nil {
		return c.failed(ctx, toMail, err)
	}
	if err := content.Close(); err != nil {
		return c.failed(ctx, toMail, err)
	}
	return nil
}

// fits returns an error if the server has said that it can't take such a mail.
func (c *connection) fits(l letter) error {
	if supported, _ := c.client.Extension("SMTPUTF8"); l.beyondASCII && !supported {
		return errors.New("smtpmail: the server takes no addresses with letters beyond ASCII")
	}
	_, size := c.client.Extension("SIZE") // RFC 1870; 0 and nothing stand for no limit
	if limit, err := strconv.Atoi(size); err == nil && 0 < limit && limit < len(l.message) {
		return errors.New("smtpmail: the mail is larger than the server takes")
	}
	return nil
}

// failed returns what the server's answer, or its lack, means for the mail, and clears the connection for the next one.
func (c *connection) failed(ctx context.Context, p point, err error) error {
	var reply *textproto.Error
	if !errors.As(err, &reply) || !isRefusal(reply.Code) || reply.Code == closing {
		c.usable = false
		return interrupted(ctx, p, err)
	}
	if c.client.Reset() != nil {
		c.usable = false
	}
	return refused(p, reply)
}

// quit ends the session in order, which the server has a moment for.
func (c *connection) quit() {
	c.network.SetDeadline(time.Now().Add(min(c.timeout, 2*time.Second)))
	c.client.Quit() // whatever the answer
	c.close()
}

// leave is quit for a server that may have gone: it doesn't wait for the answer.
func (c *connection) leave() {
	c.network.SetDeadline(time.Now().Add(time.Second))
	c.client.Text.Cmd("QUIT")
	c.close()
}

func (c *connection) close() { c.network.Close() }

// offers reports whether one of the words after an extension's name is the given one.
func (c *connection) offers(extension, word string) bool {
	_, words := c.client.Extension(extension)
	for each := range strings.FieldsSeq(words) {
		if strings.EqualFold(each, word) {
			return true
		}
	}
	return false
}

package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/rosterkit/roster/notify"
)

// A courier hands the portal's own mails, such as links for new passwords, to a mail server: one
// after the other, and not in the request that caused them. So a page doesn't wait for the server,
// and doesn't tell by its time whether there was a mail. What waits is in memory alone, as it holds
// secrets; who misses a mail after the process was killed asks for another. The library's mails
// don't come this way: they wait in its outbox.
type courier struct {
	mailer notify.Mailer
	log    *slog.Logger
	wait   time.Duration // After the first attempt that fails; twice as long after the second.
	mails  chan notify.Mail
}

const (
	courierSize     = 500
	courierAttempts = 3
	courierGrace    = 10 * time.Second
)

func newCourier(mailer notify.Mailer, log *slog.Logger) *courier {
	return &courier{mailer: mailer, log: log, wait: 5 * time.Second, mails: make(chan notify.Mail, courierSize)}
}

var errManyMails = errors.New("too many mails of the portal's own wait to be sent")

// Send implements notify.Mailer: the mail is sent soon.
func (c *courier) Send(_ context.Context, m notify.Mail) error {
	select {
	case c.mails <- m:
		return nil
	default:
		return errManyMails
	}
}

// Run sends what comes until the context ends, and then what still waits, for a moment.
func (c *courier) Run(ctx context.Context) error {
	for {
		select {
		case m := <-c.mails:
			c.deliver(ctx, m)
		case <-ctx.Done():
			c.finish(context.WithoutCancel(ctx))
			return nil
		}
	}
}

// finish sends what waits, each mail once.
func (c *courier) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, courierGrace)
	defer cancel()
	for {
		select {
		case m := <-c.mails:
			if err := c.mailer.Send(ctx, m); err != nil {
				c.lost(m, err)
			}
		default:
			return
		}
	}
}

// deliver sends a mail. The attempt in hand is finished when the context ends, but no other is begun.
func (c *courier) deliver(ctx context.Context, m notify.Mail) {
	for attempt := 1; ; attempt++ {
		one, cancel := context.WithTimeout(context.WithoutCancel(ctx), courierGrace)
		err := c.mailer.Send(one, m)
		cancel()
		if err == nil {
			return
		}
		if notify.IsPermanent(err) || attempt == courierAttempts || !c.pause(ctx, attempt) {
			c.lost(m, err)
			return
		}
	}
}

// pause waits after an attempt, and reports whether there is to be another.
func (c *courier) pause(ctx context.Context, attempt int) bool {
	select {
	case <-time.After(c.wait * time.Duration(attempt)):
		return true
	case <-ctx.Done():
		return false
	}
}

// lost says that a mail wasn't sent. The error holds the server's codes and no address.
func (c *courier) lost(m notify.Mail, err error) {
	c.log.Error("a mail of the portal's own could not be sent", slog.String("message", string(m.MessageID)), slog.String("cause", err.Error()))
}

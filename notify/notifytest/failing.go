package notifytest

import (
	"context"
	"errors"
	"sync"

	"github.com/rosterkit/roster/notify"
)

// ErrRefused is what a Failing mailer answers.
var ErrRefused = errors.New("notifytest: refused")

// A Failing mailer refuses mails with ErrRefused. It is for use by several goroutines at once; set its fields before.
type Failing struct {
	Times     int           // how many mails are refused before the others are taken; below zero for all
	Permanent bool          // whether the refusals are permanent
	Mailer    notify.Mailer // takes the others; nil takes and drops them

	mu      sync.Mutex
	refused int
}

// Send refuses a mail or passes it on.
func (f *Failing) Send(ctx context.Context, m notify.Mail) error {
	if f.refuses() {
		if f.Permanent {
			return notify.Permanent(ErrRefused)
		}
		return ErrRefused
	}
	if f.Mailer == nil {
		return nil
	}
	return f.Mailer.Send(ctx, m)
}

func (f *Failing) refuses() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Times >= 0 && f.refused >= f.Times {
		return false
	}
	f.refused++
	return true
}

// Refused returns how many mails were refused so far.
func (f *Failing) Refused() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refused
}

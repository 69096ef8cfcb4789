package peers_test

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/rosterkit/roster/notify"
)

// An order is what is known of a mail before it is written.
type order struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	Ref     string `json:"ref"`
}

// accounts is how many accounts the mails are of, unit by unit, and another is one more, for whose mails nobody waits.
const (
	accounts = 50
	another  = "another"
)

// newOrders returns orders of n mails in units of so many, each for one account.
func newOrders(n, unit int) [][]order {
	var units [][]order
	for left := n; left > 0; left -= unit {
		account := fmt.Sprintf("account-%d", len(units)%accounts)
		orders := make([]order, min(left, unit))
		for i := range orders {
			id := uuid.Must(uuid.NewV7()).String()
			orders[i] = order{ID: id, Account: account, Ref: id}
		}
		units = append(units, orders)
	}
	return units
}

// write writes the mail of an order.
func (o order) write() notify.Mail {
	return notify.Mail{To: address(o.Account), Subject: "Your invoice " + o.Ref, Text: "It is ready to be paid.\n", MessageID: notify.MessageID(o.ID)}
}

func address(account string) string { return "ann@" + account + ".example.com" }

// A mailer takes every mail, and says when it has taken as many as it waits for, those of another account aside.
type mailer struct {
	awaited atomic.Int64
	taken   func(notify.MessageID) // nil to only count
	done    chan struct{}
}

// newMailer returns a mailer that waits for n mails.
func newMailer(n int) *mailer {
	m := &mailer{done: make(chan struct{})}
	m.awaited.Store(int64(n))
	return m
}

func (m *mailer) Send(_ context.Context, mail notify.Mail) error {
	if m.taken != nil {
		m.taken(mail.MessageID)
	}
	if mail.To != address(another) && m.awaited.Add(-1) == 0 {
		close(m.done)
	}
	return nil
}

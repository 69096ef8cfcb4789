package main

import (
	"context"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
)

// A contactRow is a contact as pages show it.
type contactRow struct {
	contact.Contact
	Receives, Waits, SwitchedOff []string // labels of categories: on, waiting for the contact's word, and off by its word
	Verification                 verification
	Suppression                  suppression
}

// Askable reports whether a mail can ask the contact to confirm its address, or what waits.
func (c contactRow) Askable() bool { return c.Verified.IsZero() || c.Waiting != 0 }

// A verification says in words whether an address was confirmed.
type verification struct {
	Words, Badge string
	Detail       string    // what became of the mail that asks, if there is more to say
	Since        time.Time // confirmed, or asked
}

func newVerification(verified time.Time, mail contact.VerificationMail, now time.Time) verification {
	asked := verification{"not confirmed", "wait", "", mail.Sent}
	switch {
	case !verified.IsZero():
		return verification{"confirmed", "good", "", verified}
	case mail.Sent.IsZero():
		asked.Detail = "No mail has asked for it yet."
	case mail.State == notify.Queued:
		asked.Words, asked.Detail = "asked to confirm", "The mail is waiting to be sent."
	case mail.State != notify.Sent:
		asked.Words, asked.Badge, asked.Detail = "could not be asked", "bad", "The mail was not sent: "+mail.Reason+"."
	case !now.Before(mail.Sent.Add(contact.DefaultLifetime)):
		asked.Detail = "The link in the mail has expired. Send another one."
	default:
		asked.Words = "asked to confirm"
	}
	return asked
}

// contactRows adds to contacts of an account what else pages show of them.
func (p *portal) contactRows(ctx context.Context, v *visit, contacts ...contact.Contact) ([]contactRow, error) {
	var ids []contact.ID
	var addresses []access.Address
	for _, one := range contacts {
		ids, addresses = append(ids, one.ID), append(addresses, one.Address)
	}
	mails, err := p.contacts.VerificationMails(ctx, v.actor, v.Account.ID, ids...)
	if err != nil {
		return nil, err
	}
	suppressed, err := p.suppressions(ctx, addresses...)
	if err != nil {
		return nil, err
	}
	labels := p.contacts.Categories().Labels
	var rows []contactRow
	for _, one := range contacts {
		rows = append(rows, contactRow{one, labels(one.Categories), labels(one.Waiting), labels(one.Unsubscribed &^ one.Waiting),
			newVerification(one.Verified, mails[one.ID], v.Now), suppressed[one.Address.Canonical()]})
	}
	return rows, nil
}

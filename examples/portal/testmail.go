package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// testMails prepares the mails that show whether an account's mail reaches a contact. They take the way of all mails: the
// outbox, the worker, and the account's e-mail history.
type testMails struct {
	members  *access.Service
	contacts *contact.Service
	mails    *access.Mails
}

var _ notify.Preparer = testMails{}

// A testMail is what its templates are given.
type testMail struct {
	Account, Contact string   // their names
	Categories       []string // what the contact receives, in the language of the mail
}

func newTestMails(members *access.Service, contacts *contact.Service) (testMails, error) {
	sample := notify.Sample{Kind: mailContactTest, Data: func(locale string) any {
		return testMail{"Example & Sons", "Carl Example", contacts.Categories().LabelsIn(locale, contact.Invoice|contact.Support)}
	}}
	mails, err := members.Mails(nil, mailTemplates(), sample)
	return testMails{members, contacts, mails}, err
}

// Kinds implements notify.Preparer.
func (t testMails) Kinds() []notify.Kind { return t.mails.Kinds() }

// Prepare implements notify.Preparer: it reads contacts as they are just before their mails are sent.
func (t testMails) Prepare(ctx context.Context, messages []notify.Message) []notify.Prepared {
	prepared := make([]notify.Prepared, len(messages))
	for i, m := range messages {
		draft, cancel, err := t.prepare(ctx, m)
		prepared[i] = t.mails.Prepared(ctx, draft, cancel, err)
	}
	return prepared
}

func (t testMails) prepare(ctx context.Context, m notify.Message) (draft access.Draft, cancel string, err error) {
	actor, id := access.AsSystem("test mail"), access.AccountID(m.Group)
	account, err := t.members.Account(ctx, actor, id)
	if err != nil {
		return access.Draft{}, "", err
	}
	if account.Status == access.AccountClosed {
		return access.Draft{}, "the account was closed", nil
	}
	to, err := t.contacts.Contact(ctx, actor, id, contact.ID(m.Ref))
	if errors.Is(err, access.ErrNotFound) {
		return access.Draft{}, "the contact was removed", nil
	}
	if err != nil {
		return access.Draft{}, "", err
	}
	suppressed, err := t.contacts.Suppressed(ctx, to.Address)
	if err != nil {
		return access.Draft{}, "", err
	}
	if found, ok := suppressed[to.Address.Canonical()]; ok {
		return access.Draft{}, found.Reason(), nil
	}
	data := func(locale string, _ notify.Brand) (any, error) {
		return testMail{account.Profile.Name, to.Name, t.contacts.Categories().LabelsIn(locale, to.Categories)}, nil
	}
	return access.Draft{Kind: m.Kind, Account: account, To: to.Address, ToName: to.Name, Locale: to.Locale, Data: data}, "", nil
}

// sendTestMail puts a mail to a contact into the outbox. How often is limited: the address is one that somebody typed.
func (p *portal) sendTestMail(w http.ResponseWriter, r *http.Request, v *visit) error {
	found, err := p.findContact(r, v)
	if err != nil {
		return err
	}
	page := v.Path("/contacts/" + string(found.ID))
	if found.Suppression.Kind != 0 {
		return p.settle(w, r, page, fieldError{"address", found.Suppression.Words}, "")
	}
	err = p.attempts.begin(r.Context(), attemptTestMail, string(v.Account.ID), p.now())
	if errors.Is(err, errTooManyAttempts) {
		return p.settle(w, r, page, fieldError{"address", "Too many test mails were sent. Wait a quarter of an hour and try again."}, "")
	}
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	now := p.now()
	message := notify.Message{ID: notify.MessageID(id.String()), Kind: mailContactTest, Group: string(v.Account.ID), Ref: string(found.ID),
		Created: now, State: notify.Queued, Due: now}
	err = p.store.Update(r.Context(), func(ctx context.Context, tx storage.Tx) error { return tx.Enqueue(ctx, message) })
	return p.settle(w, r, page, err, "A test mail to "+found.Address.Original()+" is on its way.")
}

package contact

import (
	"cmp"
	"context"

	"github.com/rosterkit/roster/access"
)

// UnsubscribeURL returns the link by which a recipient switches off one category: for the mail, and for its headers
// List-Unsubscribe and List-Unsubscribe-Post (RFC 8058). It works without a login, for this contact, address and category
// alone, and is never over. It is a secret of the recipient's. There is none, and the answer is empty, for users, who
// choose where they are signed in, and without Config.Links. ErrInvalid with code "category.unknown" for anything but one
// category.
func (s *Service) UnsubscribeURL(account access.AccountID, to Recipient, category Category) (string, error) {
	d, err := s.categories.one(category)
	if err != nil || s.config.Links == nil || to.Contact == "" {
		return "", err
	}
	return s.config.Links.unsubscribeURL(account, to.Contact, to.Address, d.Category), nil
}

// An UnsubscribePreview is what the page of a link to unsubscribe shows.
type UnsubscribePreview struct {
	Account     access.AccountID
	AccountName string
	ContactName string
	Masked      string // the address: "j...@example.com"
	Category    CategoryDefinition
	Done        bool   // the contact has switched it off
	Locale      string // of the contact, or else of the account
}

// LookupUnsubscribe says what a link to unsubscribe is for. It changes nothing: mail scanners follow links. Every link
// that can't be used, whatever is wrong with it, is access.ErrNotFound with code "contact.invalid".
func (s *Service) LookupUnsubscribe(ctx context.Context, token string) (UnsubscribePreview, error) {
	var p UnsubscribePreview
	err := s.view(ctx, func(ctx context.Context, tx Tx) error {
		contact, d, err := s.findUnsubscribe(ctx, tx, token)
		if err != nil {
			return err
		}
		account, err := tx.Account(ctx, contact.Account)
		if err != nil {
			return err
		}
		p = UnsubscribePreview{Account: account.ID, AccountName: account.Profile.Name, ContactName: contact.Name,
			Masked: contact.Address.String(), Category: d, Done: contact.unsubscribed(d.Category),
			Locale: cmp.Or(contact.Locale, account.Profile.Locale)}
		return nil
	})
	if err != nil {
		return UnsubscribePreview{}, err
	}
	return p, nil
}

// Unsubscribe switches off one category of one contact, by the token of its link. Nobody but the contact can switch it on
// again: what others do waits for its word. It works in every state of the account, and doing it again changes nothing.
// The actor is the host's own code, as for Verify. ErrInvalid; access.ErrNotFound with code "contact.invalid" for every
// link that can't be used; ErrDenied with code "category.required" if nobody would receive a required category any more.
func (s *Service) Unsubscribe(ctx context.Context, actor access.Actor, token string) (access.Revision, error) {
	if err := checkOwn(actor); err != nil {
		return access.Revision{}, err
	}
	var revision access.Revision
	err := s.update(ctx, func(ctx context.Context, tx Tx) error {
		contact, d, err := s.findUnsubscribe(ctx, tx, token)
		if err != nil || contact.unsubscribed(d.Category) {
			return err
		}
		c, err := s.begin(ctx, tx, actor, access.EventContactUnsubscribed, contact.Account)
		if err != nil {
			return err
		}
		// Between finding and locking somebody else may have been here.
		if contact, d, err = s.findUnsubscribe(ctx, tx, token); err != nil || contact.unsubscribed(d.Category) {
			return err
		}
		revision = c.Revision()
		return c.unsubscribe(ctx, contact, d.Category)
	})
	if err != nil {
		return access.Revision{}, err
	}
	return revision, nil
}

func (c *call) unsubscribe(ctx context.Context, before Contact, category Category) error {
	after := before
	after.Updated = c.Now
	after.Unsubscribed |= category
	if before.Categories|before.Waiting == All { // all but one is all of today but one
		after.Categories &= c.service.categories.known
	}
	after.Categories &^= category
	after.Waiting &^= category
	if c.Account.Status != access.AccountClosed { // whose contacts receive nothing anyway
		if err := c.keepRequired(ctx, c.heard(before)&^c.heard(after), recipientOf{contact: before.ID}); err != nil {
			return err
		}
	}
	if err := c.tx.PutContact(ctx, after); err != nil {
		return err
	}
	return c.recordOwn(ctx, access.EventContactUnsubscribed, before, after)
}

// unsubscribed reports whether a contact has switched off a category, and nobody asks it to think again.
func (c Contact) unsubscribed(category Category) bool {
	return c.Unsubscribed.Has(category) && (c.Categories|c.Waiting)&category == 0
}

// findUnsubscribe returns the contact and the category that a token was made for. One that isn't there costs the same
// work.
func (s *Service) findUnsubscribe(ctx context.Context, tx Tx, token string) (Contact, CategoryDefinition, error) {
	t, ok := access.ParseToken(token)
	if !ok || s.config.Links == nil {
		return Contact{}, CategoryDefinition{}, invalid()
	}
	contact, _, err := s.findContact(ctx, tx, ID(t.ID()))
	if err != nil {
		return Contact{}, CategoryDefinition{}, err
	}
	made := len(s.config.Links.unsubscribe.Makers(t, boundToAddress(contact.Account, contact.Address))) > 0
	d, unknown := s.categories.one(Category(1) << t.Number())
	if !made || string(contact.ID) != t.ID() || unknown != nil {
		return Contact{}, CategoryDefinition{}, invalid()
	}
	return contact, d, nil
}

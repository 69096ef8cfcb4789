package contact

import (
	"context"
	"errors"
	"time"

	"github.com/rosterkit/roster/access"
)

// Add adds a contact, and tells it by mail which account it belongs to and which mails it will receive, with a link by
// which it verifies its address. What the address switched off itself, as a contact of the account before, isn't switched
// on, but waits until the contact says yes by that link. Add needs the permission with the key "contacts", and, for each of the categories, the permission that it reveals. ErrInvalid,
// ErrNotFound, ErrDenied ("category.beyond", or if the account isn't active), ErrExists ("contact.exists") if the
// account has a contact with the canonical address, and ErrLimit for one of Config.Limits.
func (s *Service) Add(ctx context.Context, actor access.Actor, account access.AccountID, details Details) (Contact, access.Revision, error) {
	if err := details.check(s.categories); err != nil {
		return Contact{}, access.Revision{}, err
	}
	var added Contact
	revision, err := s.change(ctx, actor, access.EventContactAdded, account, func(ctx context.Context, c *call) error {
		if err := c.mayEdit(); err != nil {
			return err
		}
		if err := s.categories.checkWithin(details.Categories, c.held()); err != nil {
			return err
		}
		id, err := c.NewID()
		if err != nil {
			return err
		}
		added = Contact{ID: ID(id), Account: account, Created: c.Now, Updated: c.Now}
		if added, err = c.at(ctx, added, details); err != nil {
			return err
		}
		if err := c.checkUnique(ctx, added); err != nil {
			return err
		}
		if err := c.put(ctx, Contact{}, added); err != nil {
			return err
		}
		if err := c.recordContact(ctx, access.EventContactAdded, Contact{}, added); err != nil {
			return err
		}
		return c.tell(ctx, MailContactAdded, added)
	})
	if err != nil {
		return Contact{}, access.Revision{}, err
	}
	return added, revision, nil
}

// Update replaces what is said about a contact. It needs what Add needs, but a category that the contact has already,
// or that goes, needs no permission of its own; with a new address all of its categories count as new, the new address
// gets the mail of Add and isn't verified, and the old one is told. A category that the contact switched off itself waits
// until it says yes: it is mailed a link to do so.
//
// ErrInvalid, ErrNotFound, ErrExists, ErrLimit, also with code "contact.wait" for a second link within Limits.Between, and
// ErrDenied as Add, and with code "category.required" if nobody would receive a required category any more. Details that
// the contact has already change nothing.
func (s *Service) Update(ctx context.Context, actor access.Actor, account access.AccountID, id ID, details Details) (access.Revision, error) {
	if err := id.Check(); err != nil {
		return access.Revision{}, err
	}
	if err := details.check(s.categories); err != nil {
		return access.Revision{}, err
	}
	return s.change(ctx, actor, access.EventContactUpdated, account, func(ctx context.Context, c *call) error {
		if err := c.mayEdit(); err != nil {
			return err
		}
		before, err := c.contact(ctx, id)
		if err != nil {
			return err
		}
		if before.Details() == details {
			return nil
		}
		after, err := c.at(ctx, before, details)
		if err != nil {
			return err
		}
		after.Updated = c.Now
		if err := c.checkUpdate(ctx, before, after); err != nil {
			return err
		}
		if err := c.put(ctx, before, after); err != nil {
			return err
		}
		if err := c.recordContact(ctx, access.EventContactUpdated, before, after); err != nil {
			return err
		}
		return c.tellUpdate(ctx, before, after)
	})
}

// at returns a contact with new details. At another address it is another mailbox: nothing is verified there, and what
// counts is what that one switched off, perhaps when it was a contact before.
func (c *call) at(ctx context.Context, contact Contact, details Details) (Contact, error) {
	if !contact.Address.Same(details.Address) {
		switchedOff, err := c.tx.Unsubscribed(ctx, c.Account.ID, details.Address)
		if err != nil {
			return Contact{}, err
		}
		contact.Verified, contact.Unsubscribed, contact.AlternateOf = time.Time{}, switchedOff, ""
	}
	return contact.with(details), nil
}

// put stores a contact that was added, changed or removed, and what the addresses that it leaves and takes switched off:
// that is kept beside the contact while the address is one's, and otherwise by itself. A contact without an address is
// none.
func (c *call) put(ctx context.Context, before, after Contact) error {
	if !before.Address.Same(after.Address) {
		if before.Unsubscribed != 0 {
			if err := c.tx.PutUnsubscribed(ctx, c.Account.ID, before.Address, before.Unsubscribed); err != nil {
				return err
			}
		}
		if after.Unsubscribed != 0 {
			if err := c.tx.PutUnsubscribed(ctx, c.Account.ID, after.Address, 0); err != nil {
				return err
			}
		}
	}
	if after.Address.IsZero() {
		return c.tx.DeleteContact(ctx, c.Account.ID, before.ID)
	}
	return c.tx.PutContact(ctx, after)
}

func (c *call) checkUpdate(ctx context.Context, before, after Contact) error {
	same := before.Address.Same(after.Address)
	switchedOn := after.Details().Categories
	if same {
		switchedOn &^= before.Details().Categories
	}
	if err := c.service.categories.checkWithin(switchedOn, c.held()); err != nil {
		return err
	}
	if err := c.checkUnique(ctx, after); err != nil {
		return err
	}
	if same && after.Waiting&^before.Waiting != 0 {
		if err := c.mayAsk(ctx, after); err != nil {
			return err
		}
	}
	given := c.heard(before) &^ c.heard(after)
	if !same { // perhaps to one that mail doesn't reach
		reached, err := c.reaches(ctx, after.Address)
		if err != nil {
			return err
		}
		if !reached {
			given = c.heard(before)
		}
	}
	return c.keepRequired(ctx, given, recipientOf{contact: before.ID})
}

// Remove removes a contact: it receives nothing any more, and mails to it that wait are cancelled. It needs the
// permission with the key "contacts", and works in a suspended account too. ErrInvalid, ErrNotFound, and ErrDenied,
// with code "category.required" if nobody would receive a required category any more.
func (s *Service) Remove(ctx context.Context, actor access.Actor, account access.AccountID, id ID) (access.Revision, error) {
	if err := id.Check(); err != nil {
		return access.Revision{}, err
	}
	return s.change(ctx, actor, access.EventContactRemoved, account, func(ctx context.Context, c *call) error {
		if err := c.mayNarrow(); err != nil {
			return err
		}
		contact, err := c.contact(ctx, id)
		if err != nil {
			return err
		}
		if err := c.keepRequired(ctx, c.heard(contact), recipientOf{contact: id}); err != nil {
			return err
		}
		if err := c.put(ctx, contact, Contact{}); err != nil {
			return err
		}
		return c.recordContact(ctx, access.EventContactRemoved, contact, Contact{ID: id})
	})
}

// Contact returns one contact. It needs the permission with the key "contacts". ErrInvalid, ErrNotFound, ErrDenied.
func (s *Service) Contact(ctx context.Context, actor access.Actor, account access.AccountID, id ID) (Contact, error) {
	if err := id.Check(); err != nil {
		return Contact{}, err
	}
	var contact Contact
	err := s.look(ctx, actor, account, func(ctx context.Context, c *call) error {
		if err := c.mayNarrow(); err != nil {
			return err
		}
		var err error
		contact, err = c.contact(ctx, id)
		return err
	})
	if err != nil {
		return Contact{}, err
	}
	return s.shown(contact), nil
}

// Contacts returns a page of an account's contacts, ordered by id, which is by age. It needs the permission with the
// key "contacts". ErrInvalid, ErrNotFound, ErrDenied.
func (s *Service) Contacts(ctx context.Context, actor access.Actor, account access.AccountID, f Filter, page access.Page) (access.List[Contact], error) {
	list := "contacts/" + string(account)
	limit, key, err := page.Open(list, 1)
	if err != nil {
		return access.List[Contact]{}, err
	}
	if err := f.check(s.categories); err != nil {
		return access.List[Contact]{}, err
	}
	var after ID
	if key != nil {
		after = ID(key[0])
	}
	var contacts access.List[Contact]
	err = s.look(ctx, actor, account, func(ctx context.Context, c *call) error {
		if err := c.mayNarrow(); err != nil {
			return err
		}
		rows, err := c.tx.Contacts(ctx, account, f, after, limit+1)
		for i := range rows {
			rows[i] = s.shown(rows[i])
		}
		contacts = access.ListOf(rows, limit, list, func(c Contact) []string { return []string{string(c.ID)} })
		return err
	})
	if err != nil {
		return access.List[Contact]{}, err
	}
	return contacts, nil
}

// mayEdit returns nil if the actor may add and change contacts: that lets somebody hear more than before, and needs
// an active account.
func (c *call) mayEdit() error {
	if err := c.Known(); err != nil {
		return err
	}
	if err := c.Open(); err != nil {
		return err
	}
	return c.May(c.service.bit("contacts"))
}

// mayNarrow returns nil if the actor may see and remove contacts: of a suspended account too, so that somebody can be
// kept from hearing more of it.
func (c *call) mayNarrow() error { return c.Holds(c.service.bit("contacts")) }

func (c *call) contact(ctx context.Context, id ID) (Contact, error) {
	contact, err := c.tx.Contact(ctx, c.Account.ID, id)
	if errors.Is(err, access.ErrNotFound) {
		return Contact{}, access.NotFound("contact")
	}
	return contact, err
}

// checkUnique returns an error of kind ErrExists if another contact of the account has the address.
func (c *call) checkUnique(ctx context.Context, contact Contact) error {
	other, err := c.tx.ContactByAddress(ctx, c.Account.ID, contact.Address)
	if errors.Is(err, access.ErrNotFound) {
		return nil
	}
	if err != nil || other.ID == contact.ID {
		return err
	}
	return &access.Error{Kind: access.ErrExists, Code: "contact.exists", Field: "address", Reason: "is that of another contact"}
}

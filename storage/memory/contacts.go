package memory

import (
	"context"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

func (tx *tx) Contact(ctx context.Context, account access.AccountID, id contact.ID) (contact.Contact, error) {
	if err := tx.read(ctx); err != nil {
		return contact.Contact{}, err
	}
	c, ok := tx.get(account).contacts.get(id)
	if !ok {
		return contact.Contact{}, access.NotFound("contact")
	}
	return c, nil
}

func (tx *tx) FindContact(ctx context.Context, id contact.ID) (contact.Contact, error) {
	if err := tx.read(ctx); err != nil {
		return contact.Contact{}, err
	}
	accounts, _ := tx.located.get(id)
	for account := range accounts.above("") {
		return tx.Contact(ctx, account, id)
	}
	return contact.Contact{}, access.NotFound("contact")
}

func (tx *tx) PutContact(ctx context.Context, c contact.Contact) error {
	if err := tx.write(ctx, c.Account); err != nil {
		return err
	}
	if id, ok := tx.get(c.Account).addresses.get(c.Address.Canonical()); ok && id != c.ID {
		return access.ErrExists
	}
	c.Created, c.Updated, c.Verified = stored(c.Created), stored(c.Updated), stored(c.Verified)
	tx.located = add(tx.located, c.ID, c.Account)
	tx.change(c.Account, func(a *account) {
		if old, ok := a.contacts.get(c.ID); ok {
			c.Created = old.Created
			a.addresses = a.addresses.remove(old.Address.Canonical())
		}
		a.contacts = a.contacts.put(c.ID, c)
		a.addresses = a.addresses.put(c.Address.Canonical(), c.ID)
	})
	return nil
}

func (tx *tx) DeleteContact(ctx context.Context, id access.AccountID, contact contact.ID) error {
	if err := tx.write(ctx, id); err != nil {
		return err
	}
	old, ok := tx.get(id).contacts.get(contact)
	if !ok {
		return access.NotFound("contact")
	}
	tx.located = drop(tx.located, contact, id)
	tx.change(id, func(a *account) {
		a.verifications = a.verifications.remove(contact)
		a.contacts = a.contacts.remove(contact)
		a.addresses = a.addresses.remove(old.Address.Canonical())
	})
	return nil
}

func (tx *tx) Contacts(ctx context.Context, account access.AccountID, f contact.Filter, after contact.ID, limit int) ([]contact.Contact, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	var page []contact.Contact
	before := stored(f.VerifiedBefore)
	for _, c := range tx.get(account).contacts.above(after) {
		if len(page) >= limit {
			break
		}
		old := before.IsZero() || c.Verified.Before(before)
		if old && (f.Categories == 0 || c.Categories.Has(f.Categories)) && foldedPrefix(f.Prefix, c.Name, c.Address.Canonical()) {
			page = append(page, c)
		}
	}
	return page, nil
}

func (tx *tx) ContactByAddress(ctx context.Context, account access.AccountID, address access.Address) (contact.Contact, error) {
	if err := tx.read(ctx); err != nil {
		return contact.Contact{}, err
	}
	a := tx.get(account)
	id, ok := a.addresses.get(address.Canonical())
	if !ok {
		return contact.Contact{}, access.NotFound("contact")
	}
	c, _ := a.contacts.get(id)
	return c, nil
}

func (tx *tx) Receivers(ctx context.Context, account access.AccountID, c contact.Category, after contact.ID, limit int) ([]contact.Receiver, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	var page []contact.Receiver
	for id, each := range tx.get(account).contacts.above(after) {
		if len(page) >= limit {
			break
		}
		if each.Categories.Has(c) {
			suppressed, _ := tx.suppressed.get(each.Address.Canonical())
			page = append(page, contact.Receiver{ID: id, Name: each.Name, Address: each.Address, Verified: each.Verified, Locale: each.Locale, Suppressed: suppressed.Kind})
		}
	}
	return page, nil
}

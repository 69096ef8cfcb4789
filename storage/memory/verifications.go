package memory

import (
	"context"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

func (tx *tx) Verification(ctx context.Context, account access.AccountID, id contact.ID) (contact.Verification, error) {
	if err := tx.read(ctx); err != nil {
		return contact.Verification{}, err
	}
	v, ok := tx.get(account).verifications.get(id)
	if !ok {
		return contact.Verification{}, access.NotFound("verification")
	}
	return v, nil
}

func (tx *tx) PutVerification(ctx context.Context, v contact.Verification) error {
	if err := tx.write(ctx, v.Account); err != nil {
		return err
	}
	v.Sent, v.Expires, v.Used = stored(v.Sent), stored(v.Expires), stored(v.Used)
	tx.change(v.Account, func(a *account) { a.verifications = a.verifications.put(v.Contact, v) })
	return nil
}

func (tx *tx) Unsubscribed(ctx context.Context, account access.AccountID, address access.Address) (contact.Category, error) {
	if err := tx.read(ctx); err != nil {
		return 0, err
	}
	c, _ := tx.get(account).unsubscribed.get(address.Canonical())
	return c, nil
}

func (tx *tx) PutUnsubscribed(ctx context.Context, id access.AccountID, address access.Address, c contact.Category) error {
	if err := tx.write(ctx, id); err != nil {
		return err
	}
	tx.change(id, func(a *account) {
		if c == 0 {
			a.unsubscribed = a.unsubscribed.remove(address.Canonical())
		} else {
			a.unsubscribed = a.unsubscribed.put(address.Canonical(), c)
		}
	})
	return nil
}

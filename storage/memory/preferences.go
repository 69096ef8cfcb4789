package memory

import (
	"context"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

func (tx *tx) Preference(ctx context.Context, account access.AccountID, user access.UserID) (contact.Category, error) {
	if err := tx.read(ctx); err != nil {
		return 0, err
	}
	c, ok := tx.get(account).preferences.get(user)
	if !ok {
		return 0, access.NotFound("preference")
	}
	return c, nil
}

func (tx *tx) PutPreference(ctx context.Context, id access.AccountID, user access.UserID, c contact.Category) error {
	if err := tx.write(ctx, id); err != nil {
		return err
	}
	tx.change(id, func(a *account) { a.preferences = a.preferences.put(user, c) })
	return nil
}

func (tx *tx) DeletePreferences(ctx context.Context, id access.AccountID, users ...access.UserID) error {
	if err := tx.write(ctx, id); err != nil {
		return err
	}
	tx.change(id, func(a *account) {
		for _, user := range users {
			a.preferences = a.preferences.remove(user)
		}
	})
	return nil
}

func (tx *tx) Subscribers(ctx context.Context, account access.AccountID, c contact.Category, after access.UserID, limit int) ([]access.Member, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	a := tx.get(account)
	var page []access.Member
	for user, chosen := range a.preferences.above(after) {
		if len(page) >= limit {
			break
		}
		if m, ok := a.members.get(user); ok && user != a.Owner && chosen.Has(c) {
			page = append(page, tx.member(a, m))
		}
	}
	return page, nil
}

func (tx *tx) MembersByAddress(ctx context.Context, account access.AccountID, address access.Address, limit int) ([]access.Member, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	if address.IsZero() {
		return nil, nil
	}
	a := tx.get(account)
	var page []access.Member
	for _, m := range a.members.above("") {
		if len(page) >= limit {
			break
		}
		if member := tx.member(a, m); member.Person.Address.Canonical() == address.Canonical() {
			page = append(page, member)
		}
	}
	return page, nil
}

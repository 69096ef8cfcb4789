package sqlstore

import (
	"context"
	"math"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
)

const (
	contactColumns = `id, account_id, name, address, canonical, company, postal_street, postal_city, postal_region,
		postal_postal_code, postal_country, phone, label, categories, created_at, updated_at, verified_at, unsubscribed, waiting,
		locale, alternate_of`

	// findContact finds the first of several, which no ids that this library made have.
	findContact = `SELECT ` + contactColumns + ` FROM roster_contacts WHERE id = ? ORDER BY account_id LIMIT 1`

	selectContact = `SELECT ` + contactColumns + ` FROM roster_contacts WHERE account_id = ? AND id = ?`

	selectContactByAddress = `SELECT ` + contactColumns + ` FROM roster_contacts WHERE account_id = ? AND canonical = ?`

	selectOtherContact = `SELECT 1 FROM roster_contacts WHERE account_id = ? AND canonical = ? AND id <> ?`

	putContact = `INSERT INTO roster_contacts (id, account_id, name, name_fold, address, canonical, company, postal_street,
			postal_city, postal_region, postal_postal_code, postal_country, phone, label, categories, created_at, updated_at,
			verified_at, unsubscribed, waiting, locale, alternate_of)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account_id, id) DO UPDATE SET name = excluded.name, name_fold = excluded.name_fold,
			address = excluded.address, canonical = excluded.canonical, company = excluded.company,
			postal_street = excluded.postal_street, postal_city = excluded.postal_city,
			postal_region = excluded.postal_region, postal_postal_code = excluded.postal_postal_code,
			postal_country = excluded.postal_country, phone = excluded.phone, label = excluded.label,
			categories = excluded.categories, updated_at = excluded.updated_at, verified_at = excluded.verified_at,
			unsubscribed = excluded.unsubscribed, waiting = excluded.waiting, locale = excluded.locale,
			alternate_of = excluded.alternate_of`

	deleteContact = `DELETE FROM roster_contacts WHERE account_id = ? AND id = ?`

	// selectContacts takes a set for one with all of some categories if what they share is not less than those: planners
	// expect few rows where it is equal, and would sort a whole account rather than read a page of it in order.
	selectContacts = `SELECT ` + contactColumns + ` FROM roster_contacts
		WHERE account_id = ? AND id > ?
			AND (categories & ?) >= ? AND verified_at < ?
			AND (length(?) = 0 OR substr(name_fold, 1, length(?)) = ? OR substr(canonical, 1, length(?)) = ?)
		ORDER BY id LIMIT ?`

	// selectReceivers compares as selectContacts does.
	selectReceivers = `SELECT c.id, c.name, c.address, c.canonical, c.verified_at, c.locale, COALESCE(s.kind, 0)
		FROM roster_contacts AS c LEFT JOIN roster_suppressions AS s ON s.canonical = c.canonical
		WHERE c.account_id = ? AND c.id > ? AND (c.categories & ?) >= ?
		ORDER BY c.id LIMIT ?`
)

func readContact(r row) (contact.Contact, error) {
	var c contact.Contact
	p := &c.Postal
	err := r.Scan(&c.ID, &c.Account, &c.Name, (*original)(&c.Address), (*canonical)(&c.Address), &c.Company,
		&p.Street, &p.City, &p.Region, &p.PostalCode, &p.Country, &c.Phone, &c.Label, wholly(&c.Categories),
		(*moment)(&c.Created), (*moment)(&c.Updated), (*moment)(&c.Verified), wholly(&c.Unsubscribed), wholly(&c.Waiting),
		&c.Locale, &c.AlternateOf)
	return c, err
}

func (t *tx) Contact(ctx context.Context, account access.AccountID, id contact.ID) (contact.Contact, error) {
	return find(ctx, t, readContact, "contact", selectContact, account, id)
}

func (t *tx) FindContact(ctx context.Context, id contact.ID) (contact.Contact, error) {
	return find(ctx, t, readContact, "contact", findContact, id)
}

func (t *tx) ContactByAddress(ctx context.Context, account access.AccountID, address access.Address) (contact.Contact, error) {
	return find(ctx, t, readContact, "contact", selectContactByAddress, account, address.Canonical())
}

func (t *tx) PutContact(ctx context.Context, c contact.Contact) error {
	if err := t.hold(ctx, c.Account); err != nil {
		return err
	}
	// Asking first is safe under the account's lock, and leaves the transaction in order on every engine.
	_, taken, err := one(ctx, t, number, "find a contact's address", selectOtherContact, c.Account, c.Address.Canonical(), c.ID)
	if err != nil {
		return err
	}
	if taken {
		return access.ErrExists
	}
	_, err = t.exec(ctx, "put a contact", putContact, c.ID, c.Account, c.Name, access.Fold(c.Name), c.Address.Original(),
		c.Address.Canonical(), c.Company, c.Postal.Street, c.Postal.City, c.Postal.Region, c.Postal.PostalCode,
		c.Postal.Country, c.Phone, c.Label, c.Categories, micros(c.Created), micros(c.Updated), micros(c.Verified),
		c.Unsubscribed, c.Waiting, c.Locale, c.AlternateOf)
	return err
}

func (t *tx) DeleteContact(ctx context.Context, account access.AccountID, id contact.ID) error {
	if err := t.hold(ctx, account); err != nil {
		return err
	}
	deleted, err := t.exec(ctx, "delete a contact", deleteContact, account, id)
	if err != nil {
		return err
	}
	if deleted == 0 {
		return access.NotFound("contact")
	}
	_, err = t.exec(ctx, "delete a verification", deleteVerification, account, id)
	return err
}

func (t *tx) Contacts(ctx context.Context, account access.AccountID, f contact.Filter, after contact.ID, limit int) ([]contact.Contact, error) {
	fold, before := access.Fold(f.Prefix), int64(math.MaxInt64)
	if !f.VerifiedBefore.IsZero() {
		before = micros(f.VerifiedBefore)
	}
	return pageOf(ctx, t, limit, readContact, "list contacts", selectContacts, account, after, f.Categories, f.Categories,
		before, fold, fold, fold, fold, fold)
}

// Receivers reads its rows into the same fields, as there may be many.
func (t *tx) Receivers(ctx context.Context, account access.AccountID, c contact.Category, after contact.ID, limit int) ([]contact.Receiver, error) {
	if c == 0 { // no set has the empty set
		return nil, t.ready(ctx)
	}
	var id, name, address, canonical, locale string
	var verified moment
	var suppressed notify.FeedbackKind
	targets := []any{&id, &name, &address, &canonical, &verified, &locale, wholly(&suppressed)}
	read := func(r row) (contact.Receiver, error) {
		err := r.Scan(targets...)
		return contact.Receiver{ID: contact.ID(id), Name: name, Address: access.StoredAddress(address, canonical),
			Verified: time.Time(verified), Locale: locale, Suppressed: suppressed}, err
	}
	return pageOf(ctx, t, limit, read, "list receivers", selectReceivers, account, after, c, c)
}

package sqlstore

import (
	"context"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

const (
	selectVerification = `SELECT account_id, contact_id, generation, secret, sent_at, expires_at, used_at
		FROM roster_verifications WHERE account_id = ? AND contact_id = ?`

	putVerification = `INSERT INTO roster_verifications (account_id, contact_id, generation, secret, sent_at, expires_at, used_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account_id, contact_id) DO UPDATE SET generation = excluded.generation, secret = excluded.secret,
			sent_at = excluded.sent_at, expires_at = excluded.expires_at, used_at = excluded.used_at`

	deleteVerification = `DELETE FROM roster_verifications WHERE account_id = ? AND contact_id = ?`

	selectUnsubscribed = `SELECT categories FROM roster_unsubscribed WHERE account_id = ? AND canonical = ?`

	putUnsubscribed = `INSERT INTO roster_unsubscribed (account_id, canonical, categories) VALUES (?, ?, ?)
		ON CONFLICT (account_id, canonical) DO UPDATE SET categories = excluded.categories`

	deleteUnsubscribed = `DELETE FROM roster_unsubscribed WHERE account_id = ? AND canonical = ?`
)

func readVerification(r row) (contact.Verification, error) {
	var v contact.Verification
	err := r.Scan(&v.Account, &v.Contact, wholly(&v.Generation), fixed(v.Secret[:]), (*moment)(&v.Sent), (*moment)(&v.Expires),
		(*moment)(&v.Used))
	return v, err
}

func (t *tx) Verification(ctx context.Context, account access.AccountID, id contact.ID) (contact.Verification, error) {
	return find(ctx, t, readVerification, "verification", selectVerification, account, id)
}

func (t *tx) PutVerification(ctx context.Context, v contact.Verification) error {
	if err := t.hold(ctx, v.Account); err != nil {
		return err
	}
	_, err := t.exec(ctx, "put a verification", putVerification, v.Account, v.Contact, v.Generation, v.Secret[:], micros(v.Sent),
		micros(v.Expires), micros(v.Used))
	return err
}

func (t *tx) Unsubscribed(ctx context.Context, account access.AccountID, address access.Address) (contact.Category, error) {
	categories, _, err := one(ctx, t, readCategory, "read what an address switched off", selectUnsubscribed, account, address.Canonical())
	return categories, err
}

func (t *tx) PutUnsubscribed(ctx context.Context, account access.AccountID, address access.Address, c contact.Category) error {
	if err := t.hold(ctx, account); err != nil {
		return err
	}
	if c == 0 {
		_, err := t.exec(ctx, "forget what an address switched off", deleteUnsubscribed, account, address.Canonical())
		return err
	}
	_, err := t.exec(ctx, "put what an address switched off", putUnsubscribed, account, address.Canonical(), c)
	return err
}

package sqlstore

import (
	"context"
	"slices"

	"github.com/rosterkit/roster/access"
)

const (
	// accountColumns name the table where a join with memberships would be ambiguous. An alias wouldn't do: RETURNING
	// knows none.
	accountColumns = `id, owner_id, parent_id, roster_accounts.status, name, company,
		billing_street, billing_city, billing_region, billing_postal_code, billing_country,
		postal_street, postal_city, postal_region, postal_postal_code, postal_country,
		phone, locale, time_zone, seats, domains, roster_accounts.created_at, version, head_count, head_hash`

	selectAccount = `SELECT ` + accountColumns + ` FROM roster_accounts WHERE id = ?`

	raiseVersion = `UPDATE roster_accounts SET version = version + 1 WHERE id = ?`

	lockAccount = `UPDATE roster_accounts SET version = version + 1 WHERE id = ? RETURNING ` + accountColumns

	unlockAccount = `UPDATE roster_accounts SET version = version - 1 WHERE id = ?`

	insertAccount = `INSERT INTO roster_accounts (id, owner_id, parent_id, status, name, name_fold, company, company_fold,
			billing_street, billing_city, billing_region, billing_postal_code, billing_country,
			postal_street, postal_city, postal_region, postal_postal_code, postal_country,
			phone, locale, time_zone, seats, domains, created_at, version, head_count, head_hash)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?)
		ON CONFLICT (id) DO NOTHING`

	updateAccount = `UPDATE roster_accounts SET owner_id = ?, status = ?,
			name = ?, name_fold = ?, company = ?, company_fold = ?,
			billing_street = ?, billing_city = ?, billing_region = ?, billing_postal_code = ?, billing_country = ?,
			postal_street = ?, postal_city = ?, postal_region = ?, postal_postal_code = ?, postal_country = ?,
			phone = ?, locale = ?, time_zone = ?, seats = ?, domains = ?
		WHERE id = ?`
)

func readAccount(r row) (access.Account, error) {
	var a access.Account
	err := r.Scan(accountTargets(&a)...)
	return a, err
}

// accountTargets are where accountColumns go.
func accountTargets(a *access.Account) []any {
	p := &a.Profile
	return []any{&a.ID, &a.Owner, &a.Parent, wholly(&a.Status), &p.Name, &p.Company,
		&p.Billing.Street, &p.Billing.City, &p.Billing.Region, &p.Billing.PostalCode, &p.Billing.Country,
		&p.Postal.Street, &p.Postal.City, &p.Postal.Region, &p.Postal.PostalCode, &p.Postal.Country,
		&p.Phone, &p.Locale, &p.TimeZone, wholly(&a.Policy.Seats), (*texts)(&a.Policy.Domains), (*moment)(&a.Created),
		wholly(&a.Version), wholly(&a.Head.Count), fixed(a.Head.Hash[:])}
}

// profileValues are a profile and a policy in the order in which both writing statements name them.
func profileValues(p access.Profile, policy access.Policy) []any {
	return []any{p.Name, access.Fold(p.Name), p.Company, access.Fold(p.Company),
		p.Billing.Street, p.Billing.City, p.Billing.Region, p.Billing.PostalCode, p.Billing.Country,
		p.Postal.Street, p.Postal.City, p.Postal.Region, p.Postal.PostalCode, p.Postal.Country,
		p.Phone, p.Locale, p.TimeZone, policy.Seats, textList(policy.Domains)}
}

func (t *tx) Lock(ctx context.Context, ids ...access.AccountID) ([]access.Account, error) {
	if err := t.writable(ctx); err != nil {
		return nil, err
	}
	missing := slices.DeleteFunc(slices.Clone(ids), t.holds)
	slices.Sort(missing)
	missing = slices.Compact(missing)
	// The lock comes before any read: a snapshot that began earlier could miss what was committed while this waited.
	var raised []access.Account
	for _, id := range missing {
		a, err := t.lock(ctx, id)
		if err != nil {
			if undone := t.unlock(ctx, raised); undone != nil {
				err = undone
			}
			return nil, err
		}
		raised = append(raised, a)
	}
	for _, a := range raised {
		t.Keep(a)
	}
	accounts := make([]access.Account, len(ids))
	for i, id := range ids {
		accounts[i], _ = t.Locked(id)
	}
	return accounts, nil
}

// lock raises an account's version, which locks its row, and returns what is in it then.
func (t *tx) lock(ctx context.Context, id access.AccountID) (access.Account, error) {
	if t.db.engine.returning {
		return find(ctx, t, readAccount, "account", lockAccount, id)
	}
	// A text that the engine refuses is in no row.
	raised, err := t.exec(ctx, "lock an account", raiseVersion, t.db.engine.searched([]any{id})...)
	if err != nil {
		return access.Account{}, err
	}
	if raised == 0 {
		return access.Account{}, access.NotFound("account")
	}
	return find(ctx, t, readAccount, "account", selectAccount, id)
}

// unlock gives accounts the versions back that they had before Lock, which found that one isn't there.
func (t *tx) unlock(ctx context.Context, accounts []access.Account) error {
	for _, a := range accounts {
		if _, err := t.exec(ctx, "unlock an account", unlockAccount, a.ID); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) holds(id access.AccountID) bool {
	_, held := t.Locked(id)
	return held
}

func (t *tx) InsertAccount(ctx context.Context, a access.Account) error {
	a.Version, a.Head = 1, access.Head{}
	a.Created = instant(micros(a.Created))
	args := append([]any{a.ID, a.Owner, a.Parent, a.Status}, profileValues(a.Profile, a.Policy)...)
	if err := t.insert(ctx, "insert an account", insertAccount, append(args, micros(a.Created), a.Head.Hash[:])...); err != nil {
		return err
	}
	t.Keep(a)
	return nil
}

func (t *tx) Account(ctx context.Context, id access.AccountID) (access.Account, error) {
	if a, held := t.Locked(id); held { // its history may be ahead of the table's
		return a, t.ready(ctx)
	}
	return find(ctx, t, readAccount, "account", selectAccount, id)
}

func (t *tx) UpdateAccount(ctx context.Context, a access.Account) error {
	if err := t.hold(ctx, a.ID); err != nil {
		return err
	}
	args := append([]any{a.Owner, a.Status}, profileValues(a.Profile, a.Policy)...)
	if _, err := t.exec(ctx, "update an account", updateAccount, append(args, a.ID)...); err != nil {
		return err
	}
	now, _ := t.Locked(a.ID)
	now.Owner, now.Status, now.Profile, now.Policy = a.Owner, a.Status, a.Profile, a.Policy
	t.Keep(now)
	return nil
}

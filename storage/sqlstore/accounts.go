package sqlstore

import (
	"context"
	"slices"

	"github.com/rosterkit/roster/access"
)

const (
	// accountColumns name the table where a join with memberships would be ambiguous.
	accountColumns = `id, owner_id, parent_id, roster_accounts.status, name, company,
		billing_street, billing_city, billing_region, billing_postal_code, billing_country,
		postal_street, postal_city, postal_region, postal_postal_code, postal_country,
		phone, locale, time_zone, seats, domains, roster_accounts.created_at, version, head_count, head_hash`

	selectAccount = `SELECT ` + accountColumns + ` FROM roster_accounts WHERE id = ?`

	// sealAccount writes what every unit that locks an account changes, at its end.
	sealAccount = `UPDATE roster_accounts SET version = ?, head_count = ?, head_hash = ? WHERE id = ?`

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
	var locked []access.Account
	for _, id := range missing {
		a, err := find(ctx, t, readAccount, "account", selectAccount+t.db.engine.forUpdate, id)
		if err != nil {
			return nil, err
		}
		t.wrote = true
		a.Version++
		locked = append(locked, a)
	}
	for _, a := range locked {
		t.Keep(a)
	}
	accounts := make([]access.Account, len(ids))
	for i, id := range ids {
		accounts[i], _ = t.Locked(id)
	}
	return accounts, nil
}

// sealAccounts writes the versions of the accounts that the unit has locked and the heads of their histories.
func (t *tx) sealAccounts(ctx context.Context) error {
	for _, a := range t.Accounts() {
		if _, err := t.exec(ctx, "seal an account", sealAccount, a.Version, a.Head.Count, a.Head.Hash[:], a.ID); err != nil {
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
	if a, held := t.Locked(id); held { // its version and its history are ahead of the table's
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

package memory

import (
	"context"
	"slices"
	"strings"

	"github.com/rosterkit/roster/access"
)

func (tx *tx) Lock(ctx context.Context, ids ...access.AccountID) ([]access.Account, error) {
	if err := tx.write(ctx); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, ok := tx.accounts.get(id); !ok {
			return nil, access.NotFound("account")
		}
	}
	locked := make([]access.Account, len(ids))
	for i, id := range ids {
		if _, ok := tx.Locked(id); !ok {
			tx.change(id, func(a *account) { a.Version++ })
			tx.Keep(tx.get(id).Account)
		}
		locked[i], _ = tx.Locked(id)
	}
	return locked, nil
}

func (tx *tx) InsertAccount(ctx context.Context, a access.Account) error {
	if err := tx.write(ctx); err != nil {
		return err
	}
	if _, ok := tx.accounts.get(a.ID); ok {
		return access.ErrExists
	}
	a.Policy = storedPolicy(a.Policy)
	a.Created = stored(a.Created)
	a.Version, a.Head = 1, access.Head{}
	tx.accounts = tx.accounts.put(a.ID, &account{Account: a})
	tx.Keep(a)
	return nil
}

func (tx *tx) Account(ctx context.Context, id access.AccountID) (access.Account, error) {
	if err := tx.read(ctx); err != nil {
		return access.Account{}, err
	}
	if _, ok := tx.accounts.get(id); !ok {
		return access.Account{}, access.NotFound("account")
	}
	return tx.account(id), nil
}

func (tx *tx) UpdateAccount(ctx context.Context, a access.Account) error {
	if err := tx.write(ctx, a.ID); err != nil {
		return err
	}
	tx.change(a.ID, func(old *account) {
		old.Owner, old.Status, old.Profile, old.Policy = a.Owner, a.Status, a.Profile, storedPolicy(a.Policy)
	})
	tx.Keep(tx.get(a.ID).Account)
	return nil
}

func (tx *tx) UserAccounts(ctx context.Context, user access.UserID, f access.AccountFilter, after access.AccountID, limit int) ([]access.UserAccount, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	var page []access.UserAccount
	joined, _ := tx.joined.get(user)
	for id := range joined.above(after) {
		if len(page) >= limit {
			break
		}
		m, _ := tx.get(id).members.get(user)
		a := tx.account(id)
		entry := access.UserAccount{Account: a.Outside(), Membership: m, Owner: a.Owner == user}
		if accountMatches(f, entry) {
			page = append(page, entry)
		}
	}
	return page, nil
}

func accountMatches(f access.AccountFilter, u access.UserAccount) bool {
	switch {
	case f.Status != 0 && u.Account.Status != f.Status:
		return false
	case f.Permission != 0 && !u.Owner && !u.Membership.Permissions.Has(f.Permission):
		return false
	}
	return foldedPrefix(f.Prefix, u.Account.Profile.Name, u.Account.Profile.Company)
}

// account returns an account to hand out: a copy, with the head of what this transaction appended.
func (tx *tx) account(id access.AccountID) access.Account {
	if a, ok := tx.Locked(id); ok {
		return a
	}
	a := tx.get(id).Account
	a.Policy = storedPolicy(a.Policy)
	return a
}

// storedPolicy returns a copy of a policy. No domains are nil, as they are when a database reads them.
func storedPolicy(p access.Policy) access.Policy {
	p.Domains = slices.Clone(p.Domains)
	if len(p.Domains) == 0 {
		p.Domains = nil
	}
	return p
}

// foldedPrefix reports whether one of texts begins with prefix, without regard to case.
func foldedPrefix(prefix string, texts ...string) bool {
	prefix = access.Fold(prefix)
	return slices.ContainsFunc(texts, func(text string) bool { return strings.HasPrefix(access.Fold(text), prefix) })
}

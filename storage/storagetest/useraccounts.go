package storagetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

func userAccountCases() []testCase {
	return []testCase{
		{"list", "a user's accounts come whole, in byte order, by any page size and filter", userAccounts},
		{"prefix", "the beginning of an account's name or company selects it, without regard to case", userAccountPrefixes},
	}
}

type userAccountPages = pager[access.AccountID, access.UserAccount]

func userAccountPager(ctx context.Context, tx storage.Tx, user access.UserID, f access.AccountFilter) userAccountPages {
	return userAccountPages{
		page: func(after access.AccountID, limit int) ([]access.UserAccount, error) {
			return tx.UserAccounts(ctx, user, f, after, limit)
		},
		key: func(a access.UserAccount) access.AccountID { return a.Account.ID },
	}
}

func userAccounts(t *testing.T, db database) {
	var want []access.AccountID
	for i, id := range orderedIDs() {
		account := fullAccount(access.AccountID(id))
		want = append(want, account.ID)
		account.Status, account.Owner = access.AccountStatus(1+i%3), []access.UserID{ann, olga}[i/2%2]
		db.update(func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.InsertAccount(ctx, account))
			m := fullMembership(account.ID, ann)
			m.Permissions = access.Permission(i % 4)
			require.NoError(t, tx.PutMembership(ctx, m))
			require.NoError(t, tx.PutMembership(ctx, newMembership(account.ID, bob, 1)))
			require.NoError(t, tx.Append(ctx, newRecord(i, account.ID, access.EventAccountCreated)))
		})
	}
	db.insert(acme)
	db.view(func(ctx context.Context, tx storage.Tx) {
		pages := userAccountPager(ctx, tx, ann, access.AccountFilter{})
		pages.check(t, want)
		all := pages.all(t, 100)
		for _, got := range all {
			account, err := tx.Account(ctx, got.Account.ID)
			require.NoError(t, err)
			m, err := tx.Membership(ctx, got.Account.ID, ann)
			require.NoError(t, err)
			equal(t, access.UserAccount{Account: account.Outside(), Membership: m, Owner: account.Owner == ann}, got)
		}
		for status := range access.AccountStatus(4) {
			for p := range access.Permission(5) {
				f := access.AccountFilter{Status: status, Permission: p}
				var want []access.AccountID
				for _, a := range all {
					if (status == 0 || a.Account.Status == status) && (p == 0 || a.Owner || a.Membership.Permissions.Has(p)) {
						want = append(want, a.Account.ID)
					}
				}
				userAccountPager(ctx, tx, ann, f).check(t, want)
			}
		}
		userAccountPager(ctx, tx, olga, access.AccountFilter{}).check(t, nil)
	})
}

func userAccountPrefixes(t *testing.T, db database) {
	names, prefixes := prefixNames()
	db.update(func(ctx context.Context, tx storage.Tx) {
		for i, name := range names {
			a := newAccount(access.AccountID(fmt.Sprintf("account %03d", i)))
			a.Profile.Name, a.Profile.Company = name, names[(i+7)%len(names)]
			require.NoError(t, tx.InsertAccount(ctx, a))
			require.NoError(t, tx.PutMembership(ctx, newMembership(a.ID, ann, 1)))
		}
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		all := userAccountPager(ctx, tx, ann, access.AccountFilter{}).all(t, 1000)
		require.Len(t, all, len(names))
		for _, prefix := range append(prefixes, "account") {
			var want []access.AccountID
			for _, a := range all {
				if foldedPrefix(a.Account.Profile.Name, prefix) || foldedPrefix(a.Account.Profile.Company, prefix) {
					want = append(want, a.Account.ID)
				}
			}
			pages := userAccountPager(ctx, tx, ann, access.AccountFilter{Prefix: prefix})
			require.Equal(t, fmt.Sprint(want), fmt.Sprint(pages.keys(pages.all(t, 1000))), "prefix %q", prefix)
		}
	})
}

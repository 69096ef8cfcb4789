package storagetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

func accountCases() []testCase {
	return []testCase{
		{"round trip", "an account comes back as it was inserted, at version 1 and without history", accountRoundTrip},
		{"taken id", "an id that is taken is ErrExists, and the account that has it stays", accountExists},
		{"absent", "an account that isn't there is ErrNotFound", accountAbsent},
		{"update", "UpdateAccount writes owner, status, profile and policy, and nothing else", accountUpdate},
		{"decision", "a grant holds what the account and the membership say, and zero where there is none", grants},
		{"decision inside", "a grant in a unit sees what the unit wrote", grantInside},
		{"owner without a row", "the owner is the account's column, whoever has a membership", ownerIsColumn},
	}
}

func fullAccount(id access.AccountID) access.Account {
	return access.Account{
		ID: id, Owner: olga, Parent: globex, Status: access.AccountSuspended,
		Profile: access.Profile{
			Name: "Ölga O'Neill \"the owner\"", Company: "Acme 🏭 % _ \\",
			Billing: access.PostalAddress{Street: "1 Road", City: "Wien", Region: "W", PostalCode: "1010", Country: "AT"},
			Postal:  access.PostalAddress{Street: "2 Street", City: "Graz", Region: "S", PostalCode: "8010", Country: "AT"},
			Phone:   "+43 1 234", Locale: "de-AT", TimeZone: "Europe/Vienna",
		},
		Policy:  access.Policy{Seats: 12, Domains: []string{"example.com", "xn--bcher-kva.example"}},
		Created: noon(), Version: 1,
	}
}

func accountRoundTrip(t *testing.T, db database) {
	bare := access.Account{ID: initech, Owner: ann, Status: access.AccountActive, Created: noon(), Version: 1}
	for _, want := range []access.Account{fullAccount(acme), bare} {
		db.update(func(ctx context.Context, tx storage.Tx) {
			given := want
			given.Version, given.Head = 99, access.Head{Count: 9}
			require.NoError(t, tx.InsertAccount(ctx, given))
			inside, err := tx.Account(ctx, want.ID)
			require.NoError(t, err)
			equal(t, want, inside)
		})
		equal(t, want, db.account(want.ID))
		db.view(func(ctx context.Context, tx storage.Tx) {
			members, err := tx.Members(ctx, want.ID, access.MemberFilter{}, "", 10)
			require.NoError(t, err)
			require.Empty(t, members)
		})
	}
}

func accountExists(t *testing.T, db database) {
	db.insert(acme)
	other := fullAccount(acme)
	db.update(func(ctx context.Context, tx storage.Tx) {
		require.ErrorIs(t, tx.InsertAccount(ctx, other), access.ErrExists)
		require.Panics(t, func() { _ = tx.UpdateAccount(ctx, other) }, "a refused insert locks")
	})
	want := newAccount(acme)
	want.Version = 1
	equal(t, want, db.account(acme))
	db.update(func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.InsertAccount(ctx, newAccount(globex)))
		require.ErrorIs(t, tx.InsertAccount(ctx, newAccount(globex)), access.ErrExists)
	})
}

func accountAbsent(t *testing.T, db database) {
	db.insert(acme)
	db.update(func(ctx context.Context, tx storage.Tx) {
		for _, id := range []access.AccountID{"", "acm", "acmee", globex} {
			_, err := tx.Account(ctx, id)
			require.ErrorIs(t, err, access.ErrNotFound)
			_, err = tx.Lock(ctx, id)
			require.ErrorIs(t, err, access.ErrNotFound)
			_, err = tx.Membership(ctx, id, olga)
			require.ErrorIs(t, err, access.ErrNotFound)
			members, err := tx.Members(ctx, id, access.MemberFilter{}, "", 10)
			require.NoError(t, err)
			require.Empty(t, members)
			seats, err := tx.Seats(ctx, id, noon())
			require.NoError(t, err)
			require.Zero(t, seats)
		}
	})
}

func accountUpdate(t *testing.T, db database) {
	db.insert(acme, globex)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, olga, 0)))
		require.NoError(t, tx.Append(ctx, newRecord(1, acme, access.EventAccountCreated)))
	})
	before, other := db.account(acme), db.account(globex)
	changed := fullAccount(acme)
	changed.Owner, changed.Parent, changed.Created = ann, initech, noon().AddDate(1, 0, 0)
	changed.Version, changed.Head = 50, access.Head{Count: 5}
	want := changed
	want.Parent, want.Created, want.Version, want.Head = before.Parent, before.Created, before.Version+1, before.Head
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.UpdateAccount(ctx, changed))
		inside, err := tx.Account(ctx, acme)
		require.NoError(t, err)
		equal(t, want, inside)
	})
	equal(t, want, db.account(acme))
	equal(t, other, db.account(globex))
	db.view(func(ctx context.Context, tx storage.Tx) {
		members, err := tx.Members(ctx, acme, access.MemberFilter{}, "", 10)
		require.NoError(t, err)
		require.Len(t, members, 1, "changing the owner changes memberships")
	})

	// And back to nothing but what must be there.
	bare := access.Account{ID: acme, Owner: bob, Status: access.AccountClosed}
	db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.UpdateAccount(ctx, bare)) })
	bare.Created, bare.Version, bare.Head = want.Created, want.Version+1, want.Head
	equal(t, bare, db.account(acme))
}

func grants(t *testing.T, db database) {
	db.update(func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.InsertAccount(ctx, fullAccount(acme)))
		require.NoError(t, tx.InsertAccount(ctx, newAccount(globex)))
		require.NoError(t, tx.PutMembership(ctx, fullMembership(acme, ann)))
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, olga, 0)))
		require.NoError(t, tx.PutMembership(ctx, newMembership(globex, bob, 5)))
	})
	full := fullMembership(acme, ann)
	tests := []struct {
		account access.AccountID
		user    access.UserID
		want    access.Grant
	}{
		{acme, ann, access.Grant{Permissions: full.Permissions, Status: full.Status, Account: access.AccountSuspended,
			Starts: full.Starts, Expires: full.Expires, LastSeen: full.LastSeen, Version: 1}},
		{acme, olga, access.Grant{Owner: true, Status: access.Active, Account: access.AccountSuspended, Version: 1}},
		{acme, bob, access.Grant{Account: access.AccountSuspended, Version: 1}},
		{globex, bob, access.Grant{Permissions: 5, Status: access.Active, Account: access.AccountActive, Version: 1}},
		{globex, olga, access.Grant{Owner: true, Account: access.AccountActive, Version: 1}},
		{globex, "", access.Grant{Account: access.AccountActive, Version: 1}},
		{initech, ann, access.Grant{}},
		{"", "", access.Grant{}},
	}
	for _, tt := range tests {
		db.view(func(ctx context.Context, tx storage.Tx) {
			grants, err := tx.Grants(ctx, tt.user, []access.AccountID{"nobody's", tt.account, initech, tt.account})
			require.NoError(t, err)
			for _, id := range []access.AccountID{tt.account, "nobody's", initech} {
				one, err := tx.Grant(ctx, id, tt.user)
				require.NoError(t, err)
				many, there := grants[id]
				require.Equal(t, one.Account != 0, there)
				equal(t, one, many)
			}
		})
		got, err := db.Grant(db.ctx, tt.account, tt.user)
		require.NoError(t, err)
		equal(t, tt.want, got)
		db.view(func(ctx context.Context, tx storage.Tx) {
			got, err := tx.Grant(ctx, tt.account, tt.user)
			require.NoError(t, err)
			equal(t, tt.want, got)
		})
	}
}

func grantInside(t *testing.T, db database) {
	db.insert(acme)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, ann, 9)))
		got, err := tx.Grant(ctx, acme, ann)
		require.NoError(t, err)
		equal(t, access.Grant{Permissions: 9, Status: access.Active, Account: access.AccountActive, Version: 2}, got)
		require.NoError(t, tx.DeleteMembership(ctx, acme, ann))
		got, err = tx.Grant(ctx, acme, ann)
		require.NoError(t, err)
		equal(t, access.Grant{Account: access.AccountActive, Version: 2}, got)
	})
}

func ownerIsColumn(t *testing.T, db database) {
	db.insert(acme)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, olga, 0)))
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, ann, 1)))
	})
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		a, err := tx.Account(ctx, acme)
		require.NoError(t, err)
		a.Owner = ann
		require.NoError(t, tx.UpdateAccount(ctx, a))
	})
	for user, owns := range map[access.UserID]bool{olga: false, ann: true, bob: false} {
		got, err := db.Grant(db.ctx, acme, user)
		require.NoError(t, err)
		require.Equal(t, owns, got.Owner, user)
	}
	db.view(func(ctx context.Context, tx storage.Tx) {
		members, err := tx.Members(ctx, acme, access.MemberFilter{}, "", 10)
		require.NoError(t, err)
		require.Len(t, members, 2)
		for _, m := range members {
			require.Equal(t, m.User == ann, m.Owner)
		}
		accounts, err := tx.UserAccounts(ctx, olga, access.AccountFilter{}, "", 10)
		require.NoError(t, err)
		require.Len(t, accounts, 1)
		require.False(t, accounts[0].Owner)
	})
}

package sqlstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
)

// TestAddressesAreNotParsedAgain stores addresses that no rule takes today, as if it had been others that took them.
func TestAddressesAreNotParsedAgain(t *testing.T) {
	handle, noon := openHandle(t, newFile(t)), time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	db := migrated(t, handle)
	insertAccount(t, db, "acme")
	taken, err := access.ParseAddress("ann@example.com")
	require.NoError(t, err)
	require.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		_, err := tx.Lock(ctx, "acme")
		require.NoError(t, err)
		require.NoError(t, tx.PutUsers(ctx, access.User{ID: "ann", Address: taken}))
		require.NoError(t, tx.PutMembership(ctx, access.Membership{Account: "acme", User: "ann", Permissions: 1, Status: access.Active}))
		require.NoError(t, tx.PutPreference(ctx, "acme", "ann", 1))
		require.NoError(t, tx.PutContact(ctx, contact.Contact{ID: "1", Account: "acme", Address: taken}))
		return tx.InsertInvite(ctx, invite.Record{Key: "k", Invite: invite.Invite{ID: "1", Account: "acme", Address: taken,
			State: invite.Pending, Expires: noon, Terms: access.Terms{Permissions: 1},
			By: invite.Inviter{Kind: access.ActorUser, ID: "ann"}}})
	}))
	const original, canonical = `"Ann" <ann@localhost>`, "ann at localhost"
	_, err = access.ParseAddress(original)
	require.Error(t, err)
	for _, table := range []string{"roster_users", "roster_contacts", "roster_invites"} {
		execute(t, handle, `UPDATE `+table+` SET address = '`+original+`', canonical = '`+canonical+`'`)
	}

	want := access.StoredAddress(original, canonical)
	same := func(name string, got access.Address, err error) {
		t.Helper()
		require.NoError(t, err, name)
		require.Equal(t, original, got.Original(), name)
		require.Equal(t, canonical, got.Canonical(), name)
	}
	members := func(name string, list []access.Member, err error) {
		t.Helper()
		require.Len(t, list, 1, name)
		same(name, list[0].Person.Address, err)
	}
	require.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		user, err := tx.User(ctx, "ann")
		same("User", user.Address, err)
		list, err := tx.Members(ctx, "acme", access.MemberFilter{}, "", 10)
		members("Members", list, err)
		list, err = tx.MembersByAddress(ctx, "acme", want, 10)
		members("MembersByAddress", list, err)
		list, err = tx.Subscribers(ctx, "acme", 1, "", 10)
		members("Subscribers", list, err)
		c, err := tx.ContactByAddress(ctx, "acme", want)
		same("ContactByAddress", c.Address, err)
		i, err := tx.PendingInvite(ctx, "acme", want)
		same("PendingInvite", i.Address, err)
		_, err = tx.Lock(ctx, "acme")
		require.NoError(t, err)
		revoked, err := tx.RevokeInvites(ctx, "acme", "ann", 0, noon)
		require.Len(t, revoked, 1)
		same("RevokeInvites", revoked[0].Address, err)
		return nil
	}))
}

package storagetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/storage"
)

func preferenceCases() []testCase {
	return []testCase{
		{"chosen", "a choice is kept per user and account, choosing nothing is a choice, and never having chosen is ErrNotFound",
			preferences},
		{"deleted", "DeletePreferences forgets the choices of those users in that account", preferencesDeleted},
		{"subscribers", "subscribers are the members, but the owner, who chose all that is asked, in byte order by any page size",
			subscribers},
		{"members by address", "members are found by the canonical address of their directory entry, the owner too",
			membersByAddress},
	}
}

func preferences(t *testing.T, db database) {
	db.insert(acme, globex)
	want := map[access.UserID]contact.Category{ann: contact.All, bob: 0, olga: 1 << 62}
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		for user, c := range want {
			require.NoError(t, tx.PutPreference(ctx, acme, user, 5))
			require.NoError(t, tx.PutPreference(ctx, acme, user, c))
		}
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for user, c := range want {
			got, err := tx.Preference(ctx, acme, user)
			require.NoError(t, err)
			require.Equal(t, c, got)
			_, err = tx.Preference(ctx, globex, user)
			require.ErrorIs(t, err, access.ErrNotFound)
		}
		_, err := tx.Preference(ctx, acme, eve)
		require.ErrorIs(t, err, access.ErrNotFound)
	})
}

func preferencesDeleted(t *testing.T, db database) {
	db.insert(acme, globex)
	users := []access.UserID{olga, ann, bob, eve}
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme, globex)
		require.NoError(t, err)
		for _, user := range users {
			require.NoError(t, tx.PutPreference(ctx, acme, user, 1))
			require.NoError(t, tx.PutPreference(ctx, globex, user, 1))
		}
	})
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.DeletePreferences(ctx, acme))
		require.NoError(t, tx.DeletePreferences(ctx, acme, ann, "never chose", eve, ann))
		require.NoError(t, tx.DeletePreferences(ctx, acme, eve))
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for _, user := range users {
			_, err := tx.Preference(ctx, globex, user)
			require.NoError(t, err)
			_, err = tx.Preference(ctx, acme, user)
			if user == ann || user == eve {
				require.ErrorIs(t, err, access.ErrNotFound)
			} else {
				require.NoError(t, err)
			}
		}
	})
}

func subscribers(t *testing.T, db database) {
	db.insert(acme, globex)
	sets := []contact.Category{0, 1, 2, 3, contact.All, 1 << 62}
	chosen := make(map[access.UserID]contact.Category)
	known := access.User{ID: "a", Name: "Aaa", Address: address(t, "A@example.com"), Verified: true}
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme, globex)
		require.NoError(t, err)
		require.NoError(t, tx.PutUsers(ctx, known))
		for i, user := range orderedIDs() {
			require.NoError(t, tx.PutMembership(ctx, newMembership(acme, user, 1)))
			require.NoError(t, tx.PutMembership(ctx, newMembership(globex, user, 1)))
			if i%7 != 6 {
				chosen[user] = sets[i%len(sets)]
				require.NoError(t, tx.PutPreference(ctx, acme, user, chosen[user]))
			}
			require.NoError(t, tx.PutPreference(ctx, globex, user, contact.All))
		}
		require.NoError(t, tx.PutPreference(ctx, acme, olga, contact.All))
		require.NoError(t, tx.PutPreference(ctx, acme, "no member", contact.All))
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for _, asked := range []contact.Category{1, 2, 3, 4, 1 << 62, contact.All} {
			var want []access.UserID
			for _, user := range orderedIDs() {
				if chosen[user].Has(asked) && user != olga {
					want = append(want, user)
				}
			}
			pager[access.UserID, access.Member]{
				page: func(after access.UserID, limit int) ([]access.Member, error) {
					return tx.Subscribers(ctx, acme, asked, after, limit)
				},
				key: func(m access.Member) access.UserID { return m.User },
			}.check(t, want)
		}
		everybody, err := tx.Subscribers(ctx, globex, contact.All, "", 100)
		require.NoError(t, err)
		require.Len(t, everybody, len(orderedIDs())-1)
		for _, m := range everybody {
			want := access.Member{Membership: newMembership(globex, m.User, 1), Person: access.User{ID: m.User}}
			if m.User == known.ID {
				want.Person = known
			}
			equal(t, want, m)
		}
	})
}

func membersByAddress(t *testing.T, db database) {
	db.insert(acme, globex)
	same := []access.UserID{"B", "a", olga, "ä"}
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme, globex)
		require.NoError(t, err)
		for i, user := range append(same, "no member", "other") {
			spelling := []string{"shared@example.com", "Shared@Example.com"}[i%2]
			if user == "other" {
				spelling = "share_@example.com"
			}
			require.NoError(t, tx.PutUsers(ctx, access.User{ID: user, Address: address(t, spelling), Name: fmt.Sprint(i)}))
			if user != "no member" {
				require.NoError(t, tx.PutMembership(ctx, newMembership(acme, user, 1)))
			}
		}
		require.NoError(t, tx.PutUsers(ctx, access.User{ID: "no address"}))
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, "no address", 1)))
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, "unknown", 1)))
		require.NoError(t, tx.PutMembership(ctx, newMembership(globex, "no member", 1)))
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for limit := 1; limit < 6; limit++ {
			members, err := tx.MembersByAddress(ctx, acme, address(t, "SHARED@example.com"), limit)
			require.NoError(t, err)
			require.Len(t, members, min(limit, len(same)))
			for i, m := range members {
				person, err := tx.User(ctx, same[i])
				require.NoError(t, err)
				equal(t, access.Member{Membership: newMembership(acme, same[i], 1), Owner: same[i] == olga, Person: person}, m)
			}
		}
		none, err := tx.MembersByAddress(ctx, acme, address(t, "nobody@example.com"), 10)
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

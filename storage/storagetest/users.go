package storagetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

func userCases() []testCase {
	return []testCase{
		{"round trip", "a directory entry comes back as it was stored; a user without one is ErrNotFound", userRoundTrip},
		{"stored again", "an entry that is stored again replaces the old one, but for a later sign-in", userAgain},
		{"signed in", "SignedIn sets the last sign-in, unless it is later already, and nothing else", signedIn},
		{"many", "any number of users is stored and looked up at once; those without an entry are left out", manyUsers},
		{"texts", "whatever texts entries have, many at once, they come back", userTexts},
		{"no account", "the directory raises no version and needs no lock", usersWithoutLock},
	}
}

func fullUser(t *testing.T, id access.UserID) access.User {
	t.Helper()
	return access.User{ID: id, Address: address(t, "Some.One+tag@Example.com"), Verified: true, Name: "Ünal % _ \\ ' 👩",
		SecondFactor: true, LastSignIn: noon(), Locale: "de-AT"}
}

func userRoundTrip(t *testing.T, db database) {
	want := map[access.UserID]access.User{ann: fullUser(t, ann), bob: {ID: bob}}
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.User(ctx, ann)
		require.ErrorIs(t, err, access.ErrNotFound)
		require.NoError(t, tx.PutUsers(ctx))
		require.NoError(t, tx.PutUsers(ctx, want[ann], want[bob]))
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for id := range want {
			got, err := tx.User(ctx, id)
			require.NoError(t, err)
			equal(t, want[id], got)
		}
		_, err := tx.User(ctx, eve)
		require.ErrorIs(t, err, access.ErrNotFound)
		got, err := tx.Users(ctx, []access.UserID{ann, eve, bob, ann})
		require.NoError(t, err)
		equal(t, want, got)
		got, err = tx.Users(ctx, nil)
		require.NoError(t, err)
		require.Empty(t, got)
	})
}

func userAgain(t *testing.T, db database) {
	put := func(given, want access.User) {
		t.Helper()
		db.update(func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.PutUsers(ctx, given)) })
		db.view(func(ctx context.Context, tx storage.Tx) {
			got, err := tx.User(ctx, given.ID)
			require.NoError(t, err)
			equal(t, want, got)
		})
	}
	put(fullUser(t, ann), fullUser(t, ann))
	put(access.User{ID: ann}, access.User{ID: ann, LastSignIn: noon()})
	earlier, later := noon().Add(-time.Microsecond), noon().Add(time.Microsecond)
	put(access.User{ID: ann, Name: "Ann", LastSignIn: earlier}, access.User{ID: ann, Name: "Ann", LastSignIn: noon()})
	put(access.User{ID: ann, LastSignIn: later}, access.User{ID: ann, LastSignIn: later})
	put(access.User{ID: bob}, access.User{ID: bob})
	put(fullUser(t, bob), fullUser(t, bob))
}

func signedIn(t *testing.T, db database) {
	tick := func(n int) time.Time { return noon().Add(time.Duration(n) * time.Microsecond) }
	known := fullUser(t, ann) // who signed in at noon
	db.update(func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutUsers(ctx, known, access.User{ID: bob}))
	})
	for _, step := range []struct{ at, ann, bob int }{{-1, 0, -1}, {0, 0, 0}, {2, 2, 2}, {1, 2, 2}, {3, 3, 3}} {
		known.LastSignIn = tick(step.ann)
		want := map[access.UserID]access.User{
			ann: known,
			bob: {ID: bob, LastSignIn: tick(step.bob)},
			eve: {ID: eve, LastSignIn: tick(step.bob)}, // whom the directory didn't know
		}
		read := func(ctx context.Context, tx storage.Tx) {
			got, err := tx.Users(ctx, []access.UserID{ann, bob, eve})
			require.NoError(t, err)
			equal(t, want, got)
		}
		db.update(func(ctx context.Context, tx storage.Tx) {
			for _, id := range []access.UserID{ann, bob, eve} {
				require.NoError(t, tx.SignedIn(ctx, id, tick(step.at)))
			}
			read(ctx, tx)
		})
		db.view(read)
	}
}

func manyUsers(t *testing.T, db database) {
	const n = 1500 // beyond what a statement takes as parameters
	users := make([]access.User, n)
	var ids []access.UserID
	for i := range users {
		users[i] = access.User{ID: access.UserID(fmt.Sprintf("user %d", i)), Name: fmt.Sprint(i)}
		ids = append(ids, users[i].ID, access.UserID(fmt.Sprintf("absent %d", i)))
	}
	db.update(func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.PutUsers(ctx, users...)) })
	db.view(func(ctx context.Context, tx storage.Tx) {
		got, err := tx.Users(ctx, ids)
		require.NoError(t, err)
		require.Len(t, got, n)
		for _, user := range users {
			require.Equal(t, user, got[user.ID])
		}
	})
}

func usersWithoutLock(t *testing.T, db database) {
	db.insert(acme)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, ann, 1)))
	})
	before := db.account(acme)
	db.update(func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.PutUsers(ctx, fullUser(t, ann))) })
	equal(t, before, db.account(acme))
}

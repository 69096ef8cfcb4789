package access_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/storage"
)

func TestSyncUser(t *testing.T) {
	w := newWorld(t)
	signedIn := time.Date(2026, 5, 1, 12, 0, 0, 1999, time.FixedZone("", 7200))
	u := access.User{ID: "ghost", Name: "Ghost", Address: accesstest.AddressOf("Ghost"), Verified: true, SecondFactor: true, LastSignIn: signedIn}
	require.NoError(t, w.Members.SyncUser(t.Context(), u))
	want := u
	want.LastSignIn = time.Date(2026, 5, 1, 10, 0, 0, 1000, time.UTC)
	got, err := w.Members.User(t.Context(), "ghost")
	require.NoError(t, err)
	require.Equal(t, want, got)

	require.NoError(t, w.Members.SyncUser(t.Context(), access.User{ID: "ghost"}))
	got, err = w.Members.User(t.Context(), "ghost")
	require.NoError(t, err)
	require.Equal(t, access.User{ID: "ghost", LastSignIn: want.LastSignIn}, got, "all but the sign-in is replaced")
	w.As("ghost").Can("acme", access.PayInvoices)
	w.As("gina").Cannot("acme", access.PayInvoices)
}

// TestSyncGrantsNothing: neither does a name or an address that is somebody else's.
func TestSyncGrantsNothing(t *testing.T) {
	w := newWorld(t)
	accounts := w.account("acme")
	require.NoError(t, w.Members.SyncUser(t.Context(), access.User{ID: "nobody", Name: "olive", Address: accesstest.AddressOf("olive"), Verified: true}))
	w.As("nobody").Cannot("acme", access.PayInvoices)
	require.Equal(t, accounts, w.account("acme"), "no version is raised, no event appended")
}

func TestSyncUsersIsAllOrNothing(t *testing.T) {
	w := newWorld(t)
	signedIn := time.Date(2026, 5, 1, 12, 0, 0, 1999, time.FixedZone("", 7200))
	good := access.User{ID: "nobody", Name: "N", LastSignIn: signedIn}
	for _, tt := range []struct {
		bad         access.User
		code, field string
	}{
		{access.User{}, "id.empty", "user"},
		{access.User{ID: access.UserID(strings.Repeat("a", 129))}, "id.long", "user"},
		{access.User{ID: "a\n"}, "id.text", "user"},
		{access.User{ID: "a", Name: strings.Repeat("a", 201)}, "text.long", "name"},
		{access.User{ID: "a", Name: "a\r\nb"}, "text.control", "name"},
		{access.User{ID: "a", Verified: true}, "address.missing", "address"},
	} {
		w.refuses(t, access.ErrInvalid, tt.code, tt.field, func() (any, error) {
			return nil, w.Members.SyncUsers(t.Context(), good, tt.bad)
		})
	}
	batch := []access.User{good, {ID: "ghost"}}
	require.NoError(t, w.Members.SyncUsers(t.Context(), batch...))
	require.Equal(t, []access.User{good, {ID: "ghost"}}, batch, "the caller's slice stays the caller's")
	for _, u := range batch {
		_, err := w.Members.User(t.Context(), u.ID)
		require.NoError(t, err)
	}
	require.NoError(t, w.Members.SyncUsers(t.Context()))
}

func TestRecordSignIn(t *testing.T) {
	w := newWorld(t)
	before := w.account("acme")
	for _, user := range []access.UserID{"ivan", "nobody"} {
		want, err := w.Members.User(t.Context(), user)
		if user == "nobody" {
			require.ErrorIs(t, err, access.ErrNotFound)
			want = access.User{ID: user}
		}
		w.Clock.Advance(time.Hour + 1500*time.Nanosecond)
		require.NoError(t, w.Members.RecordSignIn(t.Context(), user))
		want.LastSignIn = w.Members.Now()
		got, err := w.Members.User(t.Context(), user)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.Equal(t, before, w.account("acme"))
}

func TestDirectoryRefusesIds(t *testing.T) {
	w := newWorld(t)
	for id, code := range map[string]string{"": "id.empty", strings.Repeat("a", 129): "id.long", "a\x00": "id.text"} {
		w.refuses(t, access.ErrInvalid, code, "user", func() (any, error) { return nil, w.Members.RecordSignIn(t.Context(), access.UserID(id)) })
		w.refuses(t, access.ErrInvalid, code, "user", func() (any, error) { return w.Members.User(t.Context(), access.UserID(id)) })
		w.refuses(t, access.ErrInvalid, code, "user", func() (any, error) {
			return nil, w.Members.RecordSeen(t.Context(), access.UserID(id), "acme", access.Grant{Owner: true})
		})
		w.refuses(t, access.ErrInvalid, code, "account", func() (any, error) {
			return nil, w.Members.RecordSeen(t.Context(), "ivan", access.AccountID(id), access.Grant{Owner: true})
		})
	}
	w.refuses(t, access.ErrNotFound, "not_found", "user", func() (any, error) { return w.Members.User(t.Context(), "nobody") })
}

// TestRecordSeen writes at most once in five minutes and membership, raises no version and appends no event.
func TestRecordSeen(t *testing.T) {
	w := newWorld(t)
	before := w.account("acme")
	updates := 0
	s := w.on(store{update: func(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
		updates++
		return w.DB.Update(ctx, fn)
	}})
	at := func(user access.UserID, wantUpdates int, wantSeen time.Time) {
		t.Helper()
		updates = 0
		g, err := s.Grant(t.Context(), user, "acme")
		require.NoError(t, err)
		require.NoError(t, s.RecordSeen(t.Context(), user, "acme", g))
		require.Equal(t, wantUpdates, updates)
		require.Equal(t, wantSeen, w.membership("acme", user).LastSeen)
	}
	first := w.Members.Now()
	for _, user := range []access.UserID{"ivan", "olive", "sue"} {
		at(user, 1, first)
		at(user, 0, first)
	}
	w.Clock.Advance(5*time.Minute - time.Microsecond)
	at("ivan", 0, first)
	w.Clock.Advance(time.Microsecond)
	at("ivan", 1, first.Add(5*time.Minute))
	at("nobody", 0, time.Time{})
	at("gina", 0, time.Time{})
	require.Equal(t, before, w.account("acme"))

	// Two requests that read the same grant write once, and an old grant doesn't set the time back.
	old, err := s.Grant(t.Context(), "ivan", "acme")
	require.NoError(t, err)
	w.Clock.Advance(6 * time.Minute)
	seen := w.Members.Now()
	require.NoError(t, s.RecordSeen(t.Context(), "ivan", "acme", old))
	w.Clock.Advance(time.Minute)
	require.NoError(t, s.RecordSeen(t.Context(), "ivan", "acme", old))
	require.Equal(t, seen, w.membership("acme", "ivan").LastSeen)
	w.As("olive").Sets("acme", "ivan", access.OpenTickets)
	require.Equal(t, seen, w.membership("acme", "ivan").LastSeen, "a change of the membership keeps it")
	w.As("ivan").Leaves("acme")
	require.NoError(t, s.RecordSeen(t.Context(), "ivan", "acme", access.Grant{Status: access.Active}))
	require.Zero(t, w.membership("acme", "ivan"))
}

func TestDirectoryPassesStorageErrorsOn(t *testing.T) {
	w := newWorld(t)
	broken := func(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
		return w.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
			return fn(ctx, faultyTx{tx, func() error { return errBroken }})
		})
	}
	s := w.on(store{update: broken, view: broken})
	before := w.dump()
	require.Equal(t, errBroken, s.SyncUser(t.Context(), access.User{ID: "nobody"}))
	require.Equal(t, errBroken, s.RecordSignIn(t.Context(), "nobody"))
	require.Equal(t, errBroken, s.RecordSeen(t.Context(), "ivan", "acme", access.Grant{Status: access.Active}))
	_, err := s.User(t.Context(), "ivan")
	require.Equal(t, errBroken, err)
	_, err = s.Accounts(t.Context(), ivan, "ivan", access.AccountFilter{}, access.Page{})
	require.Equal(t, errBroken, err)
	require.Equal(t, before, w.dump())
}

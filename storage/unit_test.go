package storage_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

func TestCheckOutsideKnowsTheBackendsOfUnitsInUnits(t *testing.T) {
	ours, theirs, another := new(int), new(int), new(int)
	ctx := storage.Inside(storage.Inside(t.Context(), ours), theirs)

	require.ErrorIs(t, storage.CheckOutside(ctx, ours), access.ErrNested)
	require.ErrorIs(t, storage.CheckOutside(ctx, theirs), access.ErrNested)
	require.NoError(t, storage.CheckOutside(ctx, another))
	require.NoError(t, storage.CheckOutside(t.Context(), ours))
}

func TestUnitPanicsOnAWriteWithoutALock(t *testing.T) {
	var u storage.Unit
	u.Keep(access.Account{ID: "acme"})

	require.NotPanics(t, func() { u.MustHold("acme") })
	require.Panics(t, func() { u.MustHold("globex") })
	require.Panics(t, func() { u.Append(access.Record{Account: "globex"}) })
}

func TestUnitKeepsCopies(t *testing.T) {
	var u storage.Unit
	domains := []string{"example.com"}
	u.Keep(access.Account{ID: "acme", Policy: access.Policy{Domains: domains}})
	domains[0] = "changed.example"
	locked, ok := u.Locked("acme")
	require.True(t, ok)
	locked.Policy.Domains[0] = "changed.example"

	locked, _ = u.Locked("acme")
	require.Equal(t, []string{"example.com"}, locked.Policy.Domains)
	_, ok = u.Locked("globex")
	require.False(t, ok)
}

func TestUnitSealsEventsAfterTheHead(t *testing.T) {
	var u storage.Unit
	head := access.Head{Count: 7, Hash: access.Digest{7}}
	u.Keep(access.Account{ID: "globex", Version: 3, Head: head})
	u.Keep(access.Account{ID: "acme", Version: 5})
	u.Keep(access.Account{ID: "initech", Version: 9})
	u.Append(access.Record{ID: "1", Account: "globex", Shard: 2})
	u.Append(access.Record{ID: "2", Account: "acme", Shard: 1})
	u.Keep(access.Account{ID: "globex", Owner: "ann", Version: 3}) // a change keeps the head
	u.Append(access.Record{ID: "3", Account: "globex", Shard: 2})

	var ids []access.EventID
	var keys []access.EventKey
	for _, r := range u.Events() {
		ids = append(ids, r.ID)
		keys = append(keys, access.EventKey{Version: r.Version, Index: r.Index})
	}
	require.Equal(t, []access.EventID{"2", "1", "3"}, ids, "by shard, and as appended within one")
	require.Equal(t, []access.EventKey{{Version: 5}, {Version: 3}, {Version: 3, Index: 1}}, keys)

	heads := u.Accounts()
	require.Len(t, heads, 3)
	require.Equal(t, access.AccountID("acme"), heads[0].ID)
	require.Equal(t, access.AccountID("globex"), heads[1].ID)
	require.Equal(t, access.UserID("ann"), heads[1].Owner)
	require.Equal(t, uint64(9), heads[1].Head.Count)

	first, second := u.Events()[1], u.Events()[2]
	require.Equal(t, second.Hash, heads[1].Head.Hash)
	require.Equal(t, second.Seal(first.Seal(head, 0), 1), heads[1].Head, "each event is sealed after the one before")
}

func TestUnitRemembersItsFirstFailure(t *testing.T) {
	first, second := errors.New("disk full"), errors.New("connection lost")
	var u storage.Unit
	require.NoError(t, u.Fail(nil))
	require.ErrorIs(t, u.Fail(access.NotFound("member")), access.ErrNotFound)
	require.ErrorIs(t, u.Fail(access.ErrExists), access.ErrExists)
	require.NoError(t, u.Failed(), "a refusal leaves the transaction as it was")

	require.ErrorIs(t, u.Fail(first), first)
	require.ErrorIs(t, u.Fail(second), second)
	require.Equal(t, first, u.Failed())
}

func TestUnitIsSpoiledByAnyError(t *testing.T) {
	for _, reason := range []error{access.ErrExists, access.NotFound("member"), errors.New("halfway")} {
		var u storage.Unit
		u.Spoil(nil)
		require.NoError(t, u.Failed())
		u.Spoil(reason)
		u.Spoil(errors.New("later"))
		_ = u.Fail(errors.New("later still"))
		require.Equal(t, reason, u.Failed())
	}
}

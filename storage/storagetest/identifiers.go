package storagetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

func identifierCases() []testCase {
	return []testCase{
		{"accounts", "account ids compare byte for byte, as keys, in locks and in decisions", accountIDs},
		{"users of an account", "user ids compare byte for byte within an account", userIDsOfAccount},
		{"users", "user ids compare byte for byte in the directory and across accounts", userIDs},
		{"events and mail", "histories and mail of accounts whose ids differ by a byte are apart", idsInHistory},
		{"addresses", "addresses compare in their canonical form, byte for byte", addresses},
		{"strange ids", "an id that can't be one is not found, without another error", strangeIDs},
	}
}

// identifiers are ids of 1 to 128 bytes of which a database may take some for the same: by case, accent, width,
// padding, composition, number, pattern or length.
func identifiers() []string {
	long := strings.Repeat("x", access.MaxIDBytes-1)
	return []string{
		"alice", "Alice", "ALICE", "alice ", " alice", "alice  ", "alicé", "alice\u0301", "alıce",
		"al\u200dice", "alice\u00a0", "ａlice",
		"k", "K", "\u212A", "ß", "ss", "SS", "ẞ", "Å", "\u212B", "A\u030A", "ﬀ", "ff", "İ", "i", "I",
		"ı", "i\u0307", "σ", "ς", "Σ",
		"0", "00", "0.0", "-0", "+0", "1", "01", "1 ", "1e0", "0x1", "true", "null", "NULL", "''", "'",
		`"`, "`", "%", "_", `\`, `\\`, "a%", "a_", "*", "?", ";--",
		"👩‍👩‍👧", "👩", "👨", "日本", "日本 ", "\uFFFD", "\U0010FFFF", "~", "é", "e\u0301", "e",
		long + "x", long + "y", long + "X", long, strings.Repeat("é", 64), strings.Repeat("é", 63) + "e",
		strings.Repeat("👩", 32), "01900000-0000-7000-8000-00000000000a", "01900000-0000-7000-8000-00000000000A",
	}
}

func accountIDs(t *testing.T, db database) {
	var ids []access.AccountID
	for _, id := range identifiers() {
		ids = append(ids, access.AccountID(id))
		require.NoError(t, access.AccountID(id).Check())
	}
	db.update(func(ctx context.Context, tx storage.Tx) {
		for i, id := range ids {
			_, err := tx.Account(ctx, id)
			require.ErrorIs(t, err, access.ErrNotFound, "%q", id)
			a := newAccount(id)
			a.Profile.Name = fmt.Sprint(i)
			require.NoError(t, tx.InsertAccount(ctx, a), "%q", id)
			require.NoError(t, tx.PutMembership(ctx, newMembership(id, ann, access.Permission(i+1))))
			require.NoError(t, tx.PutPreference(ctx, id, ann, contact.Category(i)))
		}
	})
	for i, id := range ids {
		a := db.account(id)
		require.Equal(t, id, a.ID)
		require.Equal(t, fmt.Sprint(i), a.Profile.Name)
		grant, err := db.Grant(db.ctx, id, ann)
		require.NoError(t, err)
		require.EqualValues(t, i+1, grant.Permissions, "%q", id)
	}
	db.update(func(ctx context.Context, tx storage.Tx) {
		locked, err := tx.Lock(ctx, ids[0])
		require.NoError(t, err)
		require.Equal(t, ids[0], locked[0].ID)
		for _, id := range ids[1:] {
			require.Panics(t, func() { _ = tx.DeleteMembership(ctx, id, ann) }, "%q is locked with %q", id, ids[0])
		}
	})
	for _, id := range ids[1:] {
		require.EqualValues(t, 1, db.account(id).Version, "%q", id)
	}
	db.view(func(ctx context.Context, tx storage.Tx) {
		userAccountPager(ctx, tx, ann, access.AccountFilter{}).check(t, slices.Sorted(slices.Values(ids)))
		for i, id := range ids {
			c, err := tx.Preference(ctx, id, ann)
			require.NoError(t, err)
			require.EqualValues(t, i, c)
		}
	})
}

func userIDsOfAccount(t *testing.T, db database) {
	db.insert(acme)
	var ids []access.UserID
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		ids = nil
		for i, id := range identifiers() {
			user := access.UserID(id)
			_, err := tx.Membership(ctx, acme, user)
			require.ErrorIs(t, err, access.ErrNotFound, "%q", id)
			require.NoError(t, tx.PutMembership(ctx, newMembership(acme, user, access.Permission(i+1))))
			require.NoError(t, tx.PutPreference(ctx, acme, user, contact.Category(i+1)))
			ids = append(ids, user)
		}
	})
	for i, id := range ids {
		grant, err := db.Grant(db.ctx, acme, id)
		require.NoError(t, err)
		require.EqualValues(t, i+1, grant.Permissions, "%q", id)
		require.False(t, grant.Owner)
	}
	db.view(func(ctx context.Context, tx storage.Tx) {
		memberPager(ctx, tx, access.MemberFilter{}).check(t, slices.Sorted(slices.Values(ids)))
		for i, id := range ids {
			c, err := tx.Preference(ctx, acme, id)
			require.NoError(t, err)
			require.EqualValues(t, i+1, c, "%q", id)
		}
	})
	// Every owner but the one with exactly this id is none.
	for _, owner := range []access.UserID{"alice", "👩", "1"} {
		db.locked(acme, func(ctx context.Context, tx storage.Tx) {
			a, err := tx.Account(ctx, acme)
			require.NoError(t, err)
			a.Owner = owner
			require.NoError(t, tx.UpdateAccount(ctx, a))
			for _, id := range ids {
				grant, err := tx.Grant(ctx, acme, id)
				require.NoError(t, err)
				require.Equal(t, id == owner, grant.Owner, "%q and %q", id, owner)
			}
		})
	}
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.DeletePreferences(ctx, acme, ids[0]))
		require.NoError(t, tx.DeleteMembership(ctx, acme, ids[0]))
		for _, id := range ids[1:] {
			_, err := tx.Membership(ctx, acme, id)
			require.NoError(t, err, "%q", id)
			_, err = tx.Preference(ctx, acme, id)
			require.NoError(t, err, "%q", id)
		}
	})
}

func userIDs(t *testing.T, db database) {
	db.insert(acme)
	var ids []access.UserID
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		ids = nil
		for i, id := range identifiers() {
			user := access.UserID(id)
			ids = append(ids, user)
			require.NoError(t, tx.PutUsers(ctx, access.User{ID: user, Name: fmt.Sprint(i)}))
			if i%2 == 0 {
				require.NoError(t, tx.PutMembership(ctx, newMembership(acme, user, 1)))
			}
		}
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		all, err := tx.Users(ctx, ids)
		require.NoError(t, err)
		require.Len(t, all, len(ids))
		for i, id := range ids {
			want := access.User{ID: id, Name: fmt.Sprint(i)}
			equal(t, want, all[id])
			one, err := tx.User(ctx, id)
			require.NoError(t, err)
			equal(t, want, one)
			accounts, err := tx.UserAccounts(ctx, id, access.AccountFilter{}, "", 10)
			require.NoError(t, err)
			require.Len(t, accounts, 1-i%2, "%q", id)
		}
		members, err := tx.Members(ctx, acme, access.MemberFilter{}, "", 1000)
		require.NoError(t, err)
		for _, m := range members {
			require.Equal(t, m.User, m.Person.ID)
			require.Equal(t, all[m.User].Name, m.Person.Name, "%q", m.User)
		}
	})
}

func idsInHistory(t *testing.T, db database) {
	ids := identifiers()
	kind := func(i int) notify.Kind {
		if id := ids[len(ids)-1-i]; len(id) <= notify.MaxKindBytes {
			return notify.Kind(id)
		}
		return "long"
	}
	for i, id := range ids {
		account := access.AccountID(id)
		db.update(func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.InsertAccount(ctx, newAccount(account)))
			r := newRecord(i, account, access.EventAccountCreated)
			r.By, r.TargetKind, r.TargetID = access.UserID(id), access.TargetUser, id
			require.NoError(t, tx.Append(ctx, r))
			m := newMessage(i, account)
			m.Ref, m.Kind = id, kind(i)
			same := newMessage(1000+i, acme)
			same.Ref, same.Kind = id, "same"
			require.NoError(t, tx.Enqueue(ctx, m, same))
		})
	}
	db.view(func(ctx context.Context, tx storage.Tx) {
		for i, id := range ids {
			account := access.AccountID(id)
			events, err := tx.Events(ctx, account, access.EventFilter{Concerns: access.UserID(id)}, access.EventKey{}, true, 10)
			require.NoError(t, err)
			require.Len(t, events, 1, "%q", id)
			require.EqualValues(t, uuid(i), events[0].ID)
			other := ids[(i+1)%len(ids)]
			events, err = tx.Events(ctx, account, access.EventFilter{Concerns: access.UserID(other)}, access.EventKey{}, true, 10)
			require.NoError(t, err)
			require.Empty(t, events, "%q of %q", other, id)
			messages, err := tx.Messages(ctx, id, notify.MessageQuery{Limit: 10})
			require.NoError(t, err)
			require.Len(t, messages, 1, "%q", id)
			sent, err := tx.Deliveries(ctx, id, kind(i), ids)
			require.NoError(t, err)
			require.Len(t, sent, 1, "%q", id)
			require.EqualValues(t, uuid(i), sent[id].ID)
		}
		sent, err := tx.Deliveries(ctx, string(acme), "same", ids)
		require.NoError(t, err)
		require.Len(t, sent, len(ids))
		for i, id := range ids {
			require.EqualValues(t, uuid(1000+i), sent[id].ID, "%q", id)
		}
	})
}

func addresses(t *testing.T, db database) {
	db.insert(acme)
	different := []string{"ann@example.com", "an_@example.com", "an%@example.com", "ann+a@example.com",
		"a.nn@example.com", "ann@example.co", "bann@example.com", "0@example.com", "00@example.com",
		"o'neill@example.com", "ann@bücher.example", "ann@bucher.example", "ann@xn--90a.example"}
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		for i, text := range different {
			require.NoError(t, tx.InsertInvite(ctx, newInvite(t, i, acme, text)), text)
			require.NoError(t, tx.PutContact(ctx, newContact(t, i, acme, text, text)), text)
			user := access.UserID(fmt.Sprint(i))
			require.NoError(t, tx.PutUsers(ctx, access.User{ID: user, Address: address(t, text)}))
			require.NoError(t, tx.PutMembership(ctx, newMembership(acme, user, 1)))
		}
		same := address(t, "ANN@Example.COM")
		require.Equal(t, "ann@example.com", same.Canonical())
		require.ErrorIs(t, tx.InsertInvite(ctx, newInvite(t, 100, acme, same.Original())), access.ErrExists)
		require.ErrorIs(t, tx.PutContact(ctx, newContact(t, 100, acme, "other", same.Original())), access.ErrExists)
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for i, text := range different {
			to := address(t, strings.ToUpper(text[:1])+text[1:])
			pending, err := tx.PendingInvite(ctx, acme, to)
			require.NoError(t, err, text)
			require.EqualValues(t, uuid(i), pending.ID)
			require.Equal(t, text, pending.Address.Original())
			waiting, err := tx.WaitingInvites(ctx, to, noon(), "", 10)
			require.NoError(t, err)
			require.Len(t, waiting, 1, text)
			c, err := tx.ContactByAddress(ctx, acme, to)
			require.NoError(t, err, text)
			require.EqualValues(t, uuid(i), c.ID)
			members, err := tx.MembersByAddress(ctx, acme, to, 10)
			require.NoError(t, err)
			require.Len(t, members, 1, text)
			require.EqualValues(t, fmt.Sprint(i), members[0].User)
		}
	})
}

// Ids of invites and contacts come with requests, as whatever text somebody typed.
func strangeIDs(t *testing.T, db database) {
	db.insert(acme)
	const id = "01900000-0000-7000-8000-00000000abcd"
	r, c := newInvite(t, 1, acme, "one@example.com"), newContact(t, 1, acme, "One", "one@example.com")
	r.ID, c.ID = id, id
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.InsertInvite(ctx, r))
		require.NoError(t, tx.PutContact(ctx, c))
	})
	for _, strange := range []string{"", " ", strings.ToUpper(id), id + " ", id[:35], "{" + id + "}", "urn:uuid:" + id,
		strings.ReplaceAll(id, "-", ""), "%", "' OR 1=1 --",
		"\x00", "\xff\xfe", id + "\x00", strings.Repeat("x", 5000), "👩", "0"} {
		db.view(func(ctx context.Context, tx storage.Tx) {
			_, _, err := tx.FindInvite(ctx, invite.ID(strange))
			require.ErrorIs(t, err, access.ErrNotFound, "%q", strange)
			_, err = tx.Invite(ctx, acme, invite.ID(strange))
			require.ErrorIs(t, err, access.ErrNotFound, "%q", strange)
			_, err = tx.Contact(ctx, acme, contact.ID(strange))
			require.ErrorIs(t, err, access.ErrNotFound, "%q", strange)
			_, err = tx.Account(ctx, access.AccountID(strange))
			require.ErrorIs(t, err, access.ErrNotFound, "%q", strange)
			_, err = tx.Membership(ctx, acme, access.UserID(strange))
			require.ErrorIs(t, err, access.ErrNotFound, "%q", strange)
			_, err = tx.Invites(ctx, acme, invite.Filter{Prefix: strange}, invite.ID(strange), 10)
			require.NoError(t, err, "%q", strange)
			_, err = tx.Contacts(ctx, acme, contact.Filter{Prefix: strange}, contact.ID(strange), 10)
			require.NoError(t, err, "%q", strange)
			message, err := tx.Message(ctx, string(acme), notify.MessageID(strange))
			require.NoError(t, err, "%q", strange)
			require.Zero(t, message, "%q", strange)
			_, err = tx.Messages(ctx, string(acme), notify.MessageQuery{Kinds: []notify.Kind{notify.Kind(strange)}, Before: notify.MessageID(strange), Limit: 10})
			require.NoError(t, err, "%q", strange)
		})
		_, err := db.DeadLetters(db.ctx, notify.MessageID(strange), 10)
		require.NoError(t, err, "%q", strange)
		for _, change := range []func(context.Context, time.Time, ...notify.MessageID) (int, error){db.Retry, db.Drop} {
			changed, err := change(db.ctx, noon(), notify.MessageID(strange))
			require.NoError(t, err, "%q", strange)
			require.Zero(t, changed, "%q", strange)
		}
		grant, err := db.Grant(db.ctx, access.AccountID(strange), access.UserID(strange))
		require.NoError(t, err, "%q", strange)
		require.Zero(t, grant, "%q", strange)
	}
}

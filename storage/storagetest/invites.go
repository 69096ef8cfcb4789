package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
)

func inviteCases() []testCase {
	return []testCase{
		{"round trip", "an invite comes back as it was inserted, with what its tokens are made from", inviteRoundTrip},
		{"taken id", "the id of an invite is unique among all accounts, for ever", inviteTaken},
		{"one pending", "an account has one pending invite to an address, expired or not", onePending},
		{"one pending of many at once", "of many inserts at once for one address, one is stored", onePendingConcurrently},
		{"closed rows make room", "a closed invite stays on the record and leaves room for the next", closedMakesRoom},
		{"compare and swap", "an invite changes only while it is pending and of the generation given", compareAndSwap},
		{"one change wins", "of many changes at once to one generation, one wins", oneChangeWins},
		{"of another account", "an invite can't be read or changed by way of another account", inviteIsolated},
		{"revoked with the sender", "RevokeInvites closes what a user sent that goes beyond what they hold, and nothing else",
			revokeInvites},
	}
}

func fullInvite(t *testing.T, n int, account access.AccountID) invite.Record {
	t.Helper()
	r := newInvite(t, n, account, "Some.One+tag@Example.com")
	r.Terms = access.Terms{Permissions: access.All, Starts: noon().Add(time.Hour), Expires: noon().AddDate(1, 0, 0),
		Label: "Büro '%"}
	r.By = invite.Inviter{Kind: access.ActorStaff, ID: "stäff"}
	r.Generation, r.Delivery = math.MaxUint16, invite.ByHost
	r.Secret = invite.Secret{0: 0, 1: 255, 15: 1}
	r.Key = "key/2026"
	return r
}

// getInvite reads an invite by its id alone, and checks that its account has the same and the version that came with it.
func getInvite(ctx context.Context, t *testing.T, tx storage.Tx, id invite.ID) invite.Record {
	t.Helper()
	r, version, err := tx.FindInvite(ctx, id)
	require.NoError(t, err)
	account, err := tx.Account(ctx, r.Account)
	require.NoError(t, err)
	require.Equal(t, account.Version, version)
	same, err := tx.Invite(ctx, r.Account, id)
	require.NoError(t, err)
	equal(t, r, same)
	return r
}

func inviteRoundTrip(t *testing.T, db database) {
	db.insert(acme)
	pending, closed := fullInvite(t, 1, acme), fullInvite(t, 2, acme)
	closed.State, closed.Closed, closed.AcceptedBy = invite.Accepted, noon().Add(time.Minute), eve
	read := func(ctx context.Context, tx storage.Tx) {
		equal(t, pending, getInvite(ctx, t, tx, pending.ID))
		equal(t, closed, getInvite(ctx, t, tx, closed.ID))
		list, err := tx.Invites(ctx, acme, invite.Filter{}, "", 10)
		require.NoError(t, err)
		equal(t, []invite.Record{closed, pending}, list)
		byAddress, err := tx.PendingInvite(ctx, acme, address(t, "some.one+tag@example.com"))
		require.NoError(t, err)
		equal(t, pending, byAddress)
		waiting, err := tx.WaitingInvites(ctx, pending.Address, noon(), "", 10)
		require.NoError(t, err)
		equal(t, []invite.Record{pending}, waiting)
	}
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.InsertInvite(ctx, pending))
		require.NoError(t, tx.InsertInvite(ctx, closed))
		read(ctx, tx)
	})
	db.view(read)
}

func inviteTaken(t *testing.T, db database) {
	db.insert(acme, globex)
	first := newInvite(t, 1, acme, "one@example.com")
	db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.InsertInvite(ctx, first)) })
	for _, state := range []invite.State{invite.Pending, invite.Revoked} {
		for _, account := range []access.AccountID{acme, globex} {
			other := newInvite(t, 1, account, "other@example.com")
			other.State = state
			db.locked(account, func(ctx context.Context, tx storage.Tx) {
				require.ErrorIs(t, tx.InsertInvite(ctx, other), access.ErrExists)
				equal(t, first, getInvite(ctx, t, tx, first.ID))
			})
		}
	}
	closed := first
	closed.State = invite.Declined
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.UpdateInvite(ctx, closed, 1))
		require.ErrorIs(t, tx.InsertInvite(ctx, first), access.ErrExists)
	})
	db.view(func(ctx context.Context, tx storage.Tx) { equal(t, closed, getInvite(ctx, t, tx, first.ID)) })
}

func onePending(t *testing.T, db database) {
	db.insert(acme, globex)
	first, second := newInvite(t, 1, acme, "one@example.com"), newInvite(t, 2, acme, "One@Example.com")
	first.Expires = noon().AddDate(-1, 0, 0) // long over, and still in its place
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.InsertInvite(ctx, first))
		require.ErrorIs(t, tx.InsertInvite(ctx, second), access.ErrExists)
	})
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.ErrorIs(t, tx.InsertInvite(ctx, second), access.ErrExists)
		got, err := tx.PendingInvite(ctx, acme, second.Address)
		require.NoError(t, err)
		equal(t, first, got)
		_, _, err = tx.FindInvite(ctx, second.ID)
		require.ErrorIs(t, err, access.ErrNotFound)
		_, err = tx.PendingInvite(ctx, globex, first.Address)
		require.ErrorIs(t, err, access.ErrNotFound)
	})
	db.locked(globex, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.InsertInvite(ctx, newInvite(t, 3, globex, "one@example.com")))
	})
}

func onePendingConcurrently(t *testing.T, db database) {
	db.insert(acme)
	const n = 20
	invites := make([]invite.Record, n)
	for i := range invites {
		invites[i] = newInvite(t, i, acme, "one@example.com")
	}
	errs := together(n, func(i int) error {
		return db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			if _, err := tx.Lock(ctx, acme); err != nil {
				return err
			}
			return tx.InsertInvite(ctx, invites[i])
		})
	})
	stored := 0
	for _, err := range errs {
		if err == nil {
			stored++
		} else {
			require.ErrorIs(t, err, access.ErrExists)
		}
	}
	require.Equal(t, 1, stored)
	db.view(func(ctx context.Context, tx storage.Tx) {
		list, err := tx.Invites(ctx, acme, invite.Filter{}, "", 100)
		require.NoError(t, err)
		require.Len(t, list, 1)
	})
}

func closedMakesRoom(t *testing.T, db database) {
	db.insert(acme)
	for n, state := range []invite.State{invite.Accepted, invite.Revoked, invite.Declined, invite.Revoked} {
		r := newInvite(t, n, acme, "one@example.com")
		db.locked(acme, func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.InsertInvite(ctx, r))
			closed := r
			closed.State, closed.Closed = state, noon()
			require.NoError(t, tx.UpdateInvite(ctx, closed, 1))
			_, err := tx.PendingInvite(ctx, acme, r.Address)
			require.ErrorIs(t, err, access.ErrNotFound)
		})
	}
	last := newInvite(t, 9, acme, "one@example.com")
	db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.InsertInvite(ctx, last)) })
	db.view(func(ctx context.Context, tx storage.Tx) {
		got, err := tx.PendingInvite(ctx, acme, last.Address)
		require.NoError(t, err)
		equal(t, last, got)
		list, err := tx.Invites(ctx, acme, invite.Filter{}, "", 10)
		require.NoError(t, err)
		require.Len(t, list, 5)
	})
}

func compareAndSwap(t *testing.T, db database) {
	db.insert(acme)
	stored := newInvite(t, 1, acme, "one@example.com")
	db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.InsertInvite(ctx, stored)) })
	change := fullInvite(t, 1, acme)
	change.Generation, change.Created = 2, noon().AddDate(1, 0, 0)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		for _, generation := range []uint16{0, 2, math.MaxUint16} {
			require.ErrorIs(t, tx.UpdateInvite(ctx, change, generation), access.ErrNotFound)
		}
		absent := change
		absent.ID = invite.ID(uuid(2))
		require.ErrorIs(t, tx.UpdateInvite(ctx, absent, 1), access.ErrNotFound)
		equal(t, stored, getInvite(ctx, t, tx, stored.ID))
	})
	want := change
	want.Address, want.Created = stored.Address, stored.Created
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.UpdateInvite(ctx, change, 1))
		equal(t, want, getInvite(ctx, t, tx, stored.ID))
		require.ErrorIs(t, tx.UpdateInvite(ctx, change, 1), access.ErrNotFound)
	})
	closed := want
	closed.State, closed.Closed, closed.AcceptedBy = invite.Accepted, noon(), eve
	db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.UpdateInvite(ctx, closed, 2)) })
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.ErrorIs(t, tx.UpdateInvite(ctx, want, 2), access.ErrNotFound)
		require.ErrorIs(t, tx.UpdateInvite(ctx, closed, 2), access.ErrNotFound)
		equal(t, closed, getInvite(ctx, t, tx, stored.ID))
	})
}

func oneChangeWins(t *testing.T, db database) {
	db.insert(acme)
	r := newInvite(t, 1, acme, "one@example.com")
	db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.InsertInvite(ctx, r)) })
	errs := together(20, func(i int) error {
		return db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			if _, err := tx.Lock(ctx, acme); err != nil {
				return err
			}
			accepted := r
			accepted.State, accepted.AcceptedBy = invite.Accepted, access.UserID(fmt.Sprint(i))
			return errors.Join(tx.UpdateInvite(ctx, accepted, 1), tx.PutMembership(ctx, newMembership(acme, accepted.AcceptedBy, 1)))
		})
	})
	winner := -1
	for i, err := range errs {
		if err == nil {
			require.Equal(t, -1, winner, "two won")
			winner = i
		} else {
			require.ErrorIs(t, err, access.ErrNotFound)
		}
	}
	db.view(func(ctx context.Context, tx storage.Tx) {
		members, err := tx.Members(ctx, acme, access.MemberFilter{}, "", 100)
		require.NoError(t, err)
		require.Len(t, members, 1)
		require.EqualValues(t, fmt.Sprint(winner), members[0].User)
		require.Equal(t, members[0].User, getInvite(ctx, t, tx, r.ID).AcceptedBy)
	})
}

func inviteIsolated(t *testing.T, db database) {
	db.insert(acme, globex)
	mine, theirs := newInvite(t, 1, acme, "one@example.com"), newInvite(t, 2, globex, "one@example.com")
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme, globex)
		require.NoError(t, err)
		require.NoError(t, tx.InsertInvite(ctx, mine))
		require.NoError(t, tx.InsertInvite(ctx, theirs))
	})
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		stolen := theirs
		stolen.Account, stolen.State = acme, invite.Revoked
		require.ErrorIs(t, tx.UpdateInvite(ctx, stolen, 1), access.ErrNotFound)
		require.Panics(t, func() { _ = tx.UpdateInvite(ctx, theirs, 1) })
		_, err := tx.RevokeInvites(ctx, acme, ann, 0, noon())
		require.NoError(t, err)
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Invite(ctx, acme, theirs.ID)
		require.ErrorIs(t, err, access.ErrNotFound)
		_, err = tx.Invite(ctx, "", theirs.ID)
		require.ErrorIs(t, err, access.ErrNotFound)
		equal(t, theirs, getInvite(ctx, t, tx, theirs.ID))
		require.Equal(t, invite.Revoked, getInvite(ctx, t, tx, mine.ID).State)
	})
}

func revokeInvites(t *testing.T, db database) {
	db.insert(acme)
	const held = access.Permission(0b0110)
	user, staff, system := access.ActorUser, access.ActorStaff, access.ActorSystem
	rows := []struct {
		kind    access.ActorKind
		by      access.UserID
		offers  access.Permission
		state   invite.State
		expires time.Time
		closes  bool
	}{
		{user, ann, 0b0010, invite.Pending, noon().Add(time.Hour), false},
		{user, ann, 0b0110, invite.Pending, noon().Add(time.Hour), false},
		{user, ann, 0b0111, invite.Pending, noon().Add(time.Hour), true},
		{user, ann, 0b1000, invite.Pending, noon().Add(time.Hour), true},
		{user, ann, 1 << 62, invite.Pending, noon().Add(time.Hour), true},
		{user, ann, access.All, invite.Pending, noon().Add(-time.Hour), true}, // expired: could be sent again
		{user, ann, 0b1000, invite.Declined, noon().Add(time.Hour), false},
		{user, bob, 0b1000, invite.Pending, noon().Add(time.Hour), false},
		{user, "Ann", 0b1000, invite.Pending, noon().Add(time.Hour), false},
		{staff, ann, 0b1000, invite.Pending, noon().Add(time.Hour), false},
		{system, ann, 0b1000, invite.Pending, noon().Add(time.Hour), false},
	}
	invites := make([]invite.Record, len(rows))
	var want []access.RevokedInvite
	for i, row := range rows {
		r := newInvite(t, i, acme, fmt.Sprintf("User%d@example.com", i))
		r.By = invite.Inviter{Kind: row.kind, ID: string(row.by)}
		r.Terms.Permissions, r.State, r.Expires = row.offers, row.state, row.expires
		r.Generation, r.Terms.Label, r.Terms.Expires = uint16(i+1), "label", noon().AddDate(1, 0, 0)
		invites[i] = r
		if row.closes {
			want = append(want, access.RevokedInvite{ID: string(r.ID), Address: r.Address, Terms: r.Terms, Generation: r.Generation})
		}
	}
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		for i := range invites {
			require.NoError(t, tx.InsertInvite(ctx, invites[len(invites)-1-i]))
		}
	})
	at := noon().Add(time.Minute)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		got, err := tx.RevokeInvites(ctx, acme, ann, held, at)
		require.NoError(t, err)
		equal(t, want, got)
		got, err = tx.RevokeInvites(ctx, acme, ann, held, at)
		require.NoError(t, err)
		require.Empty(t, got)
		got, err = tx.RevokeInvites(ctx, acme, bob, access.All, at)
		require.NoError(t, err)
		require.Empty(t, got)
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for i, row := range rows {
			if row.closes {
				invites[i].State, invites[i].Closed = invite.Revoked, at
			}
			equal(t, invites[i], getInvite(ctx, t, tx, invites[i].ID))
		}
	})
}

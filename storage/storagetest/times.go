package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

func timeCases() []testCase {
	return []testCase{
		{"round trip", "a time comes back as the same instant, in UTC and cut to microseconds; the zero time stays zero",
			timeRoundTrip},
		{"outbox", "the times of a message are kept like all others", timeOutbox},
		{"feed", "the time of an event is kept like all others", timeFeed},
		{"questions", "a time that is asked about is cut to microseconds too", timeQuestions},
	}
}

// instants are times as a host may pass them.
func instants() []time.Time {
	kathmandu, samoa := time.FixedZone("+05:45", 5*3600+45*60), time.FixedZone("-11:00", -11*3600)
	return []time.Time{
		time.Now(), // with a monotonic reading, which mustn't survive
		time.Date(2026, time.March, 1, 0, 0, 0, 0, kathmandu),
		time.Date(2026, time.March, 1, 23, 59, 59, 999_999_999, samoa),
		time.Date(2026, time.March, 29, 2, 30, 0, 123_456_789, time.FixedZone("+14:00", 14*3600)),
		time.Date(2026, time.March, 1, 12, 0, 0, 1_000, time.UTC),
		time.Date(2026, time.March, 1, 12, 0, 0, 999, time.UTC),
		time.Unix(0, 0),
		time.Date(1969, time.December, 31, 23, 59, 59, 999_999_001, time.UTC),
		time.Date(1899, time.January, 1, 0, 0, 0, 0, kathmandu),
		time.Date(9999, time.December, 31, 23, 59, 59, 999_999_999, time.UTC),
		{},
		time.Time{}.In(kathmandu),
	}
}

// kept checks that a time came back as it should.
func kept(t *testing.T, field string, given, got time.Time) {
	t.Helper()
	if given.IsZero() {
		require.True(t, got.IsZero(), "%s: %v for the zero time", field, got)
		return
	}
	want := time.UnixMicro(given.UnixMicro()).UTC()
	require.True(t, want.Equal(got), "%s: %v for %v", field, got, given)
	require.Equal(t, time.UTC, got.Location(), field)
	require.Equal(t, want.String(), got.String(), "%s has a monotonic reading", field)
}

func timeRoundTrip(t *testing.T, db database) {
	for i, at := range instants() {
		account := access.AccountID(uuid(i))
		a, m := newAccount(account), newMembership(account, ann, 1)
		r, c := newInvite(t, i, account, "one@example.com"), newContact(t, i, account, "One", "one@example.com")
		a.Created, m.Starts, m.Expires, m.Created, m.LastSeen = at, at, at, at, at
		r.Terms.Starts, r.Terms.Expires, r.Created, r.Sent, r.Expires, r.Closed = at, at, at, at, at, at
		c.Created, c.Updated = at, at
		user := access.User{ID: access.UserID(uuid(i)), LastSignIn: at}
		check := func(ctx context.Context, tx storage.Tx) {
			a, err := tx.Account(ctx, account)
			require.NoError(t, err)
			kept(t, "Account.Created", at, a.Created)
			m, err := tx.Membership(ctx, account, ann)
			require.NoError(t, err)
			kept(t, "Membership.Starts", at, m.Starts)
			kept(t, "Membership.Expires", at, m.Expires)
			kept(t, "Membership.Created", at, m.Created)
			kept(t, "Membership.LastSeen", at, m.LastSeen)
			g, err := tx.Grant(ctx, account, ann)
			require.NoError(t, err)
			kept(t, "Grant.Starts", at, g.Starts)
			kept(t, "Grant.Expires", at, g.Expires)
			kept(t, "Grant.LastSeen", at, g.LastSeen)
			r, err := tx.Invite(ctx, account, r.ID)
			require.NoError(t, err)
			kept(t, "Invite.Terms.Starts", at, r.Terms.Starts)
			kept(t, "Invite.Terms.Expires", at, r.Terms.Expires)
			kept(t, "Invite.Created", at, r.Created)
			kept(t, "Invite.Sent", at, r.Sent)
			kept(t, "Invite.Expires", at, r.Expires)
			kept(t, "Invite.Closed", at, r.Closed)
			c, err := tx.Contact(ctx, account, c.ID)
			require.NoError(t, err)
			kept(t, "Contact.Created", at, c.Created)
			kept(t, "Contact.Updated", at, c.Updated)
			u, err := tx.User(ctx, user.ID)
			require.NoError(t, err)
			kept(t, "User.LastSignIn", at, u.LastSignIn)
		}
		db.update(func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.InsertAccount(ctx, a))
			require.NoError(t, tx.PutMembership(ctx, m))
			require.NoError(t, tx.InsertInvite(ctx, r))
			require.NoError(t, tx.PutContact(ctx, c))
			require.NoError(t, tx.PutUsers(ctx, user))
			check(ctx, tx)
		})
		db.view(check)

		other := newMembership(account, bob, 1)
		db.locked(account, func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.PutMembership(ctx, other))
			require.NoError(t, tx.Touch(ctx, account, bob, at, noon()))
			require.NoError(t, tx.UpdateInvite(ctx, r, 1))
		})
		db.view(func(ctx context.Context, tx storage.Tx) {
			m, err := tx.Membership(ctx, account, bob)
			require.NoError(t, err)
			kept(t, "LastSeen by Touch", at, m.LastSeen)
		})
		grant, err := db.Grant(db.ctx, account, ann)
		require.NoError(t, err)
		kept(t, "Grant.Expires outside", at, grant.Expires)
	}
}

func timeOutbox(t *testing.T, db database) {
	for i, at := range instants() {
		group := access.AccountID(uuid(i))
		read := func() notify.Message {
			var list []notify.Message
			db.view(func(ctx context.Context, tx storage.Tx) {
				var err error
				list, err = tx.Messages(ctx, string(group), notify.MessageQuery{Limit: 10})
				require.NoError(t, err)
			})
			require.Len(t, list, 1)
			return list[0]
		}
		m := newMessage(i, group)
		m.Created, m.Due = at, at
		db.update(func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.Enqueue(ctx, m)) })
		kept(t, "Created", at, read().Created)
		kept(t, "Due", at, read().Due)
		if at.IsZero() {
			continue
		}
		claimed, err := db.Claim(db.ctx, at, time.Hour, 1)
		require.NoError(t, err)
		require.Len(t, claimed, 1)
		kept(t, "Leased as claimed", at.Add(time.Hour), claimed[0].Leased)
		kept(t, "Due as claimed", at, claimed[0].Due)
		kept(t, "Leased", at.Add(time.Hour), read().Leased)
		db.finish(claimed[0], notify.Result{State: notify.Queued, At: at, Due: at.Add(time.Minute)})
		kept(t, "Due again", at.Add(time.Minute), read().Due)
		kept(t, "Done while queued", time.Time{}, read().Done)
		claimed, err = db.Claim(db.ctx, at.Add(time.Minute), time.Hour, 1)
		require.NoError(t, err)
		require.Len(t, claimed, 1)
		db.finish(claimed[0], notify.Result{State: notify.Sent, At: at})
		kept(t, "Done", at, read().Done)
	}
}

func timeFeed(t *testing.T, db database) {
	for i, at := range instants() {
		account := access.AccountID(uuid(i))
		db.update(func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.InsertAccount(ctx, newAccount(account)))
			r := newRecord(i, account, access.EventAccountCreated)
			r.Time = at
			require.NoError(t, tx.Append(ctx, r))
		})
		db.view(func(ctx context.Context, tx storage.Tx) {
			events, err := tx.Events(ctx, account, access.EventFilter{}, access.EventKey{}, true, 1)
			require.NoError(t, err)
			require.Len(t, events, 1)
			kept(t, "Time", at, events[0].Time)
			heads, err := tx.Feed(ctx)
			require.NoError(t, err)
			changes, err := tx.Changes(ctx, account.Shard(), heads[account.Shard()].Number-1, 1)
			require.NoError(t, err)
			require.Len(t, changes, 1)
			kept(t, "Time in the feed", at, changes[0].Time)
		})
	}
}

func timeQuestions(t *testing.T, db database) {
	db.insert(acme)
	const bit = 400 * time.Nanosecond
	m, r := newMembership(acme, ann, 1), newInvite(t, 1, acme, "one@example.com")
	m.LastSeen, r.Expires = noon(), noon()
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutMembership(ctx, m))
		require.NoError(t, tx.InsertInvite(ctx, r))
		require.NoError(t, tx.Append(ctx, newRecord(1, acme, access.EventAccountCreated)))
		require.NoError(t, tx.Enqueue(ctx, newMessage(1, acme)))
	})
	in := time.FixedZone("+05:45", 5*3600+45*60)
	db.view(func(ctx context.Context, tx storage.Tx) {
		members := func(since time.Time) int {
			list, err := tx.Members(ctx, acme, access.MemberFilter{NotSeenSince: since.In(in)}, "", 10)
			require.NoError(t, err)
			return len(list)
		}
		require.Equal(t, 0, members(noon()))
		require.Equal(t, 0, members(noon().Add(bit)))
		require.Equal(t, 1, members(noon().Add(time.Microsecond)))
		events := func(f access.EventFilter) int {
			list, err := tx.Events(ctx, acme, f, access.EventKey{}, false, 10)
			require.NoError(t, err)
			return len(list)
		}
		require.Equal(t, 1, events(access.EventFilter{Since: noon().Add(bit).In(in)}))
		require.Equal(t, 0, events(access.EventFilter{Since: noon().Add(time.Microsecond).In(in)}))
		require.Equal(t, 0, events(access.EventFilter{Until: noon().Add(bit).In(in)}))
		require.Equal(t, 1, events(access.EventFilter{Until: noon().Add(time.Microsecond).In(in)}))
		for now, want := range map[time.Time]int{noon().Add(bit): 0, noon().Add(-bit): 1} {
			live, err := tx.LiveInvites(ctx, acme, now.In(in))
			require.NoError(t, err)
			require.Equal(t, want, live)
			waiting, err := tx.WaitingInvites(ctx, r.Address, now.In(in), "", 10)
			require.NoError(t, err)
			require.Len(t, waiting, want)
			seats, err := tx.Seats(ctx, acme, now.In(in))
			require.NoError(t, err)
			require.Equal(t, 1+want, seats)
		}
	})
	for i, now := range []time.Time{noon().Add(-bit), noon().Add(bit)} {
		claimed, err := db.Claim(db.ctx, now.In(in), time.Minute, 10)
		require.NoError(t, err)
		require.Len(t, claimed, i)
	}
}

package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

func followerCases() []testCase {
	return []testCase{
		{"empty", "at first nobody follows, no ticket was drawn, and lease and wait are the default", followersAtFirst},
		{"registered", "a follower is registered as one that has acknowledged the present ticket", followerRegistered},
		{"taken", "an id that is taken is ErrExists, and whoever has it stays as they are", followerTaken},
		{"one of many", "of many that register with one id at once, one is registered", followTogether},
		{"ids", "ids of followers compare and sort byte for byte", followerIDs},
		{"strangers", "whoever isn't registered is told so without an error, and all the rest as well", pollsOfStrangers},
		{"position", "a poll tells the heads of the feed as units read them, the last ticket, the lease and the wait", positions},
		{"uncommitted", "a poll sees nothing of a unit that hasn't committed, and doesn't wait for it", pollsCommitted},
		{"one moment", "whoever is told of a ticket is told of all that was committed before it was drawn", pollsAtOneMoment},
		{"acknowledged", "an acknowledged ticket never goes back, and concerns one follower only", acknowledges},
		{"acknowledged at once", "of tickets that are acknowledged at once, the last counts", acknowledgesTogether},
		{"not registered", "whoever isn't registered, or no longer, can't acknowledge: ErrNotFound", acknowledgesNothing},
		{"unfollowed", "those are deleted that are named and have acknowledged a ticket below only", unfollows},
		{"acknowledged or unfollowed", "whoever could acknowledge a ticket isn't deleted for being below it, and whoever is can't",
			acknowledgesOrIsGone},
		{"many unfollowed", "any number of followers is deleted at once", unfollowsMany},
		{"tickets", "tickets rise by one, and each is drawn once", drawsTickets},
		{"tickets at once", "of many that draw at once, each gets a ticket of its own, and none is left out", drawsTicketsTogether},
		{"lease", "a longer lease makes the wait longer at once, and a shorter one doesn't make it shorter", setsLease},
		{"wait", "the wait is shortened to the lease as long as that is the lease", shortensWait},
		{"milliseconds", "a lease is kept in whole milliseconds, and one of less is ErrInvalid", leasesInMilliseconds},
		{"nothing else", "what followers do changes no account, and nothing of the feed", followersChangeNothing},
	}
}

// position polls.
func (d database) position(id access.FollowerID) access.Position {
	d.t.Helper()
	p, err := d.Poll(d.ctx, id)
	require.NoError(d.t, err)
	return p
}

// followers are all followers, with what they have acknowledged.
func (d database) followers() []access.Follower {
	d.t.Helper()
	followers, err := d.Followers(d.ctx)
	require.NoError(d.t, err)
	return followers
}

func (d database) follow(ids ...access.FollowerID) {
	d.t.Helper()
	for _, id := range ids {
		require.NoError(d.t, d.Follow(d.ctx, id))
	}
}

func followersAtFirst(t *testing.T, db database) {
	require.Empty(t, db.followers())
	require.Equal(t, access.Position{Lease: access.DefaultLease, Wait: access.DefaultLease}, db.position("nobody"))
}

func followerRegistered(t *testing.T, db database) {
	db.follow("b")
	require.Equal(t, []access.Follower{{ID: "b"}}, db.followers())
	db.draw()
	last := db.draw()
	db.follow("a")
	require.Equal(t, []access.Follower{{ID: "a", Acknowledged: last}, {ID: "b"}}, db.followers())
	for _, id := range []access.FollowerID{"a", "b"} {
		require.True(t, db.position(id).Registered)
	}
	require.False(t, db.position("c").Registered)
	db.follow("c")
	require.True(t, db.position("c").Registered)
}

func followerTaken(t *testing.T, db database) {
	db.follow("a")
	db.draw()
	for range 2 {
		require.ErrorIs(t, db.Follow(db.ctx, "a"), access.ErrExists)
	}
	require.Equal(t, []access.Follower{{ID: "a"}}, db.followers(), "it hasn't acknowledged the ticket")
	require.NoError(t, db.Unfollow(db.ctx, 1, "a"))
	db.follow("a")
	require.Equal(t, []access.Follower{{ID: "a", Acknowledged: 1}}, db.followers())
}

func followTogether(t *testing.T, db database) {
	registered := 0
	for _, err := range together(10, func(int) error { return db.Follow(db.ctx, "a") }) {
		if err == nil {
			registered++
		} else {
			require.ErrorIs(t, err, access.ErrExists)
		}
	}
	require.Equal(t, 1, registered)
	require.Len(t, db.followers(), 1)
}

// followerIDs uses identifiers of the length that ids of followers have, at most.
func followerIDs(t *testing.T, db database) {
	const length = 32
	long := strings.Repeat("x", length-1)
	ids := []access.FollowerID{access.FollowerID(long + "y"), access.FollowerID(long + "Y"), access.FollowerID(long), access.FollowerID(long + " ")}
	for _, id := range identifiers() {
		if len(id) <= length {
			ids = append(ids, access.FollowerID(id))
		}
	}
	for i, id := range ids {
		require.False(t, db.position(id).Registered, "%q", id)
		require.ErrorIs(t, db.Acknowledge(db.ctx, id, 1), access.ErrNotFound, "%q", id)
		require.NoError(t, db.Follow(db.ctx, id), "%q", id)
		db.draw()
		require.NoError(t, db.Acknowledge(db.ctx, id, uint64(i+1)), "%q", id)
	}
	var want []access.Follower
	for i, id := range ids {
		want = append(want, access.Follower{ID: id, Acknowledged: uint64(i + 1)})
	}
	slices.SortFunc(want, func(a, b access.Follower) int { return strings.Compare(string(a.ID), string(b.ID)) })
	require.Equal(t, want, db.followers())
	for len(want) > 0 {
		require.NoError(t, db.Unfollow(db.ctx, math.MaxInt32, want[0].ID))
		want = want[1:]
		require.Equal(t, len(want), len(db.followers()))
	}
}

func pollsOfStrangers(t *testing.T, db database) {
	db.insert(acme)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.Append(ctx, newRecord(1, acme, access.EventMemberAdded)))
	})
	db.follow("a", "b")
	db.draw()
	require.NoError(t, db.Unfollow(db.ctx, 1, "b"))
	want := db.position("a")
	want.Registered = false
	for _, id := range []access.FollowerID{"b", "A", "a ", "", "'", "a\x00", "\xff", access.FollowerID(strings.Repeat("a", 1000))} {
		require.Equal(t, want, db.position(id), "%q", id)
	}
}

func positions(t *testing.T, db database) {
	ids := []access.AccountID{acme, globex, initech}
	db.insert(ids...)
	db.follow("a")
	for i := range 6 {
		db.locked(ids[i%3], func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.Append(ctx, newRecord(100-i, ids[i%3], access.EventMemberAdded)))
		})
		ticket := db.draw()
		lease := time.Duration(1000-100*i) * time.Millisecond
		require.NoError(t, db.SetLease(db.ctx, lease))
		require.Equal(t, access.Position{
			Registered: true, Ticket: ticket, Lease: lease, Wait: access.DefaultLease, LeaseChanges: uint64(i), Heads: db.heads(),
		}, db.position("a"))
	}
	require.EqualValues(t, 2, db.position("a").Heads[globex.Shard()].Number)
}

func pollsCommitted(t *testing.T, db database) {
	db.insert(acme)
	before := db.position("a")
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.Append(ctx, newRecord(1, acme, access.EventMemberAdded)))
		returns(t, func() {
			p, err := db.Poll(db.ctx, "a")
			require.NoError(t, err)
			require.Equal(t, before, p)
			_, err = db.Followers(db.ctx)
			require.NoError(t, err)
		})
	})
	require.Equal(t, access.FeedHead{Number: 1, Tail: access.EventID(uuid(1))}, db.position("a").Heads[acme.Shard()])
}

// pollsAtOneMoment has many commit an event, draw a ticket and poll, over and over.
func pollsAtOneMoment(t *testing.T, db database) {
	const n, rounds = 6, 10
	var ids []access.AccountID
	for i := range n {
		ids = append(ids, access.AccountID(fmt.Sprint("account ", i)))
	}
	db.insert(ids...)
	type drawn struct{ ticket, events uint64 } // when there were so many events of an account
	var tickets [n][]drawn
	var polled [n][]access.Position
	round := func(i, round int) error {
		err := db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			if _, err := tx.Lock(ctx, ids[i]); err != nil {
				return err
			}
			return tx.Append(ctx, newRecord(1000*i+round, ids[i], access.EventMemberAdded))
		})
		if err != nil {
			return err
		}
		ticket, _, err := db.DrawTicket(db.ctx)
		if err != nil {
			return err
		}
		p, err := db.Poll(db.ctx, "somebody")
		tickets[i] = append(tickets[i], drawn{ticket, uint64(round + 1)})
		polled[i] = append(polled[i], p)
		return err
	}
	errs := together(n, func(i int) (err error) {
		for r := 0; r < rounds && err == nil; r++ {
			err = round(i, r)
		}
		return err
	})
	require.NoError(t, errors.Join(errs...))
	for _, p := range slices.Concat(polled[:]...) {
		for i, id := range ids {
			for _, d := range tickets[i] {
				if d.ticket <= p.Ticket {
					require.GreaterOrEqual(t, p.Heads[id.Shard()].Number, d.events, "of ticket %d, told of %d", d.ticket, p.Ticket)
				}
			}
		}
	}
}

func acknowledges(t *testing.T, db database) {
	db.follow("a", "b")
	for range 5 {
		db.draw()
	}
	for _, step := range []struct{ ticket, want uint64 }{{0, 0}, {3, 3}, {2, 3}, {3, 3}, {0, 3}, {5, 5}, {4, 5}} {
		require.NoError(t, db.Acknowledge(db.ctx, "a", step.ticket))
		require.Equal(t, []access.Follower{{ID: "a", Acknowledged: step.want}, {ID: "b"}}, db.followers(), "after %d", step.ticket)
	}
}

func acknowledgesTogether(t *testing.T, db database) {
	const n = 20
	db.follow("a")
	for range n {
		db.draw()
	}
	require.NoError(t, errors.Join(together(n, func(i int) error { return db.Acknowledge(db.ctx, "a", uint64(i*7%n)) })...))
	require.Equal(t, []access.Follower{{ID: "a", Acknowledged: n - 1}}, db.followers())
}

func acknowledgesNothing(t *testing.T, db database) {
	require.ErrorIs(t, db.Acknowledge(db.ctx, "a", 0), access.ErrNotFound)
	db.follow("a", "b")
	db.draw()
	require.NoError(t, db.Unfollow(db.ctx, 1, "a"))
	for _, ticket := range []uint64{0, 1, 2} {
		require.ErrorIs(t, db.Acknowledge(db.ctx, "a", ticket), access.ErrNotFound)
	}
	require.Equal(t, []access.Follower{{ID: "b"}}, db.followers(), "it was registered by that")
	require.ErrorIs(t, db.Acknowledge(db.ctx, "b", 2), access.ErrNotFound, "it wasn't drawn")
	require.ErrorIs(t, db.Acknowledge(db.ctx, "b", 1<<40), access.ErrNotFound, "it wasn't drawn")
	require.Equal(t, []access.Follower{{ID: "b"}}, db.followers())
	require.NoError(t, db.Acknowledge(db.ctx, "b", 1))
}

func unfollows(t *testing.T, db database) {
	for _, id := range []access.FollowerID{"a", "b", "c", "d", "e"} {
		db.follow(id) // as one that has acknowledged 0, 1 and so on
		db.draw()
	}
	left := func(want ...access.FollowerID) {
		t.Helper()
		var got []access.FollowerID
		for _, f := range db.followers() {
			got = append(got, f.ID)
		}
		require.Equal(t, want, got)
	}
	require.NoError(t, db.Unfollow(db.ctx, 10))
	require.NoError(t, db.Unfollow(db.ctx, 10, "nobody"))
	require.NoError(t, db.Unfollow(db.ctx, 0, "a", "b", "c", "d", "e"))
	left("a", "b", "c", "d", "e")
	require.NoError(t, db.Unfollow(db.ctx, 2, "b", "nobody", "c", "d", "b"))
	left("a", "c", "d", "e")
	require.NoError(t, db.Unfollow(db.ctx, 3, "c"))
	left("a", "d", "e")
	require.NoError(t, db.Acknowledge(db.ctx, "a", 5))
	require.NoError(t, db.Unfollow(db.ctx, 5, "a", "d"))
	left("a", "e")
	require.NoError(t, db.Unfollow(db.ctx, math.MaxUint64, "a", "e"), "whatever they have acknowledged")
	left()
}

// acknowledgesOrIsGone has a follower acknowledge a ticket while somebody gives up waiting for that.
func acknowledgesOrIsGone(t *testing.T, db database) {
	for i := range 20 {
		id := access.FollowerID(fmt.Sprint("follower ", i))
		db.follow(id)
		ticket := db.draw()
		errs := together(2, func(i int) error {
			if i == 0 {
				return db.Acknowledge(db.ctx, id, ticket)
			}
			return db.Unfollow(db.ctx, ticket, id)
		})
		require.NoError(t, errs[1])
		if errs[0] != nil {
			require.ErrorIs(t, errs[0], access.ErrNotFound)
		}
		require.Equal(t, errs[0] == nil, db.position(id).Registered)
	}
}

func unfollowsMany(t *testing.T, db database) {
	const n = 250
	var ids []access.FollowerID
	for i := range n {
		ids = append(ids, access.FollowerID(fmt.Sprintf("%032d", i)))
	}
	db.follow(ids...)
	require.Len(t, db.followers(), n)
	require.NoError(t, db.Unfollow(db.ctx, 1, ids[:n-1]...))
	require.Equal(t, []access.Follower{{ID: ids[n-1]}}, db.followers())
}

// followersChangeNothing calls everything in a database with something of everything in it.
func followersChangeNothing(t *testing.T, db database) {
	prepare(db)
	before := db.dump()
	prepareRegistry(db)
	for _, call := range registryCalls() {
		require.NoError(t, call.do(db.ctx, db.DB), call.name)
	}
	require.Equal(t, before, db.dump())
}

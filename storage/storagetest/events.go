package storagetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

func eventCases() []testCase {
	return []testCase{
		{"round trip", "an event comes back to the byte, as the hash was made of it", eventRoundTrip},
		{"chain", "events are sealed one after the other, through all units, and the account holds the head", chain},
		{"index", "the events of one version are numbered from 0 in the order they were appended", eventIndex},
		{"with a new account", "the unit that inserts an account begins its history", eventOfNewAccount},
		{"rolled back", "a unit that is rolled back leaves the history as it was", eventRolledBack},
		{"several accounts", "a unit that appends to several accounts keeps each chain apart", eventsOfSeveral},
		{"pages", "events come newest or oldest first, by any page size, each version's in their order", eventPaging},
		{"filters", "every combination of filters selects what it says, in both directions", eventFilters},
	}
}

// history reads all events of an account, the oldest first.
func (d database) history(id access.AccountID) []access.Record {
	d.t.Helper()
	var list []access.Record
	d.view(func(ctx context.Context, tx storage.Tx) {
		list = eventPager(ctx, tx, id, access.EventFilter{}, true).all(d.t, 1000)
	})
	return list
}

type eventPages = pager[access.EventKey, access.Record]

func eventPager(ctx context.Context, tx storage.Tx, id access.AccountID, f access.EventFilter, ascending bool) eventPages {
	return eventPages{
		page: func(from access.EventKey, limit int) ([]access.Record, error) {
			return tx.Events(ctx, id, f, from, ascending, limit)
		},
		key: func(r access.Record) access.EventKey { return access.EventKey{Version: r.Version, Index: r.Index} },
	}
}

// verify computes the chain again and compares it with what is stored.
func verify(db database, id access.AccountID) {
	db.t.Helper()
	var head access.Head
	index, version := 0, uint64(0)
	for _, r := range db.history(id) {
		if r.Version != version {
			require.Greater(db.t, r.Version, version)
			index, version = 0, r.Version
		}
		sealed := r
		sealed.Hash = access.Digest{}
		head = sealed.Seal(head, index)
		require.Equal(db.t, sealed.Hash, r.Hash, "event %d of version %d", index, version)
		require.Equal(db.t, index, r.Index)
		index++
	}
	require.Equal(db.t, head, db.account(id).Head)
}

func eventRoundTrip(t *testing.T, db database) {
	db.insert(acme)
	r := newRecord(1, acme, "a.kind/ü")
	r.Public = []byte("{ \"b\":1,\n \"a\" : \"é\\u0000 % '\", \"a\":1e3 }") // bytes, whatever a database thinks of JSON
	r.Actor.Salt, r.Actor.Text = []byte("\x00\xff"+string(make([]byte, 30))), []byte("{}\x00\xfe")
	r.Target.Salt, r.Target.Text = nil, nil // forgotten
	r.By, r.For, r.TargetKind, r.TargetID = "bÿ", "för", access.TargetContact, "ön"
	r.Time = noon().Add(123456 * time.Microsecond)
	empty := newRecord(2, acme, access.EventAccountUpdated)
	empty.By, empty.For, empty.TargetKind, empty.TargetID = "", "", "", ""
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.Append(ctx, r))
		require.NoError(t, tx.Append(ctx, empty))
	})
	r.Version, empty.Version = 2, 2
	r.Number, empty.Number = 1, 2
	head := r.Seal(access.Head{}, 0)
	head = empty.Seal(head, 1)
	require.Equal(t, head, db.account(acme).Head)
	db.view(func(ctx context.Context, tx storage.Tx) {
		events, err := tx.Events(ctx, acme, access.EventFilter{}, access.EventKey{}, true, 10)
		require.NoError(t, err)
		changes, err := tx.Changes(ctx, acme.Shard(), 0, 10)
		require.NoError(t, err)
		for _, got := range [][]access.Record{events, changes} {
			// Not by equal: what was forgotten is nil, which tells it from what is empty.
			require.Empty(t, cmp.Diff([]access.Record{r, empty}, got))
		}
	})
}

func chain(t *testing.T, db database) {
	db.insert(acme, globex)
	n := 0
	for i := range 8 {
		db.locked(acme, func(ctx context.Context, tx storage.Tx) {
			for j := range i % 4 {
				r := newRecord(100*i+j, acme, access.EventMemberAdded)
				r.Public = fmt.Appendf(nil, `{"after":{"seats":%d}}`, j+1)
				r.Time = noon().Add(-time.Duration(i) * time.Second) // the order is the chain's, not the clock's
				require.NoError(t, tx.Append(ctx, r))
			}
		})
		n += i % 4
		require.EqualValues(t, n, db.account(acme).Head.Count)
		verify(db, acme)
	}
	require.Len(t, db.history(acme), n)
	require.Zero(t, db.account(globex).Head)
	require.Empty(t, db.history(globex))
}

func eventIndex(t *testing.T, db database) {
	db.insert(acme)
	for range 2 {
		version := db.account(acme).Version + 1
		db.locked(acme, func(ctx context.Context, tx storage.Tx) {
			for i := range 12 {
				require.NoError(t, tx.Append(ctx, newRecord(int(100*version)+12-i, acme, access.EventMemberAdded)))
				_, err := tx.Lock(ctx, acme)
				require.NoError(t, err)
			}
		})
		events := slices.DeleteFunc(db.history(acme), func(r access.Record) bool { return r.Version != version })
		require.Len(t, events, 12)
		for i, r := range events {
			require.Equal(t, i, r.Index)
			require.EqualValues(t, uuid(int(100*version)+12-i), r.ID)
		}
	}
}

func eventOfNewAccount(t *testing.T, db database) {
	db.update(func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.InsertAccount(ctx, newAccount(acme)))
		require.NoError(t, tx.Append(ctx, newRecord(1, acme, access.EventAccountCreated)))
		a := newAccount(acme)
		a.Profile.Name = "Changed"
		require.NoError(t, tx.UpdateAccount(ctx, a))
		require.NoError(t, tx.Append(ctx, newRecord(2, acme, access.EventAccountUpdated)))
	})
	require.EqualValues(t, 2, db.account(acme).Head.Count)
	for i, r := range db.history(acme) {
		require.Equal(t, access.EventKey{Version: 1, Index: i}, access.EventKey{Version: r.Version, Index: r.Index})
	}
	verify(db, acme)
}

func eventRolledBack(t *testing.T, db database) {
	db.insert(acme)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.Append(ctx, newRecord(1, acme, access.EventMemberAdded)))
	})
	before := db.dump()
	require.ErrorIs(t, db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
		_, err := tx.Lock(ctx, acme)
		require.NoError(t, err)
		require.NoError(t, tx.Append(ctx, newRecord(2, acme, access.EventMemberRemoved)))
		return errInjected
	}), errInjected)
	require.Equal(t, before, db.dump())
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.Append(ctx, newRecord(2, acme, access.EventMemberRemoved)))
	})
	require.Len(t, db.history(acme), 2)
	verify(db, acme)
}

func eventsOfSeveral(t *testing.T, db database) {
	ids := []access.AccountID{initech, acme, globex}
	db.insert(ids...)
	for round := range 3 {
		db.update(func(ctx context.Context, tx storage.Tx) {
			_, err := tx.Lock(ctx, ids...)
			require.NoError(t, err)
			for i := range 6 {
				require.NoError(t, tx.Append(ctx, newRecord(10*round+i, ids[i%3], access.EventMemberAdded)))
			}
		})
	}
	for _, id := range ids {
		require.Len(t, db.history(id), 6)
		verify(db, id)
	}
}

func eventPaging(t *testing.T, db database) {
	db.insert(acme, globex)
	var want []access.EventKey
	for i := range 5 {
		db.update(func(ctx context.Context, tx storage.Tx) {
			_, err := tx.Lock(ctx, acme, globex)
			require.NoError(t, err)
			for j := range 4 - i%3 {
				require.NoError(t, tx.Append(ctx, newRecord(100*i+j, acme, access.EventMemberAdded)))
			}
			require.NoError(t, tx.Append(ctx, newRecord(100*i+50, globex, access.EventMemberAdded)))
		})
		for j := range 4 - i%3 {
			want = append(want, access.EventKey{Version: uint64(i + 2), Index: j})
		}
	}
	newest := slices.Clone(want)
	slices.Reverse(newest)
	db.view(func(ctx context.Context, tx storage.Tx) {
		eventPager(ctx, tx, acme, access.EventFilter{}, true).check(t, want)
		eventPager(ctx, tx, acme, access.EventFilter{}, false).check(t, newest)
	})
}

func eventFilters(t *testing.T, db database) {
	db.insert(acme)
	kinds := []access.EventKind{access.EventMemberAdded, access.EventMemberRemoved, access.EventInviteSent}
	people := []access.UserID{"", ann, bob, "Ann"}
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		for i := range 48 {
			r := newRecord(i, acme, kinds[i%3])
			r.By, r.For, r.TargetID = people[i%4], people[i/4%4], string(people[i/16%4])
			if i%7 == 0 {
				r.TargetKind = access.TargetContact // who is nobody's user, whatever the id
			}
			r.Time = noon().Add(time.Duration(i%5) * time.Microsecond)
			require.NoError(t, tx.Append(ctx, r))
		}
	})
	all := db.history(acme)
	times := []time.Time{{}, noon(), noon().Add(2 * time.Microsecond), noon().Add(5 * time.Microsecond)}
	db.view(func(ctx context.Context, tx storage.Tx) {
		for _, of := range [][]access.EventKind{nil, kinds[:1], kinds[1:], {"none"}} {
			for _, since := range times {
				for _, until := range times {
					for _, person := range append(people, "nobody") {
						f := access.EventFilter{Kinds: of, Since: since, Until: until, Concerns: person}
						var want []access.EventKey
						for _, r := range all {
							if eventMatches(f, r) {
								want = append(want, access.EventKey{Version: r.Version, Index: r.Index})
							}
						}
						ascending, descending := eventPager(ctx, tx, acme, f, true), eventPager(ctx, tx, acme, f, false)
						require.Equal(t, fmt.Sprint(want), fmt.Sprint(ascending.keys(ascending.all(t, 100))), "%+v", f)
						slices.Reverse(want)
						require.Equal(t, fmt.Sprint(want), fmt.Sprint(descending.keys(descending.all(t, 100))), "%+v", f)
					}
				}
			}
		}
		some := eventPager(ctx, tx, acme, access.EventFilter{Concerns: ann, Kinds: kinds[:1]}, false)
		some.check(t, some.keys(some.all(t, 100)))
	})
}

// eventMatches says what a filter means.
func eventMatches(f access.EventFilter, r access.Record) bool {
	return (len(f.Kinds) == 0 || slices.Contains(f.Kinds, r.Kind)) &&
		(f.Since.IsZero() || !r.Time.Before(f.Since)) && (f.Until.IsZero() || r.Time.Before(f.Until)) &&
		(f.Concerns == "" || r.Concerns(f.Concerns))
}

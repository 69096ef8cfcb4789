package storagetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
)

func inviteListCases() []testCase {
	return []testCase{
		{"list", "an account's invites come newest first, by any page size and filter", inviteList},
		{"list while rows change", "invites that don't change while a list is paged appear once", inviteListMoving},
		{"waiting", "the live invites to an address come from all accounts, newest first", waitingInvites},
		{"live", "an invite is live before its expiry, not at it", liveInvites},
		{"keys", "the keys in use are those of live invites of all accounts, each once, sorted", inviteKeys},
	}
}

func invitePager(ctx context.Context, tx storage.Tx, f invite.Filter) pager[invite.ID, invite.Record] {
	return pager[invite.ID, invite.Record]{
		page: func(before invite.ID, limit int) ([]invite.Record, error) {
			return tx.Invites(ctx, acme, f, before, limit)
		},
		key: func(r invite.Record) invite.ID { return r.ID },
	}
}

func inviteList(t *testing.T, db database) {
	db.insert(acme, globex)
	local := []string{"ann", "Anna", "an_n", "an%n", "bob", "a'n", "zoe", "annb"}
	var all []invite.Record
	for i := range 24 {
		r := newInvite(t, (i*7)%24, acme, fmt.Sprintf("%s@Host%d.example.com", local[i%len(local)], i))
		r.State = invite.State(1 + i%4)
		all = append(all, r)
	}
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme, globex)
		require.NoError(t, err)
		for _, r := range all {
			require.NoError(t, tx.InsertInvite(ctx, r))
		}
		require.NoError(t, tx.InsertInvite(ctx, newInvite(t, 100, globex, "ann@example.com")))
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for state := range invite.State(5) {
			for _, prefix := range []string{"", "a", "AN", "ann", "ann@", "an_", "an%", "a'", "%", "_", `\`, "é",
				"zoe@host6.EXAMPLE.com", "ann@host0.example.comm"} {
				var want []invite.ID
				for _, r := range all {
					if (state == 0 || r.State == state) && foldedPrefix(r.Address.Canonical(), prefix) {
						want = append(want, r.ID)
					}
				}
				invitePager(ctx, tx, invite.Filter{State: state, Prefix: prefix}).check(t, newestFirst(want))
			}
		}
	})
}

func inviteListMoving(t *testing.T, db database) {
	db.insert(acme)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		for i := range 12 {
			require.NoError(t, tx.InsertInvite(ctx, newInvite(t, 2*i, acme, fmt.Sprintf("user%d@example.com", i))))
		}
	})
	var before invite.ID
	var seen []invite.ID
	for round := 0; ; round++ {
		var page []invite.Record
		db.view(func(ctx context.Context, tx storage.Tx) {
			var err error
			page, err = tx.Invites(ctx, acme, invite.Filter{State: invite.Pending}, before, 3)
			require.NoError(t, err)
		})
		for _, r := range page {
			seen = append(seen, r.ID)
		}
		if len(page) < 3 {
			break
		}
		before = page[2].ID
		db.locked(acme, func(ctx context.Context, tx storage.Tx) {
			// One more in front, one more behind, and the place reached is closed.
			for n, to := range map[int]string{1000 + round: "front", 2*round + 1: "behind"} {
				require.NoError(t, tx.InsertInvite(ctx, newInvite(t, n, acme, fmt.Sprintf("%s%d@example.com", to, round))))
			}
			closed := page[2]
			closed.State = invite.Revoked
			require.NoError(t, tx.UpdateInvite(ctx, closed, 1))
		})
	}
	require.Equal(t, newestFirst(seen), seen)
	for i := range 12 {
		require.Contains(t, seen, invite.ID(uuid(2*i)))
	}
}

func waitingInvites(t *testing.T, db database) {
	accounts := []access.AccountID{acme, globex, initech, "a", "b", "c", "d"}
	db.insert(accounts...)
	to := address(t, "One@example.com")
	var want []invite.ID
	for i, account := range accounts {
		r, other := newInvite(t, (i*3)%len(accounts), account, "one@example.com"), newInvite(t, 100+i, account, "other@example.com")
		switch i {
		case 2:
			r.State = invite.Revoked
		case 4:
			r.Expires = noon()
		case 5:
			r.Expires = noon().Add(time.Microsecond)
			want = append(want, r.ID)
		default:
			want = append(want, r.ID)
		}
		db.locked(account, func(ctx context.Context, tx storage.Tx) {
			require.NoError(t, tx.InsertInvite(ctx, r))
			require.NoError(t, tx.InsertInvite(ctx, other))
		})
	}
	db.view(func(ctx context.Context, tx storage.Tx) {
		pager[invite.ID, invite.Record]{
			page: func(before invite.ID, limit int) ([]invite.Record, error) {
				return tx.WaitingInvites(ctx, to, noon(), before, limit)
			},
			key: func(r invite.Record) invite.ID { return r.ID },
		}.check(t, newestFirst(want))
	})
}

func liveInvites(t *testing.T, db database) {
	db.insert(acme, globex)
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme, globex)
		require.NoError(t, err)
		for i := range 4 {
			r := newInvite(t, i, acme, fmt.Sprintf("user%d@example.com", i))
			r.Expires = noon().Add(time.Duration(i) * time.Hour)
			require.NoError(t, tx.InsertInvite(ctx, r))
		}
		declined := newInvite(t, 5, acme, "declined@example.com")
		declined.State = invite.Declined
		require.NoError(t, tx.InsertInvite(ctx, declined))
		require.NoError(t, tx.InsertInvite(ctx, newInvite(t, 6, globex, "other@example.com")))
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for i := range 4 {
			at := noon().Add(time.Duration(i) * time.Hour)
			for now, want := range map[time.Time]int{at.Add(-time.Microsecond): 4 - i, at: 3 - i, at.Add(time.Microsecond): 3 - i} {
				live, err := tx.LiveInvites(ctx, acme, now)
				require.NoError(t, err)
				require.Equal(t, want, live, now)
			}
			waiting, err := tx.WaitingInvites(ctx, address(t, fmt.Sprintf("user%d@example.com", i)), at, "", 10)
			require.NoError(t, err)
			require.Empty(t, waiting)
		}
	})
}

func inviteKeys(t *testing.T, db database) {
	read := func(now time.Time) (keys []string) {
		db.view(func(ctx context.Context, tx storage.Tx) {
			var err error
			keys, err = tx.InviteKeys(ctx, now)
			require.NoError(t, err)
		})
		return keys
	}
	require.Empty(t, read(noon()))
	db.insert(acme, globex)
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme, globex)
		require.NoError(t, err)
		for i, key := range []string{"k2", "k1", "K1", "k1 ", "k10", "k2", "closed", "é"} {
			r := newInvite(t, i, []access.AccountID{acme, globex}[i%2], fmt.Sprintf("user%d@example.com", i))
			r.Key = key
			if key == "closed" {
				r.State = invite.Accepted
			}
			if key == "k10" {
				r.Expires = noon().Add(time.Hour)
			}
			require.NoError(t, tx.InsertInvite(ctx, r))
		}
	})
	require.Equal(t, []string{"K1", "k1", "k1 ", "k10", "k2", "é"}, read(noon().Add(time.Hour-time.Microsecond)))
	require.Equal(t, []string{"K1", "k1", "k1 ", "k2", "é"}, read(noon().Add(time.Hour)))
	require.Equal(t, []string{"K1", "k1", "k1 ", "k2", "é"}, read(noon().Add(2*time.Hour)))
}

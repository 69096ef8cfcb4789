package storagetest

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

func lockCases() []testCase {
	return []testCase{
		{"versions", "locking raises the version by one in each unit, and is free when repeated", versions},
		{"order asked", "Lock returns accounts in the order asked, each as often as asked", orderAsked},
		{"all or none", "if one account doesn't exist, none is locked", allOrNone},
		{"own changes", "locking again returns the account with the unit's own changes", locksOwnChanges},
		{"new account", "an account is locked at version 1 by the unit that inserts it", locksNewAccount},
		{"rolled back", "a lock that is rolled back raises nothing and holds nobody up", lockRolledBack},
		{"write without the lock", "every method that writes to an account panics unless the unit has locked it",
			writeWithoutLock},
		{"no overlap", "two units never hold the same account at once, and no update is lost", noOverlap},
		{"opposite orders", "units that ask for the same accounts in different orders don't wait for each other for ever",
			oppositeOrders},
	}
}

func versions(t *testing.T, db database) {
	db.insert(acme, globex)
	require.EqualValues(t, 1, db.account(acme).Version)
	for want := uint64(2); want < 5; want++ {
		db.update(func(ctx context.Context, tx storage.Tx) {
			for range 3 {
				locked, err := tx.Lock(ctx, acme)
				require.NoError(t, err)
				require.Equal(t, want, locked[0].Version)
			}
			inside, err := tx.Account(ctx, acme)
			require.NoError(t, err)
			require.Equal(t, want, inside.Version)
			grant, err := tx.Grant(ctx, acme, olga)
			require.NoError(t, err)
			require.Equal(t, want, grant.Version)
			grants, err := tx.Grants(ctx, olga, []access.AccountID{acme})
			require.NoError(t, err)
			equal(t, grant, grants[acme])
			require.NoError(t, tx.PutMembership(ctx, newMembership(acme, ann, 1)))
			accounts, err := tx.UserAccounts(ctx, ann, access.AccountFilter{}, "", 9)
			require.NoError(t, err)
			require.Len(t, accounts, 1)
			require.Equal(t, want, accounts[0].Account.Version)
		})
		require.Equal(t, want, db.account(acme).Version)
		grant, err := db.Grant(db.ctx, acme, olga)
		require.NoError(t, err)
		require.Equal(t, want, grant.Version)
	}
	require.EqualValues(t, 1, db.account(globex).Version, "a lock raised another account")
}

func orderAsked(t *testing.T, db database) {
	db.insert(acme, globex, initech)
	db.update(func(ctx context.Context, tx storage.Tx) {
		locked, err := tx.Lock(ctx, initech, acme, globex, acme)
		require.NoError(t, err)
		var ids []access.AccountID
		for _, a := range locked {
			ids = append(ids, a.ID)
			require.EqualValues(t, 2, a.Version)
			want := newAccount(a.ID)
			want.Version = 2
			equal(t, want, a)
		}
		require.Equal(t, []access.AccountID{initech, acme, globex, acme}, ids)
		none, err := tx.Lock(ctx)
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

func allOrNone(t *testing.T, db database) {
	db.insert(acme, globex)
	db.update(func(ctx context.Context, tx storage.Tx) {
		for _, ids := range [][]access.AccountID{{"nobody's"}, {acme, "nobody's", globex}, {"aaaa", acme}, {acme, "zzzz"}} {
			locked, err := tx.Lock(ctx, ids...)
			require.ErrorIs(t, err, access.ErrNotFound)
			require.Empty(t, locked)
		}
		require.Panics(t, func() { _ = tx.PutMembership(ctx, newMembership(acme, ann, 1)) }, "acme is locked")
		require.Panics(t, func() { _ = tx.PutMembership(ctx, newMembership(globex, ann, 1)) }, "globex is locked")
		inside, err := tx.Account(ctx, acme)
		require.NoError(t, err)
		require.EqualValues(t, 1, inside.Version)
	})
	require.EqualValues(t, 1, db.account(acme).Version)
	require.EqualValues(t, 1, db.account(globex).Version)
}

func locksOwnChanges(t *testing.T, db database) {
	db.insert(acme)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		a, err := tx.Account(ctx, acme)
		require.NoError(t, err)
		a.Owner, a.Status, a.Policy.Seats = ann, access.AccountSuspended, 7
		require.NoError(t, tx.UpdateAccount(ctx, a))
		locked, err := tx.Lock(ctx, acme)
		require.NoError(t, err)
		equal(t, a, locked[0])
	})
}

func locksNewAccount(t *testing.T, db database) {
	db.update(func(ctx context.Context, tx storage.Tx) {
		a := newAccount(acme)
		a.Version = 77
		require.NoError(t, tx.InsertAccount(ctx, a))
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, ann, 1)))
		locked, err := tx.Lock(ctx, acme)
		require.NoError(t, err)
		require.EqualValues(t, 1, locked[0].Version)
	})
	require.EqualValues(t, 1, db.account(acme).Version)
}

func lockRolledBack(t *testing.T, db database) {
	db.insert(acme)
	for range 3 {
		require.ErrorIs(t, db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Lock(ctx, acme)
			require.NoError(t, err)
			return errInjected
		}), errInjected)
	}
	require.EqualValues(t, 1, db.account(acme).Version)
	returns(t, func() {
		_ = db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Lock(ctx, acme)
			return err
		})
	})
	require.EqualValues(t, 2, db.account(acme).Version)
}

func writeWithoutLock(t *testing.T, db database) {
	prepare(db)
	before := db.dump()
	for _, w := range writes(t) {
		t.Run(w.name, func(t *testing.T) {
			db := db.in(t)
			_ = db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
				_, err := tx.Lock(ctx, globex) // another one
				require.NoError(t, err)
				if w.lockless {
					require.NotPanics(t, func() { require.NoError(t, w.do(ctx, tx)) })
				} else {
					require.Panics(t, func() { _ = w.do(ctx, tx) })
				}
				return errInjected
			})
			require.Equal(t, before, db.dump())
		})
	}
}

// noOverlap counts in an account by reading and writing back, which loses counts wherever two units overlap.
func noOverlap(t *testing.T, db database) {
	db.insert(acme)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, ann, 0)))
	})
	const writers, rounds = 8, 10
	var inside atomic.Int32
	count := func(ctx context.Context, tx storage.Tx) error {
		locked, err := tx.Lock(ctx, acme)
		if err != nil {
			return err
		}
		if inside.Add(1) != 1 {
			err = errors.New("two units hold the account")
		}
		defer inside.Add(-1)
		runtime.Gosched() // the others' turn, if nothing keeps them
		m, readErr := tx.Membership(ctx, acme, ann)
		m.Permissions++
		n, _ := strconv.Atoi(locked[0].Profile.Phone)
		locked[0].Profile.Phone = strconv.Itoa(n + 1)
		return errors.Join(err, readErr, tx.PutMembership(ctx, m), tx.UpdateAccount(ctx, locked[0]))
	}
	errs := together(writers, func(int) error {
		for range rounds {
			if err := db.Update(db.ctx, count); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, errors.Join(errs...))
	a := db.account(acme)
	require.EqualValues(t, 2+writers*rounds, a.Version)
	require.Equal(t, strconv.Itoa(writers*rounds), a.Profile.Phone)
	db.view(func(ctx context.Context, tx storage.Tx) {
		m, err := tx.Membership(ctx, acme, ann)
		require.NoError(t, err)
		require.EqualValues(t, writers*rounds, m.Permissions)
	})
}

func oppositeOrders(t *testing.T, db database) {
	db.insert(acme, globex)
	const rounds = 10
	var errs []error
	returns(t, func() {
		errs = together(2, func(i int) error {
			ids := []access.AccountID{acme, globex}
			if i == 1 {
				ids = []access.AccountID{globex, acme}
			}
			for range rounds {
				if err := db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
					_, err := tx.Lock(ctx, ids...)
					return err
				}); err != nil {
					return err
				}
			}
			return nil
		})
	})
	require.NoError(t, errors.Join(errs...))
	require.EqualValues(t, 1+2*rounds, db.account(acme).Version)
}

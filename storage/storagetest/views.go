package storagetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

func viewCases() []testCase {
	return []testCase{
		{"snapshot", "a view reads one moment, whatever commits meanwhile", snapshot},
		{"no torn reads", "a view sees all of a unit or nothing of it", noTornReads},
		{"uncommitted", "nobody sees what isn't committed", uncommitted},
		{"writing in a view", "a view can't write", viewCannotWrite},
		{"own writes", "a unit reads what it has written", ownWrites},
		{"copied in and out", "callers may change what they passed or got", copies},
	}
}

func snapshot(t *testing.T, db database) {
	db.insert(acme)
	done := make(chan struct{})
	var failed error
	db.view(func(ctx context.Context, tx storage.Tx) {
		read := func() string {
			a, err := tx.Account(ctx, acme)
			require.NoError(t, err)
			g, err := tx.Grant(ctx, acme, ann)
			require.NoError(t, err)
			members, err := tx.Members(ctx, acme, access.MemberFilter{}, "", 10)
			require.NoError(t, err)
			heads, err := tx.Feed(ctx)
			require.NoError(t, err)
			return fmt.Sprint(a, g, members, heads)
		}
		before := read()
		go func() {
			defer close(done)
			failed = db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
				if _, err := tx.Lock(ctx, acme); err != nil {
					return err
				}
				return errors.Join(tx.PutMembership(ctx, newMembership(acme, ann, 1)),
					tx.Append(ctx, newRecord(1, acme, access.EventMemberAdded)))
			})
		}()
		chance(done)
		require.Equal(t, before, read())
	})
	returns(t, func() { <-done })
	require.NoError(t, failed)
	require.EqualValues(t, 2, db.account(acme).Version)
}

func noTornReads(t *testing.T, db database) {
	db.insert(acme, globex)
	const rounds = 30
	errs := together(3, func(i int) error {
		for range rounds {
			if i == 0 {
				if err := db.Update(db.ctx, bothAccounts); err != nil {
					return err
				}
				continue
			}
			if err := db.View(db.ctx, sameVersions); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, errors.Join(errs...))
	require.EqualValues(t, rounds+1, db.account(acme).Version)
}

func bothAccounts(ctx context.Context, tx storage.Tx) error {
	_, err := tx.Lock(ctx, acme, globex)
	return err
}

func sameVersions(ctx context.Context, tx storage.Tx) error {
	first, err := tx.Account(ctx, acme)
	if err != nil {
		return err
	}
	runtime.Gosched()
	second, err := tx.Account(ctx, globex)
	if err == nil && first.Version != second.Version {
		err = fmt.Errorf("versions %d and %d in one view", first.Version, second.Version)
	}
	return err
}

func uncommitted(t *testing.T, db database) {
	prepare(db)
	wrote, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			err := writeEverything(ctx, tx, t)
			close(wrote)
			<-release
			return errors.Join(err, errInjected)
		})
	}()
	<-wrote
	read := make(chan struct{})
	var grant access.Grant
	var claimed []notify.Message
	var errs [3]error
	go func() {
		defer close(read)
		grant, errs[0] = db.Grant(db.ctx, acme, eve)
		errs[1] = db.View(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			if _, err := tx.Membership(ctx, acme, eve); !errors.Is(err, access.ErrNotFound) {
				return fmt.Errorf("a view sees what isn't committed: %v", err)
			}
			return nil
		})
		claimed, errs[2] = db.Claim(db.ctx, noon(), time.Minute, 10)
	}()
	chance(read)
	close(release)
	require.ErrorIs(t, <-done, errInjected)
	returns(t, func() { <-read })
	require.NoError(t, errors.Join(errs[:]...))
	require.Zero(t, grant.Status, "a decision sees what isn't committed")
	require.Len(t, claimed, 1, "a message that isn't committed is claimed")
}

func viewCannotWrite(t *testing.T, db database) { cannotWrite(t, db, db.View) }

// cannotWrite tries all writes in a View or a Read.
func cannotWrite(t *testing.T, db database, read func(context.Context, func(context.Context, storage.Tx) error) error) {
	t.Helper()
	prepare(db)
	before := db.dump()
	for _, w := range append(writes(t), locks()...) {
		t.Run(w.name, func(t *testing.T) {
			db := db.in(t)
			_ = read(db.ctx, func(ctx context.Context, tx storage.Tx) error {
				// Nothing is locked in a view, so that the others may panic as in any unit.
				if w.lockless {
					require.Error(t, w.do(ctx, tx))
				} else {
					require.True(t, refusesOrPanics(func() error { return w.do(ctx, tx) }))
				}
				return nil
			})
			require.Equal(t, before, db.dump())
		})
	}
}

func refusesOrPanics(fn func() error) (refused bool) {
	defer func() { refused = recover() != nil || refused }()
	return fn() != nil
}

func ownWrites(t *testing.T, db database) {
	prepare(db)
	var inside, outside string
	db.update(func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, writeEverything(ctx, tx, t))
		inside = readBack(ctx, t, tx)
	})
	db.view(func(ctx context.Context, tx storage.Tx) { outside = readBack(ctx, t, tx) })
	require.Equal(t, outside, inside)
}

// readBack reads all that writes wrote but events, which needn't be seen before the commit.
func readBack(ctx context.Context, t *testing.T, tx storage.Tx) string {
	t.Helper()
	d := dump{tx: tx}
	for _, id := range []access.AccountID{acme, initech} {
		a, err := tx.Account(ctx, id)
		require.NoError(t, err)
		a.Head = access.Head{}
		d.line("account", a)
	}
	grant, err := tx.Grant(ctx, acme, eve)
	require.NoError(t, err)
	d.line("grant", grant)
	for _, read := range []func() (any, error){
		func() (any, error) { return tx.Members(ctx, acme, access.MemberFilter{}, "", 10) },
		func() (any, error) { return tx.UserAccounts(ctx, ann, access.AccountFilter{}, "", 10) },
		func() (any, error) { return tx.Users(ctx, []access.UserID{ann, bob, eve}) },
		func() (any, error) { return tx.Seats(ctx, acme, noon()) },
		func() (any, error) { return tx.Invites(ctx, acme, invite.Filter{}, "", 10) },
		func() (any, error) { return tx.WaitingInvites(ctx, address(t, "ten@example.com"), noon(), "", 10) },
		func() (any, error) { return tx.LiveInvites(ctx, acme, noon()) },
		func() (any, error) { return tx.Contacts(ctx, acme, contact.Filter{}, "", 10) },
		func() (any, error) { return tx.Verification(ctx, acme, contact.ID(uuid(3))) },
		func() (any, error) { return tx.Unsubscribed(ctx, acme, address(t, "gone@example.com")) },
		func() (any, error) { return tx.Preference(ctx, acme, ann) },
		func() (any, error) { return tx.Subscribers(ctx, acme, 2, "", 10) },
		func() (any, error) { return tx.Message(ctx, string(acme), notify.MessageID(uuid(10))) },
		func() (any, error) { return tx.Messages(ctx, string(acme), notify.MessageQuery{Limit: 10}) },
		func() (any, error) { return tx.Deliveries(ctx, string(acme), "invite", []string{uuid(10)}) },
	} {
		v, err := read()
		require.NoError(t, err)
		d.line("read", v)
	}
	_, err = tx.Membership(ctx, acme, bob)
	require.ErrorIs(t, err, access.ErrNotFound)
	_, err = tx.Preference(ctx, acme, bob)
	require.ErrorIs(t, err, access.ErrNotFound)
	return d.text.String()
}

func copies(t *testing.T, db database) {
	a := newAccount(acme)
	a.Policy.Domains = []string{"example.com", "example.org"}
	r := newRecord(1, acme, access.EventAccountCreated)
	want, sealed := newAccount(acme), newRecord(1, acme, access.EventAccountCreated)
	want.Policy.Domains = []string{"example.com", "example.org"}
	db.update(func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.InsertAccount(ctx, a))
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, olga, 0)))
		require.NoError(t, tx.Append(ctx, r))
		a.Policy.Domains[0] = "passed"
		for _, b := range [][]byte{r.Public, r.Actor.Salt, r.Actor.Text, r.Target.Salt, r.Target.Text} {
			b[0] = 'X'
		}
		locked, err := tx.Lock(ctx, acme)
		require.NoError(t, err)
		require.Equal(t, want.Policy, locked[0].Policy)
		locked[0].Policy.Domains[0] = "got from Lock"
		got, err := tx.Account(ctx, acme)
		require.NoError(t, err)
		require.Equal(t, want.Policy, got.Policy)
		got.Policy.Domains[0] = "got from Account"
		got.Policy.Domains = []string{"example.net"}
		require.NoError(t, tx.UpdateAccount(ctx, got))
		got.Policy.Domains[0] = "passed to UpdateAccount"
		// Fill a, r anew for a second run of fn.
		a, r = want, newRecord(1, acme, access.EventAccountCreated)
		a.Policy.Domains = slices.Clone(want.Policy.Domains)
	})
	for range 2 {
		db.view(func(ctx context.Context, tx storage.Tx) {
			got, err := tx.Account(ctx, acme)
			require.NoError(t, err)
			require.Equal(t, []string{"example.net"}, got.Policy.Domains)
			got.Policy.Domains[0] = "got in a view"
			events, err := tx.Events(ctx, acme, access.EventFilter{}, access.EventKey{}, true, 1)
			require.NoError(t, err)
			changes, err := tx.Changes(ctx, acme.Shard(), 0, 1)
			require.NoError(t, err)
			for _, list := range [][]access.Record{events, changes} {
				require.Len(t, list, 1)
				require.Equal(t, sealed.Public, list[0].Public)
				require.Equal(t, sealed.Actor, list[0].Actor)
				require.Equal(t, sealed.Target, list[0].Target)
				r := list[0]
				for _, b := range [][]byte{r.Public, r.Actor.Salt, r.Actor.Text, r.Target.Salt, r.Target.Text} {
					b[0] = 'X'
				}
			}
		})
	}
}

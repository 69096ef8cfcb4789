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

func unitCases() []testCase {
	return []testCase{
		{"commit", "what a unit of work did is there for everybody once Update has returned nil", commits},
		{"rollback on an error", "an error of fn is passed on, and nothing that fn did is there", rollsBackOnError},
		{"rollback on a panic", "a panic in fn is passed on, and nothing that fn did is there", rollsBackOnPanic},
		{"rollback when the goroutine ends", "nothing is committed when fn never returns, and the database goes on", rollsBackOnGoexit},
		{"context", "fn is given a context made from the caller's", givesContext},
		{"nested", "a unit or a decision with the context of another unit is ErrNested, and the outer unit goes on", refusesNesting},
		{"failed write", "a unit in which a write failed commits nothing, even if fn swallowed the error", poisons},
		{"refusals", "ErrNotFound and ErrExists leave the unit as it was", refusals},
		{"cancelled before", "a unit isn't begun with a context that is over", cancelledBefore},
		{"cancelled inside", "a unit whose context ends before its commit commits nothing", cancelledInside},
		{"cancelled while waiting", "a context that ends while a unit waits for another ends the wait", cancelledWaiting},
		{"snapshot", "a view reads one moment, whatever commits meanwhile", snapshot},
		{"no torn reads", "a view sees all of a unit or nothing of it", noTornReads},
		{"uncommitted", "nobody sees what isn't committed", uncommitted},
		{"writing in a view", "a view can't write", viewCannotWrite},
		{"own writes", "a unit reads what it has written", ownWrites},
		{"copied in and out", "callers may change what they passed or got", copies},
	}
}

func commits(t *testing.T, db database) {
	prepare(db)
	before := db.dump()
	db.update(func(ctx context.Context, tx storage.Tx) { require.NoError(t, writeEverything(ctx, tx, t)) })
	after := db.dump()
	require.NotEqual(t, before, after)
	for _, text := range []string{"Changed", "Eve", uuid(10), "ten@example.com", "initech"} {
		require.Contains(t, after, text)
	}
	require.ElementsMatch(t, []notify.MessageID{newMessage(1, acme).ID, newMessage(10, acme).ID}, db.claimable())
}

func rollsBackOnError(t *testing.T, db database) {
	prepare(db)
	before := db.dump()
	err := db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
		require.NoError(t, writeEverything(ctx, tx, t))
		return errInjected
	})
	require.ErrorIs(t, err, errInjected)
	require.Equal(t, before, db.dump())
	require.Equal(t, []notify.MessageID{newMessage(1, acme).ID}, db.claimable())
	require.ErrorIs(t, db.View(db.ctx, func(context.Context, storage.Tx) error { return errInjected }), errInjected)
	db.update(func(ctx context.Context, tx storage.Tx) { require.NoError(t, writeEverything(ctx, tx, t)) })
}

func rollsBackOnPanic(t *testing.T, db database) {
	prepare(db)
	before := db.dump()
	require.PanicsWithValue(t, "storagetest: on purpose", func() {
		_ = db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			require.NoError(t, writeEverything(ctx, tx, t))
			panic("storagetest: on purpose")
		})
	})
	require.Equal(t, before, db.dump())
	require.PanicsWithValue(t, "storagetest: on purpose", func() {
		_ = db.View(db.ctx, func(context.Context, storage.Tx) error { panic("storagetest: on purpose") })
	})
	db.update(func(ctx context.Context, tx storage.Tx) { require.NoError(t, writeEverything(ctx, tx, t)) })
}

// A failing require in a host's own test ends the goroutine within the unit.
func rollsBackOnGoexit(t *testing.T, db database) {
	prepare(db)
	before := db.dump()
	returns(t, func() {
		_ = db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			_ = writeEverything(ctx, tx, t)
			runtime.Goexit()
			return nil
		})
	})
	returns(t, func() {
		_ = db.View(db.ctx, func(context.Context, storage.Tx) error {
			runtime.Goexit()
			return nil
		})
	})
	require.Equal(t, before, db.dump())
	db.update(func(ctx context.Context, tx storage.Tx) { require.NoError(t, writeEverything(ctx, tx, t)) })
}

func givesContext(t *testing.T, db database) {
	type key struct{}
	outer := context.WithValue(db.ctx, key{}, "kept")
	var seen []any
	require.NoError(t, db.Update(outer, func(ctx context.Context, _ storage.Tx) error {
		seen = []any{ctx.Value(key{})}
		return nil
	}))
	require.NoError(t, db.View(outer, func(ctx context.Context, _ storage.Tx) error {
		seen = append(seen, ctx.Value(key{}))
		return nil
	}))
	require.Equal(t, []any{"kept", "kept"}, seen)
}

func refusesNesting(t *testing.T, db database) {
	db.insert(acme)
	require.NoError(t, db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error { return tx.Enqueue(ctx, newMessage(1, acme)) }))
	work := func(context.Context, storage.Tx) error { return errInjected }
	begin := []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"Update", func(ctx context.Context) error { return db.Update(ctx, work) }},
		{"View", func(ctx context.Context) error { return db.View(ctx, work) }},
		{"Grant", func(ctx context.Context) error { _, err := db.Grant(ctx, acme, olga); return err }},
		{"Claim", func(ctx context.Context) error { _, err := db.Claim(ctx, noon(), time.Minute, 1); return err }},
		{"Finish", func(ctx context.Context) error {
			return db.Finish(ctx, notify.MessageID(uuid(1)), 1, notify.Result{State: notify.Sent, At: noon()})
		}},
	}
	var wrong []string
	try := func(outer string, ctx context.Context) {
		type key struct{}
		for _, inner := range begin {
			if err := inner.do(context.WithValue(ctx, key{}, 1)); !errors.Is(err, access.ErrNested) {
				wrong = append(wrong, fmt.Sprintf("%s in %s returns %v", inner.name, outer, err))
			}
		}
	}
	returns(t, func() {
		err := db.View(db.ctx, func(ctx context.Context, _ storage.Tx) error {
			try("View", ctx)
			return nil
		})
		err = errors.Join(err, db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			try("Update", ctx)
			return tx.InsertAccount(ctx, newAccount(globex))
		}))
		if err != nil {
			wrong = append(wrong, err.Error())
		}
	})
	require.Empty(t, wrong)
	require.Equal(t, globex, db.account(globex).ID)
	require.Len(t, db.claimable(), 1)
}

func poisons(t *testing.T, db database) {
	prepare(db)
	before := db.dump()
	err := db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
		require.NoError(t, writeEverything(ctx, tx, t))
		require.Error(t, tx.Enqueue(ctx, newMessage(1, acme)), "the id is taken")
		return nil
	})
	require.Error(t, err)
	require.Equal(t, before, db.dump())

	// A write whose own context is over may fail. If it does, nothing is committed.
	for _, w := range writes(t) {
		t.Run(w.name, func(t *testing.T) {
			var failed error
			err := db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
				_, err := tx.Lock(ctx, acme)
				require.NoError(t, err)
				require.NoError(t, tx.PutUsers(ctx, access.User{ID: eve, Name: "Eve"}))
				over, cancel := context.WithCancel(ctx)
				cancel()
				if failed = w.do(over, tx); failed == nil {
					return errInjected
				}
				return nil
			})
			require.Error(t, err, "after %v", failed)
			require.Equal(t, before, db.dump())
		})
	}
}

func refusals(t *testing.T, db database) {
	prepare(db)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		// Each refusal stands between two writes that must both be there in the end.
		for i, r := range refused(t) {
			user := access.User{ID: access.UserID(fmt.Sprint("before ", i)), Name: "x"}
			require.NoError(t, tx.PutUsers(ctx, user))
			require.ErrorIs(t, r.do(ctx, tx), r.want, r.name)
			user.ID = access.UserID(fmt.Sprint("after ", i))
			require.NoError(t, tx.PutUsers(ctx, user), r.name)
		}
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for i := range refused(t) {
			_, err := tx.User(ctx, access.UserID(fmt.Sprint("before ", i)))
			require.NoError(t, err)
			_, err = tx.User(ctx, access.UserID(fmt.Sprint("after ", i)))
			require.NoError(t, err)
		}
	})
	db.update(func(ctx context.Context, tx storage.Tx) { require.NoError(t, writeEverything(ctx, tx, t)) })
}

type refusal struct {
	name string
	want error
	do   func(ctx context.Context, tx storage.Tx) error
}

// refused are the calls that say what is there or isn't, in the state that prepare leaves and with acme locked.
func refused(t *testing.T) []refusal {
	return []refusal{
		{"Lock", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error { _, err := tx.Lock(ctx, acme, "nobody's"); return err }},
		{"InsertAccount", access.ErrExists, func(ctx context.Context, tx storage.Tx) error { return tx.InsertAccount(ctx, newAccount(globex)) }},
		{"InsertAccount again", access.ErrExists, func(ctx context.Context, tx storage.Tx) error { return tx.InsertAccount(ctx, newAccount(acme)) }},
		{"Account", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error { _, err := tx.Account(ctx, "nobody's"); return err }},
		{"Membership", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error { _, err := tx.Membership(ctx, acme, eve); return err }},
		{"DeleteMembership", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error { return tx.DeleteMembership(ctx, acme, eve) }},
		{"User", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error { _, err := tx.User(ctx, eve); return err }},
		{"Invite", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error { _, err := tx.Invite(ctx, "none"); return err }},
		{"PendingInvite", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.PendingInvite(ctx, acme, address(t, "nobody@example.com"))
			return err
		}},
		{"InsertInvite, same id", access.ErrExists, func(ctx context.Context, tx storage.Tx) error {
			return tx.InsertInvite(ctx, newInvite(t, 1, acme, "other@example.com"))
		}},
		{"InsertInvite, same address", access.ErrExists, func(ctx context.Context, tx storage.Tx) error {
			return tx.InsertInvite(ctx, newInvite(t, 3, acme, "one@example.com"))
		}},
		{"UpdateInvite", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			return tx.UpdateInvite(ctx, newInvite(t, 1, acme, "one@example.com"), 2)
		}},
		{"Contact", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error { _, err := tx.Contact(ctx, acme, "none"); return err }},
		{"PutContact", access.ErrExists, func(ctx context.Context, tx storage.Tx) error {
			return tx.PutContact(ctx, newContact(t, 2, acme, "Two", "one@example.com"))
		}},
		{"DeleteContact", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error { return tx.DeleteContact(ctx, acme, "none") }},
		{"ContactByAddress", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.ContactByAddress(ctx, acme, address(t, "nobody@example.com"))
			return err
		}},
		{"Preference", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error { _, err := tx.Preference(ctx, acme, eve); return err }},
	}
}

func cancelledBefore(t *testing.T, db database) {
	prepare(db)
	before := db.dump()
	ctx, cancel := context.WithCancel(db.ctx)
	cancel()
	ran := false
	work := func(ctx context.Context, tx storage.Tx) error {
		ran = true
		return nil
	}
	require.ErrorIs(t, db.Update(ctx, work), context.Canceled)
	require.ErrorIs(t, db.View(ctx, work), context.Canceled)
	require.False(t, ran, "fn runs")
	grant, err := db.DB.Grant(ctx, acme, olga)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, grant, "an error comes with a decision")
	messages, err := db.Claim(ctx, noon(), time.Minute, 1)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, messages)
	require.Error(t, db.Finish(ctx, notify.MessageID(uuid(1)), 0, notify.Result{State: notify.Sent, At: noon()}))
	require.Equal(t, before, db.dump())
}

func cancelledInside(t *testing.T, db database) {
	prepare(db)
	before := db.dump()
	ctx, cancel := context.WithCancel(db.ctx)
	defer cancel()
	err := db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		require.NoError(t, writeEverything(ctx, tx, t))
		cancel()
		return nil
	})
	require.Error(t, err)
	require.Equal(t, before, db.dump())
	db.update(func(ctx context.Context, tx storage.Tx) { require.NoError(t, writeEverything(ctx, tx, t)) })
}

func cancelledWaiting(t *testing.T, db database) {
	db.insert(acme)
	held, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Lock(ctx, acme)
			close(held)
			<-release
			return err
		})
	}()
	<-held
	ctx, cancel := context.WithTimeout(db.ctx, 30*time.Millisecond)
	defer cancel()
	var err error
	returns(t, func() {
		err = db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Lock(ctx, acme)
			return err
		})
	})
	close(release)
	require.Error(t, err)
	require.NoError(t, <-done)
	require.EqualValues(t, 2, db.account(acme).Version, "the one that gave up changed something")
	db.locked(acme, func(context.Context, storage.Tx) {})
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
				_, err := tx.Lock(ctx, acme)
				return errors.Join(err, tx.PutMembership(ctx, newMembership(acme, ann, 1)),
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

func viewCannotWrite(t *testing.T, db database) {
	prepare(db)
	before := db.dump()
	others := []write{
		{"Lock", true, func(ctx context.Context, tx storage.Tx) error { _, err := tx.Lock(ctx, acme); return err }},
		{"InsertAccount", true, func(ctx context.Context, tx storage.Tx) error { return tx.InsertAccount(ctx, newAccount(initech)) }},
	}
	for _, w := range slices.Concat(writes(t), others) {
		t.Run(w.name, func(t *testing.T) {
			_ = db.View(db.ctx, func(ctx context.Context, tx storage.Tx) error {
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
		func() (any, error) { return tx.Preference(ctx, acme, ann) },
		func() (any, error) { return tx.Subscribers(ctx, acme, 2, "", 10) },
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
			accounts, err := tx.UserAccounts(ctx, olga, access.AccountFilter{}, "", 1)
			require.NoError(t, err)
			require.Len(t, accounts, 1)
			require.Equal(t, []string{"example.net"}, accounts[0].Account.Policy.Domains)
			accounts[0].Account.Policy.Domains[0] = "got in a list"
			events, err := tx.Events(ctx, acme, access.EventFilter{}, access.EventKey{}, true, 1)
			require.NoError(t, err)
			changes, err := tx.Changes(ctx, acme.Shard(), 0, 1)
			require.NoError(t, err)
			for _, list := range [][]access.Record{events, changes} {
				require.Len(t, list, 1)
				require.Equal(t, sealed.Public, list[0].Public)
				require.Equal(t, sealed.Actor, list[0].Actor)
				require.Equal(t, sealed.Target, list[0].Target)
				for _, b := range [][]byte{list[0].Public, list[0].Actor.Salt, list[0].Actor.Text, list[0].Target.Salt, list[0].Target.Text} {
					b[0] = 'X'
				}
			}
		})
	}
}

package storagetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

func unitCases() []testCase {
	return []testCase{
		{"commit", "what a unit of work did is there for everybody once Update has returned nil", commits},
		{"rollback on an error", "an error of fn is passed on, and nothing that fn did is there", rollsBackOnError},
		{"rollback on a panic", "a panic in fn is passed on, and nothing that fn did is there", rollsBackOnPanic},
		{"rollback when the goroutine ends", "nothing is committed when fn never returns, and the database goes on",
			rollsBackOnGoexit},
		{"context", "fn is given a context made from the caller's", givesContext},
		{"nested", "a unit or a decision with the context of another unit is ErrNested, and the outer unit goes on",
			refusesNesting},
		{"failed write", "a unit in which a write failed commits nothing, even if fn swallowed the error", poisons},
		{"spoilt", "a unit that is spoilt commits nothing, whatever fn returns, and Update returns why", spoils},
		{"refusals", "ErrNotFound and ErrExists leave the unit as it was", refusals},
		{"after the commit", "AfterCommit runs once when the unit was committed, in order, and sees what it did; otherwise never", afterCommit},
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
	require.NoError(t, db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
		return tx.Enqueue(ctx, newMessage(1, acme))
	}))
	prepareRegistry(db)
	registry := db.registry()
	work := func(context.Context, storage.Tx) error { return errInjected }
	begin := []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"Update", func(ctx context.Context) error { return db.Update(ctx, work) }},
		{"View", func(ctx context.Context) error { return db.View(ctx, work) }},
		{"Read", func(ctx context.Context) error { return db.Read(ctx, work) }},
		{"Grant", func(ctx context.Context) error { _, err := db.Grant(ctx, acme, olga); return err }},
		{"Claim", func(ctx context.Context) error { _, err := db.Claim(ctx, noon(), time.Minute, 1); return err }},
		{"Finish", func(ctx context.Context) error {
			_, err := db.Finish(ctx, notify.Result{ID: notify.MessageID(uuid(1)), Attempt: 1, State: notify.Sent, At: noon()})
			return err
		}},
	}
	for _, call := range registryCalls() {
		begin = append(begin, struct {
			name string
			do   func(ctx context.Context) error
		}{call.name, func(ctx context.Context) error { return call.do(ctx, db.DB) }})
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
		err = errors.Join(err, db.Read(db.ctx, func(ctx context.Context, _ storage.Tx) error {
			try("Read", ctx)
			return nil
		}), db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
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
	require.Equal(t, registry, db.registry())
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
			db := db.in(t)
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

func spoils(t *testing.T, db database) {
	prepare(db)
	before := db.dump()
	for _, reason := range []error{errInjected, access.ErrNotFound, access.ErrExists} {
		err := db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			tx.Spoil(nil) // is nothing
			tx.Spoil(reason)
			return writeEverything(ctx, tx, t)
		})
		require.ErrorIs(t, err, reason)
		require.Equal(t, before, db.dump())
		err = db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			err := writeEverything(ctx, tx, t)
			tx.Spoil(reason)
			return err
		})
		require.ErrorIs(t, err, reason)
		require.Equal(t, before, db.dump())
	}
	db.update(func(ctx context.Context, tx storage.Tx) {
		tx.Spoil(nil)
		require.NoError(t, writeEverything(ctx, tx, t))
	})
	require.NotEqual(t, before, db.dump())
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
		{"Lock", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Lock(ctx, acme, "nobody's")
			return err
		}},
		{"InsertAccount", access.ErrExists, func(ctx context.Context, tx storage.Tx) error {
			return tx.InsertAccount(ctx, newAccount(globex))
		}},
		{"InsertAccount again", access.ErrExists, func(ctx context.Context, tx storage.Tx) error {
			return tx.InsertAccount(ctx, newAccount(acme))
		}},
		{"Account", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Account(ctx, "nobody's")
			return err
		}},
		{"Membership", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Membership(ctx, acme, eve)
			return err
		}},
		{"DeleteMembership", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			return tx.DeleteMembership(ctx, acme, eve)
		}},
		{"User", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.User(ctx, eve)
			return err
		}},
		{"FindInvite", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			_, _, err := tx.FindInvite(ctx, "none")
			return err
		}},
		{"Invite", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Invite(ctx, globex, newInvite(t, 1, acme, "one@example.com").ID)
			return err
		}},
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
		{"Contact", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Contact(ctx, acme, "none")
			return err
		}},
		{"FindContact", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.FindContact(ctx, "none")
			return err
		}},
		{"Verification", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Verification(ctx, acme, "none")
			return err
		}},
		{"PutContact", access.ErrExists, func(ctx context.Context, tx storage.Tx) error {
			return tx.PutContact(ctx, newContact(t, 2, acme, "Two", "one@example.com"))
		}},
		{"DeleteContact", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			return tx.DeleteContact(ctx, acme, "none")
		}},
		{"ContactByAddress", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.ContactByAddress(ctx, acme, address(t, "nobody@example.com"))
			return err
		}},
		{"Preference", access.ErrNotFound, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Preference(ctx, acme, eve)
			return err
		}},
	}
}

func afterCommit(t *testing.T, db database) {
	db.insert(acme)
	var ran []string
	unit := func(name string, err error) error {
		return db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			_, lockErr := tx.Lock(ctx, acme)
			require.NoError(t, lockErr)
			version := db.account(acme).Version
			tx.AfterCommit(func() {
				require.Greater(t, db.account(acme).Version, version)
				ran = append(ran, name)
			})
			tx.AfterCommit(func() { ran = append(ran, name+" again") })
			return err
		})
	}
	require.NoError(t, unit("committed", nil))
	require.ErrorIs(t, unit("rolled back", errInjected), errInjected)
	require.ErrorIs(t, db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
		tx.AfterCommit(func() { ran = append(ran, "spoiled") })
		tx.Spoil(errInjected)
		return nil
	}), errInjected)
	require.Equal(t, []string{"committed", "committed again"}, ran)
}

package memory_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/rosterkit/roster/storage/storagetest"
)

var (
	someAccounts = []access.AccountID{"acme", "globex"}
	someUsers    = []access.UserID{"olga", "ann", "bob"}
	errGivenUp   = errors.New("given up")
)

// TestRollback commits random writes, makes more of them in an update that fails in one of the possible ways, and
// finds everything as it was: what can be listed, what can be claimed, and what was counted.
func TestRollback(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		db := memory.New()
		ctx := context.Background()
		ids := &idSource{}
		for range 3 {
			require.NoError(t, db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
				return someWrites(ctx, t, tx, ids)
			}))
		}
		before := everything(t, db)

		failing, cancel := context.WithCancel(ctx)
		defer cancel()
		require.Error(t, recovered(func() error {
			return db.Update(failing, func(ctx context.Context, tx storage.Tx) error {
				if err := someWrites(ctx, t, tx, ids); err != nil {
					return err
				}
				switch rapid.IntRange(0, 3).Draw(t, "failure") {
				case 0:
					return errGivenUp
				case 1:
					panic(errGivenUp)
				case 2:
					cancel()
				case 3:
					twice := notify.Message{ID: ids.next()}
					_ = tx.Enqueue(ctx, twice, twice) // a failed write that is swallowed
				}
				return nil
			})
		}))
		require.Equal(t, before, everything(t, db))
	})
}

// someWrites makes random writes, of every kind there is.
func someWrites(ctx context.Context, t *rapid.T, tx storage.Tx, ids *idSource) error {
	for _, id := range someAccounts {
		err := tx.InsertAccount(ctx, access.Account{ID: id, Owner: "olga", Status: access.AccountActive})
		if err != nil && !errors.Is(err, access.ErrExists) {
			return err
		}
	}
	if _, err := tx.Lock(ctx, someAccounts...); err != nil {
		return err
	}
	for range rapid.IntRange(1, 10).Draw(t, "writes") {
		if err := oneWrite(ctx, t, tx, ids); err != nil && !errors.Is(err, access.ErrNotFound) && !errors.Is(err, access.ErrExists) {
			return err
		}
	}
	return nil
}

func oneWrite(ctx context.Context, t *rapid.T, tx storage.Tx, ids *idSource) error {
	account := rapid.SampledFrom(someAccounts).Draw(t, "account")
	user := rapid.SampledFrom(someUsers).Draw(t, "user")
	number := rapid.IntRange(1, 4).Draw(t, "number")
	at := noon.Add(time.Duration(number) * time.Minute)
	address, err := access.ParseAddress(fmt.Sprintf("%d@example.com", number))
	require.NoError(t, err)

	switch rapid.IntRange(0, 14).Draw(t, "write") {
	case 0:
		return tx.UpdateAccount(ctx, access.Account{ID: account, Owner: user, Status: access.AccountActive,
			Policy: access.Policy{Seats: number, Domains: []string{"example.com"}}})
	case 1:
		return tx.PutMembership(ctx, access.Membership{Account: account, User: user, Status: access.Active,
			Permissions: access.Permission(number), Created: at})
	case 2:
		return tx.DeleteMembership(ctx, account, user)
	case 3:
		return tx.Touch(ctx, account, user, at, at)
	case 4:
		return tx.PutUsers(ctx, access.User{ID: user, Address: address, LastSignIn: at})
	case 5:
		return tx.InsertInvite(ctx, invite.Record{Invite: invite.Invite{ID: invite.ID(ids.next()), Account: account,
			Address: address, State: invite.Pending, Terms: access.Terms{Permissions: access.Permission(number)},
			By: invite.Inviter{Kind: access.ActorUser, ID: string(user)}, Expires: at}})
	case 6:
		r, err := tx.PendingInvite(ctx, account, address)
		if err != nil {
			return err
		}
		generation := r.Generation
		r.Generation++
		r.State = invite.State(number)
		return tx.UpdateInvite(ctx, r, generation)
	case 7:
		_, err := tx.RevokeInvites(ctx, account, user, access.Permission(number), at)
		return err
	case 8:
		_, err := tx.Hit(ctx, [32]byte{byte(number)}, at, time.Hour)
		return err
	case 9:
		return tx.PutContact(ctx, contact.Contact{ID: contact.ID(fmt.Sprint(number)), Account: account, Address: address, Created: at})
	case 10:
		return tx.DeleteContact(ctx, account, contact.ID(fmt.Sprint(number)))
	case 11:
		return tx.PutPreference(ctx, account, user, contact.Category(number))
	case 12:
		return tx.DeletePreferences(ctx, account, user)
	case 13:
		return tx.Enqueue(ctx, notify.Message{ID: ids.next(), Group: string(account), Due: at})
	}
	return tx.Append(ctx, access.Record{ID: access.EventID(ids.next()), Account: account, Shard: account.Shard(),
		Time: at, By: user, Public: []byte("{}")})
}

// everything is what can be learned of a database by reading, and by counting and claiming without a commit.
func everything(t *rapid.T, db *memory.DB) string {
	ctx := context.Background()
	text, err := storagetest.Dump(ctx, db, someAccounts, someUsers)
	require.NoError(t, err)
	err = db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		for number := range 5 {
			count, err := tx.Hit(ctx, [32]byte{byte(number)}, noon.Add(10*time.Minute), time.Hour)
			require.NoError(t, err)
			text += fmt.Sprintln("limit", number, count)
			address, err := access.ParseAddress(fmt.Sprintf("%d@example.com", number))
			require.NoError(t, err)
			waiting, err := tx.WaitingInvites(ctx, address, noon, "", 100)
			require.NoError(t, err)
			text += fmt.Sprintln("waiting", number, waiting)
		}
		return errGivenUp
	})
	require.ErrorIs(t, err, errGivenUp)
	return text
}

// recovered returns the panic of fn as an error.
func recovered(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if cause, ok := p.(error); ok && errors.Is(cause, errGivenUp) {
				err = cause
				return
			}
			panic(p)
		}
	}()
	return fn()
}

// An idSource gives ids that rise.
type idSource struct{ last int }

func (s *idSource) next() notify.MessageID {
	s.last++
	return notify.MessageID(fmt.Sprintf("%06d", s.last))
}

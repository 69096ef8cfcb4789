package memory_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestGrantAllocatesNothing(t *testing.T) {
	db := memory.New()
	insert(t, db, "acme")
	for _, user := range []access.UserID{"olga", "stranger"} {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if g, err := db.Grant(t.Context(), "acme", user); err != nil || g.Owner != (user == "olga") {
				t.Error("wrong grant", g, err)
			}
		}))
	}
}

func TestReadersDoNotWaitForAnUpdate(t *testing.T) {
	db := memory.New()
	insert(t, db, "acme")
	err := db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		_, err := tx.Lock(ctx, "acme")
		require.NoError(t, err)
		g, err := db.Grant(t.Context(), "acme", "olga")
		require.NoError(t, err)
		require.Equal(t, uint64(1), g.Version)
		return db.View(t.Context(), func(ctx context.Context, view storage.Tx) error {
			a, err := view.Account(ctx, "acme")
			require.Equal(t, uint64(1), a.Version)
			return err
		})
	})
	require.NoError(t, err)
}

func TestWaitingUpdateHeedsItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := memory.New()
		ctx, cancel := context.WithCancel(t.Context())
		waiting := make(chan error)
		err := db.Update(t.Context(), func(context.Context, storage.Tx) error {
			go func() {
				waiting <- db.Update(ctx, func(context.Context, storage.Tx) error { return nil })
			}()
			synctest.Wait()
			cancel()
			require.ErrorIs(t, <-waiting, context.Canceled)
			return nil
		})
		require.NoError(t, err)
	})
}

func TestTransactionIsOfNoUseAfterItsEnd(t *testing.T) {
	db := memory.New()
	var kept storage.Tx
	err := db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		kept = tx
		return tx.InsertAccount(ctx, access.Account{ID: "acme", Owner: "olga", Status: access.AccountActive})
	})
	require.NoError(t, err)
	_, err = kept.Account(t.Context(), "acme")
	require.Error(t, err)
	require.Error(t, kept.Touch(t.Context(), "acme", "olga", noon, noon))
	require.Error(t, kept.PutUsers(t.Context(), access.User{ID: "olga"}))
}

// TestManyGoroutines is for the race detector. Whatever a view sees belongs together: each update of an account adds
// one version, one event, one member and one mail.
func TestManyGoroutines(t *testing.T) {
	const writers, rounds = 4, 25
	db := memory.New()
	accounts := []access.AccountID{"acme", "globex"}
	insert(t, db, accounts...)

	var group sync.WaitGroup
	for w := range writers {
		account := accounts[w%len(accounts)]
		group.Go(func() {
			for n := range rounds {
				if err := db.Update(t.Context(), addMember(account, fmt.Sprintf("%d-%d", w, n))); err != nil {
					t.Error(err)
				}
				claimed, err := db.Claim(t.Context(), noon, time.Minute, 1)
				if err != nil {
					t.Error(err)
				}
				for _, m := range claimed {
					r := notify.Result{ID: m.ID, Attempt: m.Attempt, State: notify.Sent, At: noon}
					if _, err := db.Finish(t.Context(), r); err != nil {
						t.Error(err)
					}
				}
			}
		})
		group.Go(func() {
			for range rounds {
				if err := db.View(t.Context(), belongsTogether(account)); err != nil {
					t.Error(err)
				}
				if _, err := db.Grant(t.Context(), account, "olga"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for _, account := range accounts {
		require.NoError(t, db.View(t.Context(), belongsTogether(account)))
		g, err := db.Grant(t.Context(), account, "olga")
		require.NoError(t, err)
		require.Equal(t, uint64(1+writers/len(accounts)*rounds), g.Version)
	}
}

func addMember(account access.AccountID, name string) func(context.Context, storage.Tx) error {
	return func(ctx context.Context, tx storage.Tx) error {
		if _, err := tx.Lock(ctx, account); err != nil {
			return err
		}
		m := access.Membership{Account: account, User: access.UserID(name), Status: access.Active}
		if err := tx.PutMembership(ctx, m); err != nil {
			return err
		}
		mail := notify.Message{ID: notify.MessageID(name), Kind: "added", Group: string(account), Due: noon}
		if err := tx.Enqueue(ctx, mail); err != nil {
			return err
		}
		return tx.Append(ctx, access.Record{ID: access.EventID(name), Account: account, Shard: account.Shard()})
	}
}

// belongsTogether returns an error if an account doesn't show the same number of changes everywhere.
func belongsTogether(id access.AccountID) func(context.Context, storage.Tx) error {
	return func(ctx context.Context, tx storage.Tx) error {
		a, err := tx.Account(ctx, id)
		if err != nil {
			return err
		}
		members, err := tx.Members(ctx, id, access.MemberFilter{}, "", 1000)
		if err != nil {
			return err
		}
		mails, err := tx.Messages(ctx, string(id), notify.MessageQuery{Limit: 1000})
		if err != nil {
			return err
		}
		events, err := tx.Events(ctx, id, access.EventFilter{}, access.EventKey{}, true, 1000)
		if err != nil {
			return err
		}
		feed, err := tx.Feed(ctx)
		if err != nil {
			return err
		}
		want := int(a.Version) - 1
		got := []int{int(a.Head.Count), len(members), len(mails), len(events), int(feed[id.Shard()].Number)}
		for _, n := range got {
			if n != want {
				return fmt.Errorf("%d changes and %v of what they changed", want, got)
			}
		}
		return nil
	}
}

func insert(t *testing.T, db storage.DB, ids ...access.AccountID) {
	t.Helper()
	require.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		for _, id := range ids {
			a := access.Account{ID: id, Owner: "olga", Status: access.AccountActive, Created: noon}
			if err := tx.InsertAccount(ctx, a); err != nil {
				return err
			}
		}
		return nil
	}))
}

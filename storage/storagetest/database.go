package storagetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// A database is the backend under test, with the commands that most cases begin with. They end the test on an error,
// so they belong in the goroutine of the test.
type database struct {
	storage.DB
	t   *testing.T
	ctx context.Context
}

// in is the database for a test within the test.
func (d database) in(t *testing.T) database {
	d.t = t
	return d
}

type work = func(context.Context, storage.Tx)

// update commits what fn does. fn may run again.
func (d database) update(fn work) {
	d.t.Helper()
	require.NoError(d.t, d.Update(d.ctx, withoutError(fn)))
}

// view reads on one snapshot.
func (d database) view(fn work) {
	d.t.Helper()
	require.NoError(d.t, d.View(d.ctx, withoutError(fn)))
}

// locked commits what fn does with an account locked.
func (d database) locked(id access.AccountID, fn work) {
	d.t.Helper()
	d.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, id)
		require.NoError(d.t, err)
		fn(ctx, tx)
	})
}

// insert stores accounts as newAccount makes them.
func (d database) insert(ids ...access.AccountID) {
	d.t.Helper()
	d.update(func(ctx context.Context, tx storage.Tx) {
		for _, id := range ids {
			require.NoError(d.t, tx.InsertAccount(ctx, newAccount(id)))
		}
	})
}

// account reads an account.
func (d database) account(id access.AccountID) access.Account {
	d.t.Helper()
	var a access.Account
	d.view(func(ctx context.Context, tx storage.Tx) {
		var err error
		a, err = tx.Account(ctx, id)
		require.NoError(d.t, err)
	})
	return a
}

// dump is everything there is about the accounts and users of the fixtures.
func (d database) dump() string {
	d.t.Helper()
	accounts := []access.AccountID{acme, globex, initech}
	text, err := Dump(d.ctx, d.DB, accounts, []access.UserID{olga, ann, bob, eve, carl, dora, fred})
	require.NoError(d.t, err)
	return text
}

func withoutError(fn work) func(context.Context, storage.Tx) error {
	return func(ctx context.Context, tx storage.Tx) error {
		fn(ctx, tx)
		return nil
	}
}

// together runs fn n times at once and returns the errors, with nil where there was none.
func together(n int, fn func(i int) error) []error {
	failures := make([]error, n)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			failures[i] = fn(i)
		})
	}
	close(start)
	group.Wait()
	return failures
}

// returns ends the test if fn doesn't return. A backend that waits for itself would hold up the whole run otherwise.
func returns(t *testing.T, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	select {
	case <-done:
	case <-time.After(patience / 3):
		t.Fatal("waits for ever")
	}
}

// chance waits until done is closed, for a moment: a backend may let others work beside an open unit, or make them
// wait until its end. Either keeps the contract.
func chance(done <-chan struct{}) {
	select {
	case <-done:
	case <-time.After(50 * time.Millisecond):
	}
}

// equal compares by content: times by their instant, addresses by both spellings, absent lists as empty ones.
func equal[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got, sameAddress, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("differs (-want +got):\n%s", diff)
	}
}

var sameAddress = cmp.Comparer(func(a, b access.Address) bool {
	return a.Original() == b.Original() && a.Canonical() == b.Canonical()
})

// errInjected is an error that no backend knows.
var errInjected = errors.New("storagetest: injected")

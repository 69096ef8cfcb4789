package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

func cancellationCases() []testCase {
	return []testCase{
		{"before", "a unit isn't begun with a context that is over", cancelledBefore},
		{"inside", "a unit whose context ends before its commit commits nothing", cancelledInside},
		{"while waiting", "a context that ends while a unit waits for another ends the wait", cancelledWaiting},
	}
}

func cancelledBefore(t *testing.T, db database) {
	prepare(db)
	prepareRegistry(db)
	before, registry := db.dump(), db.registry()
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
	_, err = db.Finish(ctx, notify.Result{ID: notify.MessageID(uuid(1)), State: notify.Sent, At: noon()})
	require.Error(t, err)
	_, err = db.Backlog(ctx)
	require.Error(t, err)
	_, err = db.DeadLetters(ctx, "", 1)
	require.Error(t, err)
	_, err = db.Retry(ctx, noon(), notify.MessageID(uuid(1)))
	require.Error(t, err)
	_, err = db.Drop(ctx, noon(), notify.MessageID(uuid(1)))
	require.Error(t, err)
	for _, call := range registryCalls() {
		require.ErrorIs(t, call.do(ctx, db.DB), context.Canceled, call.name)
	}
	require.Equal(t, before, db.dump())
	require.Equal(t, registry, db.registry())
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

package storagetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

func readCases() []testCase {
	return []testCase{
		{"committed", "a read sees what was committed before it began, and nothing else", readsCommitted},
		{"error", "an error of fn is passed on", passesErrorOn},
		{"context", "a read whose context has ended returns the context's error", readsNothingWhenOver},
		{"writing in a read", "a read can't write", readCannotWrite},
		{"like a view", "every read answers as in a view", readsLikeAView},
	}
}

func readsCommitted(t *testing.T, db database) {
	db.insert(acme)
	db.locked(acme, func(ctx context.Context, tx storage.Tx) {
		require.NoError(t, tx.PutMembership(ctx, newMembership(acme, ann, 1)))
		returns(t, func() {
			err := db.Read(db.ctx, func(ctx context.Context, tx storage.Tx) error {
				_, err := tx.Membership(ctx, acme, ann)
				return err
			})
			require.ErrorIs(t, err, access.ErrNotFound, "it isn't committed yet")
		})
	})
	require.NoError(t, db.Read(db.ctx, func(ctx context.Context, tx storage.Tx) error {
		m, err := tx.Membership(ctx, acme, ann)
		require.EqualValues(t, 1, m.Permissions)
		return err
	}))
}

func passesErrorOn(t *testing.T, db database) {
	require.ErrorIs(t, db.Read(db.ctx, func(context.Context, storage.Tx) error { return errInjected }), errInjected)
}

func readsNothingWhenOver(t *testing.T, db database) {
	db.insert(acme)
	ctx, cancel := context.WithCancel(db.ctx)
	require.ErrorIs(t, db.Read(ctx, func(ctx context.Context, tx storage.Tx) error {
		cancel()
		_, err := tx.Account(ctx, acme)
		return err
	}), context.Canceled)
}

func readCannotWrite(t *testing.T, db database) { cannotWrite(t, db, db.Read) }

// readsLikeAView dumps what everything leaves, once in a view and once in a read.
func readsLikeAView(t *testing.T, db database) {
	prepare(db)
	db.update(func(ctx context.Context, tx storage.Tx) { require.NoError(t, writeEverything(ctx, tx, t)) })
	want := db.dump()
	db.DB = viewsByReading{db.DB}
	require.Equal(t, want, db.dump())
}

// viewsByReading answers views by reads.
type viewsByReading struct{ storage.DB }

func (v viewsByReading) View(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return v.Read(ctx, fn)
}

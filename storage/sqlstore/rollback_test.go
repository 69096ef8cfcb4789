package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/rosterkit/roster/storage/storagetest"
)

var errGivenUp = errors.New("given up")

// TestRollback commits random writes, makes more of them in an update that fails in one of the possible ways, and
// finds everything as it was: what can be listed, what can be claimed, and what was counted.
func TestRollback(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		rollsBack(t, func(require.TestingT) storage.DB { return memory.New() })
	})
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		database := engine.database(t)
		empty, db := engine.emptied(t, database), engine.open(t, database.Open(t))
		rollsBack(t, func(t require.TestingT) storage.DB {
			empty(t)
			return db
		})
	})
}

// rollsBack is TestRollback on the databases that open returns, which are empty.
func rollsBack(t *testing.T, open func(require.TestingT) storage.DB) {
	t.Log(setChecks(t, rollbackChecks))
	rapid.Check(t, func(t *rapid.T) {
		db := open(t)
		ctx := context.Background()
		ids := &idSource{}
		for range 3 {
			require.NoError(t, db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
				return someWrites(ctx, t, tx, ids)
			}))
		}
		before := remembered(t, db)

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
					twice := notify.Message{ID: notify.MessageID(ids.next()), Kind: "twice"}
					_ = tx.Enqueue(ctx, twice, twice) // a failed write that is swallowed
				}
				return nil
			})
		}))
		require.Equal(t, before, remembered(t, db))
	})
}

// someWrites makes random writes in accounts that are there from the first time on.
func someWrites(ctx context.Context, t *rapid.T, tx storage.Tx, ids *idSource) error {
	if err := lockAll(ctx, tx); err != nil {
		return err
	}
	for range rapid.IntRange(1, 10).Draw(t, "writes") {
		if err := drawWrite(t, ids)(ctx, tx); err != nil && !refused(err) {
			return err
		}
	}
	return nil
}

// remembered is what can be learned of a database by reading, and by counting and claiming without a commit.
func remembered(t *rapid.T, db storage.DB) string {
	ctx := context.Background()
	text, err := storagetest.Dump(ctx, db, someAccounts, someUsers)
	require.NoError(t, err)
	err = db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		for number := range 5 {
			count, err := tx.Hit(ctx, [32]byte{byte(number)}, noon.Add(10*time.Minute), time.Hour)
			require.NoError(t, err)
			text += fmt.Sprintln("limit", number, count)
			waiting, err := tx.WaitingInvites(ctx, someAddress(t, number), noon, "", 100)
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

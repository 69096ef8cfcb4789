package deliveries_test

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// An outbox is what causes mails, and takes them back.
type outbox struct {
	t      *testing.T
	handle *sql.DB
	db     *sqlstore.DB
	random *rand.Rand
	mails  []mail
}

func newOutbox(t *testing.T, database servertest.Database, random *rand.Rand) *outbox {
	t.Helper()
	handle := database.Open(t)
	db := sqlstore.New(handle, processtest.Dialect(database.Engine), sqlstore.Config{})
	t.Cleanup(func() { _ = db.Close() })
	require.NoError(t, db.Migrate(t.Context()))
	_, err := handle.ExecContext(t.Context(), createCancelled)
	require.NoError(t, err)
	return &outbox{t: t, handle: handle, db: db, random: random}
}

var errUndone = errors.New("the transaction is undone")

// enqueue causes so many mails in transactions of several, a fifth of which are rolled back. Others are taken back before
// they are due, or at any time.
func (o *outbox) enqueue(mails int) {
	o.t.Helper()
	var toRace []int // places of mails that will be taken back at any time
	for len(o.mails) < mails {
		first := len(o.mails)
		rolledBack := o.random.IntN(5) == 0
		for range 1 + o.random.IntN(min(20, mails-len(o.mails))) {
			o.mails = append(o.mails, newMail(len(o.mails), o.fate(rolledBack)))
		}
		o.commit(o.mails[first:], rolledBack)
		for place := first; place < len(o.mails); place++ {
			if o.mails[place].fate == raced {
				toRace = append(toRace, place)
			}
		}
		for len(toRace) > 0 && o.random.IntN(3) == 0 {
			o.cancel(o.mails[toRace[0]])
			toRace = toRace[1:]
		}
	}
	for _, place := range toRace {
		o.cancel(o.mails[place])
	}
}

func (o *outbox) fate(rolledBack bool) fate {
	if rolledBack {
		return undone
	}
	switch o.random.IntN(20) {
	case 0:
		return gone
	case 1:
		return spam
	case 2, 3:
		return cancelled
	case 4, 5:
		return raced
	}
	return due
}

// commit enqueues mails in one transaction, and cancels those that are to be cancelled before they are due.
func (o *outbox) commit(mails []mail, rolledBack bool) {
	o.t.Helper()
	now := time.Now().UTC()
	later := now.Add(3 * time.Second)
	var messages []notify.Message
	for n, m := range mails {
		message := notify.Message{ID: m.id, Kind: kind, Group: group(n), Ref: m.ref, Created: now, Due: now}
		if m.fate == cancelled {
			message.Due = later
		}
		messages = append(messages, message)
	}
	err := o.db.Update(o.t.Context(), func(ctx context.Context, tx storage.Tx) error {
		if err := tx.Enqueue(ctx, messages...); err != nil {
			return err
		}
		if rolledBack {
			return errUndone
		}
		return nil
	})
	if rolledBack {
		require.ErrorIs(o.t, err, errUndone)
		return
	}
	require.NoError(o.t, err)
	for n := range mails {
		if mails[n].fate != cancelled {
			continue
		}
		o.cancel(mails[n])
		if !time.Now().Before(later) { // the machine was too busy
			mails[n].fate = raced
		}
	}
}

func (o *outbox) cancel(m mail) {
	o.t.Helper()
	_, err := o.handle.ExecContext(o.t.Context(), "INSERT INTO cancelled VALUES ('"+m.ref+"')")
	require.NoError(o.t, err)
}

// queued returns how many mails wait for a worker.
func (o *outbox) queued() int {
	o.t.Helper()
	n := 0
	for _, state := range o.states() {
		if state == notify.Queued {
			n++
		}
	}
	return n
}

// states returns what has become of each mail that was committed.
func (o *outbox) states() map[notify.MessageID]notify.State {
	o.t.Helper()
	states := make(map[notify.MessageID]notify.State)
	require.NoError(o.t, o.db.View(o.t.Context(), func(ctx context.Context, tx storage.Tx) error {
		for n := range groups {
			query := notify.MessageQuery{Limit: 1000}
			for {
				page, err := tx.Messages(ctx, group(n), query)
				if err != nil {
					return err
				}
				for _, m := range page {
					states[m.ID] = m.State
				}
				if len(page) < query.Limit {
					break
				}
				query.Before = page[len(page)-1].ID
			}
		}
		return nil
	}))
	return states
}

package crashes_test

import (
	"context"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// A notedDB notes what the units of work of one goroutine would leave.
type notedDB struct {
	storage.DB
	last Effects
	// beforeCommit, unless it is nil, is called at the end of each unit.
	beforeCommit func(Effects) error
}

func (d *notedDB) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return d.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		d.last = Effects{} // it may run again
		if err := fn(ctx, notedTx{tx, &d.last}); err != nil || d.beforeCommit == nil {
			return err
		}
		return d.beforeCommit(d.last)
	})
}

type notedTx struct {
	storage.Tx
	effects *Effects
}

func (t notedTx) Append(ctx context.Context, r access.Record) error {
	t.effects.Events = append(t.effects.Events, r.ID)
	return t.Tx.Append(ctx, r)
}

func (t notedTx) Enqueue(ctx context.Context, messages ...notify.Message) error {
	for _, m := range messages {
		t.effects.Messages = append(t.effects.Messages, m.ID)
	}
	return t.Tx.Enqueue(ctx, messages...)
}

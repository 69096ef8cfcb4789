package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/rosterkit/roster/notify"
)

const (
	messageColumns = `id, kind, group_id, ref, generation, recipient_id, created_at, state, due_at, attempt, leased_until,
		done_at, reason, address, subject`

	insertMessage = `INSERT INTO roster_messages (` + messageColumns + `)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	selectMessages = `SELECT ` + messageColumns + ` FROM roster_messages WHERE group_id = ?` + pageMark + ` AND id < ?
		ORDER BY group_id DESC, id DESC LIMIT ?`

	// selectDeliveries reads the older ones too, which are few, in the order of an index: the last of each ref counts.
	selectDeliveries = `SELECT ` + messageColumns + ` FROM roster_messages
		WHERE group_id = ? AND kind = ? AND ref IN (?...) ORDER BY ref, generation, id`

	selectDue = `SELECT ` + messageColumns + ` FROM roster_messages
		WHERE state = 1 AND due_at <= ? AND leased_until <= ?
		ORDER BY due_at, id LIMIT ?`

	// leaseMessage leases a message as it was found. Of two workers that found it, one does.
	leaseMessage = `UPDATE roster_messages SET attempt = attempt + 1, leased_until = ?
		WHERE id = ? AND attempt = ? AND state = 1 AND leased_until <= ?`

	finishMessage = `UPDATE roster_messages SET state = ?, done_at = ?, reason = ?, address = ?, subject = ?, leased_until = ?
		WHERE id = ? AND attempt = ? AND state = 1`

	retryMessage = `UPDATE roster_messages SET due_at = ?, reason = ?, leased_until = ?
		WHERE id = ? AND attempt = ? AND state = 1`
)

func readMessage(r row) (notify.Message, error) {
	var m notify.Message
	err := r.Scan(&m.ID, &m.Kind, &m.Group, &m.Ref, wholly(&m.Generation), &m.To, (*moment)(&m.Created), wholly(&m.State),
		(*moment)(&m.Due), wholly(&m.Attempt), (*moment)(&m.Leased), (*moment)(&m.Done), &m.Reason, &m.Address, &m.Subject)
	return m, err
}

func (t *tx) Enqueue(ctx context.Context, messages ...notify.Message) error {
	if err := t.writable(ctx); err != nil {
		return err
	}
	var rows [][]any
	for _, m := range messages {
		if err := m.Check(); err != nil {
			return t.Fail(err)
		}
		rows = append(rows, []any{m.ID, m.Kind, m.Group, m.Ref, m.Generation, m.To, micros(m.Created), notify.Queued,
			micros(m.Due), m.Attempt, micros(m.Leased), micros(m.Done), m.Reason, m.Address, m.Subject})
	}
	return t.insertRows(ctx, "enqueue messages", insertMessage, rows)
}

func (t *tx) Messages(ctx context.Context, group string, q notify.MessageQuery) ([]notify.Message, error) {
	return pageOf(ctx, t, q.Limit, readMessage, "list messages", selectMessages, group, below(q.Before))
}

func (t *tx) Deliveries(ctx context.Context, group string, kind notify.Kind, refs []string) (map[string]notify.Message, error) {
	deliveries := make(map[string]notify.Message)
	for some := range slices.Chunk(refs, maxList) {
		statement, args := in(selectDeliveries, some)
		messages, err := list(ctx, t, readMessage, "read deliveries", statement, append([]any{group, kind}, args...)...)
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			deliveries[m.Ref] = m
		}
	}
	return deliveries, nil
}

// Claim leases messages that are due, as notify.Queue says.
func (db *DB) Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]notify.Message, error) {
	var claimed []notify.Message
	err := db.update(ctx, func(ctx context.Context, t *tx) error {
		due, err := pageOf(ctx, t, n, readMessage, "find due messages", selectDue+t.db.engine.skipLocked, micros(now), micros(now))
		if err != nil {
			return err
		}
		claimed = nil
		until := micros(now.Add(lease))
		for _, m := range due {
			leased, err := t.exec(ctx, "lease a message", leaseMessage, until, m.ID, m.Attempt, micros(now))
			if err != nil {
				return err
			}
			if leased == 0 { // another worker was faster
				continue
			}
			m.Attempt, m.Leased = m.Attempt+1, instant(until)
			claimed = append(claimed, m)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// Finish records what became of a message, as notify.Queue says.
func (db *DB) Finish(ctx context.Context, id notify.MessageID, attempt int, r notify.Result) error {
	return db.update(ctx, func(ctx context.Context, t *tx) error {
		free := micros(time.Time{})
		statement, args := finishMessage, []any{r.State, micros(r.At), r.Reason, r.Address, r.Subject, free, id, attempt}
		if r.State == notify.Queued {
			statement, args = retryMessage, []any{micros(r.Due), r.Reason, free, id, attempt}
		}
		finished, err := t.exec(ctx, "finish a message", statement, args...)
		if err == nil && finished == 0 {
			err = notify.ErrFenced
		}
		return err
	})
}

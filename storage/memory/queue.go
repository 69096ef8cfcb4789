package memory

import (
	"context"
	"time"

	"github.com/rosterkit/roster/notify"
)

// Claim leases messages to a worker. See notify.Queue.
func (db *DB) Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]notify.Message, error) {
	var claimed []notify.Message
	err := db.update(ctx, func(tx *tx) error {
		now := stored(now)
		tx.wake(now)
		for _, m := range tx.due(now, n) {
			m.Attempt++
			m.Leased = stored(now.Add(lease))
			tx.putMessage(m)
			claimed = append(claimed, m.listed())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// wake has messages that waited join the line.
func (s *state) wake(now time.Time) {
	var woken []message
	for p := range s.outbox.waiting.above("") {
		m, _ := s.messages.get(p.message())
		if len(woken) == notify.MaxWoken || m.Due.After(now) {
			break
		}
		woken = append(woken, m)
	}
	turns, first := make(map[string]uint64), firstTurn(s.outbox.line)
	for _, m := range woken {
		turns[m.Group]++
		m.turn = first + turns[m.Group]
		s.putMessage(m)
	}
}

// due returns the first n messages in the line that can be claimed.
func (s *state) due(now time.Time, n int) []message {
	var due []message
	for p := range s.outbox.line.above("") {
		if len(due) >= n {
			break
		}
		if m, _ := s.messages.get(p.message()); !m.Due.After(now) && !m.Leased.After(now) {
			due = append(due, m)
		}
	}
	return due
}

// Finish records what became of claimed messages. See notify.Queue.
func (db *DB) Finish(ctx context.Context, results ...notify.Result) (fenced []notify.MessageID, err error) {
	err = db.update(ctx, func(tx *tx) error {
		for _, r := range results {
			m, ok := tx.messages.get(r.ID)
			if !ok || m.State != notify.Queued || m.Attempt != r.Attempt {
				fenced = append(fenced, r.ID)
				continue
			}
			tx.putMessage(m.finished(r))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return fenced, nil
}

// finished returns the message after an attempt.
func (m message) finished(r notify.Result) message {
	m.Leased = time.Time{}
	switch {
	case r.State == notify.Sent:
		m.State, m.Reason, m.turn, m.Done = notify.Sent, "", 0, stored(r.At)
		m.Address, m.Subject, m.Said = r.Address, r.Subject, r.Said
	case r.State != notify.Queued:
		m.State, m.Reason, m.turn, m.Done = r.State, r.Reason, 0, stored(r.At)
	case r.Uncounted:
		m.Uncounted++
	default:
		m.Reason, m.Due, m.turn = r.Reason, stored(r.Due), 0
	}
	return m
}

// Backlog says how much there is to do. See notify.Queue.
func (db *DB) Backlog(ctx context.Context) (notify.Backlog, error) {
	if err := db.begin(ctx); err != nil {
		return notify.Backlog{}, err
	}
	s := db.committed.Load()
	var b notify.Backlog
	for id := range s.outbox.queued.above("") {
		if b.Queued == 0 {
			m, _ := s.messages.get(id)
			b.Oldest = m.Created
		}
		b.Queued++
	}
	for range s.outbox.dead.above("") {
		b.Dead++
	}
	return b, nil
}

// DeadLetters lists messages that were given up. See notify.Queue.
func (db *DB) DeadLetters(ctx context.Context, before notify.MessageID, limit int) ([]notify.Message, error) {
	if err := db.begin(ctx); err != nil {
		return nil, err
	}
	s := db.committed.Load()
	var page []notify.Message
	for id := range s.outbox.dead.below(before) {
		if len(page) >= limit {
			break
		}
		m, _ := s.messages.get(id)
		page = append(page, m.listed())
	}
	return page, nil
}

// Retry puts dead letters back. See notify.Queue.
func (db *DB) Retry(ctx context.Context, now time.Time, ids ...notify.MessageID) (int, error) {
	return db.changeDead(ctx, ids, func(m *message) {
		m.State, m.Done, m.Uncounted = notify.Queued, time.Time{}, m.Attempt
		m.Due, m.Retried = stored(now), stored(now)
	})
}

// Drop puts dead letters aside. See notify.Queue.
func (db *DB) Drop(ctx context.Context, now time.Time, ids ...notify.MessageID) (int, error) {
	return db.changeDead(ctx, ids, func(m *message) { m.State, m.Done = notify.Dropped, stored(now) })
}

// changeDead changes those of the messages that are dead, and returns how many they were.
func (db *DB) changeDead(ctx context.Context, ids []notify.MessageID, change func(*message)) (n int, err error) {
	err = db.update(ctx, func(tx *tx) error {
		for _, id := range ids {
			m, ok := tx.messages.get(id)
			if !ok || m.State != notify.Dead {
				continue
			}
			change(&m)
			tx.putMessage(m)
			n++
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

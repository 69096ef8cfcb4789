package memory

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rosterkit/roster/notify"
)

var errMessageExists = errors.New("memory: a message with this id exists already")

func (tx *tx) Enqueue(ctx context.Context, messages ...notify.Message) error {
	if err := tx.write(ctx); err != nil {
		return err
	}
	for _, m := range messages {
		if err := m.Check(); err != nil {
			return tx.Fail(err)
		}
		if _, ok := tx.messages.get(m.ID); ok {
			return tx.Fail(errMessageExists)
		}
		m.State = notify.Queued
		m.Created, m.Due, m.Leased, m.Done = stored(m.Created), stored(m.Due), stored(m.Leased), stored(m.Done)
		tx.putMessage(m)
		tx.groups = add(tx.groups, m.Group, m.ID)
	}
	return nil
}

// putMessage stores a message, new or not, and whether it is queued.
func (s *state) putMessage(m notify.Message) {
	s.messages = s.messages.put(m.ID, m)
	if m.State == notify.Queued {
		s.queued = s.queued.put(m.ID, struct{}{})
	} else {
		s.queued = s.queued.remove(m.ID)
	}
}

func (tx *tx) Messages(ctx context.Context, group string, q notify.MessageQuery) ([]notify.Message, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	var page []notify.Message
	ids, _ := tx.groups.get(group)
	for id := range ids.below(q.Before) {
		if len(page) >= q.Limit {
			break
		}
		m, _ := tx.messages.get(id)
		page = append(page, m)
	}
	return page, nil
}

func (tx *tx) Deliveries(ctx context.Context, group string, kind notify.Kind, refs []string) (map[string]notify.Message, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	wanted := make(map[string]bool, len(refs))
	for _, ref := range refs {
		wanted[ref] = true
	}
	latest := make(map[string]notify.Message)
	ids, _ := tx.groups.get(group)
	for id := range ids.above("") {
		m, _ := tx.messages.get(id)
		if m.Kind == kind && wanted[m.Ref] && m.Generation >= latest[m.Ref].Generation {
			latest[m.Ref] = m
		}
	}
	return latest, nil
}

// Claim leases messages to a worker. See notify.Queue.
func (db *DB) Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]notify.Message, error) {
	var claimed []notify.Message
	err := db.update(ctx, func(tx *tx) error {
		claimed = tx.due(stored(now))
		claimed = claimed[:min(len(claimed), max(n, 0))]
		for i := range claimed {
			claimed[i].Attempt++
			claimed[i].Leased = stored(now.Add(lease))
			tx.putMessage(claimed[i])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// due returns the messages that can be claimed at a time, the longest due first.
func (s *state) due(now time.Time) []notify.Message {
	var due []notify.Message
	for id := range s.queued.above("") {
		if m, _ := s.messages.get(id); !m.Due.After(now) && !m.Leased.After(now) {
			due = append(due, m)
		}
	}
	slices.SortFunc(due, func(a, b notify.Message) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID))
	})
	return due
}

// Finish records what became of a claimed message. See notify.Queue.
func (db *DB) Finish(ctx context.Context, id notify.MessageID, attempt int, r notify.Result) error {
	return db.update(ctx, func(tx *tx) error {
		m, ok := tx.messages.get(id)
		if !ok || m.State != notify.Queued || m.Attempt != attempt {
			return notify.ErrFenced
		}
		m.State, m.Reason, m.Leased = r.State, r.Reason, time.Time{}
		if r.State == notify.Queued {
			m.Due = stored(r.Due)
		} else {
			m.Done, m.Address, m.Subject = stored(r.At), r.Address, r.Subject
		}
		tx.putMessage(m)
		return nil
	})
}

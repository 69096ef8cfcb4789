package memory

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/rosterkit/roster/notify"
)

// A message is what is stored of one, with its place in the outbox.
type message struct {
	notify.Message
	turn uint64 // in the line; 0 for one that isn't due yet or is done
}

// An outbox is where messages stand that aren't done.
type outbox struct {
	line    *set[place]                // by turn
	lines   *tree[string, *set[place]] // of each group
	waiting *set[place]                // by when they are due
	queued  *set[notify.MessageID]     // all of these
	dead    *set[notify.MessageID]
}

// A place sorts messages by their turns, then by when they are due, and then by their ids, which it ends with.
type place string

// placeHead is how many bytes of a place are before its id.
const placeHead = 16

func (m message) place() place {
	const sign = 1 << 63 // makes negative times sort before positive ones
	head := binary.BigEndian.AppendUint64(nil, m.turn)
	return place(binary.BigEndian.AppendUint64(head, uint64(m.Due.UnixMicro())^sign)) + place(m.ID)
}

func (p place) turn() uint64              { return binary.BigEndian.Uint64([]byte(p)) }
func (p place) message() notify.MessageID { return notify.MessageID(p[placeHead:]) }

// lastTurn is the turn of the last place of a set, 0 if it has none.
func lastTurn(line *set[place]) uint64 {
	for p := range line.below("") {
		return p.turn()
	}
	return 0
}

// firstTurn is the turn of the first place of a set, 0 if it has none.
func firstTurn(line *set[place]) uint64 {
	for p := range line.above("") {
		return p.turn()
	}
	return 0
}

var errMessageExists = errors.New("memory: a message with this id exists already")

func (tx *tx) Enqueue(ctx context.Context, messages ...notify.Message) error {
	if err := tx.write(ctx); err != nil {
		return err
	}
	turns, first := make(map[string]uint64), firstTurn(tx.outbox.line)
	for _, m := range messages {
		if _, known := turns[m.Group]; !known {
			line, _ := tx.outbox.lines.get(m.Group)
			turns[m.Group] = max(first, lastTurn(line))
		}
	}
	for _, m := range messages {
		if err := m.Check(); err != nil {
			return tx.Fail(err)
		}
		if _, ok := tx.messages.get(m.ID); ok {
			return tx.Fail(errMessageExists)
		}
		m.State, m.Said = notify.Queued, ""
		m.Created, m.Due, m.Leased = stored(m.Created), stored(m.Due), stored(m.Leased)
		m.Done, m.Retried = stored(m.Done), stored(m.Retried)
		enqueued := message{Message: m}
		if !m.Due.After(m.Created) {
			turns[m.Group]++
			enqueued.turn = turns[m.Group]
		}
		tx.putMessage(enqueued)
		tx.groups = add(tx.groups, m.Group, m.ID)
	}
	return nil
}

// putMessage stores a message, new or not, and where it stands.
func (s *state) putMessage(m message) {
	o := &s.outbox
	if old, found := s.messages.get(m.ID); found && old.State == notify.Queued {
		p := old.place()
		if old.turn == 0 {
			o.waiting = o.waiting.remove(p)
		} else {
			o.line, o.lines = o.line.remove(p), drop(o.lines, old.Group, p)
		}
	}
	s.messages = s.messages.put(m.ID, m)
	o.queued, o.dead = o.queued.remove(m.ID), o.dead.remove(m.ID)
	switch m.State {
	case notify.Queued:
		o.queued = o.queued.put(m.ID, struct{}{})
		if p := m.place(); m.turn == 0 {
			o.waiting = o.waiting.put(p, struct{}{})
		} else {
			o.line, o.lines = o.line.put(p, struct{}{}), add(o.lines, m.Group, p)
		}
	case notify.Dead:
		o.dead = o.dead.put(m.ID, struct{}{})
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
		if m, _ := tx.messages.get(id); asked(m.Message, q) {
			page = append(page, m.listed())
		}
	}
	return page, nil
}

// asked reports whether a message is one of those that a query asks for.
func asked(m notify.Message, q notify.MessageQuery) bool {
	return (len(q.States) == 0 || slices.Contains(q.States, m.State)) && (len(q.Kinds) == 0 || slices.Contains(q.Kinds, m.Kind)) &&
		!m.Created.Before(stored(q.Since)) && (q.Until.IsZero() || m.Created.Before(stored(q.Until)))
}

// listed returns the message as lists have it.
func (m message) listed() notify.Message {
	m.Said = ""
	return m.Message
}

func (tx *tx) Message(ctx context.Context, group string, id notify.MessageID) (notify.Message, error) {
	if err := tx.read(ctx); err != nil {
		return notify.Message{}, err
	}
	m, found := tx.messages.get(id)
	if !found || m.Group != group {
		return notify.Message{}, nil
	}
	return m.Message, nil
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
			latest[m.Ref] = m.listed()
		}
	}
	return latest, nil
}

package sqlstore

import (
	"context"
	"slices"

	"github.com/rosterkit/roster/notify"
)

const (
	messageColumns = `id, kind, group_id, ref, generation, recipient_id, created_at, state, due_at, attempt, leased_until,
		done_at, reason, address, subject, uncounted, retried_at`

	insertMessage = `INSERT INTO roster_messages (` + messageColumns + `, turn)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	// insertInLine is insertMessage for messages of a group that stand in the line at once, behind a turn that it reads itself:
	// it has the group once more before the place. It is for engines that read that once for all rows.
	insertInLine = `INSERT INTO roster_messages (` + messageColumns + `, turn)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, GREATEST(COALESCE((` + selectFirstTurn + `), 0), ` + lastTurn + `) + ?)`

	// selectFirstTurn reads where the line begins, lastTurn where a group's part of it ends, and selectTurns both. What they
	// say may have passed when it is used, which does no harm: they lock nothing.
	selectFirstTurn = `SELECT turn FROM roster_messages WHERE state = 1 AND turn > 0 ORDER BY turn LIMIT 1`

	selectTurns = `SELECT COALESCE((` + selectFirstTurn + `), 0), ` + lastTurn + looseMark

	lastTurn = `COALESCE((SELECT turn FROM roster_messages WHERE group_id = ?` + sameMark + ` AND state = 1 AND turn > 0 ORDER BY turn DESC LIMIT 1), 0)`

	selectMessage = `SELECT ` + messageColumns + `, said FROM roster_messages WHERE group_id = ? AND id = ?`

	selectMessages = `SELECT ` + messageColumns + ` FROM roster_messages WHERE group_id = ?` + pageMark + ` AND id < ?` + andMark + `
		ORDER BY group_id DESC, id DESC LIMIT ?`

	messagesInStates = ` AND state IN (?, ?, ?, ?, ?)`
	messagesOfKinds  = ` AND kind IN (?...)`
	messagesSince    = ` AND created_at >= ?`
	messagesUntil    = ` AND created_at < ?`

	// selectDeliveries reads the older ones too, which are few, in the order of an index: the last of each ref counts.
	selectDeliveries = `SELECT ` + messageColumns + ` FROM roster_messages
		WHERE group_id = ? AND kind = ? AND ref IN (?...) ORDER BY ref, generation, id`
)

func readMessage(r row) (notify.Message, error) {
	var m notify.Message
	err := r.Scan(messageTargets(&m)...)
	return m, err
}

// messageTargets are what messageColumns are read into.
func messageTargets(m *notify.Message) []any {
	return []any{&m.ID, &m.Kind, &m.Group, &m.Ref, wholly(&m.Generation), &m.To, (*moment)(&m.Created), wholly(&m.State),
		(*moment)(&m.Due), wholly(&m.Attempt), (*moment)(&m.Leased), (*moment)(&m.Done), &m.Reason, &m.Address, &m.Subject,
		wholly(&m.Uncounted), (*moment)(&m.Retried)}
}

func (t *tx) Enqueue(ctx context.Context, messages ...notify.Message) error {
	if err := t.writable(ctx); err != nil {
		return err
	}
	for _, m := range messages {
		if err := m.Check(); err != nil {
			return t.Fail(err)
		}
	}
	rows := make([][]any, len(messages))
	for i, m := range messages {
		rows[i] = []any{m.ID, m.Kind, m.Group, m.Ref, m.Generation, m.To, micros(m.Created), notify.Queued,
			micros(m.Due), m.Attempt, micros(m.Leased), micros(m.Done), m.Reason, m.Address, m.Subject, m.Uncounted,
			micros(m.Retried)}
	}
	if t.db.engine.arrays && lineUpTogether(messages) {
		for i, m := range messages {
			rows[i] = append(rows[i], m.Group, i+1)
		}
		return t.insertMany(ctx, "enqueue messages", insertInLine, rows)
	}
	turns, err := t.turns(ctx, messages)
	if err != nil {
		return err
	}
	for i, turn := range turns {
		rows[i] = append(rows[i], turn)
	}
	return t.insertMany(ctx, "enqueue messages", insertMessage, rows)
}

// lineUpTogether reports whether messages are of one group, stand in the line at once, and fit into one statement.
func lineUpTogether(messages []notify.Message) bool {
	return len(messages) <= maxRows && !slices.ContainsFunc(messages, func(m notify.Message) bool {
		return m.Group != messages[0].Group || later(m)
	})
}

// later reports whether a message isn't due when it is created.
func later(m notify.Message) bool { return micros(m.Due) > micros(m.Created) }

// turns returns the places in the line of new messages, 0 for those that aren't due yet.
func (t *tx) turns(ctx context.Context, messages []notify.Message) ([]int, error) {
	turns, last := make([]int, len(messages)), make(map[string]int)
	for i, m := range messages {
		if later(m) {
			continue
		}
		if _, known := last[m.Group]; !known {
			turn, _, err := one(ctx, t, readTurns, "read the turns of the outbox", selectTurns, m.Group)
			if err != nil {
				return nil, err
			}
			last[m.Group] = turn
		}
		last[m.Group]++
		turns[i] = last[m.Group]
	}
	return turns, nil
}

// readTurns reads the turn behind which the messages of a group stand in the line.
func readTurns(r row) (int, error) {
	var first, last int
	err := r.Scan(&first, &last)
	return max(first, last), err
}

func (t *tx) Message(ctx context.Context, group string, id notify.MessageID) (notify.Message, error) {
	m, _, err := one(ctx, t, func(r row) (m notify.Message, err error) {
		err = r.Scan(append(messageTargets(&m), &m.Said)...)
		return m, err
	}, "read a message", selectMessage, group, id)
	return m, err
}

func (t *tx) Messages(ctx context.Context, group string, q notify.MessageQuery) ([]notify.Message, error) {
	ofKinds, kinds := in(messagesOfKinds, q.Kinds)
	statement, args := narrowed(selectMessages, []any{group, below(q.Before)},
		condition{len(q.States) > 0, messagesInStates, fiveStates(q.States)},
		condition{len(q.Kinds) > 0, ofKinds, kinds},
		condition{!q.Since.IsZero(), messagesSince, []any{micros(q.Since)}},
		condition{!q.Until.IsZero(), messagesUntil, []any{micros(q.Until)}})
	return pageOf(ctx, t, q.Limit, readMessage, "list messages", statement, args...)
}

// fiveStates returns states, of which there are five, repeating one for those that aren't asked for.
func fiveStates(states []notify.State) []any {
	var five []any
	for i := range 5 {
		if len(states) > 0 {
			five = append(five, states[min(i, len(states)-1)])
		}
	}
	return five
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

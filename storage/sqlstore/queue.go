package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rosterkit/roster/notify"
)

const (
	selectWoken = `SELECT id, group_id FROM roster_messages WHERE state = 1 AND turn = 0 AND due_at <= ?
		ORDER BY due_at, id LIMIT ?`

	wakeMessages = `UPDATE roster_messages SET turn = CASE id` + whenMark + ` ELSE turn END WHERE id IN (?...)`

	selectDue = `SELECT ` + messageColumns + ` FROM roster_messages
		WHERE state = 1` + lineMark + ` AND turn > 0 AND due_at <= ? AND leased_until <= ?
		ORDER BY state, turn, due_at, id LIMIT ?`

	// leaseMessages leases messages that were found and are locked.
	leaseMessages = `UPDATE roster_messages SET attempt = attempt + 1, leased_until = ? WHERE id IN (?...)`

	// selectLeased asks for all states, or planners would rather look through the queue than for ids.
	selectLeased = `SELECT id, attempt, state FROM roster_messages WHERE id IN (?...)`

	// These change messages that were found and are locked, or, with ifAttempt, those of which the attempt is still the last.
	putBackMessages = `UPDATE roster_messages SET leased_until = ?, uncounted = uncounted + 1 WHERE id IN (?...)`

	delayMessages = `UPDATE roster_messages SET leased_until = ?, turn = 0, due_at = CASE id` + whenMark + ` ELSE due_at END,
		reason = CASE id` + whenMark + ` ELSE reason END WHERE id IN (?...)`

	sendMessages = `UPDATE roster_messages SET leased_until = ?, turn = 0, state = 2, reason = '',
		done_at = CASE id` + whenMark + ` ELSE done_at END, address = CASE id` + whenMark + ` ELSE address END,
		subject = CASE id` + whenMark + ` ELSE subject END, said = CASE id` + whenMark + ` ELSE said END WHERE id IN (?...)`

	endMessages = `UPDATE roster_messages SET leased_until = ?, turn = 0, state = CASE id` + whenMark + ` ELSE state END,
		done_at = CASE id` + whenMark + ` ELSE done_at END, reason = CASE id` + whenMark + ` ELSE reason END WHERE id IN (?...)`

	// ifAttempt ends such an UPDATE, which returns the ids of the messages that it has changed. A state below 2 is the first:
	// with "state = 1", planners would rather look through the queue than for ids.
	ifAttempt = ` AND state < 2 AND attempt = given.%s RETURNING id`

	// selectBacklog reads an index only, which has ids but not when messages were created.
	selectBacklog = `SELECT COUNT(*), COALESCE(MIN(id), ''), (SELECT COUNT(*) FROM roster_messages WHERE state = 4)
		FROM roster_messages WHERE state = 1`

	selectCreated = `SELECT created_at FROM roster_messages WHERE id = ?`

	selectDead = `SELECT ` + messageColumns + ` FROM roster_messages WHERE state = 4` + pageMark + ` AND id < ?
		ORDER BY state DESC, id DESC LIMIT ?`

	retryMessages = `UPDATE roster_messages SET state = 1, due_at = ?, retried_at = ?, done_at = ?, uncounted = attempt
		WHERE id IN (?...) AND state = 4`

	dropMessages = `UPDATE roster_messages SET state = 5, done_at = ? WHERE id IN (?...) AND state = 4`
)

// errNotLeased can't happen: the rows are locked.
var errNotLeased = errors.New("sqlstore: messages that were locked were changed by somebody else")

// Claim leases messages that are due, as notify.Queue says.
func (db *DB) Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]notify.Message, error) {
	var claimed []notify.Message
	err := db.work(ctx, func(ctx context.Context, t *tx) (err error) {
		if err := t.wake(ctx, now); err != nil {
			return err
		}
		claimed, err = pageOf(ctx, t, n, readMessage, "find due messages", selectDue+t.db.engine.skipLocked, micros(now), micros(now))
		if err != nil {
			return err
		}
		until := micros(now.Add(lease))
		for some := range slices.Chunk(slices.Sorted(slices.Values(idsOf(claimed))), maxList) { // neighbours together
			statement, ids := in(leaseMessages, some)
			leased, err := t.exec(ctx, "lease messages", statement, append([]any{until}, ids...)...)
			if err == nil && leased != int64(len(some)) {
				err = t.Fail(errNotLeased)
			}
			if err != nil {
				return err
			}
		}
		for i := range claimed {
			claimed[i].Attempt, claimed[i].Leased = claimed[i].Attempt+1, instant(until)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

func idsOf(messages []notify.Message) []notify.MessageID {
	ids := make([]notify.MessageID, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	return ids
}

// wake has messages that waited join the line.
func (t *tx) wake(ctx context.Context, now time.Time) error {
	woken, err := pageOf(ctx, t, notify.MaxWoken, func(r row) (m notify.Message, err error) {
		err = r.Scan(&m.ID, &m.Group)
		return m, err
	}, "find messages that wake", selectWoken+t.db.engine.skipLocked, micros(now))
	if err != nil || len(woken) == 0 {
		return err
	}
	first, _, err := one(ctx, t, number, "read the first turn of the outbox", selectFirstTurn)
	if err != nil {
		return err
	}
	turns := make(map[string]int)
	for some := range slices.Chunk(woken, maxList) {
		places := make([]any, len(some))
		for i, m := range some {
			turns[m.Group]++
			places[i] = first + turns[m.Group]
		}
		statement, args := valued(t.db.engine, wakeMessages, idsOf(some), places)
		if _, err := t.exec(ctx, "wake messages", statement, args...); err != nil {
			return err
		}
	}
	return nil
}

// Finish records what became of messages, as notify.Queue says.
func (db *DB) Finish(ctx context.Context, results ...notify.Result) ([]notify.MessageID, error) {
	// In the order of the key, so that neighbours are changed together, and units seldom wait for each other in a circle.
	results = slices.SortedFunc(slices.Values(results), func(a, b notify.Result) int { return cmp.Compare(a.ID, b.ID) })
	var fenced []notify.MessageID
	err := db.work(ctx, func(ctx context.Context, t *tx) error {
		fenced = nil
		for some := range slices.Chunk(results, maxList) {
			late, err := t.finish(ctx, some)
			if err != nil {
				return err
			}
			fenced = append(fenced, late...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return fenced, nil
}

// finish records a few results.
func (t *tx) finish(ctx context.Context, results []notify.Result) (fenced []notify.MessageID, err error) {
	if !t.db.engine.arrays {
		if results, fenced, err = t.lockLeased(ctx, results); err != nil {
			return nil, err
		}
	}
	changes := make(map[string]*change) // by statement
	for _, r := range results {
		statement, values := changeOf(r)
		if changes[statement] == nil {
			changes[statement] = &change{values: make([][]any, len(values))}
		}
		changes[statement].add(r, values)
	}
	for _, statement := range []string{putBackMessages, delayMessages, sendMessages, endMessages} {
		c := changes[statement]
		if c == nil {
			continue
		}
		late, err := t.apply(ctx, statement, c)
		if err != nil {
			return nil, err
		}
		fenced = append(fenced, late...)
	}
	return fenced, nil
}

// lockLeased locks the messages that results are about, and returns the results that still count.
func (t *tx) lockLeased(ctx context.Context, results []notify.Result) (valid []notify.Result, fenced []notify.MessageID, err error) {
	ids := make([]notify.MessageID, len(results))
	for i, r := range results {
		ids[i] = r.ID
	}
	attempts := make(map[notify.MessageID]int, len(ids))
	statement, args := in(selectLeased+t.db.engine.forUpdate, ids)
	if _, err = list(ctx, t, func(r row) (id notify.MessageID, err error) {
		var attempt int
		var state notify.State
		err = r.Scan(&id, wholly(&attempt), wholly(&state))
		if state == notify.Queued {
			attempts[id] = attempt
		}
		return id, err
	}, "find leased messages", statement, args...); err != nil {
		return nil, nil, err
	}
	for _, r := range results {
		if attempt, found := attempts[r.ID]; !found || attempt != r.Attempt {
			fenced = append(fenced, r.ID)
			continue
		}
		valid = append(valid, r)
	}
	return valid, fenced, nil
}

// apply makes a change. Where the messages aren't locked, it returns those that it isn't for any more.
func (t *tx) apply(ctx context.Context, statement string, c *change) (fenced []notify.MessageID, err error) {
	never := micros(time.Time{})
	if !t.db.engine.arrays {
		text, args := when(statement, c.ids, c.values...)
		_, err := t.exec(ctx, "finish messages", text, append([]any{never}, args...)...)
		return nil, err
	}
	text, args := givenValues(statement, c.ids, append(c.values, c.attempts)...)
	text += fmt.Sprintf(ifAttempt, givenName(len(c.values)+1))
	done, err := returned(ctx, t, func(r row) (id notify.MessageID, err error) {
		err = r.Scan(&id)
		return id, err
	}, "finish messages", text, append([]any{never}, args...)...)
	if err != nil || len(done) == len(c.ids) {
		return nil, err
	}
	return slices.DeleteFunc(c.ids, func(id notify.MessageID) bool { return slices.Contains(done, id) }), nil
}

// A change is what a statement with CASEs is given: rows, and for each CASE their values.
type change struct {
	ids      []notify.MessageID
	attempts []any
	values   [][]any
}

func (c *change) add(r notify.Result, values []any) {
	c.ids = append(c.ids, r.ID)
	c.attempts = append(c.attempts, r.Attempt)
	for i, value := range values {
		c.values[i] = append(c.values[i], value)
	}
}

// changeOf returns the statement that records a result, and the values of its CASEs.
func changeOf(r notify.Result) (statement string, values []any) {
	switch {
	case r.State == notify.Queued && r.Uncounted:
		return putBackMessages, nil
	case r.State == notify.Queued:
		return delayMessages, []any{micros(r.Due), r.Reason}
	case r.State == notify.Sent:
		return sendMessages, []any{micros(r.At), r.Address, r.Subject, r.Said}
	}
	return endMessages, []any{r.State, micros(r.At), r.Reason}
}

// Backlog says how much there is to do, as notify.Queue says.
func (db *DB) Backlog(ctx context.Context) (notify.Backlog, error) {
	var b notify.Backlog
	err := db.read(ctx, func(ctx context.Context, t *tx) (err error) {
		var oldest notify.MessageID
		b, _, err = one(ctx, t, func(r row) (b notify.Backlog, err error) {
			err = r.Scan(wholly(&b.Queued), &oldest, wholly(&b.Dead))
			return b, err
		}, "read the backlog", selectBacklog)
		if err != nil || oldest == "" {
			return err
		}
		b.Oldest, _, err = one(ctx, t, readMoment, "read the oldest message", selectCreated, oldest)
		return err
	})
	if err != nil {
		return notify.Backlog{}, err
	}
	return b, nil
}

// DeadLetters lists messages that were given up, as notify.Queue says.
func (db *DB) DeadLetters(ctx context.Context, before notify.MessageID, limit int) ([]notify.Message, error) {
	var dead []notify.Message
	err := db.read(ctx, func(ctx context.Context, t *tx) (err error) {
		dead, err = pageOf(ctx, t, limit, readMessage, "list dead letters", selectDead, below(before))
		return err
	})
	if err != nil {
		return nil, err
	}
	return dead, nil
}

// Retry puts dead letters back, as notify.Queue says.
func (db *DB) Retry(ctx context.Context, now time.Time, ids ...notify.MessageID) (int, error) {
	at := micros(now)
	return db.changeDead(ctx, "retry messages", retryMessages, ids, at, at, micros(time.Time{}))
}

// Drop puts dead letters aside, as notify.Queue says.
func (db *DB) Drop(ctx context.Context, now time.Time, ids ...notify.MessageID) (int, error) {
	return db.changeDead(ctx, "drop messages", dropMessages, ids, micros(now))
}

// changeDead changes those of the messages that are dead, and returns how many they were.
func (db *DB) changeDead(ctx context.Context, what, statement string, ids []notify.MessageID, args ...any) (int, error) {
	changed := 0
	err := db.update(ctx, func(ctx context.Context, t *tx) error {
		changed = 0
		for some := range slices.Chunk(ids, maxList) {
			statement, places := in(statement, some)
			n, err := t.exec(ctx, what, statement, slices.Concat(args, t.db.engine.searched(places))...)
			if err != nil {
				return err
			}
			changed += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

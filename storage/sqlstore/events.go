package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"

	"github.com/rosterkit/roster/access"
)

const (
	eventColumns = `account_id, version, idx, id, occurred_at, kind, public, actor_salt, actor_text, actor_commitment,
		target_salt, target_text, target_commitment, by_user_id, for_user_id, target_kind, target_id, hash, shard, number`

	eventFilter = ` AND (? = 0 OR kind IN (?...))
			AND occurred_at >= ? AND occurred_at < ?
			AND (length(?) = 0 OR by_user_id = ? OR for_user_id = ? OR target_kind = ? AND target_id = ?)`

	// selectEventsBefore leaves out the newer events of the version that it begins at. Said in this way, planners know how
	// many are left.
	selectEventsBefore = `SELECT ` + eventColumns + ` FROM roster_events
		WHERE account_id = ? AND version <= ? AND NOT (version = ? AND idx >= ?)` + eventFilter + `
		ORDER BY version DESC, idx DESC LIMIT ?`

	selectEventsAfter = `SELECT ` + eventColumns + ` FROM roster_events
		WHERE account_id = ? AND version >= ? AND NOT (version = ? AND idx <= ?)` + eventFilter + `
		ORDER BY version, idx LIMIT ?`

	insertEvent = `INSERT INTO roster_events (` + eventColumns + `)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	// raiseFeed numbers an event. The row stays locked to the end of the transaction, so that numbers have no gap and
	// are in the order of commits.
	raiseFeed = `UPDATE roster_feed SET number = number + ?, tail = ? WHERE shard = ? RETURNING number`

	// raiseFeedByID is raiseFeed where UPDATE returns nothing but a number that it calls an id.
	raiseFeedByID = `UPDATE roster_feed SET number = LAST_INSERT_ID(number + ?), tail = ? WHERE shard = ?`

	selectFeed = `SELECT shard, number, tail FROM roster_feed ORDER BY shard`

	selectChanges = `SELECT ` + eventColumns + ` FROM roster_events WHERE shard = ? AND number > ?
		ORDER BY number LIMIT ?`
)

func readEvent(r row) (access.Record, error) {
	var e access.Record
	err := r.Scan(&e.Account, wholly(&e.Version), wholly(&e.Index), &e.ID, (*moment)(&e.Time), &e.Kind, &e.Public,
		&e.Actor.Salt, &e.Actor.Text, fixed(e.Actor.Commitment[:]),
		&e.Target.Salt, &e.Target.Text, fixed(e.Target.Commitment[:]),
		&e.By, &e.For, &e.TargetKind, &e.TargetID, fixed(e.Hash[:]), wholly(&e.Shard), wholly(&e.Number))
	return e, err
}

func (t *tx) Append(ctx context.Context, r access.Record) error {
	if err := t.hold(ctx, r.Account); err != nil {
		return err
	}
	r.Time = instant(micros(r.Time)) // as it will be read, so that its hash holds then
	r.Public = bytes.Clone(r.Public)
	for _, part := range []*access.Part{&r.Actor, &r.Target} {
		part.Salt, part.Text = bytes.Clone(part.Salt), bytes.Clone(part.Text)
	}
	t.Unit.Append(r)
	return nil
}

var errNoShard = errors.New("sqlstore: the change feed has no such shard")

// writeHistory writes the events of the unit. The rows of the feed are what all accounts share, so they come last, in
// one order everywhere.
func (t *tx) writeHistory(ctx context.Context) error {
	for events := t.Unit.Events(); len(events) > 0; {
		n := 1 // of one shard
		for n < len(events) && events[n].Shard == events[0].Shard {
			n++
		}
		if err := t.writeShard(ctx, events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// writeShard writes events of one shard.
func (t *tx) writeShard(ctx context.Context, events []access.Record) error {
	last := events[len(events)-1]
	end, err := t.raise(ctx, last.Shard, len(events), last.ID)
	if err != nil {
		return err
	}
	number := end - len(events)
	var rows [][]any
	for _, e := range events {
		number++
		rows = append(rows, []any{e.Account, e.Version, e.Index, e.ID, micros(e.Time), e.Kind,
			e.Public, optional(e.Actor.Salt), optional(e.Actor.Text), e.Actor.Commitment[:],
			optional(e.Target.Salt), optional(e.Target.Text), e.Target.Commitment[:], e.By, e.For,
			e.TargetKind, e.TargetID, e.Hash[:], e.Shard, number})
	}
	return t.insertRows(ctx, "insert events", insertEvent, rows)
}

// raise numbers a shard's next n events, and returns the number of the last.
func (t *tx) raise(ctx context.Context, shard, n int, tail access.EventID) (end int, err error) {
	if t.db.engine.returning {
		end, _, err = one(ctx, t, number, "number events", raiseFeed, n, tail, shard)
	} else {
		var result sql.Result
		if result, err = t.run(ctx, "number events", raiseFeedByID, n, tail, shard); err == nil {
			id, unknown := result.LastInsertId()
			end, err = int(id), t.Fail(unknown)
		}
	}
	if err == nil && end == 0 {
		err = errNoShard
	}
	return end, err
}

func (t *tx) Events(ctx context.Context, account access.AccountID, f access.EventFilter, from access.EventKey, ascending bool, limit int) ([]access.Record, error) {
	if len(f.Kinds) <= maxList {
		return t.events(ctx, account, f, from, ascending, limit)
	}
	var all []access.Record
	kinds := slices.Compact(slices.Sorted(slices.Values(f.Kinds)))
	for some := range slices.Chunk(kinds, maxList) {
		f.Kinds = some
		page, err := t.events(ctx, account, f, from, ascending, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	slices.SortFunc(all, func(a, b access.Record) int {
		order := cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.Index, b.Index))
		if ascending {
			return order
		}
		return -order
	})
	return all[:min(len(all), max(limit, 0))], nil
}

// events is Events for kinds that fit into one statement.
func (t *tx) events(ctx context.Context, account access.AccountID, f access.EventFilter, from access.EventKey, ascending bool, limit int) ([]access.Record, error) {
	statement := selectEventsBefore
	if ascending {
		statement = selectEventsAfter
	} else if from == (access.EventKey{}) {
		from.Version = math.MaxInt64
	}
	statement, kinds := in(statement, f.Kinds)
	args := []any{account, from.Version, from.Version, from.Index, len(f.Kinds)}
	args = append(args, kinds...)
	args = append(args, micros(f.Since), microsOr(f.Until, math.MaxInt64),
		f.Concerns, f.Concerns, f.Concerns, access.TargetUser, f.Concerns)
	return pageOf(ctx, t, limit, readEvent, "list events", statement, args...)
}

func (t *tx) Feed(ctx context.Context) ([access.Shards]access.FeedHead, error) {
	var feed [access.Shards]access.FeedHead
	_, err := list(ctx, t, func(r row) (shard int, err error) {
		var head access.FeedHead
		if err = r.Scan(&shard, &head.Number, &head.Tail); err == nil {
			feed[shard] = head
		}
		return shard, err
	}, "read the feed", selectFeed)
	return feed, err
}

func (t *tx) Changes(ctx context.Context, shard int, after uint64, limit int) ([]access.Record, error) {
	return pageOf(ctx, t, limit, readEvent, "list changes", selectChanges, shard, after)
}

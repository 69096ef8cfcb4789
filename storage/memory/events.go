package memory

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/rosterkit/roster/access"
)

func (tx *tx) Append(ctx context.Context, r access.Record) error {
	if err := tx.write(ctx, r.Account); err != nil {
		return err
	}
	r.Time = stored(r.Time)
	tx.Unit.Append(copyRecord(r))
	return nil
}

// writeEvents writes what was appended, at the end of an update that nothing can fail any more: the histories grow
// in place, past the end that snapshots know.
func (tx *tx) writeEvents() {
	for _, r := range tx.Unit.Events() {
		shard := &tx.feed[r.Shard]
		r.Number = uint64(len(*shard)) + 1
		*shard = append(*shard, &r)
		tx.change(r.Account, func(a *account) { a.events = append(a.events, &r) })
	}
	for _, sealed := range tx.Accounts() {
		tx.change(sealed.ID, func(a *account) { a.Head = sealed.Head })
	}
}

func (tx *tx) Events(ctx context.Context, account access.AccountID, f access.EventFilter, before access.EventKey, ascending bool, limit int) ([]access.Record, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	var page []access.Record
	for r := range eventsFrom(tx.get(account).events, before, ascending) {
		if len(page) >= limit {
			break
		}
		if eventMatches(f, r) {
			page = append(page, copyRecord(*r))
		}
	}
	return page, nil
}

// eventsFrom walks events from a key, without the one that has it: newest first, or oldest first.
func eventsFrom(events []*access.Record, from access.EventKey, ascending bool) iter.Seq[*access.Record] {
	at, found := slices.BinarySearchFunc(events, from, func(r *access.Record, key access.EventKey) int {
		return cmp.Or(cmp.Compare(r.Version, key.Version), cmp.Compare(r.Index, key.Index))
	})
	switch {
	case ascending && found:
		return slices.Values(events[at+1:])
	case ascending:
		return slices.Values(events[at:])
	case from == access.EventKey{}:
		at = len(events)
	}
	return func(yield func(*access.Record) bool) {
		for _, r := range slices.Backward(events[:at]) {
			if !yield(r) {
				return
			}
		}
	}
}

func eventMatches(f access.EventFilter, r *access.Record) bool {
	switch {
	case len(f.Kinds) > 0 && !slices.Contains(f.Kinds, r.Kind):
		return false
	case !f.Since.IsZero() && r.Time.Before(stored(f.Since)):
		return false
	case !f.Until.IsZero() && !r.Time.Before(stored(f.Until)):
		return false
	}
	return f.Concerns == "" || r.Concerns(f.Concerns)
}

func (tx *tx) Feed(ctx context.Context) ([access.Shards]access.FeedHead, error) {
	if err := tx.read(ctx); err != nil {
		return [access.Shards]access.FeedHead{}, err
	}
	return tx.heads(), nil
}

// heads are the ends of the feed.
func (s *state) heads() [access.Shards]access.FeedHead {
	var heads [access.Shards]access.FeedHead
	for shard, events := range s.feed {
		if n := len(events); n > 0 {
			heads[shard] = access.FeedHead{Number: uint64(n), Tail: events[n-1].ID}
		}
	}
	return heads
}

func (tx *tx) Changes(ctx context.Context, shard int, after uint64, limit int) ([]access.Record, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	var page []access.Record
	for _, r := range tx.feed[shard][min(after, uint64(len(tx.feed[shard]))):] {
		if len(page) >= limit {
			break
		}
		page = append(page, copyRecord(*r))
	}
	return page, nil
}

func copyRecord(r access.Record) access.Record {
	r.Public = bytes.Clone(r.Public)
	for _, part := range []*access.Part{&r.Actor, &r.Target} {
		part.Salt, part.Text = bytes.Clone(part.Salt), bytes.Clone(part.Text)
	}
	return r
}

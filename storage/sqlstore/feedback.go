package sqlstore

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

const (
	insertFeedback = `INSERT INTO roster_feedback (canonical, id, kind, occurred_at, message_id, detail, actor)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (canonical, id) DO NOTHING`

	selectFeedback = `SELECT canonical, id, kind, occurred_at, message_id, detail, actor FROM roster_feedback
		WHERE canonical = ? AND occurred_at <= ? AND (occurred_at < ? OR id < ?) AND (? = 0 OR kind = ?)
		ORDER BY occurred_at DESC, id DESC LIMIT ?`

	// putSuppression keeps the graver of two in one statement, as no lock keeps reports about one address apart. MySQL
	// sets one column after the other.
	putSuppression = `INSERT INTO roster_suppressions (canonical, kind, since_at) VALUES (?, ?, ?)
		ON CONFLICT (canonical) DO UPDATE SET
			since_at = CASE WHEN excluded.kind < roster_suppressions.kind THEN excluded.since_at
				ELSE roster_suppressions.since_at END,
			kind = CASE WHEN excluded.kind < roster_suppressions.kind THEN excluded.kind ELSE roster_suppressions.kind END`

	deleteSuppression = `DELETE FROM roster_suppressions WHERE canonical = ?`

	selectSuppressions = `SELECT canonical, kind, since_at FROM roster_suppressions WHERE canonical > ? ORDER BY canonical LIMIT ?`

	selectSuppressed = `SELECT canonical, kind, since_at FROM roster_suppressions WHERE canonical IN (?...)`
)

func readFeedback(r row) (notify.Feedback, error) {
	var f notify.Feedback
	err := r.Scan(&f.Address, &f.ID, wholly(&f.Kind), (*moment)(&f.At), &f.Message, &f.Detail, &f.By)
	return f, err
}

func readSuppression(r row) (notify.Suppression, error) {
	var s notify.Suppression
	err := r.Scan(&s.Address, wholly(&s.Kind), (*moment)(&s.Since))
	return s, err
}

func (t *tx) AddFeedback(ctx context.Context, f notify.Feedback) (bool, error) {
	if err := t.writable(ctx); err != nil {
		return false, err
	}
	if err := f.Check(); err != nil {
		return false, t.Fail(err)
	}
	err := t.insert(ctx, "add feedback", insertFeedback, f.Address, f.ID, f.Kind, micros(f.At), f.Message, f.Detail, f.By)
	if errors.Is(err, access.ErrExists) {
		return false, nil
	}
	return err == nil, err
}

func (t *tx) Feedback(ctx context.Context, q notify.FeedbackQuery) ([]notify.Feedback, error) {
	at, id := micros(q.Before.At), below(q.Before.ID)
	if q.Before == (notify.FeedbackKey{}) {
		at = math.MaxInt64
	}
	return pageOf(ctx, t, q.Limit, readFeedback, "list feedback", selectFeedback, q.Address, at, at, id, q.Kind, q.Kind)
}

func (t *tx) PutSuppression(ctx context.Context, s notify.Suppression) error {
	_, err := t.exec(ctx, "put a suppression", putSuppression, s.Address, s.Kind, micros(s.Since))
	return err
}

func (t *tx) DeleteSuppression(ctx context.Context, address string) (bool, error) {
	deleted, err := t.exec(ctx, "delete a suppression", deleteSuppression, address)
	return deleted > 0, err
}

func (t *tx) Suppressions(ctx context.Context, after string, limit int) ([]notify.Suppression, error) {
	return pageOf(ctx, t, limit, readSuppression, "list suppressions", selectSuppressions, after)
}

func (t *tx) Suppressed(ctx context.Context, addresses []string) (map[string]notify.Suppression, error) {
	suppressed := make(map[string]notify.Suppression)
	for some := range slices.Chunk(addresses, maxList) {
		statement, args := in(selectSuppressed, some)
		found, err := list(ctx, t, readSuppression, "find suppressions", statement, args...)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			suppressed[s.Address] = s
		}
	}
	return suppressed, t.ready(ctx)
}

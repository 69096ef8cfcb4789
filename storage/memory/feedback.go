package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/rosterkit/roster/notify"
)

func (tx *tx) AddFeedback(ctx context.Context, f notify.Feedback) (bool, error) {
	if err := tx.write(ctx); err != nil {
		return false, err
	}
	if err := f.Check(); err != nil {
		return false, tx.Fail(err)
	}
	f.At = stored(f.At)
	about, _ := tx.feedback.get(f.Address)
	if slices.ContainsFunc(about, func(old notify.Feedback) bool { return old.ID == f.ID }) {
		return false, nil
	}
	place, _ := slices.BinarySearchFunc(about, f.Key(), func(old notify.Feedback, key notify.FeedbackKey) int {
		return compareKeys(old.Key(), key)
	})
	tx.feedback = tx.feedback.put(f.Address, slices.Concat(about[:place], []notify.Feedback{f}, about[place:]))
	return true, nil
}

func compareKeys(a, b notify.FeedbackKey) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
}

func (tx *tx) Feedback(ctx context.Context, q notify.FeedbackQuery) ([]notify.Feedback, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	var page []notify.Feedback
	about, _ := tx.feedback.get(q.Address)
	for _, f := range slices.Backward(about) {
		if len(page) >= q.Limit {
			break
		}
		below := q.Before == notify.FeedbackKey{} || compareKeys(f.Key(), q.Before) < 0
		if below && (q.Kind == 0 || f.Kind == q.Kind) {
			page = append(page, f)
		}
	}
	return page, nil
}

func (tx *tx) PutSuppression(ctx context.Context, s notify.Suppression) error {
	if err := tx.write(ctx); err != nil {
		return err
	}
	if old, ok := tx.suppressed.get(s.Address); ok && old.Kind <= s.Kind {
		return nil
	}
	s.Since = stored(s.Since)
	tx.suppressed = tx.suppressed.put(s.Address, s)
	return nil
}

func (tx *tx) DeleteSuppression(ctx context.Context, address string) (bool, error) {
	if err := tx.write(ctx); err != nil {
		return false, err
	}
	_, there := tx.suppressed.get(address)
	tx.suppressed = tx.suppressed.remove(address)
	return there, nil
}

func (tx *tx) Suppressions(ctx context.Context, after string, limit int) ([]notify.Suppression, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	var page []notify.Suppression
	for _, s := range tx.suppressed.above(after) {
		if len(page) >= limit {
			break
		}
		page = append(page, s)
	}
	return page, nil
}

func (tx *tx) Suppressed(ctx context.Context, addresses []string) (map[string]notify.Suppression, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	suppressed := make(map[string]notify.Suppression)
	for _, address := range addresses {
		if s, ok := tx.suppressed.get(address); ok {
			suppressed[address] = s
		}
	}
	return suppressed, nil
}

package memory

import (
	"context"
	"time"
)

// A use of a limit, and until when it is kept: for twice the window, since callers' clocks may be behind.
type use struct{ at, until time.Time }

func (tx *tx) Hit(ctx context.Context, limit [32]byte, at time.Time, window time.Duration) (int, error) {
	if err := tx.write(ctx); err != nil {
		return 0, err
	}
	at = stored(at)
	from := stored(at.Add(-window))
	uses := []use{{at: at, until: stored(at.Add(2 * window))}}
	count := 1
	earlier, _ := tx.uses.get(string(limit[:]))
	for _, u := range earlier {
		if !u.until.After(at) && !u.at.After(from) {
			continue // counts no more, for the window it was counted with and for this one
		}
		uses = append(uses, u)
		if u.at.After(from) && !u.at.After(at) {
			count++
		}
	}
	tx.uses = tx.uses.put(string(limit[:]), uses)
	return count, nil
}

package sqlstore

import (
	"context"
	"time"
)

const (
	// dropUses deletes what counts no more, for the window it was counted with and for the present one.
	dropUses = `DELETE FROM roster_limits WHERE digest = ? AND kept_until <= ? AND used_at <= ?`

	countUse = `INSERT INTO roster_limits (digest, used_at, uses, kept_until) VALUES (?, ?, 1, ?)
		ON CONFLICT (digest, used_at) DO UPDATE SET uses = roster_limits.uses + 1,
			kept_until = CASE WHEN excluded.kept_until > roster_limits.kept_until THEN excluded.kept_until
				ELSE roster_limits.kept_until END`

	sumUses = `SELECT COALESCE(SUM(uses), 0) FROM roster_limits WHERE digest = ? AND used_at > ? AND used_at <= ?`
)

func (t *tx) Hit(ctx context.Context, limit [32]byte, at time.Time, window time.Duration) (int, error) {
	if err := t.writable(ctx); err != nil {
		return 0, err
	}
	now, from := micros(at), micros(at.Add(-window))
	until := micros(at.Add(2 * window)) // twice what was promised, for callers whose clocks are behind
	if _, err := t.exec(ctx, "drop old uses of a limit", dropUses, limit[:], now, from); err != nil {
		return 0, err
	}
	if _, err := t.exec(ctx, "count a use of a limit", countUse, limit[:], now, until); err != nil {
		return 0, err
	}
	uses, _, err := one(ctx, t, number, "sum the uses of a limit", sumUses, limit[:], from, now)
	return uses, err
}

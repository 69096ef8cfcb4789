package sqlstore

import (
	"context"
	"time"
)

const (
	// lockLimit comes before everything else: its row stays locked to the end of the transaction, so that of two units
	// that use one limit the second counts what the first did.
	lockLimit = `INSERT INTO roster_limits (digest, kept_until) VALUES (?, ?)
		ON CONFLICT (digest) DO UPDATE SET
			kept_until = CASE WHEN excluded.kept_until > roster_limits.kept_until THEN excluded.kept_until
				ELSE roster_limits.kept_until END`

	// dropUses deletes what counts no more, for the window it was counted with and for the present one.
	dropUses = `DELETE FROM roster_limit_uses WHERE digest = ? AND kept_until <= ? AND used_at <= ?`

	countUse = `INSERT INTO roster_limit_uses (digest, used_at, uses, kept_until) VALUES (?, ?, 1, ?)
		ON CONFLICT (digest, used_at) DO UPDATE SET uses = roster_limit_uses.uses + 1,
			kept_until = CASE WHEN excluded.kept_until > roster_limit_uses.kept_until THEN excluded.kept_until
				ELSE roster_limit_uses.kept_until END`

	sumUses = `SELECT COALESCE(SUM(uses), 0) FROM roster_limit_uses WHERE digest = ? AND used_at > ? AND used_at <= ?`

	selectPassedLimits = `SELECT digest FROM roster_limits WHERE kept_until <= ? AND digest <> ?
		ORDER BY kept_until, digest LIMIT ?`

	deleteLimit = `DELETE FROM roster_limits WHERE digest = ? AND kept_until <= ?`

	deleteUses = `DELETE FROM roster_limit_uses WHERE digest = ?`
)

// maxForgotten is how many other limits a use of one forgets, so that those nobody uses any more don't pile up.
const maxForgotten = 10

func (t *tx) Hit(ctx context.Context, limit [32]byte, at time.Time, window time.Duration) (int, error) {
	digest, now, from := limit[:], micros(at), micros(at.Add(-window))
	until := micros(at.Add(2 * window)) // twice what was promised, for callers whose clocks are behind
	if _, err := t.exec(ctx, "lock a limit", lockLimit, digest, until); err != nil {
		return 0, err
	}
	if _, err := t.exec(ctx, "drop old uses of a limit", dropUses, digest, now, from); err != nil {
		return 0, err
	}
	if _, err := t.exec(ctx, "count a use of a limit", countUse, digest, now, until); err != nil {
		return 0, err
	}
	if err := t.forgetLimits(ctx, digest, now); err != nil {
		return 0, err
	}
	uses, _, err := one(ctx, t, number, "sum the uses of a limit", sumUses, digest, from, now)
	return uses, err
}

// forgetLimits deletes a few of the limits but one of which nothing is kept any more. It waits for nobody; but somebody
// may wait for one that it deletes, out of order, and so meet a unit that runs again.
func (t *tx) forgetLimits(ctx context.Context, but []byte, now int64) error {
	passed, err := list(ctx, t, readDigest, "find limits that have passed", selectPassedLimits+t.db.engine.skipLocked, now, but, maxForgotten)
	if err != nil {
		return err
	}
	for _, digest := range passed {
		deleted, err := t.exec(ctx, "delete a limit", deleteLimit, digest, now)
		if err != nil {
			return err
		}
		if deleted == 0 {
			continue
		}
		if _, err := t.exec(ctx, "delete the uses of a limit", deleteUses, digest); err != nil {
			return err
		}
	}
	return nil
}

func readDigest(r row) ([]byte, error) {
	digest := make([]byte, 32)
	err := r.Scan(fixed(digest))
	return digest, err
}

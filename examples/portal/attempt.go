package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"
)

// What attempts are counted for.
const (
	attemptSignIn = "sign-in"
	attemptReset  = "reset"
)

const (
	attemptLimit  = 10
	attemptWindow = 15 * time.Minute
)

var errTooManyAttempts = errors.New("too many attempts")

// attempts counts what was tried for one address, known or not, in the database: the limit holds
// across restarts and for every process on the same file.
type attempts struct{ db *sql.DB }

// begin counts one more attempt, or refuses with errTooManyAttempts. It counts before the work is
// done, so that parallel guesses don't slip past the limit.
func (a attempts) begin(ctx context.Context, purpose, address string, now time.Time) error {
	digest := sha256.Sum256([]byte(address))
	return inTransaction(ctx, a.db, func(tx *sql.Tx) error {
		since := now.Add(-attemptWindow).UnixMicro()
		if _, err := tx.ExecContext(ctx, `DELETE FROM portal_attempts WHERE purpose = ? AND at <= ?`, purpose, since); err != nil {
			return err
		}
		var count int
		row := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM portal_attempts WHERE purpose = ? AND digest = ?`, purpose, digest[:])
		if err := row.Scan(&count); err != nil {
			return err
		}
		if count >= attemptLimit {
			return errTooManyAttempts
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO portal_attempts (purpose, digest, at) VALUES (?, ?, ?)`,
			purpose, digest[:], now.UnixMicro())
		return err
	})
}

// forget clears the count of an address, after it has succeeded.
func (a attempts) forget(ctx context.Context, purpose, address string) error {
	digest := sha256.Sum256([]byte(address))
	_, err := a.db.ExecContext(ctx, `DELETE FROM portal_attempts WHERE purpose = ? AND digest = ?`, purpose, digest[:])
	return err
}

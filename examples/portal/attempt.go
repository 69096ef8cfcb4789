package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"
)

// What attempts are counted for.
const (
	attemptSignIn   = "sign-in"
	attemptReset    = "reset"
	attemptTestMail = "test-mail"
	attemptLift     = "lift"
)

// After attemptLimit attempts there have to be none for the time of attemptWindow.
const (
	attemptLimit  = 10
	attemptWindow = 15 * time.Minute
)

var errTooManyAttempts = errors.New("too many attempts")

// attempts counts what was tried for one address, known or not, or for one account, in the database: the limit holds
// across restarts and for every process on the same database.
type attempts struct{ db *database }

// begin counts one more attempt, or refuses with errTooManyAttempts. It counts before the work is
// done, so that parallel guesses don't slip past the limit.
func (a attempts) begin(ctx context.Context, purpose, address string, now time.Time) error {
	digest := sha256.Sum256([]byte(address))
	until := now.Add(attemptWindow).UnixMicro()
	if _, err := a.db.exec(ctx, `DELETE FROM portal_tries WHERE until <= ?`, now.UnixMicro()); err != nil {
		return err
	}
	for range 2 { // Another one may have inserted the first attempt between the two statements: then it is there to be raised.
		rows, err := a.db.exec(ctx, `UPDATE portal_tries SET tries = tries + 1, until = ? WHERE purpose = ? AND digest = ? AND tries < ?`,
			until, purpose, digest[:], attemptLimit)
		if err != nil || rows == 1 {
			return err
		}
		_, err = a.db.exec(ctx, `INSERT INTO portal_tries (purpose, digest, tries, until) VALUES (?, ?, 1, ?)`, purpose, digest[:], until)
		if !isDuplicate(err) {
			return err
		}
	}
	return errTooManyAttempts
}

// forget clears the count of an address, after it has succeeded.
func (a attempts) forget(ctx context.Context, purpose, address string) error {
	digest := sha256.Sum256([]byte(address))
	_, err := a.db.exec(ctx, `DELETE FROM portal_tries WHERE purpose = ? AND digest = ?`, purpose, digest[:])
	return err
}

package sqlstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
)

// updateAttempts is how often a unit is begun that fails by a conflict with another one, and retryPause about how long
// it waits before the second attempt. Each further pause is about twice as long, up to retryPauseMax.
const (
	updateAttempts = 10
	retryPause     = 4 * time.Millisecond
	retryPauseMax  = 500 * time.Millisecond
)

// retried runs a unit until it ends without a conflict, but not for ever.
func (db *DB) retried(ctx context.Context, unit func() (conflict bool, err error)) error {
	for attempt, pause := 1, retryPause; ; attempt, pause = attempt+1, min(2*pause, retryPauseMax) {
		conflict, err := unit()
		if !conflict || attempt == updateAttempts {
			return err
		}
		wait := time.NewTimer(pause/2 + rand.N(pause)) // those who met must not meet again
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return err
		}
	}
}

// stateOf returns the code of an error that a server sent, or an empty text.
func stateOf(err error) string {
	var state sqlState
	if errors.As(err, &state) {
		return state.SQLState()
	}
	return ""
}

// isConflict reports whether an error says that a unit collided with others and may succeed when it is done again.
func isConflict(err error) bool {
	switch stateOf(err) {
	case "40001", // serialization failure
		"40P01", // deadlock
		"55P03": // a lock isn't to be had in the time that the host has set
		return true
	}
	return false
}

// isRolledBack reports whether the error of a COMMIT is the server's word that nothing was committed. Of all others,
// among them a server that is shut down in between, one can't know.
func isRolledBack(err error) bool {
	state := stateOf(err)
	switch {
	case state == "40003": // "statement completion unknown"
		return false
	case isConflict(err):
		return true
	}
	return strings.HasPrefix(state, "40") || // rolled back
		strings.HasPrefix(state, "23") || // a constraint that was deferred
		strings.HasPrefix(state, "25") // no transaction, or a failed one
}

package sqlstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// unitAttempts is how often a unit is begun that fails by a conflict with another one, and retryPause about how long
// it waits before the second attempt. Each further pause is about twice as long, up to retryPauseMax. After
// retryPatience, no further attempt is begun: a server may let each one wait for its locks for long.
const (
	unitAttempts  = 10
	retryPause    = 4 * time.Millisecond
	retryPauseMax = 500 * time.Millisecond
	retryPatience = 10 * time.Second
)

// retried runs a unit until it ends without a conflict, but not for ever.
func retried(ctx context.Context, unit func() (conflict bool, err error)) error {
	begun := time.Now()
	for attempt, pause := 1, retryPause; ; attempt, pause = attempt+1, min(2*pause, retryPauseMax) {
		conflict, err := unit()
		if !conflict || attempt == unitAttempts || time.Since(begun) > retryPatience {
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

// isAnswer reports whether an error is what a server answered, and not that it can't be reached.
func isAnswer(err error) bool { return stateOf(err) != "" || numberOf(err) != 0 }

package casbinadapter

import (
	"errors"
	"fmt"
	"time"

	"github.com/rosterkit/roster/access"
)

// ErrStale comes with false where a Watcher has learned nothing for longer than its bound.
var ErrStale = errors.New("casbinadapter: the policies may be out of date")

// A trust is for how long what a Watcher has loaded counts.
type trust struct{ from, until time.Time }

// holds goes by the monotonic clock, where there is one, and by the wall clock.
func (t trust) holds(now time.Time) bool {
	wall := now.Round(0)
	return now.Before(t.until) && wall.Before(t.until.Round(0)) && !wall.Before(t.from.Round(0))
}

// current is what matchers ask once a policy matches: true, or an error if the question isn't one that access.Service
// answers, or the policies may be out of date.
func (a *Adapter) current(arguments ...any) (any, error) {
	texts, err := textsOf("current", arguments, 2)
	if err != nil {
		return false, err
	}
	if err := access.UserID(texts[0]).Check(); err != nil {
		return false, err
	}
	if err := access.AccountID(texts[1]).Check(); err != nil {
		return false, err
	}
	if t := a.trusted.Load(); a.followed.Load() && (t == nil || !t.holds(a.now())) {
		return false, ErrStale
	}
	return true, nil
}

// during returns what matchers ask about those with a start or an expiry: whether a user has a role in an account now.
func during(periods *roles) func(...any) (any, error) {
	return func(arguments ...any) (any, error) {
		texts, err := textsOf("during", arguments, 3)
		if err != nil {
			return false, err
		}
		return periods.during(texts[0], texts[1], texts[2]), nil
	}
}

// textsOf returns the arguments of a matcher's function.
func textsOf(function string, arguments []any, n int) ([]string, error) {
	if len(arguments) != n {
		return nil, fmt.Errorf("casbinadapter: %s takes %d arguments", function, n)
	}
	texts := make([]string, n)
	for i, argument := range arguments {
		text, ok := argument.(string)
		if !ok {
			return nil, fmt.Errorf("casbinadapter: %s takes strings: convert the ids", function)
		}
		texts[i] = text
	}
	return texts, nil
}

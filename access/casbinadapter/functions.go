package casbinadapter

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/casbin/casbin/v2"
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
	// Casbin says yes to who is called like the role of a policy, or like nothing where there is no policy.
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

// during returns what matchers ask about those with a start or an expiry: whether a user has a set in an account, now.
// Casbin keeps the answers of g until the policies change, so that g can't tell the time.
func (a *Adapter) during(e *casbin.Enforcer) func(...any) (any, error) {
	return func(arguments ...any) (any, error) {
		texts, err := textsOf("during", arguments, 3)
		if err != nil {
			return false, err
		}
		manager := e.GetNamedRoleManager("g2")
		if manager == nil {
			return false, nil
		}
		names, err := manager.GetRoles(texts[0], texts[2])
		if err != nil {
			return false, err
		}
		for _, name := range names {
			if rest, found := strings.CutPrefix(name, texts[1]); found {
				if p, ok := parsePeriod(rest); ok && p.contains(a.now()) {
					return true, nil
				}
			}
		}
		return false, nil
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

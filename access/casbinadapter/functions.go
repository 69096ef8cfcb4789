package casbinadapter

import (
	"fmt"

	"github.com/rosterkit/roster/access"
)

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
	if a.followed.Load() && (a.torn.Load() || !a.following.Certain(a.now())) {
		return false, access.ErrStale
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

// Package storagetest checks that a backend keeps the contract of package storage. A backend's own test is one call:
//
//	func TestContract(t *testing.T) {
//		storagetest.Run(t, func(t *testing.T) storage.DB { return memory.New() })
//	}
package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/rosterkit/roster/storage"
)

// Run runs the conformance suite: a subtest for each topic, and one for each case in it, one after the other. Every
// call of open gives a fresh, empty database, which open closes in a cleanup of the t it was given. A case that fails
// prints the rule that it checks. A host with a backend of its own calls Run as ours do.
func Run(t *testing.T, open func(t *testing.T) storage.DB) {
	for _, topic := range topics() {
		t.Run(topic.name, func(t *testing.T) {
			for _, c := range topic.cases {
				t.Run(c.name, func(t *testing.T) { c.check(t, open(t)) })
			}
		})
	}
}

// topics are the files of this package, from what everything rests on to what rests on everything.
func topics() []topic {
	return []topic{
		{"units", unitCases()},
		{"cancellation", cancellationCases()},
		{"views", viewCases()},
		{"reads", readCases()},
		{"locks", lockCases()},
		{"accounts", accountCases()},
		{"members", memberCases()},
		{"useraccounts", userAccountCases()},
		{"identifiers", identifierCases()},
		{"times", timeCases()},
		{"invites", inviteCases()},
		{"invitelists", inviteListCases()},
		{"limits", limitCases()},
		{"contacts", contactCases()},
		{"preferences", preferenceCases()},
		{"users", userCases()},
		{"outbox", outboxCases()},
		{"feedback", feedbackCases()},
		{"notices", noticeCases()},
		{"events", eventCases()},
		{"feed", feedCases()},
		{"followers", followerCases()},
		{"verbs", verbCases()},
		{"accept", acceptCases()},
	}
}

type topic struct {
	name  string
	cases []testCase
}

// A testCase checks one rule on a fresh database.
type testCase struct {
	name string
	rule string // one sentence; printed when the case fails
	run  func(t *testing.T, db database)
}

// patience is how long a case may take before its context ends. It is no measure of speed: only a backend that hangs
// ever waits so long.
const patience = 30 * time.Second

func (c testCase) check(t *testing.T, db storage.DB) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	defer func() {
		if t.Failed() {
			t.Logf("the rule: %s", c.rule)
		}
	}()
	c.run(t, database{DB: db, t: t, ctx: ctx})
}

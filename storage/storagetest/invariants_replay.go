package storagetest

import (
	"strings"

	"github.com/rosterkit/roster/access"
)

// A replay is an account as its history tells it.
type replay struct {
	owner   access.UserID
	account access.Facts
	members map[access.UserID]access.Facts
	invites map[string]access.Facts
}

// checkReplay compares what is stored with what follows from the history: a verb that changed something and didn't
// say so, or said so and didn't do it, shows here. It says nothing once somebody in the history was forgotten.
func checkReplay(s *accountState, report func(string, ...any)) {
	if !s.exists || s.verification.Redacted > 0 || len(s.events) != len(s.records) {
		return
	}
	told := replayed(s.events)
	if told.owner != s.account.Owner || told.account.Status != s.account.Status.String() || told.account.Seats != s.account.Policy.Seats {
		report("%s, owned by %q, with %d seats; the history tells %s, %q, %d", s.account.Status, s.account.Owner,
			s.account.Policy.Seats, told.account.Status, told.owner, told.account.Seats)
	}
	for _, m := range s.members {
		facts := access.Facts{Permissions: m.Permissions, Status: m.Status.String(), Starts: m.Starts, Expires: m.Expires}
		if !sameFacts(told.members[m.User], facts) {
			report("%q has %+v, and the history tells %+v", m.User, facts, told.members[m.User])
		}
		delete(told.members, m.User)
	}
	for user := range told.members {
		report("%q is no member, and the history tells of one", user)
	}
	for _, r := range s.invites {
		facts := access.Facts{Permissions: r.Terms.Permissions, Status: r.State.String(), Starts: r.Terms.Starts,
			Expires: r.Terms.Expires, Generation: r.Generation}
		if !sameFacts(told.invites[string(r.ID)], facts) {
			report("invite %s has %+v, and the history tells %+v", r.ID, facts, told.invites[string(r.ID)])
		}
		delete(told.invites, string(r.ID))
	}
	for id := range told.invites {
		report("there is no invite %s, and the history tells of one", id)
	}
}

func replayed(events []access.Event) replay {
	told := replay{members: make(map[access.UserID]access.Facts), invites: make(map[string]access.Facts)}
	for _, e := range events {
		user := access.UserID(e.Target.ID)
		switch kind, _, _ := strings.Cut(string(e.Kind), "."); {
		case e.Kind == access.EventAccountCreated:
			told.owner, told.account = user, e.After
			told.members[user] = access.Facts{Status: access.Active.String()}
		case e.Kind == access.EventAccountPolicySet:
			told.account = e.After
		case e.Kind == access.EventAccountSuspended || e.Kind == access.EventAccountReactivated || e.Kind == access.EventAccountClosed:
			told.account.Status = e.After.Status
		case kind == "owner" || kind == "member":
			if e.Kind == access.EventOwnerChanged {
				told.owner = user
			}
			told.members[user] = e.After
			if e.After.Status == "" {
				delete(told.members, user)
			}
		case kind == "invite":
			told.invites[e.Target.ID] = e.After
		}
	}
	return told
}

// sameFacts compares what is told of members and invites.
func sameFacts(a, b access.Facts) bool {
	return a.Permissions == b.Permissions && a.Status == b.Status && a.Generation == b.Generation &&
		a.Starts.Equal(b.Starts) && a.Expires.Equal(b.Expires)
}

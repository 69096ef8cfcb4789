package storagetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
)

// CheckInvariants reads all that is stored about accounts, and the whole change feed, and returns one error that names
// everything that can't be, or nil. An account that isn't there must have left nothing behind. Nobody may write
// meanwhile, and now is not before the last write. It is for data that the services wrote: a host that writes
// memberships or invites by itself has no history from which they follow. Ids of users and invites are in the error,
// secrets and addresses aren't.
func CheckInvariants(ctx context.Context, db storage.DB, accounts []access.AccountID, now time.Time) error {
	var broken []error
	var states []*accountState
	members := access.New(db, access.Config{})
	err := db.View(ctx, func(ctx context.Context, tx storage.Tx) error {
		broken, states = nil, nil
		feed, err := readFeed(ctx, tx)
		if err != nil {
			return err
		}
		broken = append(broken, feed.broken...)
		for _, id := range accounts {
			s, err := readAccount(ctx, tx, members.Within(tx), id, feed, now)
			if err != nil {
				return err
			}
			states = append(states, s)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range states {
		for _, rule := range invariants() {
			rule.check(s, func(format string, args ...any) {
				broken = append(broken, fmt.Errorf("account %q: %s: %s", s.account.ID, rule.name, fmt.Sprintf(format, args...)))
			})
		}
		if err := s.checkDecisions(ctx, db); err != nil {
			broken = append(broken, fmt.Errorf("account %q: %w", s.account.ID, err))
		}
	}
	return errors.Join(broken...)
}

// An invariant is a rule that always holds of an account at rest.
type invariant struct {
	name  string
	check func(s *accountState, report func(format string, args ...any))
}

func invariants() []invariant {
	return []invariant{
		{"one owner", checkOwner},
		{"memberships", checkMemberships},
		{"invites", checkInvites},
		{"one pending invite to an address", checkPending},
		{"seats", checkSeats},
		{"history", checkHistory},
		{"feed", checkInFeed},
		{"accepted once", checkAccepted},
		{"replay", checkReplay},
		{"mail", checkMail},
		{"lists of users", checkUserAccounts},
	}
}

func checkOwner(s *accountState, report func(string, ...any)) {
	owners := 0
	for _, m := range s.members {
		if m.Owner != (m.User == s.account.Owner) {
			report("the list says of %q owner=%t, the account has %q", m.User, m.Owner, s.account.Owner)
		}
		if m.User != s.account.Owner {
			continue
		}
		owners++
		if m.Permissions != 0 || m.Status != access.Active || !m.Starts.IsZero() || !m.Expires.IsZero() {
			report("the membership of %q is limited, or has bits", m.User)
		}
	}
	if s.exists && (s.account.Owner == "" || owners != 1) {
		report("%d memberships of %q", owners, s.account.Owner)
	}
}

func checkMemberships(s *accountState, report func(string, ...any)) {
	if !s.exists && len(s.members)+len(s.invites)+len(s.records) > 0 {
		report("%d members, %d invites and %d events of an account that isn't there", len(s.members), len(s.invites), len(s.records))
	}
	var last access.UserID
	for _, m := range s.members {
		if m.Account != s.account.ID || m.User <= last || m.User.Check() != nil {
			report("%q is listed after %q", m.User, last)
		}
		last = m.User
		if m.Status != access.Active && m.Status != access.Suspended || m.Permissions&^access.All != 0 ||
			(m.Permissions == 0) != (m.User == s.account.Owner) || !termsOrdered(m.Starts, m.Expires) ||
			access.CheckText("label", m.Label, access.MaxNameRunes) != nil {
			report("that of %q can't be one: %d, %s", m.User, m.Permissions, m.Status)
		}
	}
}

func termsOrdered(starts, expires time.Time) bool {
	return starts.IsZero() || expires.IsZero() || starts.Before(expires)
}

func checkInvites(s *accountState, report func(string, ...any)) {
	for _, r := range s.invites {
		if r.Account != s.account.ID || r.ID.Check() != nil || r.Generation == 0 || r.Sent.Before(r.Created) ||
			r.Expires.Before(r.Sent) || r.Terms.Permissions == 0 || r.Terms.Permissions&^access.All != 0 ||
			!termsOrdered(r.Terms.Starts, r.Terms.Expires) {
			report("%s can't be one", r.ID)
		}
		if r.State < invite.Pending || r.State > invite.Declined || r.Closed.IsZero() != (r.State == invite.Pending) ||
			(r.AcceptedBy == "") != (r.State != invite.Accepted) {
			report("%s is %s, closed at %s by %q", r.ID, r.State, r.Closed, r.AcceptedBy)
		}
	}
}

func checkPending(s *accountState, report func(string, ...any)) {
	pending := make(map[string]invite.ID)
	for _, r := range s.invites {
		if r.State != invite.Pending {
			continue
		}
		if other, taken := pending[r.Address.Canonical()]; taken {
			report("%s and %s", other, r.ID)
		}
		pending[r.Address.Canonical()] = r.ID
	}
}

// checkSeats counts by itself. A policy that was narrowed leaves those in who are in.
func checkSeats(s *accountState, report func(string, ...any)) {
	used := 0
	for _, m := range s.members {
		if m.User != s.account.Owner && (m.Expires.IsZero() || s.now.Before(m.Expires)) {
			used++
		}
	}
	for _, r := range s.invites {
		if r.Live(s.now) {
			used++
		}
	}
	if used != s.seats {
		report("counted as %d, and they are %d", s.seats, used)
	}
	if seats := s.account.Policy.Seats; seats != 0 && used > seats && !s.narrowed() {
		report("%d of %d", used, seats)
	}
}

// narrowed reports whether the seats were ever made fewer.
func (s *accountState) narrowed() bool {
	for _, e := range s.events {
		before, after := e.Before.Seats, e.After.Seats
		if e.Kind == access.EventAccountPolicySet && after != 0 && (before == 0 || after < before) {
			return true
		}
	}
	return false
}

func checkHistory(s *accountState, report func(string, ...any)) {
	if s.verification.Altered {
		report("the chain doesn't hold at %+v", s.verification.At)
	}
	if n := uint64(len(s.records)); n != s.account.Head.Count || n != s.verification.Events {
		report("%d events, the head counts %d, the verification %d", n, s.account.Head.Count, s.verification.Events)
	}
	var last access.EventKey
	for i, r := range s.records {
		next := r.Version > last.Version && r.Index == 0 || i > 0 && r.Version == last.Version && r.Index == last.Index+1
		if !next || r.Account != s.account.ID || r.Version > s.account.Version {
			report("event (%d, %d) after (%d, %d), of an account at %d", r.Version, r.Index, last.Version, last.Index, s.account.Version)
		}
		last = access.EventKey{Version: r.Version, Index: r.Index}
	}
	if len(s.events) != len(s.records) {
		report("an event can't be read")
	}
}

// checkInFeed looks for each event in the feed: what the feed is in itself, readFeed checks.
func checkInFeed(s *accountState, report func(string, ...any)) {
	for _, r := range s.records {
		place := feedPlace{shard: r.Shard, number: r.Number, account: r.Account, hash: r.Hash}
		if r.Shard != s.account.ID.Shard() || s.feed.places[r.ID] != place {
			report("event %s isn't in the feed as it is in the history", r.ID)
		}
	}
	if n := s.feed.events[s.account.ID]; n != len(s.records) {
		report("%d events in the feed, %d in the history", n, len(s.records))
	}
}

// checkAccepted matches invites that are accepted, the events that say so, and the memberships that came of them.
func checkAccepted(s *accountState, report func(string, ...any)) {
	accepted := make(map[string]access.Event)
	for _, e := range s.events {
		if e.Kind != access.EventInviteAccepted || e.Redacted {
			continue
		}
		if _, again := accepted[e.Target.ID]; again {
			report("%s twice", e.Target.ID)
		}
		accepted[e.Target.ID] = e
		if !s.added(e) {
			report("%s at %d without an event of the membership", e.Target.ID, e.Version)
		}
	}
	for _, r := range s.invites {
		e, ok := accepted[string(r.ID)]
		delete(accepted, string(r.ID))
		if r.State != invite.Accepted && ok || r.State == invite.Accepted && !ok && s.verification.Redacted == 0 {
			report("%s is %s, and in the history it is not so", r.ID, r.State)
		}
		if ok && (e.Actor.User() != r.AcceptedBy || e.After.Generation != r.Generation) {
			report("%s by %q, and in the history by %q", r.ID, r.AcceptedBy, e.Actor.User())
		}
	}
	for id := range accepted {
		report("%s is in the history only", id)
	}
}

// added reports whether the unit that accepted an invite made a member of who accepted it, with the bits offered.
func (s *accountState) added(accepted access.Event) bool {
	for _, e := range s.events {
		if e.Version == accepted.Version && e.Kind == access.EventMemberAdded && e.Target.ID == string(accepted.Actor.User()) &&
			e.After.Permissions == accepted.After.Permissions {
			return true
		}
	}
	return false
}

// checkMail looks for the mail with the latest link of each invite that is delivered by mail.
func checkMail(s *accountState, report func(string, ...any)) {
	for _, r := range s.invites {
		if r.Delivery == invite.ByMail && s.mails[string(r.ID)].Generation != uint64(r.Generation) {
			report("%s, sent for the %d. time, isn't in the outbox", r.ID, r.Generation)
		}
	}
}

// checkUserAccounts compares the list of members with each member's list of accounts.
func checkUserAccounts(s *accountState, report func(string, ...any)) {
	for _, m := range s.members {
		if got := s.listed[m.User]; got == nil || *got != m.Membership {
			report("that of %q hasn't the membership", m.User)
		}
	}
	for user, listed := range s.listed {
		if listed != nil && !s.isMember(user) {
			report("that of %q has a membership that isn't there", user)
		}
	}
}

package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// An accountState is what is stored about one account at one moment.
type accountState struct {
	account access.Account // only the id if it isn't there
	exists  bool
	now     time.Time

	members      []access.Member
	invites      []invite.Record
	records      []access.Record
	events       []access.Event // of the records, as far as they can be read
	verification access.Verification
	seats        int
	mails        map[string]notify.Message // of the latest link, by invite
	feed         *feedState

	// Of everybody who is a member or whom the history names: the decision, and the membership as their own list of
	// accounts shows it, nil if it doesn't.
	grants map[access.UserID]access.Grant
	listed map[access.UserID]*access.Membership
}

func readAccount(ctx context.Context, tx storage.Tx, members *access.Service, id access.AccountID,
	feed *feedState, now time.Time) (*accountState, error) {
	s := &accountState{account: access.Account{ID: id}, now: now, feed: feed}
	account, err := tx.Account(ctx, id)
	if err == nil {
		s.account, s.exists = account, true
	} else if !errors.Is(err, access.ErrNotFound) {
		return nil, err
	}
	return s, errors.Join(s.readLists(ctx, tx), s.readHistory(ctx, tx, members), s.readUsers(ctx, tx))
}

func (s *accountState) readLists(ctx context.Context, tx storage.Tx) (err error) {
	id := s.account.ID
	s.members, err = readAll(func(after access.UserID) ([]access.Member, error) {
		return tx.Members(ctx, id, access.MemberFilter{}, after, dumpPage)
	}, func(m access.Member) access.UserID { return m.User })
	if err != nil {
		return err
	}
	s.invites, err = readAll(func(before invite.ID) ([]invite.Record, error) {
		return tx.Invites(ctx, id, invite.Filter{}, before, dumpPage)
	}, func(r invite.Record) invite.ID { return r.ID })
	if err != nil {
		return err
	}
	refs := make([]string, len(s.invites))
	for i, r := range s.invites {
		refs[i] = string(r.ID)
	}
	if s.mails, err = tx.Deliveries(ctx, string(id), invite.MailInvite, refs); err != nil {
		return err
	}
	s.seats, err = tx.Seats(ctx, id, s.now)
	return err
}

func (s *accountState) readHistory(ctx context.Context, tx storage.Tx, members *access.Service) (err error) {
	s.records, err = readAll(func(after access.EventKey) ([]access.Record, error) {
		return tx.Events(ctx, s.account.ID, access.EventFilter{}, after, true, dumpPage)
	}, func(r access.Record) access.EventKey { return access.EventKey{Version: r.Version, Index: r.Index} })
	if err != nil {
		return err
	}
	for _, r := range s.records {
		if e, err := r.Event(); err == nil {
			s.events = append(s.events, e)
		}
	}
	if s.exists {
		s.verification, err = members.VerifyHistory(ctx, access.AsSystem("invariants"), s.account.ID, access.Head{})
	}
	return err
}

func (s *accountState) readUsers(ctx context.Context, tx storage.Tx) error {
	s.grants, s.listed = make(map[access.UserID]access.Grant), make(map[access.UserID]*access.Membership)
	for _, user := range s.users() {
		grant, err := tx.Grant(ctx, s.account.ID, user)
		if err != nil {
			return err
		}
		accounts, err := readAll(func(after access.AccountID) ([]access.UserAccount, error) {
			return tx.UserAccounts(ctx, user, access.AccountFilter{}, after, dumpPage)
		}, func(a access.UserAccount) access.AccountID { return a.Account.ID })
		if err != nil {
			return err
		}
		s.grants[user], s.listed[user] = grant, nil
		for _, a := range accounts {
			if a.Account.ID == s.account.ID {
				s.listed[user] = &a.Membership
			}
		}
	}
	return nil
}

// users are the members, and those whom the history names.
func (s *accountState) users() []access.UserID {
	var users []access.UserID
	for _, m := range s.members {
		users = append(users, m.User)
	}
	for _, e := range s.events {
		if e.Target.Kind == access.TargetUser {
			users = append(users, access.UserID(e.Target.ID))
		}
	}
	slices.Sort(users)
	return slices.Compact(users)
}

func (s *accountState) isMember(user access.UserID) bool {
	return slices.ContainsFunc(s.members, func(m access.Member) bool { return m.User == user })
}

// checkDecisions asks about everybody, outside the transaction too, and compares with the membership as it is listed.
func (s *accountState) checkDecisions(ctx context.Context, db storage.DB) error {
	want := make(map[access.UserID]access.Grant)
	for user := range s.grants {
		want[user] = access.Grant{Account: s.account.Status, Version: s.account.Version}
	}
	for _, m := range s.members {
		want[m.User] = access.Grant{Owner: m.Owner, Permissions: m.Permissions, Status: m.Status, Account: s.account.Status,
			Starts: m.Starts, Expires: m.Expires, LastSeen: m.LastSeen, Version: s.account.Version}
	}
	var broken []error
	for user, grant := range s.grants {
		asked, err := db.Grant(ctx, s.account.ID, user)
		if err != nil {
			return err
		}
		if grant != want[user] || asked != want[user] {
			broken = append(broken, fmt.Errorf("decisions: %+v for %q, in a transaction %+v, and stored is %+v", asked, user, grant, want[user]))
		}
	}
	return errors.Join(broken...)
}

// A feedState is the change feed: where each event is, and how many each account has.
type feedState struct {
	places map[access.EventID]feedPlace
	events map[access.AccountID]int
	broken []error
}

type feedPlace struct {
	shard   int
	number  uint64
	account access.AccountID
	hash    access.Digest
}

// readFeed reads the whole feed. Each shard is numbered from 1 without gaps up to its head, and holds the events of
// its own accounts.
func readFeed(ctx context.Context, tx storage.Tx) (*feedState, error) {
	f := &feedState{places: make(map[access.EventID]feedPlace), events: make(map[access.AccountID]int)}
	heads, err := tx.Feed(ctx)
	if err != nil {
		return nil, err
	}
	for shard, head := range heads {
		changes, err := readAll(func(after uint64) ([]access.Record, error) {
			return tx.Changes(ctx, shard, after, dumpPage)
		}, func(r access.Record) uint64 { return r.Number })
		if err != nil {
			return nil, err
		}
		f.add(shard, head, changes)
	}
	return f, nil
}

func (f *feedState) add(shard int, head access.FeedHead, changes []access.Record) {
	report := func(format string, args ...any) {
		f.broken = append(f.broken, fmt.Errorf("feed: shard %d: %s", shard, fmt.Sprintf(format, args...)))
	}
	var end access.FeedHead
	last := make(map[access.AccountID]access.Record)
	for _, r := range changes {
		if r.Number != end.Number+1 || r.Shard != shard || r.Account.Shard() != shard {
			report("number %d, of shard %d, after %d", r.Number, r.Shard, end.Number)
		}
		if before := last[r.Account]; r.Version < before.Version || r.Version == before.Version && r.Index <= before.Index {
			report("event %s is after a later one of its account", r.ID)
		}
		if _, twice := f.places[r.ID]; twice {
			report("event %s is there twice", r.ID)
		}
		last[r.Account], end = r, access.FeedHead{Number: r.Number, Tail: r.ID}
		f.places[r.ID] = feedPlace{shard: shard, number: r.Number, account: r.Account, hash: r.Hash}
		f.events[r.Account]++
	}
	if end != head {
		report("the head is %+v, the last event %+v", head, end)
	}
}

// readAll reads a list that is read by its key.
func readAll[K, T any](page func(K) ([]T, error), key func(T) K) ([]T, error) {
	var all []T
	var from K
	for {
		things, err := page(from)
		if err != nil {
			return nil, err
		}
		all = append(all, things...)
		if len(things) < dumpPage {
			return all, nil
		}
		from = key(things[len(things)-1])
	}
}

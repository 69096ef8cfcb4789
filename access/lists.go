package access

import (
	"context"
	"time"

	"github.com/rosterkit/roster/notify"
)

// Members returns a page of an account's members, the owner among them, ordered by user id. It is for those who
// manage members. ErrInvalid, ErrNotFound, ErrDenied.
func (s *Service) Members(ctx context.Context, actor Actor, account AccountID, f MemberFilter, page Page) (List[Member], error) {
	list := "members/" + string(account)
	limit, key, err := page.Open(list, 1)
	if err != nil {
		return List[Member]{}, err
	}
	if err := f.check(); err != nil {
		return List[Member]{}, err
	}
	var members List[Member]
	err = s.look(ctx, actor, account, func(ctx context.Context, c *Call) error {
		if err := c.Manage(); err != nil {
			return err
		}
		rows, err := c.Tx.Members(ctx, account, f, UserID(first(key)), limit+1)
		members = ListOf(rows, limit, list, memberKey)
		return err
	})
	return orZero(members, err)
}

// Member returns one member, to those who manage members and to the member. ErrInvalid, ErrNotFound, ErrDenied.
func (s *Service) Member(ctx context.Context, actor Actor, account AccountID, user UserID) (Member, error) {
	if err := user.Check(); err != nil {
		return Member{}, err
	}
	var member Member
	err := s.look(ctx, actor, account, func(ctx context.Context, c *Call) error {
		if user != actor.User() || !c.Grant.Member() {
			if err := c.Manage(); err != nil {
				return err
			}
		}
		m, err := c.member(ctx, user)
		if err != nil {
			return err
		}
		people, err := c.Tx.Users(ctx, []UserID{user})
		if err != nil {
			return err
		}
		person := people[user]
		person.ID = user
		member = Member{Membership: m, Owner: user == c.Account.Owner, Person: person}
		return nil
	})
	return orZero(member, err)
}

// WhoCan returns a page of the users who may do all of p in an account now, ordered by id. It is for those who
// manage members. ErrInvalid, ErrNotFound, ErrDenied.
func (s *Service) WhoCan(ctx context.Context, actor Actor, account AccountID, p Permission, page Page) (List[Member], error) {
	list := "whocan/" + string(account)
	limit, key, err := page.Open(list, 1)
	if err != nil {
		return List[Member]{}, err
	}
	// What p needs is not asked: Can doesn't either.
	if err := s.catalog.Check(s.catalog.Complete(p)); err != nil {
		return List[Member]{}, err
	}
	var able List[Member]
	err = s.lookOnce(ctx, actor, account, func(ctx context.Context, c *Call) error {
		if err := c.Manage(); err != nil {
			return err
		}
		var rows []Member
		after := UserID(first(key))
		for len(rows) <= limit {
			some, err := c.Tx.Members(ctx, account, MemberFilter{Permission: p}, after, MaxPage)
			if err != nil {
				return err
			}
			for _, m := range some {
				if c.GrantOf(m).Can(p, c.Now) {
					rows = append(rows, m)
				}
			}
			if len(some) < MaxPage {
				break
			}
			after = some[len(some)-1].User
		}
		if len(rows) > limit+1 {
			rows = rows[:limit+1]
		}
		able = ListOf(rows, limit, list, memberKey)
		return nil
	})
	return orZero(able, err)
}

// Accounts returns a page of the accounts in which a user has a membership, in use or not, ordered by account id, with
// what Account.Outside leaves of each. It is for the user, staff and system. ErrInvalid, ErrDenied.
func (s *Service) Accounts(ctx context.Context, actor Actor, user UserID, f AccountFilter, page Page) (List[UserAccount], error) {
	list := "accounts/" + string(user)
	limit, key, err := page.Open(list, 1)
	if err != nil {
		return List[UserAccount]{}, err
	}
	if err := actor.Check(); err != nil {
		return List[UserAccount]{}, err
	}
	if err := user.Check(); err != nil {
		return List[UserAccount]{}, err
	}
	if err := f.check(); err != nil {
		return List[UserAccount]{}, err
	}
	if actor.Kind == ActorUser && actor.User() != user {
		return List[UserAccount]{}, Denied("denies.other", "these are somebody else's accounts")
	}
	if err := s.staffMay(ctx, actor, "", ""); err != nil {
		return List[UserAccount]{}, err
	}
	var accounts List[UserAccount]
	err = s.read(ctx, func(ctx context.Context, tx Tx) error {
		rows, err := tx.UserAccounts(ctx, user, f, AccountID(first(key)), limit+1)
		accounts = ListOf(rows, limit, list, func(a UserAccount) []string { return []string{string(a.Account.ID)} })
		return err
	})
	return orZero(accounts, err)
}

// Messages returns a page of the mails of an account, newest first, without what they said. It needs the permission with
// the key "emails". ErrInvalid, ErrNotFound, ErrDenied.
func (s *Service) Messages(ctx context.Context, actor Actor, account AccountID, f MessageFilter, page Page) (List[notify.Message], error) {
	list := "messages/" + string(account)
	limit, key, err := page.Open(list, 1)
	if err != nil {
		return List[notify.Message]{}, err
	}
	if err := f.check(); err != nil {
		return List[notify.Message]{}, err
	}
	var messages List[notify.Message]
	err = s.look(ctx, actor, account, func(ctx context.Context, c *Call) error {
		if err := c.May(s.bitOrAll("emails")); err != nil {
			return err
		}
		rows, err := c.Tx.Messages(ctx, string(account), notify.MessageQuery{States: f.States, Kinds: f.Kinds, Since: f.Since, Until: f.Until,
			Before: notify.MessageID(first(key)), Limit: limit + 1})
		messages = ListOf(rows, limit, list, func(m notify.Message) []string { return []string{string(m.ID)} })
		return err
	})
	return orZero(messages, err)
}

// Message returns a mail of an account, with what it said but for links and other secrets, once it is sent. It needs the
// permission with the key "emails". ErrNotFound, ErrDenied.
func (s *Service) Message(ctx context.Context, actor Actor, account AccountID, id notify.MessageID) (notify.Message, error) {
	var message notify.Message
	err := s.look(ctx, actor, account, func(ctx context.Context, c *Call) error {
		if err := c.May(s.bitOrAll("emails")); err != nil {
			return err
		}
		var err error
		message, err = c.Tx.Message(ctx, string(account), id)
		if err == nil && message.ID == "" {
			err = NotFound("message")
		}
		return err
	})
	return orZero(message, err)
}

// bitOrAll is the permission with a key; All in a catalog that has none.
func (s *Service) bitOrAll(key string) Permission {
	if bit := s.catalog.Bit(key); bit != 0 {
		return bit
	}
	return All
}

func (f MemberFilter) check() error {
	if err := checkYear("not_seen_since", f.NotSeenSince); err != nil {
		return err
	}
	return checkFilter(f.Permission, f.Prefix)
}

func (f AccountFilter) check() error { return checkFilter(f.Permission, f.Prefix) }

func checkFilter(p Permission, prefix string) error {
	if p&^All != 0 {
		return Invalid("permissions", "permissions.unknown", "hold bit 63, which is never used")
	}
	return CheckText("prefix", prefix, MaxNameRunes)
}

// A MessageFilter selects mails. The zero value selects them all.
type MessageFilter struct {
	States []notify.State // in one of these
	Kinds  []notify.Kind  // of one of these
	Since  time.Time      // caused at or after
	Until  time.Time      // caused before
}

func (f MessageFilter) check() error {
	const maxStates = 5 // there are no more
	if len(f.States) > maxStates {
		return Invalid("states", "states.many", "are more than 5")
	}
	return checkKinds(len(f.Kinds), f.Since, f.Until)
}

func (f EventFilter) check() error { return checkKinds(len(f.Kinds), f.Since, f.Until) }

// checkKinds checks the number of kinds that are asked for, and the time.
func checkKinds(kinds int, since, until time.Time) error {
	const maxKinds = 100
	if kinds > maxKinds {
		return Invalid("kinds", "kinds.many", "are more than 100")
	}
	if err := checkYear("since", since); err != nil {
		return err
	}
	return checkYear("until", until)
}

func memberKey(m Member) []string { return []string{string(m.User)} }

// first is the one text of a cursor's key, empty on the first page.
func first(key []string) string {
	if key == nil {
		return ""
	}
	return key[0]
}

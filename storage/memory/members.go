package memory

import (
	"context"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
)

func (s *state) grant(id access.AccountID, user access.UserID) access.Grant {
	a, ok := s.accounts.get(id)
	if !ok {
		return access.Grant{}
	}
	m, _ := a.members.get(user)
	return access.Grant{
		Owner:       a.Owner == user,
		Permissions: m.Permissions,
		Status:      m.Status,
		Account:     a.Status,
		Starts:      m.Starts,
		Expires:     m.Expires,
		LastSeen:    m.LastSeen,
		Version:     a.Version,
	}
}

func (tx *tx) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	if err := tx.read(ctx); err != nil {
		return access.Grant{}, err
	}
	return tx.grant(account, user), nil
}

func (tx *tx) Grants(ctx context.Context, user access.UserID, accounts []access.AccountID) (map[access.AccountID]access.Grant, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	grants := make(map[access.AccountID]access.Grant)
	for _, id := range accounts {
		if _, ok := tx.accounts.get(id); ok {
			grants[id] = tx.grant(id, user)
		}
	}
	return grants, nil
}

func (tx *tx) Granted(ctx context.Context, after access.MembershipKey, limit int) ([]access.Granted, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	var page []access.Granted
	add := func(id access.AccountID, a *account, after access.UserID) {
		for user := range a.members.above(after) {
			if len(page) >= limit {
				return
			}
			page = append(page, access.Granted{MembershipKey: access.MembershipKey{Account: id, User: user}, Grant: tx.grant(id, user)})
		}
	}
	add(after.Account, tx.get(after.Account), after.User)
	for id, a := range tx.accounts.above(after.Account) {
		if len(page) >= limit {
			break
		}
		add(id, a, "")
	}
	return page, nil
}

func (tx *tx) Membership(ctx context.Context, account access.AccountID, user access.UserID) (access.Membership, error) {
	if err := tx.read(ctx); err != nil {
		return access.Membership{}, err
	}
	m, ok := tx.get(account).members.get(user)
	if !ok {
		return access.Membership{}, access.NotFound("member")
	}
	return m, nil
}

func (tx *tx) PutMembership(ctx context.Context, m access.Membership) error {
	if err := tx.write(ctx, m.Account); err != nil {
		return err
	}
	m.Starts, m.Expires = stored(m.Starts), stored(m.Expires)
	m.Created, m.LastSeen = stored(m.Created), stored(m.LastSeen)
	if old, ok := tx.get(m.Account).members.get(m.User); ok {
		m.Created, m.LastSeen = old.Created, old.LastSeen
	}
	tx.change(m.Account, func(a *account) { a.members = a.members.put(m.User, m) })
	tx.joined = add(tx.joined, m.User, m.Account)
	return nil
}

func (tx *tx) DeleteMembership(ctx context.Context, id access.AccountID, user access.UserID) error {
	if err := tx.write(ctx, id); err != nil {
		return err
	}
	if _, ok := tx.get(id).members.get(user); !ok {
		return access.NotFound("member")
	}
	tx.change(id, func(a *account) { a.members = a.members.remove(user) })
	tx.joined = drop(tx.joined, user, id)
	return nil
}

func (tx *tx) Members(ctx context.Context, account access.AccountID, f access.MemberFilter, after access.UserID, limit int) ([]access.Member, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	a := tx.get(account)
	var page []access.Member
	for _, m := range a.members.above(after) {
		if len(page) >= limit {
			break
		}
		if member := tx.member(a, m); memberMatches(f, member) {
			page = append(page, member)
		}
	}
	return page, nil
}

func (tx *tx) Seats(ctx context.Context, account access.AccountID, now time.Time) (int, error) {
	if err := tx.read(ctx); err != nil {
		return 0, err
	}
	now = stored(now)
	a := tx.get(account)
	seats := a.live(now)
	for user, m := range a.members.above("") {
		if user != a.Owner && (m.Expires.IsZero() || now.Before(m.Expires)) {
			seats++
		}
	}
	return seats, nil
}

func (tx *tx) Touch(ctx context.Context, id access.AccountID, user access.UserID, at, notAfter time.Time) error {
	if err := tx.write(ctx); err != nil {
		return err
	}
	m, ok := tx.get(id).members.get(user)
	if !ok || m.LastSeen.After(notAfter) {
		return nil
	}
	m.LastSeen = stored(at)
	tx.change(id, func(a *account) { a.members = a.members.put(user, m) })
	return nil
}

// member returns a membership as lists show it.
func (s *state) member(a *account, m access.Membership) access.Member {
	person, ok := s.users.get(m.User)
	if !ok {
		person = access.User{ID: m.User}
	}
	return access.Member{Membership: m, Owner: a.Owner == m.User, Person: person}
}

func memberMatches(f access.MemberFilter, m access.Member) bool {
	switch {
	case f.Status != 0 && m.Status != f.Status:
		return false
	case f.Permission != 0 && !m.Owner && !m.Permissions.Has(f.Permission):
		return false
	case !f.NotSeenSince.IsZero() && !m.LastSeen.Before(stored(f.NotSeenSince)):
		return false
	}
	return foldedPrefix(f.Prefix, m.Person.Name, m.Person.Address.Canonical()) || strings.HasPrefix(string(m.User), f.Prefix)
}

package access_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// The small catalog has three bits and "users", so that every combination can be tried.
const (
	small1, small2, small3 access.Permission = 1, 2, 4
	smallUsers             access.Permission = 8
)

func smallCatalog(t *testing.T) *access.Catalog {
	t.Helper()
	c, err := access.NewCatalog([]access.Definition{
		{Permission: small1, Key: "one", Label: "One", WhileSuspended: true}, {Permission: small2, Key: "two", Label: "Two"},
		{Permission: small3, Key: "three", Label: "Three"}, {Permission: smallUsers, Key: "users", Label: "Users"},
	}, nil)
	require.NoError(t, err)
	return c
}

// smallSets are the sets that the small catalog lets somebody hold.
func smallSets() []access.Permission {
	sets := []access.Permission{access.All}
	for p := access.Permission(1); p < 16; p++ {
		sets = append(sets, p)
	}
	return sets
}

// A manager is one way to stand to the account acme, to act on the member ivan.
type manager struct {
	name       string
	actor      access.Actor
	membership access.Membership // of mona, if she acts
	power      access.Permission // the bits that they may act on
	manages    bool
}

func everyManager(now time.Time) []manager {
	var managers []manager
	for _, p := range smallSets() {
		mona := access.Membership{Account: "acme", User: "mona", Permissions: p, Status: access.Active}
		managers = append(managers, manager{fmt.Sprintf("active %d", p), access.As("mona"), mona, p, p&smallUsers != 0})
		for name, change := range map[string]func(*access.Membership){
			"suspended": func(m *access.Membership) { m.Status = access.Suspended },
			"expired":   func(m *access.Membership) { m.Expires = now },
			"early":     func(m *access.Membership) { m.Starts = now.Add(time.Microsecond) },
		} {
			changed := mona
			change(&changed)
			managers = append(managers, manager{fmt.Sprintf("%s %d", name, p), access.As("mona"), changed, 0, false})
		}
	}
	for _, actor := range []access.Actor{olive, support, signup} {
		managers = append(managers, manager{actor.ID, actor, access.Membership{}, access.All, true})
	}
	return managers
}

// An attempt is a verb on ivan, as he was before: with what he'd hold after it, and whether he could do more.
type attempt struct {
	name   string
	before access.Membership
	after  access.Permission
	widens bool
	do     func(context.Context, *access.Service, access.Actor) (access.Revision, error)
}

func everyAttempt(now time.Time) []attempt {
	var attempts []attempt
	soon, late := now.Add(time.Hour), now.Add(48*time.Hour)
	for _, p := range smallSets() {
		m := access.Membership{Account: "acme", User: "ivan", Permissions: p, Status: access.Active}
		suspended, expiring, expired := m, m, m
		suspended.Status, expiring.Expires, expired.Expires = access.Suspended, soon, now
		for _, after := range smallSets() {
			attempts = append(attempts, attempt{fmt.Sprintf("sets %d to %d", p, after), m, after, after&^p != 0,
				func(ctx context.Context, s *access.Service, actor access.Actor) (access.Revision, error) {
					return s.SetPermissions(ctx, actor, "acme", "ivan", after)
				}})
		}
		expires := func(before access.Membership, at time.Time, widens bool) {
			attempts = append(attempts, attempt{fmt.Sprintf("sets the expiry of %d from %v to %v", p, before.Expires, at), before, p, widens,
				func(ctx context.Context, s *access.Service, actor access.Actor) (access.Revision, error) {
					return s.SetExpiry(ctx, actor, "acme", "ivan", at)
				}})
		}
		expires(m, soon, false)
		expires(m, time.Time{}, false)
		expires(expiring, soon, false)
		expires(expiring, late, true)
		expires(expiring, now.Add(time.Minute), false)
		expires(expiring, time.Time{}, true)
		expires(expired, soon, true)
		expires(expired, time.Time{}, true)
		verb := func(name string, before access.Membership, after access.Permission, widens bool,
			do func(*access.Service, context.Context, access.Actor, access.AccountID, access.UserID) (access.Revision, error)) {
			attempts = append(attempts, attempt{fmt.Sprintf("%s %d, %s", name, p, before.Status), before, after, widens,
				func(ctx context.Context, s *access.Service, actor access.Actor) (access.Revision, error) {
					return do(s, ctx, actor, "acme", "ivan")
				}})
		}
		for _, before := range []access.Membership{m, suspended} {
			verb("suspends", before, p, false, (*access.Service).Suspend)
			verb("reinstates", before, p, before.Status == access.Suspended, (*access.Service).Reinstate)
			verb("removes", before, 0, false, (*access.Service).Remove)
			verb("labels", before, p, false, func(s *access.Service, ctx context.Context, actor access.Actor, account access.AccountID, user access.UserID) (access.Revision, error) {
				return s.SetLabel(ctx, actor, account, user, "a label")
			})
		}
	}
	return attempts
}

// refusal returns the code with which a manager's attempt must be refused, empty if it must succeed.
func (m manager) refusal(a attempt, status access.AccountStatus, onlyOwner bool) string {
	switch {
	case status == access.AccountClosed:
		return "denies.closed"
	case !m.manages || onlyOwner && m.actor.User() == "mona":
		return "denies.manage"
	case (a.before.Permissions|a.after)&^m.power != 0:
		return "permissions.beyond"
	case a.widens && status == access.AccountSuspended:
		return "denies.account_suspended"
	}
	return ""
}

// TestDelegationExhaustively tries every verb on members that hold every set, by managers that hold every set, in
// accounts of every status: it must be allowed exactly if the bits before and after are a subset of the manager's.
func TestDelegationExhaustively(t *testing.T) {
	w := newWorld(t)
	now := w.Members.Now()
	catalog := smallCatalog(t)
	free := w.service(func(c *access.Config) { c.Catalog = catalog })
	strict := w.service(func(c *access.Config) { c.Catalog, c.OnlyOwnerManages = catalog, true })
	tried := 0
	for _, status := range []access.AccountStatus{access.AccountActive, access.AccountSuspended, access.AccountClosed} {
		for _, m := range everyManager(now) {
			for _, a := range everyAttempt(now) {
				for onlyOwner, s := range map[bool]*access.Service{false: free, true: strict} {
					if (onlyOwner || m.power == 0 || status == access.AccountClosed) && a.before.Permissions != small1 {
						continue // one is enough: these rules don't look at the member
					}
					err, same := w.try(t, s, status, m, a)
					where := fmt.Sprintf("%s in %s, only the owner %v: %s", m.name, status, onlyOwner, a.name)
					if want := m.refusal(a, status, onlyOwner); want != "" {
						require.ErrorIs(t, err, access.ErrDenied, where)
						requireCode(t, err, access.ErrDenied, want, where)
						require.True(t, same, where)
					} else {
						require.NoError(t, err, where)
					}
					tried++
				}
			}
		}
	}
	require.Greater(t, tried, 15_000)
}

// try makes an attempt in a unit that is rolled back, and says whether ivan's membership and the history stayed.
func (w *world) try(t *testing.T, s *access.Service, status access.AccountStatus, m manager, a attempt) (result error, same bool) {
	t.Helper()
	err := w.DB.Update(context.Background(), func(ctx context.Context, tx storage.Tx) error {
		accounts, err := tx.Lock(ctx, "acme")
		require.NoError(t, err)
		accounts[0].Status = status
		require.NoError(t, tx.UpdateAccount(ctx, accounts[0]))
		if m.membership.User != "" {
			require.NoError(t, tx.PutMembership(ctx, m.membership))
		}
		require.NoError(t, tx.PutMembership(ctx, a.before))
		before, err := tx.Membership(ctx, "acme", "ivan")
		require.NoError(t, err)

		_, result = a.do(ctx, s.Within(tx), m.actor)

		after, err := tx.Membership(ctx, "acme", "ivan")
		if a.after == 0 && result == nil {
			require.ErrorIs(t, err, access.ErrNotFound)
			return errUndo
		}
		require.NoError(t, err)
		require.Equal(t, result == nil && a.after != before.Permissions, after.Permissions != before.Permissions)
		account, err := tx.Account(ctx, "acme")
		require.NoError(t, err)
		same = before == after && account.Head == accounts[0].Head
		return errUndo
	})
	require.Equal(t, errUndo, err)
	return result, same
}

// onMember are the verbs on one member.
func onMember() []verb {
	var verbs []verb
	for _, v := range changing() {
		switch v.name {
		case "SetPermissions", "SetExpiry", "SetLabel", "Suspend", "Reinstate", "Remove":
			verbs = append(verbs, v)
		}
	}
	return verbs
}

// TestOwnerIsUntouchable: by everybody who manages, the owner too, in every verb, whatever the membership row says.
func TestOwnerIsUntouchable(t *testing.T) {
	w := newWorld(t)
	for _, v := range onMember() {
		for _, actor := range []access.Actor{olive, mona, alma, support, signup} {
			w.refuses(t, access.ErrOwner, "owner", "user", func() (any, error) {
				return v.do(t.Context(), w.Members, actor, "acme", "olive")
			})
		}
		w.refuses(t, access.ErrDenied, "denies.manage", "", func() (any, error) {
			return v.do(t.Context(), w.Members, ivan, "acme", "olive")
		})
	}
}

func TestNobodyChangesTheirOwnMembership(t *testing.T) {
	w := newWorld(t)
	for _, v := range onMember() {
		for _, actor := range []access.Actor{mona, alma} {
			w.refuses(t, access.ErrDenied, "denies.self", "", func() (any, error) {
				return v.do(t.Context(), w.Members, actor, "acme", actor.User())
			})
		}
		w.refuses(t, access.ErrDenied, "denies.manage", "", func() (any, error) {
			return v.do(t.Context(), w.Members, ivan, "acme", "ivan")
		})
	}
}

func TestMembersThatAreNotThere(t *testing.T) {
	w := newWorld(t)
	for _, v := range onMember() {
		for _, user := range []access.UserID{"nobody", "greg", "Ivan", "ivan "} {
			w.refuses(t, access.ErrNotFound, "not_found", "member", func() (any, error) {
				return v.do(t.Context(), w.Members, olive, "acme", user)
			})
		}
	}
}

// TestCatalogWithoutUsers: only the owner and members with All manage members and change the profile then.
func TestCatalogWithoutUsers(t *testing.T) {
	w := newWorld(t)
	catalog, err := access.NewCatalog([]access.Definition{{Permission: access.PayInvoices, Key: "invoices", Label: "Invoices"}}, nil)
	require.NoError(t, err)
	s := w.service(func(c *access.Config) { c.Catalog = catalog })
	_, err = s.Suspend(t.Context(), mona, "acme", "ivan")
	requireRefused(t, err, access.ErrDenied, "denies.manage", "")
	_, err = s.UpdateAccount(t.Context(), mona, "acme", fullProfile)
	requireRefused(t, err, access.ErrDenied, "denies.missing", "")
	_, err = s.Messages(t.Context(), mona, "acme", access.MessageFilter{}, access.Page{})
	requireRefused(t, err, access.ErrDenied, "denies.missing", "")
	for _, actor := range []access.Actor{alma, olive} {
		w.must(s.Suspend(t.Context(), actor, "acme", "ivan"))
		w.must(s.UpdateAccount(t.Context(), actor, "acme", fullProfile))
		_, err = s.Messages(t.Context(), actor, "acme", access.MessageFilter{}, access.Page{})
		require.NoError(t, err)
	}
}

func TestOnlyOwnerManages(t *testing.T) {
	w := newWorld(t)
	s := w.service(func(c *access.Config) { c.OnlyOwnerManages = true })
	for _, actor := range []access.Actor{mona, alma} {
		for _, v := range onMember() {
			w.refuses(t, access.ErrDenied, "denies.manage", "", func() (any, error) {
				return v.do(t.Context(), s, actor, "acme", "ivan")
			})
		}
		w.refuses(t, access.ErrDenied, "denies.manage", "", func() (any, error) {
			return s.Members(t.Context(), actor, "acme", access.MemberFilter{}, access.Page{})
		})
	}
	for _, actor := range []access.Actor{olive, support, signup} {
		w.must(s.SetLabel(t.Context(), actor, "acme", "ivan", actor.ID))
	}
}

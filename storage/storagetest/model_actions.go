package storagetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
)

// actions are the verbs, each drawn with random actors and objects. "" is what is checked after each of them.
func (m *model) actions(rt *rapid.T) map[string]func(*rapid.T) {
	ctx := context.Background()
	n := m.naive
	return weighted(map[string]func(*rapid.T){
		"": m.compare,
		"create": func(rt *rapid.T) {
			m.create(rt, m.account(rt), m.user(rt))
		},
		"account status": func(rt *rapid.T) {
			id, actor, _ := m.pick(rt, nobody)
			verbs := []struct {
				status access.AccountStatus
				verb   func(context.Context, access.Actor, access.AccountID) (access.Revision, error)
			}{
				{access.AccountSuspended, m.members.SuspendAccount},
				{access.AccountActive, m.members.ReactivateAccount},
				{access.AccountActive, m.members.ReactivateAccount},
				{access.AccountClosed, m.members.CloseAccount},
			}
			// Closing is final, so it is drawn rarely.
			choice := verbs[rapid.SampledFrom([]int{0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3}).Draw(rt, "status")]
			_, err := choice.verb(ctx, actor, id)
			m.same(rt, n.setStatus(id, actor, choice.status), err)
		},
		"seats": func(rt *rapid.T) {
			id, actor, _ := m.pick(rt, nobody)
			seats := rapid.IntRange(0, 6).Draw(rt, "seats")
			_, err := m.members.SetPolicy(ctx, actor, id, access.Policy{Seats: seats})
			m.same(rt, n.setSeats(id, actor, seats), err)
		},
		"add": func(rt *rapid.T) {
			id, actor, user := m.pick(rt, nobody)
			p := m.permissions(rt)
			_, err := m.members.AddMember(ctx, actor, id, user, access.Terms{Permissions: p})
			want := n.host(n.accounts[id], actor)
			if want == nil {
				want = n.admit(n.accounts[id], user, p, 0)
			}
			m.same(rt, want, err)
		},
		"set permissions": func(rt *rapid.T) {
			id, actor, user := m.pick(rt, memberUsers)
			p := m.permissions(rt)
			_, err := m.members.SetPermissions(ctx, actor, id, user, p)
			m.same(rt, n.edit(id, actor, user, func(member *naiveMember) (bool, error) {
				widens := p&^member.bits != 0
				member.bits = p
				return widens, nil
			}), err)
		},
		"set expiry": func(rt *rapid.T) {
			id, actor, user := m.pick(rt, memberUsers)
			var expires time.Time
			if hours := rapid.IntRange(-1, 4).Draw(rt, "hours"); hours != 0 {
				expires = n.now.Add(time.Duration(hours) * time.Hour)
			}
			_, err := m.members.SetExpiry(ctx, actor, id, user, expires)
			m.same(rt, n.edit(id, actor, user, func(member *naiveMember) (bool, error) { return n.setExpiry(id, member, expires) }), err)
		},
		"suspend": func(rt *rapid.T) {
			id, actor, user := m.pick(rt, memberUsers)
			_, err := m.members.Suspend(ctx, actor, id, user)
			m.same(rt, n.edit(id, actor, user, func(member *naiveMember) (bool, error) {
				member.suspended = true
				return false, nil
			}), err)
		},
		"reinstate": func(rt *rapid.T) {
			id, actor, user := m.pick(rt, memberUsers)
			_, err := m.members.Reinstate(ctx, actor, id, user)
			m.same(rt, n.edit(id, actor, user, func(member *naiveMember) (bool, error) {
				widens := member.suspended
				member.suspended = false
				return widens, nil
			}), err)
		},
		"remove": func(rt *rapid.T) {
			id, actor, user := m.pick(rt, memberUsers)
			_, err := m.members.Remove(ctx, actor, id, user)
			m.same(rt, n.remove(id, actor, user), err)
		},
		"leave": func(rt *rapid.T) {
			id, actor, _ := m.pick(rt, nobody)
			_, err := m.members.Leave(ctx, actor, id)
			m.same(rt, n.leave(id, actor), err)
		},
		"transfer": func(rt *rapid.T) {
			id, actor, to := m.pick(rt, nobody)
			var keeps access.Permission
			if rapid.Bool().Draw(rt, "keeps some") {
				keeps = m.permissions(rt)
			}
			_, err := m.members.TransferByStaff(ctx, actor, id, to, keeps)
			m.same(rt, n.transfer(id, actor, to, keeps), err)
		},
		"send": func(rt *rapid.T) {
			id, actor, invited := m.pick(rt, m.outsiders)
			p := m.permissions(rt)
			sent, err := m.invites.Send(ctx, actor, id, invite.Offer{Address: addressOf(invited), Terms: access.Terms{Permissions: p}})
			m.same(rt, n.send(id, actor, invited, p), err)
			if err == nil {
				m.collect(rt, sent, invited)
			}
		},
		"resend": func(rt *rapid.T) {
			id, actor, invited := m.pick(rt, pendingUsers)
			sent, err := m.invites.Resend(ctx, actor, id, m.pendingID(id, invited))
			m.same(rt, n.resend(id, actor, invited), err)
			if err == nil {
				m.collect(rt, sent, invited)
			}
		},
		"edit invite": func(rt *rapid.T) {
			id, actor, invited := m.pick(rt, pendingUsers)
			p := m.permissions(rt)
			_, err := m.invites.Edit(ctx, actor, id, m.pendingID(id, invited), access.Terms{Permissions: p})
			m.same(rt, n.editInvite(id, actor, invited, p), err)
		},
		"revoke": func(rt *rapid.T) {
			id, actor, invited := m.pick(rt, pendingUsers)
			_, err := m.invites.Revoke(ctx, actor, id, m.pendingID(id, invited))
			m.same(rt, n.revoke(id, actor, invited), err)
		},
		"accept": func(rt *rapid.T) {
			m.answer(rt, byToken, func(l link, user access.UserID) error {
				_, err := m.invites.Accept(ctx, l.token, m.identity(user))
				return err
			}, n.accept)
		},
		"accept pending": func(rt *rapid.T) {
			m.answer(rt, byID, func(l link, user access.UserID) error {
				_, err := m.invites.AcceptPending(ctx, invite.ID(l.id), m.identity(user))
				if l.invited != user {
					require.ErrorIs(rt, err, access.ErrNotFound)
					return access.ErrDenied
				}
				return err
			}, n.accept)
		},
		"decline": func(rt *rapid.T) {
			m.answer(rt, byToken, func(l link, user access.UserID) error {
				_, err := m.invites.Decline(ctx, l.token, m.identity(user))
				return err
			}, n.decline)
		},
		"look up": func(rt *rapid.T) {
			if len(m.links) == 0 {
				return
			}
			l := rapid.SampledFrom(m.links).Draw(rt, "link")
			p, err := m.invites.Lookup(ctx, l.token, m.identity(m.user(rt)))
			require.NoError(rt, err)
			require.Equal(rt, l.account, p.Account)
			_, err = m.invites.Lookup(ctx, mangled(rt, l.token), invite.Identity{})
			require.ErrorIs(rt, err, access.ErrNotFound)
			m.said.add(err.Error())
		},
		"wait": func(rt *rapid.T) {
			n.now = n.now.Add(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, time.Hour, time.Hour, time.Hour,
				time.Hour, 25 * time.Hour, lifetime}).Draw(rt, "duration"))
		},
	})
}

// weighted makes the verbs that lead further come up more often.
func weighted(actions map[string]func(*rapid.T)) map[string]func(*rapid.T) {
	for name, times := range map[string]int{"send": 4, "accept": 4, "set permissions": 3, "set expiry": 2, "suspend": 2,
		"wait": 3, "resend": 2, "remove": 2, "seats": 2} {
		for i := 1; i < times; i++ {
			actions[fmt.Sprintf("%s %d", name, i)] = actions[name]
		}
	}
	return actions
}

func (m *model) create(rt *rapid.T, id access.AccountID, owner access.UserID) {
	revision, err := m.members.CreateAccount(context.Background(), access.As(owner), access.NewAccount{ID: id, Owner: owner,
		Profile: access.Profile{Name: "Account"}})
	a := m.naive.accounts[id]
	switch {
	case a == nil:
		m.same(rt, nil, err)
		require.Equal(rt, access.Revision{Account: id, Version: 1}, revision)
		m.naive.accounts[id] = &naiveAccount{owner: owner, status: access.AccountActive, events: 1,
			members: map[access.UserID]naiveMember{}, pending: map[access.UserID]naiveInvite{}}
	case a.owner == owner && a.seats == 0:
		m.same(rt, nil, err)
	default:
		m.same(rt, access.ErrExists, err)
	}
}

// How somebody comes to an invite: with a link, or because it waits for their address.
const (
	byToken = true
	byID    = false
)

// answer is somebody coming with a link, which may be old, or somebody else's.
func (m *model) answer(rt *rapid.T, token bool, verb func(link, access.UserID) error, rule func(access.AccountID, access.UserID, access.UserID) error) {
	if len(m.links) == 0 {
		return
	}
	l := m.links[len(m.links)-1]
	if rapid.Bool().Draw(rt, "older link") {
		l = rapid.SampledFrom(m.links).Draw(rt, "link")
	}
	user := l.invited
	if rapid.IntRange(0, 4).Draw(rt, "somebody else") == 0 {
		user = m.user(rt)
	}
	a := m.naive.accounts[l.account]
	i, pending := a.pending[l.invited]
	pending = pending && i.id == l.id
	before := a.events
	err := verb(l, user)
	_, member := a.members[user]
	switch {
	case pending && token && i.links != l.number:
		m.same(rt, access.ErrDenied, err) // the link was replaced
	case pending:
		m.same(rt, rule(l.account, l.invited, user), err)
		if _, joined := a.members[user]; err == nil && joined && a.events > before {
			m.accepted[l.id] = user
		}
	case err == nil:
		require.Equal(rt, user, m.accepted[l.id], "a used link worked for somebody else")
		require.True(rt, member || a.owner == user)
	default:
		m.same(rt, access.ErrDenied, err)
	}
}

// mangled changes one character of a token, or its length.
func mangled(rt *rapid.T, token string) string {
	b := []byte(token)
	at := rapid.IntRange(0, len(b)-1).Draw(rt, "position")
	switch rapid.IntRange(0, 3).Draw(rt, "damage") {
	case 0:
		return token[:at]
	case 1:
		return token + "A"
	case 2:
		return token[:at] + "\n" + token[at:]
	}
	if b[at] == 'A' {
		b[at] = 'B'
	} else {
		b[at] = 'A'
	}
	return string(b)
}

func (m *model) account(rt *rapid.T) access.AccountID {
	return access.AccountID(m.prefix + rapid.SampledFrom([]string{"x", "x", "x", "x", "x", "x", "x", "y"}).Draw(rt, "account"))
}

func (m *model) user(rt *rapid.T) access.UserID { return rapid.SampledFrom(m.users).Draw(rt, "user") }

// pick draws an account, who acts in it, and on whom: often the owner, and often one of the users that likely names,
// or else most verbs would find nothing to do.
func (m *model) pick(rt *rapid.T, likely func(*naiveAccount) []access.UserID) (access.AccountID, access.Actor, access.UserID) {
	id := m.account(rt)
	actor, user := m.actor(rt, id), m.user(rt)
	a := m.naive.accounts[id]
	if a == nil {
		return id, actor, user
	}
	if users := likely(a); len(users) > 0 && rapid.IntRange(0, 3).Draw(rt, "likely") > 0 {
		user = rapid.SampledFrom(users).Draw(rt, "likely user")
	}
	return id, actor, user
}

func (m *model) actor(rt *rapid.T, id access.AccountID) access.Actor {
	a := m.naive.accounts[id]
	switch n := rapid.IntRange(0, 7).Draw(rt, "sort of actor"); {
	case n == 0:
		return access.AsStaff("sam", "a test")
	case n == 1:
		return access.AsSystem("job")
	case n <= 4 && a != nil:
		return access.As(a.owner)
	}
	return access.As(m.user(rt))
}

func nobody(*naiveAccount) []access.UserID { return nil }

func (m *model) outsiders(a *naiveAccount) []access.UserID {
	return slices.DeleteFunc(slices.Clone(m.users), func(user access.UserID) bool { return a.knows(access.As(user)) })
}

func memberUsers(a *naiveAccount) []access.UserID { return slices.Sorted(maps.Keys(a.members)) }

func pendingUsers(a *naiveAccount) []access.UserID { return slices.Sorted(maps.Keys(a.pending)) }

func (m *model) permissions(rt *rapid.T) access.Permission {
	return rapid.SampledFrom([]access.Permission{access.All, access.ManageUsers, access.PayInvoices, access.PayInvoices | access.ManageUsers,
		access.ViewProducts, access.ViewProducts | access.ManageProducts | access.ManageUsers, access.OpenTickets | access.PayInvoices,
		access.Portal().Known()}).Draw(rt, "permissions")
}

// pendingID returns the id of the pending invite to a user, or of none.
func (m *model) pendingID(id access.AccountID, invited access.UserID) invite.ID {
	if a := m.naive.accounts[id]; a != nil && a.pending[invited].id != "" {
		return invite.ID(a.pending[invited].id)
	}
	return invite.ID(uuid(0))
}

// same compares the kinds of two refusals.
func (m *model) same(rt *rapid.T, want, got error) {
	if got != nil {
		m.said.add(got.Error())
	}
	if want == nil {
		require.NoError(rt, got)
		return
	}
	require.ErrorIs(rt, got, want)
}

package races_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
)

// An account is what an account should be: the rules of the services once more, without storage, for one operation
// after the other. It is a value: what changes one makes another.
type account struct {
	version uint64        // at least
	owner   access.UserID // empty if the account isn't there
	members map[access.UserID]member
	invites map[string]offer
}

type member struct {
	bits      access.Permission
	suspended bool
}

type offer struct {
	address    string
	bits       access.Permission
	by         access.UserID // empty for the system
	generation uint16
	state      invite.State
	acceptedBy access.UserID
}

// seats is how many members and pending invites each account may have beside its owner.
const seats = 4

// already is the code for the success of accepting again.
const already = "already"

func (a account) equal(b account) bool {
	return a.version == b.version && a.owner == b.owner && maps.Equal(a.members, b.members) && maps.Equal(a.invites, b.invites)
}

// step says whether a client could have been answered so by the account as it is, and what it is afterwards. Each verb
// that is done leaves a higher version than all before, and whatever is read says of which version it is: that leaves
// no choice in which order the verbs were done.
func (a account) step(o operation, r result) (bool, account) {
	if o.reads() {
		return a.read(o, r)
	}
	next, code := a.do(o, r)
	switch {
	case code != r.Code:
		return false, a
	case code != "":
		return true, a
	case o.Kind == create && a.owner != "": // nothing was done
		next.version = max(a.version, r.Version)
		return r.Version >= a.version, next
	}
	next.version = r.Version
	return r.Version > a.version, next
}

func (a account) read(o operation, r result) (bool, account) {
	if o.Kind == can {
		return r.Yes == a.can(o.User, o.Bits), a
	}
	seen := a.seen()
	if o.Kind == grant {
		seen = a.seenGrant(o.User)
	}
	right := r.Seen == seen && r.Version >= a.version
	a.version = r.Version // a verb that changed nothing may have raised it
	return right, a
}

func (a account) can(user access.UserID, p access.Permission) bool {
	m, isMember := a.members[user]
	return a.owner != "" && user == a.owner || isMember && !m.suspended && m.bits.Has(p)
}

// seen is how the whole account is described.
func (a account) seen() string {
	if a.owner == "" {
		return "nothing"
	}
	var lines []string
	for user, m := range a.members {
		lines = append(lines, fmt.Sprintf("%s %d %t", user, m.bits, m.suspended))
	}
	used := len(a.members)
	for _, i := range a.invites {
		if i.state == invite.Pending {
			lines = append(lines, fmt.Sprintf("%s/%d %d by %s", i.address, i.generation, i.bits, i.by))
			used++
		}
	}
	slices.Sort(lines)
	return fmt.Sprintf("owner %s, %d seats, %s", a.owner, used, strings.Join(lines, ", "))
}

// seenGrant is how a decision is described.
func (a account) seenGrant(user access.UserID) string {
	m, isMember := a.members[user]
	switch {
	case a.owner != "" && user == a.owner:
		return "owner"
	case !isMember:
		return "nobody"
	case m.suspended:
		return fmt.Sprint("suspended ", m.bits)
	}
	return fmt.Sprint("active ", m.bits)
}

// do returns the account after a verb, and the code of the refusal if it is one. The result is looked at for the id of
// a new invite only.
func (a account) do(o operation, r result) (account, string) {
	if o.Kind == create {
		if a.owner == "" {
			a.owner = o.User
		} else if a.owner != o.User {
			return a, "account.exists"
		}
		return a, ""
	}
	if o.Kind == accept {
		return a.accept(o)
	}
	if a.owner == "" {
		return a, "not_found"
	}
	switch o.Kind {
	case add:
		return a.admit(o.User, o.Bits, 0)
	case transfer:
		return a.transfer(o.User, o.Bits)
	case leave:
		return a.leave(o.Actor)
	}
	if code := a.manages(o.Actor); code != "" {
		return a, code
	}
	switch o.Kind {
	case set:
		return a.edit(o, func(m *member) { m.bits = o.Bits })
	case suspend:
		return a.edit(o, func(m *member) { m.suspended = true })
	case reinstate:
		return a.edit(o, func(m *member) { m.suspended = false })
	case remove:
		return a.edit(o, func(m *member) { *m = member{} })
	case send:
		return a.send(o, r)
	case resend:
		return a.resend(o, r)
	case revoke:
		return a.revoke(o)
	}
	panic("races: there is no verb " + o.Kind)
}

// held is what somebody can grant, and whether they have to do with the account at all.
func (a account) held(actor access.UserID) (access.Permission, bool) {
	if actor == "" || actor == a.owner {
		return access.All, true
	}
	m, isMember := a.members[actor]
	if m.suspended {
		return 0, isMember
	}
	return m.bits, isMember
}

func (a account) manages(actor access.UserID) string {
	held, known := a.held(actor)
	switch {
	case !known:
		return "not_found"
	case !held.Has(access.ManageUsers):
		return "denies.manage"
	}
	return ""
}

// beyond refuses an actor who doesn't hold all of some bits.
func (a account) beyond(actor access.UserID, bits access.Permission) string {
	if held, _ := a.held(actor); bits&^held != 0 {
		return "permissions.beyond"
	}
	return ""
}

func (a account) usedSeats() int {
	used := len(a.members)
	for _, i := range a.invites {
		if i.state == invite.Pending {
			used++
		}
	}
	return used
}

func (a account) admit(user access.UserID, bits access.Permission, freed int) (account, string) {
	if _, isMember := a.members[user]; isMember || user == a.owner {
		return a, "member.exists"
	}
	if a.usedSeats()-freed >= seats {
		return a, "seats.used"
	}
	return a.with(user, member{bits: bits}), ""
}

// with changes one membership; a member without bits is none.
func (a account) with(user access.UserID, m member) account {
	a.members = maps.Clone(a.members)
	if m.bits == 0 {
		delete(a.members, user)
		return a
	}
	if a.members == nil {
		a.members = make(map[access.UserID]member)
	}
	a.members[user] = m
	return a
}

// withInvite changes one invite.
func (a account) withInvite(id string, i offer) account {
	a.invites = maps.Clone(a.invites)
	if a.invites == nil {
		a.invites = make(map[string]offer)
	}
	a.invites[id] = i
	return a
}

func (a account) edit(o operation, change func(*member)) (account, string) {
	before, isMember := a.members[o.User]
	switch {
	case o.User == a.owner:
		return a, "owner"
	case o.User == o.Actor:
		return a, "denies.self"
	case !isMember:
		return a, "not_found"
	}
	after := before
	change(&after)
	if code := a.beyond(o.Actor, before.bits|after.bits); code != "" {
		return a, code
	}
	return a.with(o.User, after).revokeBeyond(o.User, before.bits, after.bits), ""
}

// revokeBeyond closes the pending invites of somebody who holds less than before.
func (a account) revokeBeyond(by access.UserID, before, after access.Permission) account {
	if before&^after == 0 {
		return a
	}
	for id, i := range a.invites {
		if i.state == invite.Pending && i.by == by && i.bits&^after != 0 {
			i.state = invite.Revoked
			a = a.withInvite(id, i)
		}
	}
	return a
}

func (a account) leave(user access.UserID) (account, string) {
	m, isMember := a.members[user]
	switch {
	case user == a.owner:
		return a, "owner"
	case !isMember:
		return a, "not_found"
	}
	return a.with(user, member{}).revokeBeyond(user, m.bits, 0), ""
}

func (a account) transfer(to access.UserID, keeps access.Permission) (account, string) {
	if to == a.owner {
		return a, ""
	}
	if _, isMember := a.members[to]; keeps != 0 && !isMember && a.usedSeats() >= seats {
		return a, "seats.used"
	}
	from := a.owner
	a.owner = to
	return a.with(to, member{}).with(from, member{bits: keeps}).revokeBeyond(from, access.All, keeps), ""
}

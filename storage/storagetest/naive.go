package storagetest

import (
	"time"

	"github.com/rosterkit/roster/access"
)

// A naive is what the services should do, said again with maps and no cleverness: the rules of the decision, of
// delegation, of seats and of invites. A verb returns the kind of its refusal, nil if it changed what it should.
type naive struct {
	now      time.Time
	between  time.Duration // limits, as configured
	perDay   int
	accounts map[access.AccountID]*naiveAccount
	sends    map[string][]time.Time // by account and address
}

type naiveAccount struct {
	owner   access.UserID
	status  access.AccountStatus
	seats   int
	members map[access.UserID]naiveMember
	pending map[access.UserID]naiveInvite // by the user whose address was invited
	events  int
}

type naiveMember struct {
	bits      access.Permission
	suspended bool
	expires   time.Time
}

type naiveInvite struct {
	id      string // as the service made it
	links   int    // made so far: only the last works
	bits    access.Permission
	by      access.Actor
	sent    time.Time
	expires time.Time
}

// whileSuspended is what works in a suspended account, by the catalog Portal.
const whileSuspended = access.PayInvoices | access.OpenTickets

func (m naiveMember) over(now time.Time) bool { return !m.expires.IsZero() && !now.Before(m.expires) }

// bits returns what a user holds, leaving the state of the account aside.
func (n *naive) bits(a *naiveAccount, user access.UserID) access.Permission {
	m, ok := a.members[user]
	switch {
	case user == a.owner:
		return access.All
	case !ok || m.suspended || m.over(n.now):
		return 0
	}
	return m.bits
}

// can is invariant 1.
func (n *naive) can(id access.AccountID, user access.UserID, p access.Permission) bool {
	a := n.accounts[id]
	if a == nil || a.status == access.AccountClosed || p == 0 {
		return false
	}
	if a.status == access.AccountSuspended && p&^whileSuspended != 0 {
		return false
	}
	return n.bits(a, user)&p == p
}

func (a *naiveAccount) knows(actor access.Actor) bool {
	_, member := a.members[actor.User()]
	return actor.Kind != access.ActorUser || actor.User() == a.owner || member
}

// manages says why an actor may not manage members at all.
func (n *naive) manages(a *naiveAccount, actor access.Actor) error {
	switch {
	case a == nil || !a.knows(actor):
		return access.ErrNotFound
	case a.status == access.AccountClosed:
		return access.ErrDenied
	case actor.Kind == access.ActorUser && n.bits(a, actor.User())&access.ManageUsers == 0:
		return access.ErrDenied
	}
	return nil
}

// power is what an actor can give and take.
func (n *naive) power(a *naiveAccount, actor access.Actor) access.Permission {
	if actor.Kind != access.ActorUser {
		return access.All
	}
	return n.bits(a, actor.User())
}

// host says why an actor is refused what only staff may do.
func (n *naive) host(a *naiveAccount, actor access.Actor) error {
	switch {
	case a == nil || !a.knows(actor):
		return access.ErrNotFound
	case actor.Kind == access.ActorUser:
		return access.ErrDenied
	}
	return nil
}

func (n *naive) used(a *naiveAccount) int {
	used := 0
	for _, m := range a.members {
		if !m.over(n.now) {
			used++
		}
	}
	for _, i := range a.pending {
		if n.now.Before(i.expires) {
			used++
		}
	}
	return used
}

// seat says whether one more fits after some have gone.
func (n *naive) seat(a *naiveAccount, freed int) error {
	if a.seats != 0 && n.used(a)-freed >= a.seats {
		return access.ErrLimit
	}
	return nil
}

// target says why an actor may not act on a member.
func (n *naive) target(a *naiveAccount, actor access.Actor, user access.UserID) error {
	if err := n.manages(a, actor); err != nil {
		return err
	}
	_, member := a.members[user]
	switch {
	case user == a.owner:
		return access.ErrOwner
	case user == actor.User():
		return access.ErrDenied
	case !member:
		return access.ErrNotFound
	}
	return nil
}

// edit is every verb that changes a member's row.
func (n *naive) edit(id access.AccountID, actor access.Actor, user access.UserID, change func(*naiveMember) (widens bool, err error)) error {
	a := n.accounts[id]
	if err := n.target(a, actor, user); err != nil {
		return err
	}
	before := a.members[user]
	after := before
	widens, err := change(&after)
	switch {
	case err != nil:
		return err
	case (before.bits|after.bits)&^n.power(a, actor) != 0:
		return access.ErrDenied
	case widens && a.status != access.AccountActive:
		return access.ErrDenied
	case after == before:
		return nil
	}
	a.members[user] = after
	a.events++
	n.dropBeyond(a, user, before.bits, after.bits)
	return nil
}

// dropBeyond revokes the invites that a member sent and couldn't any more.
func (n *naive) dropBeyond(a *naiveAccount, user access.UserID, before, after access.Permission) {
	if before&^after == 0 {
		return
	}
	for invited, i := range a.pending {
		if i.by.User() == user && i.bits&^after != 0 {
			delete(a.pending, invited)
			a.events++
		}
	}
}

func (n *naive) remove(id access.AccountID, actor access.Actor, user access.UserID) error {
	a := n.accounts[id]
	if err := n.target(a, actor, user); err != nil {
		return err
	}
	bits := a.members[user].bits
	if bits&^n.power(a, actor) != 0 {
		return access.ErrDenied
	}
	delete(a.members, user)
	a.events++
	n.dropBeyond(a, user, bits, 0)
	return nil
}

func (n *naive) leave(id access.AccountID, actor access.Actor) error {
	a := n.accounts[id]
	switch {
	case a == nil || !a.knows(actor):
		return access.ErrNotFound
	case actor.Kind != access.ActorUser:
		return access.ErrDenied
	case actor.User() == a.owner:
		return access.ErrOwner
	case a.status == access.AccountClosed:
		return access.ErrDenied
	}
	bits := a.members[actor.User()].bits
	delete(a.members, actor.User())
	a.events++
	n.dropBeyond(a, actor.User(), bits, 0)
	return nil
}

// admit is every way into an account.
func (n *naive) admit(a *naiveAccount, user access.UserID, bits access.Permission, freed int) error {
	m, member := a.members[user]
	switch {
	case a.status != access.AccountActive:
		return access.ErrDenied
	case user == a.owner || member && !m.over(n.now):
		return access.ErrExists
	case n.seat(a, freed) != nil:
		return access.ErrLimit
	}
	a.members[user] = naiveMember{bits: bits, suspended: m.suspended}
	a.events++
	n.dropBeyond(a, user, m.bits, bits)
	return nil
}

func (n *naive) transfer(id access.AccountID, actor access.Actor, to access.UserID, keeps access.Permission) error {
	a := n.accounts[id]
	if err := n.host(a, actor); err != nil {
		return err
	}
	if a.status == access.AccountClosed {
		return access.ErrDenied
	}
	if a.owner == to {
		return nil
	}
	m, member := a.members[to]
	if keeps != 0 && (!member || m.over(n.now)) && n.seat(a, 0) != nil {
		return access.ErrLimit
	}
	from := a.owner
	a.owner = to
	delete(a.members, to)
	if keeps != 0 {
		a.members[from] = naiveMember{bits: keeps}
	}
	a.events += 2 // one for each of the two
	n.dropBeyond(a, from, access.All, keeps)
	return nil
}

func (n *naive) setStatus(id access.AccountID, actor access.Actor, status access.AccountStatus) error {
	a := n.accounts[id]
	if err := n.host(a, actor); err != nil {
		return err
	}
	if a.status == status {
		return nil
	}
	if a.status == access.AccountClosed {
		return access.ErrDenied
	}
	a.status = status
	a.events++
	return nil
}

func (n *naive) setSeats(id access.AccountID, actor access.Actor, seats int) error {
	a := n.accounts[id]
	if err := n.manages(a, actor); err != nil {
		return err
	}
	switch {
	case a.status != access.AccountActive || n.power(a, actor) != access.All:
		return access.ErrDenied
	case seats == a.seats:
		return nil
	case actor.Kind == access.ActorUser:
		return access.ErrDenied
	}
	a.seats = seats
	a.events++
	return nil
}

func (n *naive) setExpiry(id access.AccountID, m *naiveMember, expires time.Time) (widens bool, err error) {
	if !expires.IsZero() && !expires.After(n.now) {
		return false, access.ErrInvalid
	}
	over := m.over(n.now)
	widens = !m.expires.IsZero() && (expires.IsZero() || expires.After(m.expires))
	m.expires = expires
	if over {
		return widens, n.seat(n.accounts[id], 0)
	}
	return widens, nil
}

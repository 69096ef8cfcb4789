package storagetest

import (
	"time"

	"github.com/rosterkit/roster/access"
)

const lifetime = 72 * time.Hour

// send offers bits to the address of a user, which is known to the directory if the user is known.
func (n *naive) send(id access.AccountID, actor access.Actor, invited access.UserID, bits access.Permission) error {
	a := n.accounts[id]
	if err := n.manages(a, actor); err != nil {
		return err
	}
	if err := n.mayOffer(a, actor, invited, bits); err != nil {
		return err
	}
	if i, pending := a.pending[invited]; pending && i.bits&^n.power(a, actor) != 0 {
		return access.ErrDenied
	}
	return n.link(id, actor, invited, bits)
}

func (n *naive) resend(id access.AccountID, actor access.Actor, invited access.UserID) error {
	a := n.accounts[id]
	if err := n.manages(a, actor); err != nil {
		return err
	}
	i, pending := a.pending[invited]
	if !pending {
		return access.ErrNotFound
	}
	if i.bits&^n.power(a, actor) != 0 {
		return access.ErrDenied
	}
	if err := n.mayOffer(a, actor, invited, i.bits); err != nil {
		return err
	}
	return n.link(id, actor, invited, i.bits)
}

func (n *naive) mayOffer(a *naiveAccount, actor access.Actor, invited access.UserID, bits access.Permission) error {
	m, member := a.members[invited]
	switch {
	case a.status != access.AccountActive || bits&^n.power(a, actor) != 0:
		return access.ErrDenied
	case invited == a.owner || member && !m.over(n.now):
		return access.ErrExists
	}
	return nil
}

// link makes a new link, within the limits.
func (n *naive) link(id access.AccountID, actor access.Actor, invited access.UserID, bits access.Permission) error {
	a := n.accounts[id]
	i, pending := a.pending[invited]
	if pending && n.now.Before(i.sent.Add(n.between)) {
		return access.ErrLimit
	}
	freed := 0
	if pending && n.now.Before(i.expires) {
		freed = 1
	}
	if n.seat(a, freed) != nil {
		return access.ErrLimit
	}
	key := string(id) + " " + string(invited)
	recent := 0
	for _, at := range n.sends[key] {
		if at.After(n.now.Add(-24 * time.Hour)) {
			recent++
		}
	}
	if recent >= n.perDay {
		return access.ErrLimit
	}
	n.sends[key] = append(n.sends[key], n.now)
	a.pending[invited] = naiveInvite{id: i.id, links: i.links + 1, bits: bits, by: actor, sent: n.now, expires: n.now.Add(lifetime)}
	a.events++
	return nil
}

func (n *naive) editInvite(id access.AccountID, actor access.Actor, invited access.UserID, bits access.Permission) error {
	a := n.accounts[id]
	if err := n.manages(a, actor); err != nil {
		return err
	}
	i, pending := a.pending[invited]
	switch {
	case !pending:
		return access.ErrNotFound
	case (i.bits|bits)&^n.power(a, actor) != 0 || bits&^i.bits != 0 && a.status != access.AccountActive:
		return access.ErrDenied
	}
	if i.bits != bits || i.by != actor {
		i.bits, i.by = bits, actor
		a.pending[invited] = i
		a.events++
	}
	return nil
}

func (n *naive) revoke(id access.AccountID, actor access.Actor, invited access.UserID) error {
	a := n.accounts[id]
	if err := n.manages(a, actor); err != nil {
		return err
	}
	i, pending := a.pending[invited]
	switch {
	case !pending:
		return access.ErrNotFound
	case i.bits&^n.power(a, actor) != 0:
		return access.ErrDenied
	}
	delete(a.pending, invited)
	a.events++
	return nil
}

// accept is accepting the pending invite to invited as user.
func (n *naive) accept(id access.AccountID, invited, user access.UserID) error {
	a := n.accounts[id]
	i, pending := a.pending[invited]
	switch {
	case !pending || !n.now.Before(i.expires) || invited != user:
		return access.ErrDenied
	case a.status != access.AccountActive:
		return access.ErrDenied
	case n.manages(a, i.by) != nil || i.bits&^n.power(a, i.by) != 0:
		return access.ErrDenied
	}
	if err := n.admit(a, user, i.bits, 1); err != nil {
		return err
	}
	delete(a.pending, invited)
	a.events++
	return nil
}

func (n *naive) decline(id access.AccountID, invited, user access.UserID) error {
	a := n.accounts[id]
	i, pending := a.pending[invited]
	if !pending || !n.now.Before(i.expires) || invited != user {
		return access.ErrDenied
	}
	delete(a.pending, invited)
	a.events++
	return nil
}

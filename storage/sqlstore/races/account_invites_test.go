package races_test

import (
	"fmt"
	"maps"
	"strings"

	"github.com/rosterkit/roster/invite"
)

// pending returns the pending invite to an address, or no id.
func (a account) pending(address string) (string, offer) {
	for id, i := range a.invites {
		if i.state == invite.Pending && i.address == address {
			return id, i
		}
	}
	return "", offer{}
}

func (a account) send(o operation, r result) (account, string) {
	if code := a.beyond(o.Actor, o.Bits); code != "" {
		return a, code
	}
	id, i := a.pending(o.Address)
	if id != "" {
		if code := a.beyond(o.Actor, i.bits); code != "" {
			return a, code
		}
		return a.sent(id, i, o, r)
	}
	if a.usedSeats() >= seats {
		return a, "seats.used"
	}
	id = r.Invite
	if r.Unknown { // then nobody knows the id
		id = fmt.Sprint(unknownID, a.version)
	}
	return a.sent(id, offer{address: o.Address, state: invite.Pending}, o, r)
}

// unknownID begins the id of an invite that nobody knows whether it was sent.
const unknownID = "unknown "

// sent gives an invite its next link.
func (a account) sent(id string, i offer, o operation, r result) (account, string) {
	i.generation++
	i.by = o.Actor
	if o.Kind == send {
		i.bits = o.Bits
	}
	switch {
	case r.Unknown:
	case r.Generation != i.generation:
		return a, fmt.Sprint("generation ", i.generation)
	case strings.HasPrefix(id, unknownID): // it comes to light now
		a.invites = maps.Clone(a.invites)
		delete(a.invites, id)
		id = r.Invite
	case r.Invite != id:
		return a, "invite " + id
	}
	return a.withInvite(id, i), ""
}

func (a account) resend(o operation, r result) (account, string) {
	i := a.invites[o.Invite]
	if i.state != invite.Pending {
		return a, "not_found"
	}
	if code := a.beyond(o.Actor, i.bits); code != "" {
		return a, code
	}
	return a.sent(o.Invite, i, o, r)
}

func (a account) revoke(o operation) (account, string) {
	i := a.invites[o.Invite]
	if i.state != invite.Pending {
		return a, "not_found"
	}
	if code := a.beyond(o.Actor, i.bits); code != "" {
		return a, code
	}
	i.state = invite.Revoked
	return a.withInvite(o.Invite, i), ""
}

func (a account) accept(o operation) (account, string) {
	i, known := a.invites[o.Invite]
	_, isMember := a.members[o.User]
	switch {
	case !known:
		return a, "invite.invalid"
	case i.state == invite.Accepted && i.acceptedBy == o.User && (isMember || o.User == a.owner):
		return a, already
	case i.state == invite.Pending && o.Generation < i.generation:
		return a, "invite.replaced"
	case i.state == invite.Accepted:
		return a, "invite.used"
	case i.state == invite.Revoked:
		return a, "invite.revoked"
	case a.manages(i.by) != "" || a.beyond(i.by, i.bits) != "":
		return a, "invite.inviter"
	}
	next, code := a.admit(o.User, i.bits, 1)
	if code != "" {
		return a, code
	}
	i.state, i.acceptedBy = invite.Accepted, o.User
	return next.withInvite(o.Invite, i), ""
}

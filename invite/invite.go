package invite

import (
	"time"

	"github.com/google/uuid"
	"github.com/rosterkit/roster/access"
)

// An ID names an invite. It is a UUIDv7 in its text form, and no secret.
type ID string

// Check returns an error of kind access.ErrInvalid, with code "id.uuid", if the id can't be one of an invite.
func (id ID) Check() error {
	if parsed, err := uuid.Parse(string(id)); err != nil || parsed.String() != string(id) {
		return access.Invalid("invite", "id.uuid", "is not the text of a UUID")
	}
	return nil
}

// A State says what has become of an invite. The zero value is no invite. That one has expired is not a state but a
// matter of the clock: a pending invite is live before its Expires.
type State uint8

// The states of an invite. The numbers are stored: they are never changed or reused.
const (
	Pending  State = 1
	Accepted State = 2
	Revoked  State = 3
	Declined State = 4
)

// String returns the state in lower case, "none" for the zero value.
func (s State) String() string {
	switch s {
	case Pending:
		return "pending"
	case Accepted:
		return "accepted"
	case Revoked:
		return "revoked"
	case Declined:
		return "declined"
	}
	return "none"
}

// An Invite is an offer of a membership to an e-mail address. It works once, until Expires.
type Invite struct {
	ID      ID
	Account access.AccountID
	Address access.Address
	Terms   access.Terms
	// By is who sent, resent or edited it last: the one whose rights are checked again when it is accepted.
	By         Inviter
	Generation uint16   // rises with each resend; a link works for the latest only
	Delivery   Delivery // how the latest link was delivered, and so what it proves
	State      State
	Created    time.Time
	Sent       time.Time // when the latest link was made
	Expires    time.Time // the latest link works before that instant, not at it
	Closed     time.Time // when it was accepted, revoked or declined; zero while pending
	AcceptedBy access.UserID
}

// Live reports whether the invite can be accepted at a time, as far as the invite goes.
func (i Invite) Live(now time.Time) bool { return i.State == Pending && now.Before(i.Expires) }

// An Inviter is the actor of an invite, without what is personal about the request.
type Inviter struct {
	Kind access.ActorKind
	ID   string
}

// User returns the user who sent the invite, empty for staff and system.
func (i Inviter) User() access.UserID {
	if i.Kind != access.ActorUser {
		return ""
	}
	return access.UserID(i.ID)
}

// A Record is an invite as it is stored: with what its tokens are derived from, besides the host's key.
type Record struct {
	Invite
	Secret Secret // random, of this invite; a resend keeps it and raises the generation
	Key    string // the id of the host's key
}

// A Filter selects invites of an account.
type Filter struct {
	State State // in this state; zero for any in storage, and for pending ones in Service.Pending
	// Prefix selects by the beginning of the canonical address, without regard to case. Up to 200 characters.
	Prefix string
}

// A Secret is the random part of an invite that its tokens are derived from. It prints as a placeholder.
type Secret = access.Secret

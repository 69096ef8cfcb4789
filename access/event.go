package access

import (
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"
)

// An EventKind says what happened. Kinds are stored and never renamed.
type EventKind string

// The kinds of event this library writes.
const (
	EventAccountCreated     EventKind = "account.created"
	EventAccountUpdated     EventKind = "account.updated"
	EventAccountPolicySet   EventKind = "account.policy"
	EventAccountSuspended   EventKind = "account.suspended"
	EventAccountReactivated EventKind = "account.reactivated"
	EventAccountClosed      EventKind = "account.closed"
	EventOwnerChanged       EventKind = "owner.changed"      // about the new owner
	EventOwnerSteppedDown   EventKind = "owner.stepped_down" // about the old one, in the same verb

	EventMemberAdded       EventKind = "member.added"
	EventMemberPermissions EventKind = "member.permissions"
	EventMemberExpiry      EventKind = "member.expiry"
	EventMemberLabel       EventKind = "member.label"
	EventMemberSuspended   EventKind = "member.suspended"
	EventMemberReinstated  EventKind = "member.reinstated"
	EventMemberRemoved     EventKind = "member.removed"
	EventMemberLeft        EventKind = "member.left"

	EventInviteSent     EventKind = "invite.sent"
	EventInviteResent   EventKind = "invite.resent"
	EventInviteEdited   EventKind = "invite.edited"
	EventInviteRevoked  EventKind = "invite.revoked"
	EventInviteDeclined EventKind = "invite.declined"
	EventInviteAccepted EventKind = "invite.accepted"
	EventInviteAsked    EventKind = "invite.asked" // for a new link, by who has one that no longer works

	EventContactAdded   EventKind = "contact.added"
	EventContactUpdated EventKind = "contact.updated"
	EventContactRemoved EventKind = "contact.removed"
	// The contact itself did the last two, by links that were mailed to it.
	EventContactVerificationSent EventKind = "contact.verification_sent"
	EventContactVerified         EventKind = "contact.verified"
	EventContactUnsubscribed     EventKind = "contact.unsubscribed"
	EventPreferencesChanged      EventKind = "preferences.changed"

	// EventSuppressionLifted is in no account's history, as an address is no account's: staff's policy is asked for it.
	EventSuppressionLifted EventKind = "suppression.lifted"
)

// An EventID names one event. It is a UUIDv7 in its text form.
type EventID string

// An Event is one line of an account's history: who did what to whom, before and after. Its key is (Account,
// Version, Index). Who acted and on whom are personal and can be forgotten; Before and After are not and stay.
type Event struct {
	ID       EventID   `json:"id"`
	Account  AccountID `json:"account"`
	Version  uint64    `json:"version"` // of the account, as this event's verb left it
	Index    int       `json:"index"`   // among the events of that version, from 0
	Time     time.Time `json:"time"`
	Kind     EventKind `json:"kind"`
	Actor    Actor     `json:"actor,omitzero"`  // zero once forgotten
	Target   Target    `json:"target,omitzero"` // zero once forgotten
	Before   Facts     `json:"before,omitzero"`
	After    Facts     `json:"after,omitzero"`
	Redacted bool      `json:"redacted,omitempty"` // actor or target was forgotten
	Hash     Digest    `json:"hash"`               // of the chain up to this event
}

// A TargetKind says what sort of thing an event is about.
type TargetKind string

// The things an event can be about.
const (
	TargetAccount TargetKind = "account"
	TargetUser    TargetKind = "user"
	TargetInvite  TargetKind = "invite"
	TargetContact TargetKind = "contact"
)

// A Target is whom or what an event is about. It is personal. Addresses in it are masked.
type Target struct {
	Kind TargetKind `json:"kind"`
	ID   string     `json:"id"`
	Name string     `json:"name,omitempty"` // as it was then: a contact's name, an invite's masked address
	// Before and After hold personal values that changed, by field: a company, a phone number, a label.
	Before map[string]string `json:"before,omitempty"`
	After  map[string]string `json:"after,omitempty"`
}

// Facts are the public part of what an event says about its target, before or after. Only what the kind of event is
// about is set.
type Facts struct {
	Permissions Permission `json:"permissions,omitzero"`
	Status      string     `json:"status,omitempty"`
	Starts      time.Time  `json:"starts,omitzero"`
	Expires     time.Time  `json:"expires,omitzero"`
	Categories  Permission `json:"categories,omitzero"` // a set of bits, as permissions are
	Waiting     Permission `json:"waiting,omitzero"`    // categories that wait for the contact's own word
	Seats       int        `json:"seats,omitempty"`
	Domains     []string   `json:"domains,omitempty"`
	Fields      []string   `json:"fields,omitempty"` // names of personal fields that changed
	Generation  uint16     `json:"generation,omitempty"`
}

// A Digest is a SHA-256 hash.
type Digest [32]byte

// String returns the digest in lower-case hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText returns what String does.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes. ErrInvalid with code "digest.text" for anything else.
func (d *Digest) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != len(d) || hex.EncodeToString(b) != string(text) {
		return Invalid("digest", "digest.text", "is not 64 hexadecimal digits in lower case")
	}
	*d = Digest(b)
	return nil
}

// A Head is the end of a history: how many events there are, and the hash of the last. Kept elsewhere, it proves
// later that no line up to it was changed or dropped.
type Head struct {
	Count uint64
	Hash  Digest // zero if there is no event
}

// An EventFilter selects events. The zero value selects them all.
type EventFilter struct {
	Kinds    []EventKind // one of these
	Since    time.Time   // at or after
	Until    time.Time   // before
	Concerns UserID      // who acted, was acted for, or was acted on
}

// The lengths of the longest kind, of an event or of its target, and of the longest id of a target, in bytes. Backends
// have room for no more.
const (
	MaxKindBytes     = 64
	MaxTargetIDBytes = 255
)

// checkTarget returns an error of kind ErrInvalid if an event of a host's own can't be stored by every backend.
func checkTarget(kind EventKind, target Target) error {
	for _, field := range []struct {
		name, text string
		max        int
	}{{"kind", string(kind), MaxKindBytes}, {"target.kind", string(target.Kind), MaxKindBytes}, {"target.id", target.ID, MaxTargetIDBytes}} {
		if len(field.text) > field.max {
			return &Error{Kind: ErrInvalid, Code: "event.long", Field: field.name,
				Reason: "is longer than " + strconv.Itoa(field.max) + " bytes", Params: map[string]string{"max": strconv.Itoa(field.max)}}
		}
		if !utf8.ValidString(field.text) || hasControl(field.text) {
			return Invalid(field.name, "event.control", "isn't UTF-8, or holds control characters")
		}
	}
	return nil
}

package access

import (
	"fmt"
	"strings"
)

// An ActorKind says what sort of party acts. The zero value is nobody.
type ActorKind uint8

// The kinds of actor. The numbers are stored: they are never changed or reused.
const (
	ActorUser   ActorKind = 1 // a user, with what the account grants them
	ActorStaff  ActorKind = 2 // the host's staff, by the host's policy
	ActorSystem ActorKind = 3 // the host's own code: a job, an import, a payment
)

// String returns the kind in lower case, "nobody" for the zero value.
func (k ActorKind) String() string {
	switch k {
	case ActorUser:
		return "user"
	case ActorStaff:
		return "staff"
	case ActorSystem:
		return "system"
	}
	return "nobody"
}

// MarshalText returns what String does.
func (k ActorKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText writes. ErrInvalid with code "actor.kind" for anything else.
func (k *ActorKind) UnmarshalText(text []byte) error {
	for known := ActorKind(0); known <= ActorSystem; known++ {
		if known.String() == string(text) {
			*k = known
			return nil
		}
	}
	return Invalid("actor", "actor.kind", "is of an unknown kind")
}

// An Actor is who does something: a parameter of every verb, put on the record with it. The host has authenticated
// it; nothing in a request may choose it. The zero Actor is refused by every verb.
type Actor struct {
	Kind     ActorKind `json:"kind"`
	ID       string    `json:"id"`                  // a UserID, or what names the member of staff or the job
	OnBehalf UserID    `json:"on_behalf,omitempty"` // for whom staff acts, if for somebody
	Reason   string    `json:"reason,omitempty"`    // why, up to 200 characters; staff must give one
	Silent   bool      `json:"silent,omitempty"`    // staff only: nobody is mailed
	Request  string    `json:"request,omitempty"`   // the host's request id, up to 200 characters
	IP       string    `json:"ip,omitempty"`        // where the request came from, as the host trusts it; up to 64 characters
}

// As returns the actor for a user.
func As(user UserID) Actor { return Actor{Kind: ActorUser, ID: string(user)} }

// AsStaff returns the actor for a member of the host's staff, with the reason for what they do.
func AsStaff(id, reason string) Actor { return Actor{Kind: ActorStaff, ID: id, Reason: reason} }

// AsSystem returns the actor for the host's own code, named by what it does: "signup", "import".
func AsSystem(job string) Actor { return Actor{Kind: ActorSystem, ID: job} }

// User returns the user who acts, empty for staff and system.
func (a Actor) User() UserID {
	if a.Kind != ActorUser {
		return ""
	}
	return UserID(a.ID)
}

// Check returns an error of kind ErrInvalid if the actor can't be one: the zero actor ("actor.zero"), an id that is
// none, staff without a reason ("actor.reason"), anybody else silent or on behalf ("actor.staff").
func (a Actor) Check() error {
	if a.Kind < ActorUser || a.Kind > ActorSystem {
		return Invalid("actor", "actor.zero", "is nobody")
	}
	if err := checkID("actor", a.ID); err != nil {
		return err
	}
	if a.Kind == ActorStaff && strings.TrimSpace(a.Reason) == "" {
		return Invalid("actor", "actor.reason", "is staff and gives no reason")
	}
	if a.Kind != ActorStaff && (a.Silent || a.OnBehalf != "") {
		return Invalid("actor", "actor.staff", "is silent or on behalf of somebody and isn't staff")
	}
	if a.OnBehalf != "" {
		if err := checkID("actor", string(a.OnBehalf)); err != nil {
			return err
		}
	}
	for _, text := range []struct {
		field, value string
		max          int
	}{{"reason", a.Reason, MaxNameRunes}, {"request", a.Request, MaxNameRunes}, {"ip", a.IP, 64}} {
		if err := CheckText(text.field, text.value, text.max); err != nil {
			return err
		}
	}
	return nil
}

// String returns kind and id, so that what else an actor carries stays out of logs.
func (a Actor) String() string { return fmt.Sprintf("%s %q", a.Kind, a.ID) }

// GoString is String.
func (a Actor) GoString() string { return "access.Actor{" + a.String() + "}" }

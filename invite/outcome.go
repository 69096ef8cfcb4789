package invite

import (
	"time"

	"github.com/rosterkit/roster/access"
)

// An Outcome says how an invite stands to a person. It is told only to the holder of an authentic token. The texts
// are stable; those that refuse are the codes of errors.
type Outcome string

// The outcomes.
const (
	Ready         Outcome = "invite.ready"          // accepting would work, as far as the invite and the person go
	Joined        Outcome = "invite.accepted"       // it has just been accepted
	Already       Outcome = "invite.already"        // the same user accepted it before, and is a member; not an error
	NeedsSignUp   Outcome = "invite.needs_sign_up"  // nobody is signed in: sign in, or sign up with the invited address
	WrongUser     Outcome = "invite.wrong_user"     // somebody else is signed in; nothing is lost, switch and come back
	NeedsVerified Outcome = "invite.needs_verified" // the right address, but the host hasn't verified it
	IsExpired     Outcome = "invite.expired"        // its time is over; it can be sent again
	IsRevoked     Outcome = "invite.revoked"
	IsDeclined    Outcome = "invite.declined"
	IsUsed        Outcome = "invite.used"     // by another user, or by one who is no member any more
	IsReplaced    Outcome = "invite.replaced" // by a newer mail
)

// An Identity is a person as the host authenticated them. The zero value is nobody.
type Identity struct {
	Actor    access.Actor   // the user; access.As(id)
	Address  access.Address // theirs
	Verified bool           // the host has proof that the address is theirs
}

func (who Identity) isZero() bool { return who.Actor == access.Actor{} }

func (who Identity) check() error {
	if err := who.Actor.Check(); err != nil {
		return err
	}
	if who.Actor.Kind != access.ActorUser {
		return access.Invalid("identity", "identity.user", "is not a user")
	}
	return nil
}

// proof is what shows that an invite is for the person who comes with it.
type proof struct {
	generation uint16 // of the token; without one, the invite's own
	token      bool   // an authentic token of the invite was shown
}

// judge says how a person stands to an invite that exists.
func (s *Service) judge(r Record, p proof, who Identity, now time.Time) Outcome {
	switch {
	case r.State == Accepted && !who.isZero() && r.AcceptedBy == who.Actor.User():
		return Already
	case p.generation < r.Generation && r.State == Pending:
		return IsReplaced
	case r.State == Accepted:
		return IsUsed
	case r.State == Revoked:
		return IsRevoked
	case r.State == Declined:
		return IsDeclined
	case !r.Live(now):
		return IsExpired
	case who.isZero():
		return NeedsSignUp
	}
	return s.suits(r, p, who)
}

// suits says whether a live invite is for a person.
func (s *Service) suits(r Record, p proof, who Identity) Outcome {
	switch {
	case p.token && s.config.Holder == AnyHolder:
		return Ready
	case !who.Address.Same(r.Address) || who.Address.IsZero():
		return WrongUser
	case who.Verified || p.token && r.Delivery == ByMail:
		return Ready
	}
	return NeedsVerified
}

// refusal is the error for an outcome that isn't success.
func refusal(o Outcome, r Record) error {
	reasons := map[Outcome]string{
		NeedsSignUp:   "needs somebody to be signed in",
		WrongUser:     "is for somebody else: switch to " + r.Address.String(),
		NeedsVerified: "needs the address to be verified first",
		IsExpired:     "has expired",
		IsRevoked:     "was revoked",
		IsDeclined:    "was declined",
		IsUsed:        "was used already",
		IsReplaced:    "was replaced by a newer mail",
	}
	params := map[string]string{}
	switch o {
	case WrongUser:
		params["address"] = r.Address.String()
	case IsExpired:
		params["at"] = r.Expires.Format(time.RFC3339)
	case IsReplaced:
		params["at"] = r.Sent.Format(time.RFC3339)
	}
	return &access.Error{Kind: access.ErrDenied, Code: string(o), Field: "invite", Reason: reasons[o], Params: params}
}

// unknown is the one answer to a token that isn't authentic, whatever is wrong with it.
func unknown() error {
	return &access.Error{Kind: access.ErrNotFound, Code: "invite.invalid", Field: "invite", Reason: "has a link that isn't valid"}
}

package contact

import (
	"context"
	"errors"

	"github.com/rosterkit/roster/access"
)

// A RequesterKind says as what somebody who writes to the support desk stands to an account. The zero value is
// unknown, who may request nothing.
type RequesterKind uint8

// The kinds of requester. The numbers may change; the texts of String are stable.
const (
	RequesterUnknown   RequesterKind = iota // nobody known, or nobody in particular: may request nothing
	RequesterContact                        // receives mail of the account: may not request changes
	RequesterUser                           // a member: may request what their permissions cover
	RequesterAlternate                      // the owner, at an address that they said is theirs too
	RequesterOwner                          // the owner, at their login address
)

// String returns the kind in lower case: "unknown", "contact", "user", "alternate" or "owner".
func (k RequesterKind) String() string {
	switch k {
	case RequesterContact:
		return "contact"
	case RequesterUser:
		return "user"
	case RequesterAlternate:
		return "alternate"
	case RequesterOwner:
		return "owner"
	}
	return "unknown"
}

// A Requester is who writes to the support desk about an account, as far as their address tells. The zero value is
// somebody unknown.
type Requester struct {
	Kind        RequesterKind
	Name        string            // the directory's or the contact's: for the greeting, it proves nothing
	User        access.UserID     // of the owner or the user
	Contact     ID                // of the contact, the owner's alternate address too
	Permissions access.Permission // of the owner or the user: what they may do now, in this state of the account
}

// Requester returns as what the holder of an address stands to an account: for the support desk, before it acts on a
// mail. It is for staff and system. It tells nothing about whether the mail came from that address: that is the mail
// system's to prove, and a mail whose sender isn't authenticated proves nothing.
//
// It fails closed. An address in the directory counts only if it is verified. Of a closed account, and for a user
// whose membership isn't in use, nobody is known. If several users of the account have the address, whatever they
// hold, it is unknown which of them writes, and so who. An address that is a contact's as well as a user's is the
// user's. A contact's address is the owner's, as an alternate, only if the present owner said so and it is verified: see
// SetAlternate. Equal names mean nothing.
//
// ErrInvalid, ErrNotFound, ErrDenied.
func (s *Service) Requester(ctx context.Context, actor access.Actor, account access.AccountID, address access.Address) (Requester, error) {
	if address.IsZero() {
		return Requester{}, access.Invalid("address", "address.empty", "is empty")
	}
	var requester Requester
	err := s.look(ctx, actor, account, func(ctx context.Context, c *call) error {
		if err := c.Host(); err != nil {
			return err
		}
		var err error
		requester, err = c.requester(ctx, address)
		return err
	})
	if err != nil {
		return Requester{}, err
	}
	return requester, nil
}

func (c *call) requester(ctx context.Context, address access.Address) (Requester, error) {
	if c.Account.Status == access.AccountClosed {
		return Requester{}, nil
	}
	members, err := c.tx.MembersByAddress(ctx, c.Account.ID, address, access.MaxPage)
	if err != nil || len(members) == access.MaxPage {
		return Requester{}, err // so many that some may be missing here
	}
	var verified []access.Member
	for _, m := range members {
		if m.Person.Verified {
			verified = append(verified, m)
		}
	}
	if len(verified) > 1 {
		return Requester{}, nil
	}
	if len(verified) == 1 {
		if user := c.userRequester(verified[0]); user.Kind != RequesterUnknown {
			return user, nil
		}
	}
	contact, err := c.tx.ContactByAddress(ctx, c.Account.ID, address)
	if errors.Is(err, access.ErrNotFound) {
		return Requester{}, nil
	}
	if err != nil {
		return Requester{}, err
	}
	if contact.AlternateOf == c.Account.Owner && c.service.verified(contact.Verified, c.Now) {
		grant, err := c.grant(ctx, c.Account.Owner)
		if err != nil {
			return Requester{}, err
		}
		return Requester{Kind: RequesterAlternate, Name: contact.Name, User: c.Account.Owner, Contact: contact.ID,
			Permissions: grant.Effective(c.Now)}, nil
	}
	return Requester{Kind: RequesterContact, Name: contact.Name, Contact: contact.ID}, nil
}

func (c *call) userRequester(m access.Member) Requester {
	grant := c.GrantOf(m)
	if grant.Held(c.Now) == 0 {
		return Requester{}
	}
	kind := RequesterUser
	if grant.Owner {
		kind = RequesterOwner
	}
	return Requester{Kind: kind, Name: m.Person.Name, User: m.User, Permissions: grant.Effective(c.Now)}
}

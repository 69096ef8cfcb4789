package contact

import (
	"context"

	"github.com/rosterkit/roster/access"
)

// SetAlternate says that the address of a contact is an alternate address of the owner, or that it isn't any more. Who
// writes from there speaks for the owner: see Requester. It is for the owner alone, whom it is mailed to at their login
// address when it begins, and only for an address that was verified. It ends when the address is changed, and doesn't
// count while another user owns the account, or once the address has to be verified again.
//
// ErrInvalid, ErrNotFound, and ErrDenied, with code "denies.owner_only" for everybody else, and "contact.unverified". What
// is so already changes nothing.
func (s *Service) SetAlternate(ctx context.Context, actor access.Actor, account access.AccountID, id ID, alternate bool) (access.Revision, error) {
	if err := id.Check(); err != nil {
		return access.Revision{}, err
	}
	return s.change(ctx, actor, access.EventContactUpdated, account, func(ctx context.Context, c *call) error {
		if err := c.mayChooseAlternate(alternate); err != nil {
			return err
		}
		before, err := c.contact(ctx, id)
		if err != nil {
			return err
		}
		if alternate && !s.verified(before.Verified, c.Now) {
			return access.Denied("contact.unverified", "the address isn't verified")
		}
		after := before
		after.AlternateOf, after.Updated = "", c.Now
		if alternate {
			after.AlternateOf = c.Account.Owner
		}
		if after.AlternateOf == before.AlternateOf {
			return nil
		}
		if err := c.tx.PutContact(ctx, after); err != nil {
			return err
		}
		if err := c.recordContact(ctx, access.EventContactUpdated, before, after); err != nil || !alternate {
			return err
		}
		return c.Mail(ctx, MailAlternateAdded, string(id), c.Account.Version, string(c.Account.Owner))
	})
}

// mayChooseAlternate returns nil if the actor is the owner. An alternate address can be given up in a suspended account too.
func (c *call) mayChooseAlternate(alternate bool) error {
	if err := c.Known(); err != nil {
		return err
	}
	if c.Actor.Kind != access.ActorUser || !c.Grant.Owner {
		return access.Denied("denies.owner_only", "only the owner may do this")
	}
	if alternate || c.Account.Status == access.AccountClosed {
		return c.Open()
	}
	return nil
}

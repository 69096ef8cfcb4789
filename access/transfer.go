package access

import (
	"context"
	"errors"
)

// TransferByStaff makes another user the owner of an account. Only staff and system may; the actor's reason goes on
// the record. The old owner becomes a member with the bits of keeps, or nothing at all if that is zero; pending
// invites that they sent and that go beyond it are revoked. The new owner need not be a member before. Both are
// mailed. ErrInvalid, ErrDenied, ErrNotFound; ErrLimit if the old owner's seat isn't there. To the owner that the
// account has it changes nothing.
func (s *Service) TransferByStaff(ctx context.Context, actor Actor, account AccountID, to UserID, keeps Permission) (Revision, error) {
	if err := checkID("owner", string(to)); err != nil {
		return Revision{}, err
	}
	if keeps != 0 {
		if err := s.catalog.Check(keeps); err != nil {
			return Revision{}, err
		}
	}
	return s.change(ctx, actor, EventOwnerChanged, account, func(ctx context.Context, c *Call) error {
		if err := c.Host(); err != nil {
			return err
		}
		if c.Account.Status == AccountClosed {
			return c.Open()
		}
		if c.Account.Owner == to {
			return nil
		}
		return c.transfer(ctx, to, keeps)
	})
}

func (c *Call) transfer(ctx context.Context, to UserID, keeps Permission) error {
	from := c.Account.Owner
	next, err := c.Tx.Membership(ctx, c.Account.ID, to)
	isMember := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if keeps != 0 && (!isMember || next.expired(c.Now)) {
		if err := c.Seat(ctx, 0); err != nil {
			return err
		}
	}
	c.Account.Owner = to
	if err := c.Tx.UpdateAccount(ctx, c.Account); err != nil {
		return err
	}
	owner := Membership{Account: c.Account.ID, User: to, Status: Active, Created: c.Now}
	if err := c.Tx.PutMembership(ctx, owner); err != nil {
		return err
	}
	kept, err := c.stepDown(ctx, from, keeps)
	if err != nil {
		return err
	}
	// Both choices of mail were made in another role: the new owner starts with everything, the old with nothing.
	if err := c.Tx.DeletePreferences(ctx, c.Account.ID, from, to); err != nil {
		return err
	}
	if err := c.Record(ctx, EventOwnerChanged, memberTarget(next, owner), next.facts(), owner.facts()); err != nil {
		return err
	}
	before := Membership{User: from, Status: Active}
	if err := c.Record(ctx, EventOwnerSteppedDown, memberTarget(before, kept), before.facts(), kept.facts()); err != nil {
		return err
	}
	if err := c.revokeBeyond(ctx, from, keeps); err != nil {
		return err
	}
	return c.Mail(ctx, MailOwnerChanged, string(c.Account.Owner), c.Account.Version, string(from), string(to))
}

// stepDown leaves the old owner with the bits of keeps, and returns what membership that is.
func (c *Call) stepDown(ctx context.Context, from UserID, keeps Permission) (Membership, error) {
	if keeps == 0 {
		return Membership{User: from}, c.Tx.DeleteMembership(ctx, c.Account.ID, from)
	}
	m := Membership{Account: c.Account.ID, User: from, Permissions: keeps, Status: Active, Created: c.Now}
	return m, c.Tx.PutMembership(ctx, m)
}

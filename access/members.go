package access

import (
	"context"
	"errors"
	"time"
)

// AddMember makes a user a member at once, without an invite. Only staff and system may. ErrInvalid for terms that
// can't be, ErrExists if the user is a member or the owner, ErrLimit if the seats are used, ErrDenied.
func (s *Service) AddMember(ctx context.Context, actor Actor, account AccountID, user UserID, terms Terms) (Revision, error) {
	if err := user.Check(); err != nil {
		return Revision{}, err
	}
	if err := s.catalog.Check(terms.Permissions); err != nil {
		return Revision{}, err
	}
	return s.change(ctx, actor, EventMemberAdded, account, func(ctx context.Context, c *Call) error {
		if err := c.Host(); err != nil {
			return err
		}
		if err := c.Admit(ctx, user, terms, 0); err != nil {
			return err
		}
		return c.mail(ctx, MailAccessChanged, user)
	})
}

// Admit makes a user a member on these terms, after as many seats as freed have been given up: it is the one way
// into an account. A membership that has expired gets the new terms and keeps its suspension. It leaves an event of
// kind EventMemberAdded. Who admits, and whether they may, is the caller's to check. ErrInvalid for terms that are
// over, ErrDenied if the account isn't active, ErrExists if the user is the owner or a member already, ErrLimit if the
// seats are used.
func (c *Call) Admit(ctx context.Context, user UserID, terms Terms, freed int) error {
	if err := terms.Check(c.Now); err != nil {
		return err
	}
	if err := c.Open(); err != nil {
		return err
	}
	before, err := c.before(ctx, user)
	if err != nil {
		return err
	}
	if c.Account.Owner == user || before.Status != 0 && !before.expired(c.Now) {
		return &Error{Kind: ErrExists, Code: "member.exists", Field: "user", Reason: "is a member already"}
	}
	if err := c.Seat(ctx, freed); err != nil {
		return err
	}
	after := Membership{Account: c.Account.ID, User: user, Permissions: terms.Permissions, Status: Active,
		Starts: stored(terms.Starts), Expires: stored(terms.Expires), Label: terms.Label, Created: c.Now}
	if before.Status == Suspended {
		after.Status = Suspended
	}
	if err := c.Tx.PutMembership(ctx, after); err != nil {
		return err
	}
	if user == c.Actor.User() {
		c.Grant = c.GrantOf(Member{Membership: after})
	}
	return c.memberChanged(ctx, EventMemberAdded, before, after)
}

// before returns the membership of who is about to become a member: the zero one for a stranger, as who acts for
// themselves is known to be.
func (c *Call) before(ctx context.Context, user UserID) (Membership, error) {
	if user == c.Actor.User() && !c.Grant.Member() {
		return Membership{}, nil
	}
	m, err := c.Tx.Membership(ctx, c.Account.ID, user)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return m, err
}

// SetPermissions replaces what a member may do. The actor manages members, holds every bit concerned before and
// after, and isn't the member. Taking bits away revokes the pending invites that the member sent and that go beyond
// what is left. ErrInvalid for a set that the catalog refuses, ErrNotFound, ErrOwner, ErrDenied.
func (s *Service) SetPermissions(ctx context.Context, actor Actor, account AccountID, user UserID, p Permission) (Revision, error) {
	if err := s.catalog.Check(p); err != nil {
		return Revision{}, err
	}
	return s.edit(ctx, actor, EventMemberPermissions, account, user, func(_ context.Context, _ *Call, m *Membership) (bool, error) {
		widens := p&^m.Permissions != 0
		m.Permissions = p
		return widens, nil
	})
}

// SetExpiry sets when a membership ends; the zero time is never. Moving it later counts as granting all that the
// member holds. ErrInvalid for a time that isn't in the future, otherwise as SetPermissions.
func (s *Service) SetExpiry(ctx context.Context, actor Actor, account AccountID, user UserID, expires time.Time) (Revision, error) {
	return s.edit(ctx, actor, EventMemberExpiry, account, user, func(ctx context.Context, c *Call, m *Membership) (bool, error) {
		if err := (Terms{Starts: m.Starts, Expires: expires}).Check(c.Now); err != nil {
			return false, err
		}
		over := m.expired(c.Now)
		widens := !m.Expires.IsZero() && (expires.IsZero() || expires.After(m.Expires))
		m.Expires = stored(expires)
		if over {
			return widens, c.Seat(ctx, 0)
		}
		return widens, nil
	})
}

// SetLabel sets the account's note on a member. Errors are those of SetPermissions.
func (s *Service) SetLabel(ctx context.Context, actor Actor, account AccountID, user UserID, label string) (Revision, error) {
	if err := CheckText("label", label, MaxNameRunes); err != nil {
		return Revision{}, err
	}
	return s.edit(ctx, actor, EventMemberLabel, account, user, func(_ context.Context, _ *Call, m *Membership) (bool, error) {
		m.Label = label
		return false, nil
	})
}

// Suspend keeps a member from using anything, and keeps what they hold for later. Errors are those of
// SetPermissions.
func (s *Service) Suspend(ctx context.Context, actor Actor, account AccountID, user UserID) (Revision, error) {
	return s.edit(ctx, actor, EventMemberSuspended, account, user, func(_ context.Context, _ *Call, m *Membership) (bool, error) {
		m.Status = Suspended
		return false, nil
	})
}

// Reinstate ends a suspension: it counts as granting all that the member holds. Errors are those of SetPermissions.
func (s *Service) Reinstate(ctx context.Context, actor Actor, account AccountID, user UserID) (Revision, error) {
	return s.edit(ctx, actor, EventMemberReinstated, account, user, func(_ context.Context, _ *Call, m *Membership) (bool, error) {
		widens := m.Status == Suspended
		m.Status = Active
		return widens, nil
	})
}

// edit changes one membership that isn't the owner's. The function changes it and says whether somebody can do more
// afterwards. A membership that stays as it was leaves no event.
func (s *Service) edit(ctx context.Context, actor Actor, kind EventKind, account AccountID, user UserID,
	change func(context.Context, *Call, *Membership) (widens bool, err error)) (Revision, error) {
	if err := user.Check(); err != nil {
		return Revision{}, err
	}
	return s.change(ctx, actor, kind, account, func(ctx context.Context, c *Call) error {
		before, err := c.manageable(ctx, user)
		if err != nil {
			return err
		}
		after := before
		widens, err := change(ctx, c, &after)
		if err != nil {
			return err
		}
		if err := c.Bounds(before.Permissions, after.Permissions); err != nil {
			return err
		}
		if widens {
			if err := c.Open(); err != nil {
				return err
			}
		}
		if after == before {
			return nil
		}
		if err := c.Tx.PutMembership(ctx, after); err != nil {
			return err
		}
		return c.memberChanged(ctx, kind, before, after)
	})
}

// manageable returns the membership of a user that the actor may act on, apart from the bits concerned.
func (c *Call) manageable(ctx context.Context, user UserID) (Membership, error) {
	if err := c.Manage(); err != nil {
		return Membership{}, err
	}
	if user == c.Account.Owner {
		return Membership{}, &Error{Kind: ErrOwner, Code: "owner", Field: "user",
			Reason: "is the owner, who changes by transfer only"}
	}
	if user == c.Actor.User() {
		return Membership{}, Denied("denies.self", "nobody changes their own membership except to leave")
	}
	return c.member(ctx, user)
}

// member returns the membership of a user, the owner's too.
func (c *Call) member(ctx context.Context, user UserID) (Membership, error) {
	m, err := c.Tx.Membership(ctx, c.Account.ID, user)
	if errors.Is(err, ErrNotFound) {
		return Membership{}, NotFound("member")
	}
	return m, err
}

// Remove ends a membership, at once, and revokes the pending invites that the member sent. Errors are those of
// SetPermissions.
func (s *Service) Remove(ctx context.Context, actor Actor, account AccountID, user UserID) (Revision, error) {
	if err := user.Check(); err != nil {
		return Revision{}, err
	}
	return s.change(ctx, actor, EventMemberRemoved, account, func(ctx context.Context, c *Call) error {
		m, err := c.manageable(ctx, user)
		if err != nil {
			return err
		}
		if err := c.Bounds(m.Permissions, 0); err != nil {
			return err
		}
		return c.endMembership(ctx, EventMemberRemoved, m)
	})
}

// Leave ends the acting user's own membership, whatever its state, in an account of any state but closed. ErrOwner
// for the owner, ErrDenied for actors that aren't users, ErrNotFound for strangers.
func (s *Service) Leave(ctx context.Context, actor Actor, account AccountID) (Revision, error) {
	return s.change(ctx, actor, EventMemberLeft, account, func(ctx context.Context, c *Call) error {
		if err := c.Known(); err != nil {
			return err
		}
		switch {
		case actor.Kind != ActorUser:
			return Denied("denies.user", "only a member can leave")
		case c.Grant.Owner:
			return &Error{Kind: ErrOwner, Code: "owner", Field: "actor", Reason: "is the owner, who changes by transfer only"}
		case c.Account.Status == AccountClosed:
			return c.Open()
		}
		m, err := c.Tx.Membership(ctx, account, actor.User())
		if err != nil {
			return err
		}
		return c.endMembership(ctx, EventMemberLeft, m)
	})
}

// endMembership deletes a membership and what hangs on it.
func (c *Call) endMembership(ctx context.Context, kind EventKind, m Membership) error {
	if err := c.Tx.DeleteMembership(ctx, c.Account.ID, m.User); err != nil {
		return err
	}
	if err := c.Tx.DeletePreferences(ctx, c.Account.ID, m.User); err != nil {
		return err
	}
	return c.memberChanged(ctx, kind, m, Membership{User: m.User})
}

// memberChanged puts a change of a membership on the record, revokes the invites that its member sent beyond what
// they still hold, and mails the member about a change of what they hold. A membership without a status is none.
func (c *Call) memberChanged(ctx context.Context, kind EventKind, before, after Membership) error {
	if err := c.Record(ctx, kind, memberTarget(before, after), before.facts(), after.facts()); err != nil {
		return err
	}
	if before.Permissions&^after.Permissions != 0 {
		if err := c.revokeBeyond(ctx, after.User, after.Permissions); err != nil {
			return err
		}
	}
	switch kind {
	case EventMemberAdded, EventMemberLabel, EventMemberLeft:
		return nil
	case EventMemberRemoved:
		return c.mail(ctx, MailAccessRemoved, after.User)
	}
	return c.mail(ctx, MailAccessChanged, after.User)
}

// revokeBeyond closes the pending invites that a user sent and that offer more than held, and records each.
func (c *Call) revokeBeyond(ctx context.Context, user UserID, held Permission) error {
	revoked, err := c.Tx.RevokeInvites(ctx, c.Account.ID, user, held, c.Now)
	if err != nil {
		return err
	}
	for _, r := range revoked {
		target := Target{Kind: TargetInvite, ID: r.ID, Name: r.Address.String()}
		before := Facts{Permissions: r.Terms.Permissions, Status: "pending", Starts: r.Terms.Starts, Expires: r.Terms.Expires,
			Generation: r.Generation}
		after := before
		after.Status = "revoked"
		if err := c.Record(ctx, EventInviteRevoked, target, before, after); err != nil {
			return err
		}
	}
	return nil
}

func memberTarget(before, after Membership) Target {
	t := Target{Kind: TargetUser, ID: string(after.User)}
	if before.Label != after.Label {
		t.Before, t.After = map[string]string{"label": before.Label}, map[string]string{"label": after.Label}
	}
	return t
}

// facts are the public part of a membership, by which the state at any time can be read off the history.
func (m Membership) facts() Facts {
	if m.Status == 0 {
		return Facts{}
	}
	return Facts{Permissions: m.Permissions, Status: m.Status.String(), Starts: m.Starts, Expires: m.Expires}
}

func (m Membership) expired(now time.Time) bool { return !m.Expires.IsZero() && !now.Before(m.Expires) }

// stored returns a time as storage keeps it.
func stored(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

package contact

import (
	"context"
	"errors"

	"github.com/rosterkit/roster/access"
)

// Preferences returns the categories that a user of an account chose: All for an owner and none for a member who never
// did. A member receives, of those, what their permissions reveal at the time. It is for those who may set them.
// ErrInvalid, ErrNotFound, ErrDenied.
func (s *Service) Preferences(ctx context.Context, actor access.Actor, account access.AccountID, user access.UserID) (Category, error) {
	if err := user.Check(); err != nil {
		return 0, err
	}
	var chosen Category
	err := s.look(ctx, actor, account, func(ctx context.Context, c *call) error {
		_, err := c.choosing(ctx, user)
		if err != nil {
			return err
		}
		chosen, err = c.preference(ctx, user)
		return err
	})
	if err != nil {
		return 0, err
	}
	return chosen, nil
}

// SetPreferences sets the categories that a user of an account receives. Users set their own; those with the
// permission that has the key "profile" may set the owner's; staff and system anybody's. A category that is switched
// on for a member needs the permission that it reveals, held by that member and in use. Nobody is given access by it,
// so it works in a suspended account too. An owner whose preferences somebody else sets hears of it at their login address.
// Mail about security, such as a change of owner, is of no category: it can't
// be switched off.
//
// ErrInvalid, ErrNotFound, and ErrDenied, with code "category.beyond" for what the member may not see, and
// "category.required" if nobody would receive a required category any more. What was chosen already changes nothing.
func (s *Service) SetPreferences(ctx context.Context, actor access.Actor, account access.AccountID, user access.UserID, categories Category) (access.Revision, error) {
	if err := user.Check(); err != nil {
		return access.Revision{}, err
	}
	if err := s.categories.Check(categories); err != nil {
		return access.Revision{}, err
	}
	return s.change(ctx, actor, access.EventPreferencesChanged, account, func(ctx context.Context, c *call) error {
		grant, err := c.choosing(ctx, user)
		if err != nil {
			return err
		}
		before, err := c.preference(ctx, user)
		if err != nil || before == categories {
			return err
		}
		if !grant.Owner {
			if err := s.categories.checkWithin(categories&^before, grant.Effective(c.Now)); err != nil {
				return err
			}
		}
		if err := c.keepRequired(ctx, before&^categories, recipientOf{user: user}); err != nil {
			return err
		}
		if err := c.tx.PutPreference(ctx, account, user, categories); err != nil {
			return err
		}
		target := access.Target{Kind: access.TargetUser, ID: string(user)}
		err = c.Record(ctx, access.EventPreferencesChanged, target,
			access.Facts{Categories: access.Permission(before)}, access.Facts{Categories: access.Permission(categories)})
		if err != nil || !grant.Owner || c.Actor.User() == user {
			return err
		}
		return c.Mail(ctx, MailPreferencesChanged, string(user), c.Account.Version, string(user))
	})
}

// choosing returns the grant of a user whose preferences the actor may read and set.
func (c *call) choosing(ctx context.Context, user access.UserID) (access.Grant, error) {
	if err := c.Known(); err != nil {
		return access.Grant{}, err
	}
	if c.Account.Status == access.AccountClosed {
		return access.Grant{}, c.Open()
	}
	if c.Actor.Kind == access.ActorUser && c.Actor.User() != user &&
		(user != c.Account.Owner || c.May(c.service.bit("profile")) != nil) {
		return access.Grant{}, access.Denied("denies.other", "these are somebody else's preferences")
	}
	grant, err := c.grant(ctx, user)
	if err != nil {
		return access.Grant{}, err
	}
	if !grant.Member() {
		return access.Grant{}, access.NotFound("member")
	}
	return grant, nil
}

func (c *call) grant(ctx context.Context, user access.UserID) (access.Grant, error) {
	grant, err := c.tx.Grant(ctx, c.Account.ID, user)
	grant.WhileSuspended = c.service.members.Catalog().WhileSuspended()
	return grant, err
}

// preference returns what a user of the account chose.
func (c *call) preference(ctx context.Context, user access.UserID) (Category, error) {
	return preferenceOf(ctx, c.tx, c.Account, user)
}

func preferenceOf(ctx context.Context, tx Tx, account access.Account, user access.UserID) (Category, error) {
	chosen, err := tx.Preference(ctx, account.ID, user)
	if !errors.Is(err, access.ErrNotFound) {
		return chosen, err
	}
	if user == account.Owner {
		return All, nil
	}
	return 0, nil
}

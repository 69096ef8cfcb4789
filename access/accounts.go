package access

import (
	"context"
	"errors"
	"slices"
)

// NewAccount is what an account is created from.
type NewAccount struct {
	ID      AccountID
	Owner   UserID
	Profile Profile
	Policy  Policy
}

// CreateAccount creates an active account. A user may create one that they own, with an empty policy; staff and
// system any. Doing it again with the same content succeeds and changes nothing, also of an account that was closed since.
// ErrInvalid, ErrDenied, and ErrExists if the id is taken by other content: a host that lets users choose the id tells them
// by it which ones are taken.
func (s *Service) CreateAccount(ctx context.Context, actor Actor, account NewAccount) (Revision, error) {
	if err := account.check(actor); err != nil {
		return Revision{}, err
	}
	var revision Revision
	err := s.update(ctx, func(ctx context.Context, tx Tx) error {
		if err := s.staffMay(ctx, actor, EventAccountCreated, account.ID); err != nil {
			return err
		}
		c := &Call{Tx: tx, Actor: actor, Now: s.Now(), service: s}
		c.Account = Account{ID: account.ID, Owner: account.Owner, Status: AccountActive, Profile: account.Profile,
			Policy: account.Policy, Created: c.Now, Version: 1}
		revision = c.Revision()
		err := tx.InsertAccount(ctx, c.Account)
		if errors.Is(err, ErrExists) {
			old, err := tx.Account(ctx, account.ID)
			revision = Revision{old.ID, old.Version}
			if err != nil {
				return err
			}
			return account.sameAs(old)
		}
		if err != nil {
			return err
		}
		s.caches.expireAfter(tx, account.ID)
		owner := Membership{Account: account.ID, User: account.Owner, Status: Active, Created: c.Now}
		if err := tx.PutMembership(ctx, owner); err != nil {
			return err
		}
		return c.Record(ctx, EventAccountCreated, Target{Kind: TargetUser, ID: string(account.Owner),
			After: account.Profile.fields(profileFields()...)}, Facts{}, policyFacts(c.Account))
	})
	if err != nil {
		return Revision{}, err
	}
	return revision, nil
}

func (a NewAccount) check(actor Actor) error {
	if err := actor.Check(); err != nil {
		return err
	}
	if err := a.ID.Check(); err != nil {
		return err
	}
	if err := checkID("owner", string(a.Owner)); err != nil {
		return err
	}
	if err := a.Profile.Check(); err != nil {
		return err
	}
	if err := a.Policy.Check(); err != nil {
		return err
	}
	if actor.Kind == ActorUser && (actor.User() != a.Owner || a.Policy.Seats != 0 || len(a.Policy.Domains) != 0) {
		return Denied("denies.host", "a user may create accounts of their own only, without a policy")
	}
	return nil
}

func (a NewAccount) sameAs(old Account) error {
	if old.Owner == a.Owner && old.Profile == a.Profile && old.Policy.equal(a.Policy) {
		return nil
	}
	return &Error{Kind: ErrExists, Code: "account.exists", Field: "account", Reason: "exists with other content"}
}

// Account returns an account to those who have to do with it; to members whose membership isn't in use, only what
// Account.Outside leaves. ErrNotFound to others.
func (s *Service) Account(ctx context.Context, actor Actor, account AccountID) (Account, error) {
	var a Account
	err := s.look(ctx, actor, account, func(_ context.Context, c *Call) error {
		a = c.Account
		if actor.Kind == ActorUser && c.Grant.Held(c.Now) == 0 {
			a = a.Outside()
		}
		return c.Known()
	})
	if err != nil {
		return Account{}, err
	}
	return a, nil
}

// Outside returns what a chooser of accounts shows of one: id, owner, status, name, company, locale and time zone. It
// is what members see of an account that they may not use.
func (a Account) Outside() Account {
	return Account{ID: a.ID, Owner: a.Owner, Status: a.Status, Created: a.Created, Version: a.Version,
		Profile: Profile{Name: a.Profile.Name, Company: a.Profile.Company, Locale: a.Profile.Locale, TimeZone: a.Profile.TimeZone}}
}

// UpdateAccount replaces an account's profile. It needs the permission with the key "profile".
func (s *Service) UpdateAccount(ctx context.Context, actor Actor, account AccountID, profile Profile) (Revision, error) {
	if err := profile.Check(); err != nil {
		return Revision{}, err
	}
	return s.change(ctx, actor, EventAccountUpdated, account, func(ctx context.Context, c *Call) error {
		if err := c.May(s.bitOrAll("profile")); err != nil {
			return err
		}
		if c.Account.Status == AccountClosed {
			return c.Open()
		}
		names := c.Account.Profile.changedFields(profile)
		if len(names) == 0 {
			return nil
		}
		before, after := c.Account.Profile.fields(names...), profile.fields(names...)
		c.Account.Profile = profile
		if err := c.Tx.UpdateAccount(ctx, c.Account); err != nil {
			return err
		}
		return c.Record(ctx, EventAccountUpdated, Target{Kind: TargetAccount, ID: string(account), Before: before, After: after},
			Facts{}, Facts{Fields: names})
	})
}

// SetPolicy replaces what limits the members of an account. Who manages members and holds All may set the domains: a
// limit that a limited manager could lift would be none. Only staff and system may set the seats. Seats and domains that are in use already stay: the policy binds what comes later.
func (s *Service) SetPolicy(ctx context.Context, actor Actor, account AccountID, policy Policy) (Revision, error) {
	if err := policy.Check(); err != nil {
		return Revision{}, err
	}
	return s.change(ctx, actor, EventAccountPolicySet, account, func(ctx context.Context, c *Call) error {
		if err := c.Manage(); err != nil {
			return err
		}
		if err := c.Bounds(0, All); err != nil {
			return err
		}
		if err := c.Open(); err != nil {
			return err
		}
		if policy.Seats != c.Account.Policy.Seats {
			if err := c.Host(); err != nil {
				return err
			}
		}
		if policy.equal(c.Account.Policy) {
			return nil
		}
		before := policyFacts(c.Account)
		c.Account.Policy = policy
		if err := c.Tx.UpdateAccount(ctx, c.Account); err != nil {
			return err
		}
		return c.Record(ctx, EventAccountPolicySet, Target{Kind: TargetAccount, ID: string(account)}, before, policyFacts(c.Account))
	})
}

func (p Policy) equal(q Policy) bool { return p.Seats == q.Seats && slices.Equal(p.Domains, q.Domains) }

func policyFacts(a Account) Facts {
	return Facts{Status: a.Status.String(), Seats: a.Policy.Seats, Domains: a.Policy.Domains}
}

// SuspendAccount suspends an active account: everybody keeps, of what they hold, only what works while suspended.
// Only staff and system may. Of a suspended account it changes nothing.
func (s *Service) SuspendAccount(ctx context.Context, actor Actor, account AccountID) (Revision, error) {
	return s.setAccountStatus(ctx, actor, EventAccountSuspended, account, AccountSuspended)
}

// ReactivateAccount makes a suspended account active again. Only staff and system may.
func (s *Service) ReactivateAccount(ctx context.Context, actor Actor, account AccountID) (Revision, error) {
	return s.setAccountStatus(ctx, actor, EventAccountReactivated, account, AccountActive)
}

// CloseAccount closes an account for good: nobody may do anything in it any more, and its invites are dead. Only
// staff and system may. Its history stays.
func (s *Service) CloseAccount(ctx context.Context, actor Actor, account AccountID) (Revision, error) {
	return s.setAccountStatus(ctx, actor, EventAccountClosed, account, AccountClosed)
}

func (s *Service) setAccountStatus(ctx context.Context, actor Actor, kind EventKind, account AccountID, status AccountStatus) (Revision, error) {
	return s.change(ctx, actor, kind, account, func(ctx context.Context, c *Call) error {
		if err := c.Host(); err != nil {
			return err
		}
		before := c.Account.Status
		if before == status {
			return nil
		}
		if before == AccountClosed {
			return c.Open()
		}
		c.Account.Status = status
		if err := c.Tx.UpdateAccount(ctx, c.Account); err != nil {
			return err
		}
		return c.Record(ctx, kind, Target{Kind: TargetAccount, ID: string(account)},
			Facts{Status: before.String()}, Facts{Status: status.String()})
	})
}

package invite

import (
	"context"
	"errors"
	"time"

	"github.com/rosterkit/roster/access"
)

// A Preview is what the holder of an authentic token may know about an invite.
type Preview struct {
	Outcome Outcome
	Account access.AccountID
	// AccountName and InviterName are for the page's text.
	AccountName, InviterName string
	Masked                   string         // the invited address, masked: "j...@example.com"
	Address                  access.Address // the invited address, only with NeedsSignUp: the one to sign up with
	Sent                     time.Time      // when the latest mail was sent
	Until                    time.Time      // when it expires or expired
	TimeZone                 string         // of the account
}

// Lookup says how a person stands to the invite of a token; the zero Identity is nobody signed in. It changes
// nothing: mail scanners follow links. A token that isn't authentic is access.ErrNotFound with code
// "invite.invalid", whatever is wrong with it.
func (s *Service) Lookup(ctx context.Context, token string, who Identity) (Preview, error) {
	if !who.isZero() {
		if err := who.check(); err != nil {
			return Preview{}, err
		}
	}
	var p Preview
	err := s.view(ctx, func(ctx context.Context, tx Tx) error {
		f, err := s.authentic(ctx, tx, token)
		if err != nil {
			return err
		}
		o, err := s.standing(ctx, tx, f.invite, f.proof, who, s.members.Now())
		if err != nil {
			return err
		}
		p, err = s.preview(ctx, tx, f.invite, o)
		return err
	})
	if err != nil {
		return Preview{}, err
	}
	return p, nil
}

func (s *Service) preview(ctx context.Context, tx Tx, r Record, o Outcome) (Preview, error) {
	account, err := tx.Account(ctx, r.Account)
	if err != nil {
		return Preview{}, err
	}
	inviter, err := access.ActorName(ctx, tx, r.By.Kind, r.By.ID)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Outcome: o, Account: r.Account, AccountName: account.Profile.Name, InviterName: inviter,
		Masked: r.Address.String(), Sent: r.Sent, Until: r.Expires, TimeZone: account.Profile.TimeZone}
	if o == NeedsSignUp {
		p.Address = r.Address
	}
	return p, nil
}

// A found is an invite that somebody came with.
type found struct {
	invite  Record
	proof   proof
	version uint64 // of the account, then
}

// authentic returns the invite that a token was made for.
func (s *Service) authentic(ctx context.Context, tx Tx, token string) (found, error) {
	t, ok := access.ParseToken(token)
	if !ok {
		return found{}, unknown()
	}
	r, version, err := tx.FindInvite(ctx, ID(t.ID()))
	if err != nil && !errors.Is(err, access.ErrNotFound) {
		return found{}, err
	}
	if !s.ring.authentic(t, r) {
		return found{}, unknown()
	}
	return found{r, proof{generation: t.Number(), token: true}, version}, nil
}

// waiting returns an invite to the verified address of a person, by id. Any other looks like none.
func (s *Service) waiting(ctx context.Context, tx Tx, id ID, who Identity) (found, error) {
	if err := id.Check(); err != nil {
		return found{}, err
	}
	r, version, err := tx.FindInvite(ctx, id)
	if err != nil && !errors.Is(err, access.ErrNotFound) {
		return found{}, err
	}
	if err != nil || !who.Verified || who.Address.IsZero() || !who.Address.Same(r.Address) {
		return found{}, access.NotFound("invite")
	}
	return found{r, proof{generation: r.Generation}, version}, nil
}

// An Acceptance is an invite that was accepted: the account is the one to go to.
type Acceptance struct {
	Outcome  Outcome // Joined or Already
	Account  access.AccountID
	Revision access.Revision // zero with Already
}

// Accept makes a person a member by the token of an invite, once. Account and permissions come from the invite alone.
// It is refused, and the invite stays as it is, unless the invite is live and for this person, the account is active,
// the inviter may still grant what is offered, and a seat is left. Accepting again as the same user is Already.
// The refusals are access.ErrDenied with an Outcome as the code, access.ErrNotFound with code "invite.invalid" for a
// token that isn't authentic, ErrDenied with code "invite.inviter" if the inviter may no longer, ErrExists if the
// person is a member already, ErrLimit, ErrInvalid.
func (s *Service) Accept(ctx context.Context, token string, who Identity) (Acceptance, error) {
	return s.accept(ctx, who, func(ctx context.Context, tx Tx) (found, error) { return s.authentic(ctx, tx, token) })
}

// AcceptPending is Accept without a token: by the invite's id, for a person whose verified address is the invited
// one. For anybody else there is no such invite: access.ErrNotFound.
func (s *Service) AcceptPending(ctx context.Context, id ID, who Identity) (Acceptance, error) {
	return s.accept(ctx, who, func(ctx context.Context, tx Tx) (found, error) { return s.waiting(ctx, tx, id, who) })
}

type finder func(context.Context, Tx) (found, error)

func (s *Service) accept(ctx context.Context, who Identity, find finder) (Acceptance, error) {
	var accepted Acceptance
	err := s.answer(ctx, who, access.EventInviteAccepted, find, func(ctx context.Context, tx Tx, c *access.Call, r Record, o Outcome) error {
		if o == Already {
			accepted = Acceptance{Outcome: Already, Account: r.Account}
			return nil
		}
		accepted = Acceptance{Outcome: Joined, Account: r.Account, Revision: c.Revision()}
		return s.admit(ctx, tx, c, r, who)
	})
	if err != nil {
		return Acceptance{}, err
	}
	return accepted, nil
}

// answer runs what an invited person does with an invite: act gets a live one that suits them, under the account's
// lock, or one that is Already theirs, perhaps with no call.
func (s *Service) answer(ctx context.Context, who Identity, kind access.EventKind, find finder,
	act func(context.Context, Tx, *access.Call, Record, Outcome) error) error {
	if !who.isZero() {
		if err := who.check(); err != nil {
			return err
		}
	}
	return s.update(ctx, func(ctx context.Context, tx Tx) error {
		f, err := find(ctx, tx)
		if err != nil {
			return err
		}
		r, proof := f.invite, f.proof
		o, err := s.standing(ctx, tx, r, proof, who, s.members.Now())
		if err != nil {
			return err
		}
		if o == Already {
			return act(ctx, tx, nil, r, o)
		}
		if o != Ready {
			return refusal(o, r)
		}
		c, err := s.members.Begin(ctx, tx, who.Actor, kind, r.Account)
		if err != nil {
			return err
		}
		if c.Account.Version != f.version+1 { // between finding and locking somebody else was here
			if r, err = tx.Invite(ctx, r.Account, r.ID); err != nil {
				return err
			}
			if !proof.token {
				proof.generation = r.Generation
			}
		}
		if o, err = s.standing(ctx, tx, r, proof, who, c.Now); err != nil {
			return err
		}
		if o != Ready && o != Already {
			return refusal(o, r)
		}
		return act(ctx, tx, c, r, o)
	})
}

// standing is judge with a look at the membership: a used invite of somebody who has left since is used.
func (s *Service) standing(ctx context.Context, tx Tx, r Record, p proof, who Identity, now time.Time) (Outcome, error) {
	o := s.judge(r, p, who, now)
	if o != Already {
		return o, nil
	}
	_, err := tx.Membership(ctx, r.Account, who.Actor.User())
	if errors.Is(err, access.ErrNotFound) {
		return IsUsed, nil
	}
	return o, err
}

// admit makes the acting person a member on the terms of a live invite that suits them, and uses it up.
func (s *Service) admit(ctx context.Context, tx Tx, c *access.Call, r Record, who Identity) error {
	if err := s.members.Catalog().Check(r.Terms.Permissions); err != nil {
		return err
	}
	if err := c.Open(); err != nil {
		return err
	}
	if err := s.inviterStillMay(ctx, tx, r); err != nil {
		return err
	}
	if err := s.domainsStillAllow(c, r, who); err != nil {
		return err
	}
	user := c.Actor.User()
	if err := c.Admit(ctx, user, r.Terms, 1); err != nil {
		return err
	}
	before := r
	r.State, r.Closed, r.AcceptedBy = Accepted, c.Now, user
	if err := tx.UpdateInvite(ctx, r, r.Generation); err != nil {
		return err
	}
	if err := c.Record(ctx, access.EventInviteAccepted, r.target(), before.facts(), r.facts()); err != nil {
		return err
	}
	return s.mailAccepted(ctx, c, r)
}

// domainsStillAllow checks the account's domains as they are now: the invited address, and, where others may accept,
// the verified address of who does.
func (s *Service) domainsStillAllow(c *access.Call, r Record, who Identity) error {
	if err := domainAllowed(c, r.Address); err != nil {
		return err
	}
	if who.Address.Same(r.Address) || len(c.Account.Policy.Domains) == 0 {
		return nil
	}
	if !who.Verified || who.Address.IsZero() {
		return refusal(NeedsVerified, r)
	}
	return domainAllowed(c, who.Address)
}

// inviterStillMay checks the inviter as if they sent the invite now.
func (s *Service) inviterStillMay(ctx context.Context, tx Tx, r Record) error {
	inviter := r.By.User()
	if inviter == "" {
		return nil
	}
	c, err := s.members.Begin(ctx, tx, access.As(inviter), access.EventInviteSent, r.Account)
	if err != nil {
		return err
	}
	err = c.Manage()
	if err == nil {
		err = c.Bounds(0, r.Terms.Permissions)
	}
	if errors.Is(err, access.ErrDenied) || errors.Is(err, access.ErrNotFound) {
		return access.Denied("invite.inviter", "the person who sent the invite may no longer do so")
	}
	return err
}

// mailAccepted tells the inviter and the owner that somebody has come in.
func (s *Service) mailAccepted(ctx context.Context, c *access.Call, r Record) error {
	receivers := []string{string(c.Account.Owner)}
	if inviter := r.By.User(); inviter != "" && inviter != c.Account.Owner {
		receivers = append(receivers, string(inviter))
	}
	return c.Mail(ctx, MailAccepted, string(r.ID), uint64(r.Generation), receivers...)
}

// Decline ends an invite by its token, for the person it is for. Its refusals are those of Accept.
func (s *Service) Decline(ctx context.Context, token string, who Identity) (access.Revision, error) {
	return s.decline(ctx, who, func(ctx context.Context, tx Tx) (found, error) { return s.authentic(ctx, tx, token) })
}

// DeclinePending is Decline without a token, for a person whose verified address is the invited one.
func (s *Service) DeclinePending(ctx context.Context, id ID, who Identity) (access.Revision, error) {
	return s.decline(ctx, who, func(ctx context.Context, tx Tx) (found, error) { return s.waiting(ctx, tx, id, who) })
}

func (s *Service) decline(ctx context.Context, who Identity, find finder) (access.Revision, error) {
	var revision access.Revision
	err := s.answer(ctx, who, access.EventInviteDeclined, find, func(ctx context.Context, tx Tx, c *access.Call, r Record, o Outcome) error {
		if o == Already {
			return refusal(IsUsed, r)
		}
		revision = c.Revision()
		before := r
		r.State, r.Closed = Declined, c.Now
		if err := tx.UpdateInvite(ctx, r, r.Generation); err != nil {
			return err
		}
		return c.Record(ctx, access.EventInviteDeclined, r.target(), before.facts(), r.facts())
	})
	if err != nil {
		return access.Revision{}, err
	}
	return revision, nil
}

// A WaitingInvite is an invite as the list of the person it is for shows it.
type WaitingInvite struct {
	ID          ID
	Account     access.AccountID
	AccountName string
	InviterName string
	Terms       access.Terms
	Until       time.Time
}

// Waiting returns a page of the live invites to a person's address, newest first. Only a verified address is shown
// any: for others the list is empty. access.ErrInvalid.
func (s *Service) Waiting(ctx context.Context, who Identity, page access.Page) (access.List[WaitingInvite], error) {
	if err := who.check(); err != nil {
		return access.List[WaitingInvite]{}, err
	}
	list := "waiting/" + who.Address.Canonical()
	limit, key, err := page.Open(list, 1)
	if err != nil || !who.Verified || who.Address.IsZero() {
		return access.List[WaitingInvite]{}, err
	}
	var waiting access.List[WaitingInvite]
	err = s.view(ctx, func(ctx context.Context, tx Tx) error {
		rows, err := tx.WaitingInvites(ctx, who.Address, s.members.Now(), before(key), limit+1)
		if err != nil {
			return err
		}
		shown := make([]WaitingInvite, len(rows))
		for i, r := range rows {
			p, err := s.preview(ctx, tx, r, Ready)
			if err != nil {
				return err
			}
			shown[i] = WaitingInvite{r.ID, r.Account, p.AccountName, p.InviterName, r.Terms, r.Expires}
		}
		waiting = access.ListOf(shown, limit, list, func(w WaitingInvite) []string { return []string{string(w.ID)} })
		return nil
	})
	if err != nil {
		return access.List[WaitingInvite]{}, err
	}
	return waiting, nil
}

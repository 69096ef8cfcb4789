package invite

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/rosterkit/roster/access"
)

// An Offer is what is sent: a membership on these terms, to an address.
type Offer struct {
	Address access.Address
	Terms   access.Terms
}

// Sent is an invite that was sent.
type Sent struct {
	Invite   Invite
	Resent   bool  // it was there already, live or expired, and got a new link
	Token    Token // with ByHost, for delivering it; zero with ByMail
	Revision access.Revision
}

// Send offers a membership to an address. The actor manages members and holds every bit offered. Is there a pending
// invite to the address already, it is sent again on the new terms: its old link is dead, and the actor must hold its
// old bits too. Whether the address belongs to a user makes no difference. access.ErrInvalid, ErrNotFound,
// ErrDenied (code "invite.domain" for a domain that the account doesn't allow), ErrExists if the address is a
// member's, ErrLimit; after one of the limits of 24 hours a composed unit of work can't be committed. Silent staff can't
// send by mail: ErrInvalid with code "actor.silent".
func (s *Service) Send(ctx context.Context, actor access.Actor, account access.AccountID, offer Offer) (Sent, error) {
	if offer.Address.IsZero() {
		return Sent{}, access.Invalid("address", "address.empty", "is empty")
	}
	if err := s.members.Catalog().Check(offer.Terms.Permissions); err != nil {
		return Sent{}, err
	}
	return s.sending(ctx, actor, access.EventInviteSent, account, func(ctx context.Context, tx Tx, c *access.Call) (before, after Record, err error) {
		if err := s.mayInvite(ctx, c, offer); err != nil {
			return before, after, err
		}
		before, err = tx.PendingInvite(ctx, account, offer.Address)
		if errors.Is(err, access.ErrNotFound) {
			after, err = s.newInvite(c, offer)
			return Record{}, after, err
		}
		if err != nil {
			return before, after, err
		}
		after = before
		after.Terms = storedTerms(offer.Terms)
		return before, after, c.Bounds(before.Terms.Permissions, offer.Terms.Permissions)
	})
}

// A Result is what became of one offer of SendMany.
type Result struct {
	Address access.Address
	Sent    Sent
	Err     error
}

// MaxMany is how many offers SendMany takes at once.
const MaxMany = 200

// SendMany sends offers one by one, each in a unit of work of its own, and returns a result for each in their order.
// access.ErrInvalid, without sending any, if there are none or more than MaxMany.
func (s *Service) SendMany(ctx context.Context, actor access.Actor, account access.AccountID, offers []Offer) ([]Result, error) {
	if len(offers) == 0 || len(offers) > MaxMany {
		return nil, access.Invalid("offers", "offers.number", "are none, or more than "+strconv.Itoa(MaxMany))
	}
	results := make([]Result, len(offers))
	for i, offer := range offers {
		results[i].Address = offer.Address
		results[i].Sent, results[i].Err = s.Send(ctx, actor, account, offer)
	}
	return results, nil
}

// Resend sends a pending invite again, live or expired: it gets a new link and the full time, and its old link is
// dead. The actor manages members, holds every bit offered, and becomes the inviter. access.ErrInvalid,
// ErrNotFound, ErrDenied, ErrLimit.
func (s *Service) Resend(ctx context.Context, actor access.Actor, account access.AccountID, id ID) (Sent, error) {
	return s.sending(ctx, actor, access.EventInviteResent, account, func(ctx context.Context, tx Tx, c *access.Call) (before, after Record, err error) {
		if err := c.Manage(); err != nil {
			return before, after, err
		}
		r, err := pendingOf(ctx, tx, c, id)
		if err != nil {
			return before, after, err
		}
		return r, r, s.mayInvite(ctx, c, Offer{r.Address, r.Terms})
	})
}

// sending runs a verb that makes a link for a new invite or a new one for an old: choose returns the invite as it was,
// zero for none, and with the terms that it gets.
func (s *Service) sending(ctx context.Context, actor access.Actor, kind access.EventKind, account access.AccountID,
	choose func(context.Context, Tx, *access.Call) (before, after Record, err error)) (Sent, error) {
	var sent Sent
	err := s.update(ctx, func(ctx context.Context, tx Tx) error {
		c, err := s.members.Begin(ctx, tx, actor, kind, account)
		if err != nil {
			return err
		}
		before, after, err := choose(ctx, tx, c)
		if err != nil {
			return err
		}
		sent, err = s.send(ctx, tx, c, before, after)
		return err
	})
	if err != nil {
		return Sent{}, err
	}
	return sent, nil
}

// mayInvite checks what holds for a new invite and for one that is sent again. Who manages comes first: to a stranger
// there is no account, whatever is wrong with the offer.
func (s *Service) mayInvite(ctx context.Context, c *access.Call, offer Offer) error {
	if err := c.Manage(); err != nil {
		return err
	}
	if err := offer.Terms.Check(c.Now); err != nil {
		return err
	}
	if err := c.Open(); err != nil {
		return err
	}
	if err := c.Bounds(0, offer.Terms.Permissions); err != nil {
		return err
	}
	if err := domainAllowed(c, offer.Address); err != nil {
		return err
	}
	if c.Actor.Silent && s.config.Delivery == ByMail {
		return access.Invalid("actor", "actor.silent", "is silent, and nobody would get the link")
	}
	const enough = 100 // users with one address in one account
	members, err := c.Tx.MembersByAddress(ctx, c.Account.ID, offer.Address, enough)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Owner || m.Person.Verified && (m.Expires.IsZero() || c.Now.Before(m.Expires)) {
			return &access.Error{Kind: access.ErrExists, Code: "member.exists", Field: "address", Reason: "is a member's already"}
		}
	}
	return nil
}

// domainAllowed checks an address against the account's domains.
func domainAllowed(c *access.Call, address access.Address) error {
	if domains := c.Account.Policy.Domains; len(domains) == 0 || slices.Contains(domains, address.Domain()) {
		return nil
	}
	return &access.Error{Kind: access.ErrDenied, Code: "invite.domain", Field: "address",
		Reason: "has a domain that this account doesn't invite"}
}

// newInvite returns an invite that isn't stored yet: its generation is 0.
func (s *Service) newInvite(c *access.Call, offer Offer) (Record, error) {
	id, err := c.NewID()
	if err != nil {
		return Record{}, err
	}
	r := Record{Invite: Invite{ID: ID(id), Account: c.Account.ID, Address: offer.Address, Terms: storedTerms(offer.Terms),
		State: Pending, Created: c.Now}}
	return r, c.Random(r.Secret[:])
}

// send gives an invite its next link, and stores, records and mails it.
func (s *Service) send(ctx context.Context, tx Tx, c *access.Call, before, r Record) (Sent, error) {
	isNew := before.Generation == 0
	if err := s.checkLimits(ctx, tx, c, r); err != nil {
		return Sent{}, err
	}
	r.Generation++
	r.Key, r.Delivery = s.ring.Current(), s.config.Delivery
	r.By = Inviter{c.Actor.Kind, c.Actor.ID}
	r.Sent, r.Expires = c.Now, c.Now.Add(s.config.Lifetime)
	kind := access.EventInviteResent
	var err error
	if isNew {
		kind = access.EventInviteSent
		err = tx.InsertInvite(ctx, r)
	} else {
		err = tx.UpdateInvite(ctx, r, before.Generation)
	}
	if err != nil {
		return Sent{}, err
	}
	if err := c.Record(ctx, kind, r.target(), before.facts(), r.facts()); err != nil {
		return Sent{}, err
	}
	sent := Sent{Invite: r.Invite, Resent: !isNew, Revision: c.Revision()}
	if s.config.Delivery == ByHost {
		sent.Token, _ = s.ring.token(r)
		return sent, nil
	}
	return sent, c.Mail(ctx, MailInvite, string(r.ID), uint64(r.Generation), "")
}

// checkLimits counts a send, and refuses one too many.
func (s *Service) checkLimits(ctx context.Context, tx Tx, c *access.Call, r Record) error {
	limits, live := s.config.Limits, r.Generation > 0 && r.Live(c.Now)
	if r.Generation == 1<<16-1 {
		return tooMany("invite.generations", 1<<16-1, 0)
	}
	if wait := r.Sent.Add(limits.Between).Sub(c.Now); r.Generation > 0 && wait > 0 {
		return tooMany("invite.wait", 1, wait)
	}
	freed := 1
	if !live {
		freed = 0
		n, err := tx.LiveInvites(ctx, r.Account, c.Now)
		if err != nil {
			return err
		}
		if n >= limits.Live {
			return tooMany("invite.live", limits.Live, 0)
		}
	}
	if err := c.Seat(ctx, freed); err != nil {
		return err
	}
	return c.Count(ctx,
		access.Limit{Code: "invite.per_account", Max: limits.PerAccount, Name: []string{"invite/account", string(r.Account)}},
		access.Limit{Code: "invite.per_actor", Max: limits.PerActor, Name: []string{"invite/actor", c.Actor.Kind.String(), c.Actor.ID}},
		access.Limit{Code: "invite.per_recipient", Max: limits.PerRecipient, Name: []string{"invite/recipient", string(r.Account), r.Address.Canonical()}})
}

func tooMany(code string, max int, wait time.Duration) error {
	err := &access.Error{Kind: access.ErrLimit, Code: code, Field: "invite", Reason: "would be one too many for now",
		Params: map[string]string{"max": strconv.Itoa(max)}}
	if wait > 0 {
		err.Reason = "was sent a moment ago"
		err.Params["wait"] = wait.String()
	}
	return err
}

func storedTerms(t access.Terms) access.Terms {
	for _, at := range []*time.Time{&t.Starts, &t.Expires} {
		if !at.IsZero() {
			*at = at.UTC().Truncate(time.Microsecond)
		}
	}
	return t
}

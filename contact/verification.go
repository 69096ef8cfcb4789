package contact

import (
	"cmp"
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// A Verification is the latest link by which a contact can verify its address, as it is stored: without the half of
// its token that only the host's key gives.
type Verification struct {
	Account    access.AccountID
	Contact    ID
	Generation uint16 // rises with each link; only the latest works
	Secret     access.Secret
	Sent       time.Time
	Expires    time.Time // it works before that instant, not at it
	Used       time.Time // zero if it wasn't
}

// live reports whether a mail with the link is still of use.
func (v Verification) live(now time.Time) bool {
	return v.Generation > 0 && v.Used.IsZero() && now.Before(v.Expires)
}

// verified reports whether a contact that showed at a time that its address is its own, or never for the zero time, did so
// not too long ago.
func (s *Service) verified(at, now time.Time) bool {
	return !at.IsZero() && (s.config.VerifyAgain == 0 || now.Before(at.Add(s.config.VerifyAgain)))
}

// shown is a contact as it is now: one that has to verify its address again hasn't.
func (s *Service) shown(c Contact) Contact {
	if !s.verified(c.Verified, s.members.Now()) {
		c.Verified = time.Time{}
	}
	return c
}

// SendVerification mails a contact a link by which it verifies its address, and says yes to the categories that wait. The
// links that it got before are dead. It needs the permission with the key "contacts". ErrInvalid, with code
// "links.missing" without Config.Links, and "actor.silent"; ErrNotFound; ErrDenied; ErrExists with code
// "contact.verified" if there is nothing to say yes to; ErrLimit for one of Config.Limits.
func (s *Service) SendVerification(ctx context.Context, actor access.Actor, account access.AccountID, id ID) (access.Revision, error) {
	if err := id.Check(); err != nil {
		return access.Revision{}, err
	}
	return s.change(ctx, actor, access.EventContactVerificationSent, account, func(ctx context.Context, c *call) error {
		if err := c.mayEdit(); err != nil {
			return err
		}
		contact, err := c.contact(ctx, id)
		if err != nil {
			return err
		}
		if actor.Silent {
			return access.Invalid("actor", "actor.silent", "is silent, and nobody would get the link")
		}
		if err := c.mayAsk(ctx, contact); err != nil {
			return err
		}
		// An address that has to be verified again soon can be now.
		soon := s.config.VerifyAgain > 0 && !s.verified(contact.Verified, c.Now.Add(s.config.Lifetime))
		if s.verified(contact.Verified, c.Now) && contact.Waiting == 0 && !soon {
			return &access.Error{Kind: access.ErrExists, Code: "contact.verified", Field: "address", Reason: "is verified already"}
		}
		if err := c.recordOwn(ctx, access.EventContactVerificationSent, contact, contact); err != nil {
			return err
		}
		return c.tell(ctx, MailContactVerify, contact)
	})
}

// A VerificationMail is the newest mail to a contact with a link by which it verifies its address.
type VerificationMail struct {
	Sent   time.Time // when the link was made: it works for Config.Lifetime from then on
	State  notify.State
	Reason string // why it was cancelled, gave up, or failed last
}

// VerificationMails returns, for pages that show contacts, what became of the newest link mailed to each of some of an
// account's contacts. Those that were mailed none, and all of them without Config.Links, are left out. It needs the permission
// with the key "contacts". ErrInvalid, also for more than access.MaxPage contacts; ErrNotFound; ErrDenied.
func (s *Service) VerificationMails(ctx context.Context, actor access.Actor, account access.AccountID, ids ...ID) (map[ID]VerificationMail, error) {
	if len(ids) > access.MaxPage {
		return nil, access.Invalid("contacts", "contacts.many", "are more than "+strconv.Itoa(access.MaxPage))
	}
	refs := make([]string, len(ids))
	for i, id := range ids {
		if err := id.Check(); err != nil {
			return nil, err
		}
		refs[i] = string(id)
	}
	mails := map[ID]VerificationMail{}
	err := s.look(ctx, actor, account, func(ctx context.Context, c *call) error {
		if err := c.mayNarrow(); err != nil || s.config.Links == nil || len(refs) == 0 {
			return err
		}
		clear(mails)
		for _, kind := range []notify.Kind{MailContactAdded, MailContactVerify} {
			newest, err := c.tx.Deliveries(ctx, string(account), kind, refs)
			if err != nil {
				return err
			}
			for ref, m := range newest {
				if !m.Created.Before(mails[ID(ref)].Sent) {
					mails[ID(ref)] = VerificationMail{m.Created, m.State, m.Reason}
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return mails, nil
}

// mayAsk returns nil if a contact can be mailed another link now.
func (c *call) mayAsk(ctx context.Context, contact Contact) error {
	if c.service.config.Links == nil {
		return access.Invalid("links", "links.missing", "are not configured, so that contacts can't say yes")
	}
	v, err := c.verification(ctx, contact.Account, contact.ID)
	if err != nil {
		return err
	}
	if v.Generation == math.MaxUint16 {
		return &access.Error{Kind: access.ErrLimit, Code: "contact.generations", Field: "contact", Reason: "was mailed too many links"}
	}
	if wait := v.Sent.Add(c.service.config.Limits.Between).Sub(c.Now); v.Generation > 0 && wait > 0 {
		return &access.Error{Kind: access.ErrLimit, Code: "contact.wait", Field: "contact", Reason: "was mailed a link a moment ago",
			Params: map[string]string{"wait": wait.String()}}
	}
	return nil
}

// verification returns the latest one of a contact, the zero Verification if there is none.
func (c *call) verification(ctx context.Context, account access.AccountID, id ID) (Verification, error) {
	return verificationOf(ctx, c.tx, account, id)
}

func verificationOf(ctx context.Context, tx Tx, account access.AccountID, id ID) (Verification, error) {
	v, err := tx.Verification(ctx, account, id)
	if errors.Is(err, access.ErrNotFound) {
		return Verification{}, nil
	}
	return v, err
}

// tellUpdate mails whom a change of a contact concerns: at a new address the contact, and who has the old one; and the
// contact that has to say yes to something.
func (c *call) tellUpdate(ctx context.Context, before, after Contact) error {
	if before.Address.Same(after.Address) {
		if after.Waiting&^before.Waiting == 0 {
			return nil
		}
		return c.tell(ctx, MailContactVerify, after)
	}
	if err := c.tell(ctx, MailContactAdded, after); err != nil {
		return err
	}
	return c.MailTo(ctx, MailContactMoved, string(after.ID), c.Account.Version, before.Address)
}

// tell mails a contact about itself, with a new link.
func (c *call) tell(ctx context.Context, kind notify.Kind, contact Contact) error {
	if err := c.countMail(ctx, contact.Address); err != nil {
		return err
	}
	if err := c.newVerification(ctx, contact); err != nil {
		return c.spoil(err)
	}
	return c.Mail(ctx, kind, string(contact.ID), c.Account.Version, "")
}

// countMail counts a mail that tells a contact about itself, if there will be one.
func (c *call) countMail(ctx context.Context, to access.Address) error {
	if c.Actor.Silent {
		return nil
	}
	limits := c.service.config.Limits
	return c.Count(ctx,
		access.Limit{Code: "contact.per_account", Max: limits.PerAccount, Name: []string{"contact/account", string(c.Account.ID)}},
		access.Limit{Code: "contact.per_actor", Max: limits.PerActor, Name: []string{"contact/actor", c.Actor.Kind.String(), c.Actor.ID}},
		access.Limit{Code: "contact.per_recipient", Max: limits.PerRecipient,
			Name: []string{"contact/recipient", string(c.Account.ID), to.Canonical()}})
}

// newVerification makes the link that a contact is mailed next. Those before it are dead, also where no mail will have one.
func (c *call) newVerification(ctx context.Context, contact Contact) error {
	v, err := c.verification(ctx, contact.Account, contact.ID)
	if err != nil {
		return err
	}
	if c.service.config.Links == nil || c.Actor.Silent || v.Generation == math.MaxUint16 {
		if v.Generation == 0 {
			return nil
		}
		v.Expires = c.Now
		return c.tx.PutVerification(ctx, v)
	}
	v = Verification{Account: contact.Account, Contact: contact.ID, Generation: v.Generation + 1, Sent: c.Now,
		Expires: c.Now.Add(c.service.config.Lifetime)}
	if err := c.Random(v.Secret[:]); err != nil {
		return err
	}
	return c.tx.PutVerification(ctx, v)
}

// A VerificationPreview is what the page of a link to verify an address shows.
type VerificationPreview struct {
	Account     access.AccountID
	AccountName string
	ContactName string
	Masked      string               // the address: "j...@example.com"
	Waiting     []CategoryDefinition // what the contact says yes to with it
	Used        bool                 // it was used already: there is nothing to do
	Until       time.Time
	Locale      string // of the contact, or else of the account
	TimeZone    string // of the account
}

// LookupVerification says what a link to verify an address is for. It changes nothing: mail scanners follow links. Every
// link that can't be used, whatever is wrong with it, is access.ErrNotFound with code "contact.invalid".
func (s *Service) LookupVerification(ctx context.Context, token string) (VerificationPreview, error) {
	var p VerificationPreview
	err := s.view(ctx, func(ctx context.Context, tx Tx) error {
		contact, v, err := s.findVerification(ctx, tx, token)
		if err != nil {
			return err
		}
		account, err := tx.Account(ctx, contact.Account)
		if err != nil {
			return err
		}
		p = VerificationPreview{Account: account.ID, AccountName: account.Profile.Name, ContactName: contact.Name,
			Masked: contact.Address.String(), Waiting: s.categories.in(contact.Waiting), Used: !v.Used.IsZero(),
			Until: v.Expires, Locale: cmp.Or(contact.Locale, account.Profile.Locale), TimeZone: account.Profile.TimeZone}
		return nil
	})
	if err != nil {
		return VerificationPreview{}, err
	}
	return p, nil
}

// Verify verifies a contact's address by the token of a link that was mailed there, once, and switches on the categories
// that wait for its word. A link that was used already changes nothing more. The token is the contact's word: the actor is
// the host's own code that got it, access.AsSystem, perhaps with the address that the request came from. ErrInvalid for
// another actor, and access.ErrNotFound with code "contact.invalid" for every link that can't be used.
func (s *Service) Verify(ctx context.Context, actor access.Actor, token string) (access.Revision, error) {
	if err := checkOwn(actor); err != nil {
		return access.Revision{}, err
	}
	var revision access.Revision
	err := s.update(ctx, func(ctx context.Context, tx Tx) error {
		contact, v, err := s.findVerification(ctx, tx, token)
		if err != nil || !v.Used.IsZero() {
			return err
		}
		c, err := s.begin(ctx, tx, actor, access.EventContactVerified, contact.Account)
		if err != nil {
			return err
		}
		// Between finding and locking somebody else may have been here.
		if contact, v, err = s.findVerification(ctx, tx, token); err != nil || !v.Used.IsZero() {
			return err
		}
		revision = c.Revision()
		return c.verify(ctx, contact, v)
	})
	if err != nil {
		return access.Revision{}, err
	}
	return revision, nil
}

func (c *call) verify(ctx context.Context, before Contact, v Verification) error {
	after := before
	after.Verified, after.Updated = c.Now, c.Now
	after.Categories |= before.Waiting
	after.Unsubscribed &^= before.Waiting
	after.Waiting = 0
	if err := c.tx.PutContact(ctx, after); err != nil {
		return err
	}
	v.Used = c.Now
	if err := c.tx.PutVerification(ctx, v); err != nil {
		return err
	}
	return c.recordOwn(ctx, access.EventContactVerified, before, after)
}

// findVerification returns the contact that a token was made for, and the verification. One that isn't there costs the
// same work.
func (s *Service) findVerification(ctx context.Context, tx Tx, token string) (Contact, Verification, error) {
	none := func(err error) (Contact, Verification, error) { return Contact{}, Verification{}, err }
	t, ok := access.ParseToken(token)
	if !ok || s.config.Links == nil {
		return none(invalid())
	}
	contact, open, err := s.findContact(ctx, tx, ID(t.ID()))
	if err != nil {
		return none(err)
	}
	v, err := verificationOf(ctx, tx, contact.Account, contact.ID)
	if err != nil {
		return none(err)
	}
	made := len(s.config.Links.verify.Makers(t, boundTo(contact, v))) > 0
	if !made || !open || string(contact.ID) != t.ID() || t.Number() != v.Generation || !s.members.Now().Before(v.Expires) {
		return none(invalid())
	}
	return contact, v, nil
}

// findContact returns a contact by its id, the zero Contact if there is none, and whether its account isn't closed.
func (s *Service) findContact(ctx context.Context, tx Tx, id ID) (contact Contact, open bool, err error) {
	contact, err = tx.FindContact(ctx, id)
	if err != nil && !errors.Is(err, access.ErrNotFound) {
		return Contact{}, false, err
	}
	account, err := tx.Account(ctx, contact.Account)
	if err != nil && !errors.Is(err, access.ErrNotFound) {
		return Contact{}, false, err
	}
	return contact, err == nil && account.Status != access.AccountClosed, nil
}

// checkOwn returns an error of kind access.ErrInvalid for an actor that can't hand on a contact's word.
func checkOwn(actor access.Actor) error {
	if err := actor.Check(); err != nil {
		return err
	}
	if actor.Kind != access.ActorSystem {
		return access.Invalid("actor", "actor.system", "is not the host's own code")
	}
	return nil
}

// hours is how long a link works, in full hours.
func (v Verification) hours() int { return int(math.Ceil(v.Expires.Sub(v.Sent).Hours())) }

package invite

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"math"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// The kinds of mail that this package prepares. They are stored and never renamed.
const (
	MailInvite   notify.Kind = "invite"
	MailAccepted notify.Kind = "invite.accepted"
	MailAsked    notify.Kind = "invite.asked"
)

//go:embed templates
var embedded embed.FS

var _ notify.Preparer = (*Service)(nil)

func newMails(members *access.Service, host fs.FS) (*access.Mails, error) {
	files, _ := fs.Sub(embedded, "templates") // can't fail: the folder is embedded
	return members.Mails(host, files, samples(members.Catalog())...)
}

// Kinds returns the kinds of mail that the service prepares.
func (s *Service) Kinds() []notify.Kind { return s.mails.Kinds() }

// Locales returns the languages that mails of a kind are written in, English first.
func (s *Service) Locales(kind notify.Kind) []string { return s.mails.Locales(kind) }

// Preview returns how the mails of a kind look, as access.Mails.Preview does.
func (s *Service) Preview(kind notify.Kind, locale string, brand notify.Brand) ([]notify.Mail, error) {
	return s.mails.Preview(kind, locale, brand)
}

// Prepare writes mails about invites, just before they are sent, as things are then: the link of an invite is made
// here, again for each attempt. It cancels the mail of an invite that was revoked, replaced, answered or has expired,
// or whose account isn't active or address is suppressed, the mail about an acceptance to or about somebody who has left
// again, and the mail that a new link is asked for to somebody who can't send it, or after it was sent.
func (s *Service) Prepare(ctx context.Context, messages []notify.Message) []notify.Prepared {
	prepared := make([]notify.Prepared, len(messages))
	for i, m := range messages {
		var draft access.Draft
		var cancel string
		err := s.view(ctx, func(ctx context.Context, tx Tx) (err error) {
			draft, cancel, err = s.prepare(ctx, tx, m)
			return err
		})
		prepared[i] = s.mails.Prepared(ctx, draft, cancel, err)
	}
	return prepared
}

// prepare reads what a mail is about, and says why it is no longer due if it isn't.
func (s *Service) prepare(ctx context.Context, tx Tx, m notify.Message) (draft access.Draft, cancel string, err error) {
	r, err := tx.Invite(ctx, access.AccountID(m.Group), ID(m.Ref))
	if errors.Is(err, access.ErrNotFound) {
		return access.Draft{}, "the invite is gone", nil
	}
	if err != nil {
		return access.Draft{}, "", err
	}
	switch m.Kind {
	case MailAccepted:
		return s.prepareAccepted(ctx, tx, r, m)
	case MailAsked:
		return s.prepareAsked(ctx, tx, r, m)
	}
	if reason := s.notDue(r, m); reason != "" {
		return access.Draft{}, reason, nil
	}
	account, err := tx.Account(ctx, r.Account)
	if err != nil {
		return access.Draft{}, "", err
	}
	if account.Status != access.AccountActive {
		return access.Draft{}, "the account isn't active", nil
	}
	if reason, err := access.Suppressed(ctx, tx, r.Address, false); err != nil || reason != "" {
		return access.Draft{}, reason, err
	}
	inviter, err := access.NameActor(ctx, tx, r.By.Kind, r.By.ID)
	if err != nil {
		return access.Draft{}, "", err
	}
	token, ok := s.ring.token(r)
	if !ok {
		return access.Draft{}, "", errors.New("invite: the key of the invite is not in the configuration")
	}
	return access.Draft{Kind: MailInvite, Account: account, To: r.Address, Data: func(locale string, brand notify.Brand) (any, error) {
		link, err := brand.Link(s.config.LinkBase + token.Secret())
		return inviteMail{account.Profile.Name, inviter, link, s.members.Catalog().LabelsIn(locale, r.Terms.Permissions),
			r.Terms.Permissions == access.All, r.Expires, account.Profile.TimeZone, int(math.Ceil(r.Expires.Sub(r.Sent).Hours())), r.Generation > 1}, err
	}}, "", nil
}

// notDue says why an invite's mail is not to be sent any more, or nothing.
func (s *Service) notDue(r Record, m notify.Message) string {
	switch {
	case r.State != Pending:
		return "the invite was " + r.State.String()
	case uint64(r.Generation) != m.Generation:
		return "the invite was sent again"
	case !r.Live(s.members.Now()):
		return "the invite has expired"
	}
	return ""
}

// receiver returns the user whom a mail is for, or says why nothing can be mailed to them.
func receiver(ctx context.Context, tx Tx, m notify.Message, security bool) (to access.User, cancel string, err error) {
	to, err = tx.User(ctx, access.UserID(m.To))
	if errors.Is(err, access.ErrNotFound) || err == nil && to.Address.IsZero() {
		return access.User{}, "the directory has no address", nil
	}
	if err != nil {
		return access.User{}, "", err
	}
	cancel, err = access.Suppressed(ctx, tx, to.Address, security)
	return to, cancel, err
}

func (s *Service) prepareAccepted(ctx context.Context, tx Tx, r Record, m notify.Message) (access.Draft, string, error) {
	to, cancel, err := receiver(ctx, tx, m, true)
	if err != nil || cancel != "" {
		return access.Draft{}, cancel, err
	}
	// Who may not use the account any more doesn't hear about it any more.
	grant, err := tx.Grant(ctx, r.Account, to.ID)
	if err != nil {
		return access.Draft{}, "", err
	}
	if grant.Held(s.members.Now()) == 0 {
		return access.Draft{}, "the receiver is no member any more", nil
	}
	joined, err := tx.Membership(ctx, r.Account, r.AcceptedBy)
	if errors.Is(err, access.ErrNotFound) {
		return access.Draft{}, "the new member is no member any more", nil
	}
	if err != nil {
		return access.Draft{}, "", err
	}
	account, err := tx.Account(ctx, r.Account)
	if err != nil {
		return access.Draft{}, "", err
	}
	member, err := access.ActorName(ctx, tx, access.ActorUser, string(r.AcceptedBy))
	if err != nil {
		return access.Draft{}, "", err
	}
	inviter, err := access.NameActor(ctx, tx, r.By.Kind, r.By.ID)
	if err != nil {
		return access.Draft{}, "", err
	}
	return access.Draft{Kind: MailAccepted, Account: account, To: to.Address, ToName: to.Name, Locale: to.Locale, Data: func(locale string, brand notify.Brand) (any, error) {
		link, err := s.membersLink(brand, r.Account)
		return acceptedMail{account.Profile.Name, member, inviter, s.members.Catalog().LabelsIn(locale, joined.Permissions),
			joined.Permissions == access.All, link}, err
	}}, "", nil
}

// membersLink returns the link to the page of an account's members; empty if the host has none.
func (s *Service) membersLink(brand notify.Brand, account access.AccountID) (string, error) {
	if s.config.MembersURL == nil {
		return "", nil
	}
	return brand.Link(s.config.MembersURL(account))
}

func (s *Service) prepareAsked(ctx context.Context, tx Tx, r Record, m notify.Message) (access.Draft, string, error) {
	switch {
	case r.State == Accepted:
		return access.Draft{}, "the invite was accepted", nil
	case uint64(r.Generation) != m.Generation:
		return access.Draft{}, "the invite was sent again", nil
	}
	to, cancel, err := receiver(ctx, tx, m, false)
	if err != nil || cancel != "" {
		return access.Draft{}, cancel, err
	}
	c, err := s.members.Look(ctx, tx, access.As(to.ID), r.Account)
	if err != nil {
		return access.Draft{}, "", err
	}
	if c.Open() != nil {
		return access.Draft{}, "the account isn't active", nil
	}
	if c.Manage() != nil || c.Bounds(0, r.Terms.Permissions) != nil {
		return access.Draft{}, "the receiver may no longer send the invite", nil
	}
	inviter, err := access.NameActor(ctx, tx, r.By.Kind, r.By.ID)
	if err != nil {
		return access.Draft{}, "", err
	}
	return access.Draft{Kind: MailAsked, Account: c.Account, To: to.Address, ToName: to.Name, Locale: to.Locale, Data: func(_ string, brand notify.Brand) (any, error) {
		link, err := s.membersLink(brand, r.Account)
		state, at := r.became(s.members.Now())
		return askedMail{c.Account.Profile.Name, r.Address.Original(), inviter, state, at, c.Account.Profile.TimeZone, link}, err
	}}, "", nil
}

// became says in a word what has become of an invite that wasn't accepted, for templates, and since when: "revoked",
// "declined", "expired", or "sent" while its latest link works.
func (r Record) became(now time.Time) (state string, at time.Time) {
	switch {
	case r.State != Pending:
		return r.State.String(), r.Closed
	case r.Live(now):
		return "sent", r.Sent
	}
	return "expired", r.Expires
}

package contact

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"slices"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// The kinds of mail that this package prepares. They are stored and never renamed.
const (
	// MailContactAdded tells a contact which account it belongs to now, and which mails it will receive.
	MailContactAdded notify.Kind = "contact.added"
	// MailContactVerify asks a contact to verify its address, and to say yes to the categories that wait.
	MailContactVerify notify.Kind = "contact.verify"
	// MailPreferencesChanged tells an owner that somebody else changed which mails they receive.
	MailPreferencesChanged notify.Kind = "preferences.changed"
	// MailAlternateAdded tells an owner that an address is an alternate one of theirs now.
	MailAlternateAdded notify.Kind = "alternate.added"
	// MailContactMoved tells whoever reads a contact's former address that mail goes to another one now.
	MailContactMoved notify.Kind = "contact.moved"
)

//go:embed templates
var embedded embed.FS

var _ notify.Preparer = (*Service)(nil)

func newMails(members *access.Service, host fs.FS, samples []notify.Sample) (*access.Mails, error) {
	files, _ := fs.Sub(embedded, "templates") // can't fail: the folder is embedded
	return members.Mails(host, files, samples...)
}

// Kinds returns the kinds of mail that the service prepares.
func (s *Service) Kinds() []notify.Kind { return s.mails.Kinds() }

// Locales returns the languages that mails of a kind are written in, English first.
func (s *Service) Locales(kind notify.Kind) []string { return s.mails.Locales(kind) }

// Preview returns how the mails of a kind look, as access.Mails.Preview does.
func (s *Service) Preview(kind notify.Kind, locale string, brand notify.Brand) ([]notify.Mail, error) {
	return s.mails.Preview(kind, locale, brand)
}

// Prepare writes mails to contacts, and those of notices, just before they are sent, as things are then. It cancels those
// to contacts that were removed, at suppressed addresses, of closed accounts, and those that a newer one replaces because
// the address was changed again; and those of notices to whom Recipients wouldn't return any more, each looked at alone: a
// contact that has moved to the address of another receiver gets what they get too. The link by which a contact verifies its
// address is made here, again for each attempt; a mail that is about the link alone is cancelled when that is over or used.
func (s *Service) Prepare(ctx context.Context, messages []notify.Message) []notify.Prepared {
	prepared := make([]notify.Prepared, len(messages))
	var notices []notify.Message
	var places []int
	for i, m := range messages {
		if s.isNotice(m.Kind) {
			notices, places = append(notices, m), append(places, i)
			continue
		}
		var draft access.Draft
		var cancel string
		err := s.view(ctx, func(ctx context.Context, tx Tx) (err error) {
			draft, cancel, err = s.prepare(ctx, tx, m)
			return err
		})
		prepared[i] = s.mails.Prepared(ctx, draft, cancel, err)
	}
	for i, p := range s.prepareNotices(ctx, notices) {
		prepared[places[i]] = p
	}
	return prepared
}

// isNotice reports whether mails of a kind are about notices.
func (s *Service) isNotice(kind notify.Kind) bool {
	return slices.ContainsFunc(s.config.Notices, func(sample notify.Sample) bool { return sample.Kind == kind })
}

// prepare reads what a mail is about, and says why it is no longer due if it isn't.
func (s *Service) prepare(ctx context.Context, tx Tx, m notify.Message) (draft access.Draft, cancel string, err error) {
	account, err := tx.Account(ctx, access.AccountID(m.Group))
	if err != nil {
		return access.Draft{}, "", err
	}
	if account.Status == access.AccountClosed {
		return access.Draft{}, "the account was closed", nil
	}
	if m.Kind == MailPreferencesChanged || m.Kind == MailAlternateAdded {
		return s.prepareOwners(ctx, tx, m, account)
	}
	contact, err := tx.Contact(ctx, account.ID, ID(m.Ref))
	gone := errors.Is(err, access.ErrNotFound)
	if err != nil && !gone {
		return access.Draft{}, "", err
	}
	if m.Kind == MailContactMoved {
		return s.prepareMoved(ctx, tx, m, account, contact)
	}
	if gone {
		return access.Draft{}, "the contact was removed", nil
	}
	if reason, err := access.Suppressed(ctx, tx, contact.Address, false); err != nil || reason != "" {
		return access.Draft{}, reason, err
	}
	if cancel, err := replaced(ctx, tx, m); err != nil || cancel != "" {
		return access.Draft{}, cancel, err
	}
	v, err := verificationOf(ctx, tx, account.ID, contact.ID)
	if err != nil {
		return access.Draft{}, "", err
	}
	link := ""
	if s.config.Links != nil && v.live(s.members.Now()) {
		link = s.config.Links.verifyURL(contact, v)
	}
	if m.Kind == MailContactVerify && link == "" {
		return access.Draft{}, "the link was used or has expired", nil
	}
	actor, err := s.actorOf(ctx, tx, m)
	if err != nil {
		return access.Draft{}, "", err
	}
	confirm := s.config.RequireVerified && !s.verified(contact.Verified, s.members.Now())
	data := func(locale string, brand notify.Brand) (any, error) {
		branded, err := brand.Link(link)
		return addedMail{account.Profile.Name, actor, contact.Name, s.categories.LabelsIn(locale, contact.Categories),
			s.categories.LabelsIn(locale, contact.Waiting), branded, v.hours(), v.Expires, account.Profile.TimeZone, confirm}, err
	}
	return access.Draft{Kind: m.Kind, Account: account, To: contact.Address, ToName: contact.Name, Locale: contact.Locale, Data: data}, "", nil
}

// replaced says why a mail to a contact isn't due of which there is a newer one, or one that says the same and more.
func replaced(ctx context.Context, tx Tx, m notify.Message) (cancel string, err error) {
	newest, err := tx.Deliveries(ctx, m.Group, m.Kind, []string{m.Ref})
	if err != nil {
		return "", err
	}
	if m.Kind != MailContactVerify {
		if m.ReplacedBy(newest[m.Ref]) {
			return "the contact's address was changed again", nil
		}
		return "", nil
	}
	added, err := tx.Deliveries(ctx, m.Group, MailContactAdded, []string{m.Ref}) // which has a link too
	if err == nil && (m.ReplacedBy(newest[m.Ref]) || m.ReplacedBy(added[m.Ref])) {
		return "the contact was mailed a newer link", nil
	}
	return "", err
}

// prepareMoved writes to the address that a contact had. The contact may have gone since.
func (s *Service) prepareMoved(ctx context.Context, tx Tx, m notify.Message, account access.Account, contact Contact) (access.Draft, string, error) {
	former, err := access.ParseAddress(m.Address)
	if err != nil {
		return access.Draft{}, "", notify.Permanent(err)
	}
	if former.Same(contact.Address) {
		return access.Draft{}, "the contact's address was changed back", nil
	}
	if reason, err := access.Suppressed(ctx, tx, former, true); err != nil || reason != "" {
		return access.Draft{}, reason, err
	}
	actor, err := s.actorOf(ctx, tx, m)
	return access.Draft{Kind: m.Kind, Account: account, To: former, Data: func(string, notify.Brand) (any, error) {
		return movedMail{account.Profile.Name, actor, contact.Address.String()}, nil
	}}, "", err
}

// prepareOwners writes to the owner, at their login address, about what concerns them alone.
func (s *Service) prepareOwners(ctx context.Context, tx Tx, m notify.Message, account access.Account) (access.Draft, string, error) {
	if access.UserID(m.To) != account.Owner {
		return access.Draft{}, "the account has another owner", nil
	}
	people, err := tx.Users(ctx, []access.UserID{account.Owner})
	if err != nil {
		return access.Draft{}, "", err
	}
	owner := people[account.Owner]
	if owner.Address.IsZero() {
		return access.Draft{}, "the directory has no address", nil
	}
	if reason, err := access.Suppressed(ctx, tx, owner.Address, true); err != nil || reason != "" {
		return access.Draft{}, reason, err
	}
	draft := access.Draft{Kind: m.Kind, Account: account, To: owner.Address, ToName: owner.Name, Locale: owner.Locale}
	if m.Kind == MailAlternateAdded {
		return s.alternateMail(ctx, tx, m, draft)
	}
	newest, err := tx.Deliveries(ctx, m.Group, m.Kind, []string{m.Ref})
	if err != nil {
		return access.Draft{}, "", err
	}
	if m.ReplacedBy(newest[m.Ref]) {
		return access.Draft{}, "the preferences were changed again", nil
	}
	chosen, err := preferenceOf(ctx, tx, account, account.Owner)
	if err != nil {
		return access.Draft{}, "", err
	}
	actor, err := s.actorOf(ctx, tx, m)
	draft.Data = func(locale string, _ notify.Brand) (any, error) {
		return preferencesMail{account.Profile.Name, actor, s.categories.LabelsIn(locale, chosen)}, nil
	}
	return draft, "", err
}

func (s *Service) alternateMail(ctx context.Context, tx Tx, m notify.Message, draft access.Draft) (access.Draft, string, error) {
	contact, err := tx.Contact(ctx, draft.Account.ID, ID(m.Ref))
	if errors.Is(err, access.ErrNotFound) || err == nil && contact.AlternateOf != draft.Account.Owner {
		return access.Draft{}, "the alternate address was given up again", nil
	}
	draft.Data = func(string, notify.Brand) (any, error) {
		return alternateMail{draft.Account.Profile.Name, contact.Name, contact.Address.String()}, nil
	}
	return draft, "", err
}

// actorOf returns the name of who caused a mail: the actor of the event of the message's version about its contact or user.
// One unit of work may have changed many contacts at that version.
func (s *Service) actorOf(ctx context.Context, tx Tx, m notify.Message) (access.NamedActor, error) {
	filter := access.EventFilter{Kinds: []access.EventKind{access.EventContactAdded, access.EventContactUpdated,
		access.EventContactVerificationSent, access.EventPreferencesChanged}}
	for before := (access.EventKey{Version: m.Generation + 1}); ; {
		rows, err := tx.Events(ctx, access.AccountID(m.Group), filter, before, false, access.DefaultPage)
		if err != nil {
			return access.NamedActor{}, err
		}
		for _, row := range rows {
			if row.Version != m.Generation {
				return access.NamedActor{}, nil
			}
			e, err := row.Event()
			if err != nil {
				return access.NamedActor{}, err
			}
			if e.Target.ID == m.Ref {
				return access.NameActor(ctx, tx, e.Actor.Kind, e.Actor.ID)
			}
			before = access.EventKey{Version: row.Version, Index: row.Index}
		}
		if len(rows) < access.DefaultPage {
			return access.NamedActor{}, nil
		}
	}
}

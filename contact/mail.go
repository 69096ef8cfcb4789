package contact

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// The kinds of mail that this package prepares. They are stored and never renamed.
const (
	// MailContactAdded tells a contact which account it belongs to now, and which mails it will receive.
	MailContactAdded notify.Kind = "contact.added"
	// MailContactVerify asks a contact to verify its address, and to say yes to the categories that wait.
	MailContactVerify notify.Kind = "contact.verify"
	// MailContactMoved tells whoever reads a contact's former address that mail goes to another one now.
	MailContactMoved notify.Kind = "contact.moved"
)

//go:embed templates
var templates embed.FS

var _ notify.Preparer = (*Service)(nil)

func parseTemplates(replaced fs.FS) *notify.Templates {
	files := replaced
	if files == nil {
		files, _ = fs.Sub(templates, "templates") // can't fail: the folder is embedded
	}
	parsed, err := notify.ParseTemplates(files, MailContactAdded, MailContactVerify, MailContactMoved)
	if err != nil {
		panic("contact: " + err.Error())
	}
	return parsed
}

// Kinds returns the kinds of mail that the service prepares.
func (s *Service) Kinds() []notify.Kind {
	return []notify.Kind{MailContactAdded, MailContactVerify, MailContactMoved}
}

// Prepare writes mails to contacts, just before they are sent, as things are then. It cancels those to contacts that
// were removed, of closed accounts, and those that a newer one replaces because the address was changed again. The link by
// which a contact verifies its address is made here, again for each attempt; a mail that is about the link alone is
// cancelled when that is over or used.
func (s *Service) Prepare(ctx context.Context, messages []notify.Message) []notify.Prepared {
	prepared := make([]notify.Prepared, len(messages))
	for i, m := range messages {
		err := s.view(ctx, func(ctx context.Context, tx Tx) (err error) {
			prepared[i], err = s.prepare(ctx, tx, m)
			return err
		})
		if err != nil {
			prepared[i] = notify.Prepared{Err: err}
		}
	}
	return prepared
}

func (s *Service) prepare(ctx context.Context, tx Tx, m notify.Message) (notify.Prepared, error) {
	account, err := tx.Account(ctx, access.AccountID(m.Group))
	if err != nil {
		return notify.Prepared{}, err
	}
	if account.Status == access.AccountClosed {
		return notify.Prepared{Cancel: "the account was closed"}, nil
	}
	contact, err := tx.Contact(ctx, account.ID, ID(m.Ref))
	gone := errors.Is(err, access.ErrNotFound)
	if err != nil && !gone {
		return notify.Prepared{}, err
	}
	if m.Kind == MailContactMoved {
		return s.prepareMoved(ctx, tx, m, account, contact)
	}
	if gone {
		return notify.Prepared{Cancel: "the contact was removed"}, nil
	}
	newest, err := tx.Deliveries(ctx, m.Group, m.Kind, []string{m.Ref})
	if err != nil {
		return notify.Prepared{}, err
	}
	if newest[m.Ref].Generation > m.Generation {
		return notify.Prepared{Cancel: replaced(m.Kind)}, nil
	}
	v, err := verificationOf(ctx, tx, account.ID, contact.ID)
	if err != nil {
		return notify.Prepared{}, err
	}
	link := ""
	if s.config.Links != nil && v.live(s.members.Now()) {
		link = s.config.Links.verifyURL(contact, v)
	}
	if m.Kind == MailContactVerify && link == "" {
		return notify.Prepared{Cancel: "the link was used or has expired"}, nil
	}
	actor, err := s.actorOf(ctx, tx, m)
	if err != nil {
		return notify.Prepared{}, err
	}
	mail, err := s.templates.Render(m.Kind, struct {
		Account, Actor, Contact string
		Categories, Waiting     []string
		Link                    string // empty for none
		Hours                   int
		Until                   time.Time
		Zone                    string
	}{account.Profile.Name, actor, contact.Name, s.categories.Labels(contact.Categories), s.categories.Labels(contact.Waiting),
		link, v.hours(), v.Expires, account.Profile.TimeZone})
	if err != nil {
		return notify.Prepared{}, err
	}
	mail.To, mail.ToName = contact.Address.Original(), contact.Name
	return notify.Prepared{Mail: mail}, nil
}

// replaced says why a mail isn't due of which there is a newer one.
func replaced(kind notify.Kind) string {
	if kind == MailContactVerify {
		return "the contact was mailed a newer link"
	}
	return "the contact's address was changed again"
}

// prepareMoved writes to the address that a contact had. The contact may have gone since.
func (s *Service) prepareMoved(ctx context.Context, tx Tx, m notify.Message, account access.Account, contact Contact) (notify.Prepared, error) {
	former, err := access.ParseAddress(m.Address)
	if err != nil {
		return notify.Prepared{Err: notify.Permanent(err)}, nil
	}
	if former.Same(contact.Address) {
		return notify.Prepared{Cancel: "the contact's address was changed back"}, nil
	}
	actor, err := s.actorOf(ctx, tx, m)
	if err != nil {
		return notify.Prepared{}, err
	}
	mail, err := s.templates.Render(m.Kind, struct{ Account, Actor, Masked string }{account.Profile.Name, actor, contact.Address.String()})
	mail.To = former.Original()
	return notify.Prepared{Mail: mail}, err
}

// actorOf returns the name of who caused a mail: the actor of the event of the message's version about its contact.
// One unit of work may have changed many contacts at that version.
func (s *Service) actorOf(ctx context.Context, tx Tx, m notify.Message) (string, error) {
	filter := access.EventFilter{Kinds: []access.EventKind{access.EventContactAdded, access.EventContactUpdated,
		access.EventContactVerificationSent}}
	for before := (access.EventKey{Version: m.Generation + 1}); ; {
		rows, err := tx.Events(ctx, access.AccountID(m.Group), filter, before, false, access.DefaultPage)
		if err != nil {
			return "", err
		}
		for _, row := range rows {
			if row.Version != m.Generation {
				return access.ActorName(ctx, tx, 0, "")
			}
			e, err := row.Event()
			if err != nil {
				return "", err
			}
			if e.Target.ID == m.Ref {
				return access.ActorName(ctx, tx, e.Actor.Kind, e.Actor.ID)
			}
			before = access.EventKey{Version: row.Version, Index: row.Index}
		}
		if len(rows) < access.DefaultPage {
			return access.ActorName(ctx, tx, 0, "")
		}
	}
}

package contact

import (
	"context"
	"embed"
	"errors"
	"io/fs"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// MailContactAdded tells a contact which account it belongs to now, and which mails it will receive. Kinds are stored
// and never renamed.
const MailContactAdded notify.Kind = "contact.added"

//go:embed templates
var templates embed.FS

var _ notify.Preparer = (*Service)(nil)

func parseTemplates(replaced fs.FS) *notify.Templates {
	files := replaced
	if files == nil {
		files, _ = fs.Sub(templates, "templates") // can't fail: the folder is embedded
	}
	parsed, err := notify.ParseTemplates(files, MailContactAdded)
	if err != nil {
		panic("contact: " + err.Error())
	}
	return parsed
}

// Kinds returns the kinds of mail that the service prepares.
func (s *Service) Kinds() []notify.Kind { return []notify.Kind{MailContactAdded} }

// Prepare writes mails to contacts, just before they are sent, as things are then. It cancels those to contacts that
// were removed, of closed accounts, and those that a newer one replaces because the address was changed again.
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
	if errors.Is(err, access.ErrNotFound) {
		return notify.Prepared{Cancel: "the contact was removed"}, nil
	}
	if err != nil {
		return notify.Prepared{}, err
	}
	newest, err := tx.Deliveries(ctx, m.Group, m.Kind, []string{m.Ref})
	if err != nil {
		return notify.Prepared{}, err
	}
	if newest[m.Ref].Generation > m.Generation {
		return notify.Prepared{Cancel: "the contact's address was changed again"}, nil
	}
	actor, err := s.actorOf(ctx, tx, m)
	if err != nil {
		return notify.Prepared{}, err
	}
	mail, err := s.templates.Render(m.Kind, struct {
		Account, Actor, Contact string
		Categories              []string
	}{account.Profile.Name, actor, contact.Name, s.categories.Labels(contact.Categories)})
	if err != nil {
		return notify.Prepared{}, err
	}
	mail.To, mail.ToName = contact.Address.Original(), contact.Name
	return notify.Prepared{Mail: mail, Said: notify.WithoutLinks(mail.Text)}, nil
}

// actorOf returns the name of who caused a mail: the actor of the event of the message's version about its contact.
// One unit of work may have changed many contacts at that version.
func (s *Service) actorOf(ctx context.Context, tx Tx, m notify.Message) (string, error) {
	filter := access.EventFilter{Kinds: []access.EventKind{access.EventContactAdded, access.EventContactUpdated}}
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

package access

import (
	"context"
	"embed"
	"errors"
	"io/fs"

	"github.com/rosterkit/roster/notify"
)

// The kinds of mail that this package prepares. They are stored and never renamed.
const (
	MailAccessChanged notify.Kind = "access.changed"
	MailAccessRemoved notify.Kind = "access.removed"
	MailOwnerChanged  notify.Kind = "owner.changed"
)

//go:embed templates
var embedded embed.FS

var _ notify.Preparer = (*Service)(nil)

// templates returns the folder of this package's templates. Its words are those of every package's mails.
func templates() fs.FS {
	files, _ := fs.Sub(embedded, "templates") // can't fail: the folder is embedded
	return files
}

// Kinds returns the kinds of mail that the service prepares.
func (s *Service) Kinds() []notify.Kind { return s.mails.Kinds() }

// Locales returns the languages that mails of a kind are written in, English first.
func (s *Service) Locales(kind notify.Kind) []string { return s.mails.Locales(kind) }

// Preview returns how the mails of a kind look, as Mails.Preview does.
func (s *Service) Preview(kind notify.Kind, locale string, brand notify.Brand) ([]notify.Mail, error) {
	return s.mails.Preview(kind, locale, brand)
}

// Prepare writes mails about memberships, just before they are sent, as things are then. It cancels those to users
// without an address or with a suppressed one, about access that is there again, or isn't any more.
func (s *Service) Prepare(ctx context.Context, messages []notify.Message) []notify.Prepared {
	prepared := make([]notify.Prepared, len(messages))
	for i, m := range messages {
		var draft Draft
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
func (s *Service) prepare(ctx context.Context, tx Tx, m notify.Message) (draft Draft, cancel string, err error) {
	to, err := tx.User(ctx, UserID(m.To))
	if errors.Is(err, ErrNotFound) || err == nil && to.Address.IsZero() {
		return Draft{}, "the directory has no address", nil
	}
	if err != nil {
		return Draft{}, "", err
	}
	if reason, err := Suppressed(ctx, tx, to.Address, true); err != nil || reason != "" {
		return Draft{}, reason, err
	}
	account, err := tx.Account(ctx, AccountID(m.Group))
	if err != nil {
		return Draft{}, "", err
	}
	if newer, err := tx.Deliveries(ctx, m.Group, m.Kind, []string{m.Ref}); err != nil {
		return Draft{}, "", err
	} else if m.ReplacedBy(newer[m.Ref]) {
		return Draft{}, "it has changed again", nil
	}
	membership, err := tx.Membership(ctx, account.ID, to.ID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Draft{}, "", err
	}
	if there := err == nil; there && m.Kind == MailAccessRemoved {
		return Draft{}, "the user is a member again", nil
	} else if !there && m.Kind == MailAccessChanged {
		return Draft{}, "the user is no member any more", nil
	}
	by, err := s.actorOf(ctx, tx, m)
	if err != nil {
		return Draft{}, "", err
	}
	data, err := s.mailData(ctx, tx, m, account, membership, by)
	return Draft{Kind: m.Kind, Account: account, To: to.Address, ToName: to.Name, Locale: to.Locale, Data: data}, "", err
}

// actorOf returns the name of who did what a mail is about. The event is the last one of the message's version that
// concerns the user it is about.
func (s *Service) actorOf(ctx context.Context, tx Tx, m notify.Message) (NamedActor, error) {
	rows, err := tx.Events(ctx, AccountID(m.Group), EventFilter{Concerns: UserID(m.Ref)}, EventKey{m.Generation, lastIndex}, false, 1)
	if err != nil || len(rows) == 0 {
		return NamedActor{}, err
	}
	e, err := rows[0].Event()
	if err != nil {
		return NamedActor{}, err
	}
	return NameActor(ctx, tx, e.Actor.Kind, e.Actor.ID)
}

// mailData returns what the templates of a message's mail are given.
func (s *Service) mailData(ctx context.Context, tx Tx, m notify.Message, account Account, member Membership, by NamedActor) (
	func(locale string, brand notify.Brand) (any, error), error) {
	name := account.Profile.Name
	switch m.Kind {
	case MailAccessRemoved:
		return func(string, notify.Brand) (any, error) { return removedMail{name, by}, nil }, nil
	case MailOwnerChanged:
		owner, err := NameActor(ctx, tx, ActorUser, string(account.Owner))
		return func(locale string, _ notify.Brand) (any, error) {
			return ownerMail{name, by, owner, UserID(m.To) == account.Owner, s.catalog.LabelsIn(locale, member.Permissions)}, nil
		}, err
	}
	return func(locale string, brand notify.Brand) (any, error) {
		link := ""
		if s.config.AccountURL != nil {
			link = s.config.AccountURL(account.ID)
		}
		link, err := brand.Link(link)
		return changedMail{name, by, s.catalog.LabelsIn(locale, member.Permissions), member.Permissions == All, member.Status.String(),
			member.Expires, account.Profile.TimeZone, link}, err
	}, nil
}

// mail enqueues a mail to a user about what this call did to them.
func (c *Call) mail(ctx context.Context, kind notify.Kind, to UserID) error {
	return c.Mail(ctx, kind, string(to), c.Account.Version, string(to))
}

package access

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"time"

	"github.com/rosterkit/roster/notify"
)

// The kinds of mail that this package prepares. They are stored and never renamed.
const (
	MailAccessChanged notify.Kind = "access.changed"
	MailAccessRemoved notify.Kind = "access.removed"
	MailOwnerChanged  notify.Kind = "owner.changed"
)

//go:embed templates
var templates embed.FS

var _ notify.Preparer = (*Service)(nil)

type mails struct{ templates *notify.Templates }

func newMails(replaced fs.FS) mails {
	files := replaced
	if files == nil {
		files, _ = fs.Sub(templates, "templates") // can't fail: the folder is embedded
	}
	parsed, err := notify.ParseTemplates(files, MailAccessChanged, MailAccessRemoved, MailOwnerChanged)
	if err != nil {
		panic("access: " + err.Error())
	}
	return mails{parsed}
}

// Kinds returns the kinds of mail that the service prepares.
func (s *Service) Kinds() []notify.Kind {
	return []notify.Kind{MailAccessChanged, MailAccessRemoved, MailOwnerChanged}
}

// Prepare writes mails about memberships, just before they are sent, as things are then. It cancels those to users
// without an address, about access that is there again, or isn't any more.
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
	to, err := tx.User(ctx, UserID(m.To))
	if errors.Is(err, ErrNotFound) || err == nil && to.Address.IsZero() {
		return notify.Prepared{Cancel: "the directory has no address"}, nil
	}
	if err != nil {
		return notify.Prepared{}, err
	}
	account, err := tx.Account(ctx, AccountID(m.Group))
	if err != nil {
		return notify.Prepared{}, err
	}
	if newer, err := tx.Deliveries(ctx, m.Group, m.Kind, []string{m.Ref}); err != nil {
		return notify.Prepared{}, err
	} else if newer[m.Ref].Generation > m.Generation {
		return notify.Prepared{Cancel: "it has changed again"}, nil
	}
	membership, err := tx.Membership(ctx, account.ID, to.ID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return notify.Prepared{}, err
	}
	if there := err == nil; there && m.Kind == MailAccessRemoved {
		return notify.Prepared{Cancel: "the user is a member again"}, nil
	} else if !there && m.Kind == MailAccessChanged {
		return notify.Prepared{Cancel: "the user is no member any more"}, nil
	}
	by, err := s.actorOf(ctx, tx, m)
	if err != nil {
		return notify.Prepared{}, err
	}
	data, err := s.mailData(ctx, tx, m, account, membership, by)
	if err != nil {
		return notify.Prepared{}, err
	}
	mail, err := s.mails.templates.Render(m.Kind, data)
	if err != nil {
		return notify.Prepared{}, err
	}
	mail.To, mail.ToName = to.Address.Original(), to.Name
	return notify.Prepared{Mail: mail, Said: notify.WithoutLinks(mail.Text)}, nil
}

// actorOf returns the name of who did what a mail is about. The event is the last one of the message's version that
// concerns the user it is about.
func (s *Service) actorOf(ctx context.Context, tx Tx, m notify.Message) (string, error) {
	rows, err := tx.Events(ctx, AccountID(m.Group), EventFilter{Concerns: UserID(m.Ref)}, EventKey{m.Generation, lastIndex}, false, 1)
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return Actor{}.name(), nil
	}
	e, err := rows[0].Event()
	if err != nil {
		return "", err
	}
	return ActorName(ctx, tx, e.Actor.Kind, e.Actor.ID)
}

// ActorName returns how mails call an actor: a user by the directory's name, or else by masked address or id; staff
// and system by what they are.
func ActorName(ctx context.Context, tx Tx, kind ActorKind, id string) (string, error) {
	if kind != ActorUser {
		return Actor{Kind: kind}.name(), nil
	}
	u, err := tx.User(ctx, UserID(id))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", err
	}
	switch {
	case u.Name != "":
		return u.Name, nil
	case !u.Address.IsZero():
		return u.Address.String(), nil
	}
	return id, nil
}

func (a Actor) name() string {
	switch a.Kind {
	case ActorStaff:
		return "our support team"
	case ActorSystem:
		return "our system"
	}
	return "somebody"
}

func (s *Service) mailData(ctx context.Context, tx Tx, m notify.Message, account Account, member Membership, by string) (any, error) {
	switch m.Kind {
	case MailAccessRemoved:
		return struct{ Account, Actor string }{account.Profile.Name, by}, nil
	case MailOwnerChanged:
		owner, err := ActorName(ctx, tx, ActorUser, string(account.Owner))
		return struct {
			Account, Actor, NewOwner string
			You                      bool
			Keeps                    []string
		}{account.Profile.Name, by, owner, UserID(m.To) == account.Owner, s.catalog.Labels(member.Permissions)}, err
	}
	link := ""
	if s.config.AccountURL != nil {
		link = s.config.AccountURL(account.ID)
	}
	return struct {
		Account, Actor string
		Labels         []string
		All            bool
		Status         string
		Expires        time.Time
		Zone           string
		Link           string
	}{account.Profile.Name, by, s.catalog.Labels(member.Permissions), member.Permissions == All, member.Status.String(),
		member.Expires, account.Profile.TimeZone, link}, nil
}

// mail enqueues a mail to a user about what this call did to them.
func (c *Call) mail(ctx context.Context, kind notify.Kind, to UserID) error {
	return c.Mail(ctx, kind, string(to), c.Account.Version, string(to))
}

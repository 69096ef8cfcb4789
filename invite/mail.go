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
)

//go:embed templates
var templates embed.FS

var _ notify.Preparer = (*Service)(nil)

func parseTemplates(replaced fs.FS) (*notify.Templates, error) {
	files := replaced
	if files == nil {
		files, _ = fs.Sub(templates, "templates") // can't fail: the folder is embedded
	}
	return notify.ParseTemplates(files, MailInvite, MailAccepted)
}

// Kinds returns the kinds of mail that the service prepares.
func (s *Service) Kinds() []notify.Kind { return []notify.Kind{MailInvite, MailAccepted} }

// Prepare writes mails about invites, just before they are sent, as things are then: the link of an invite is made
// here, again for each attempt. It cancels the mail of an invite that was revoked, replaced, answered or has expired,
// or whose account isn't active, and the mail about an acceptance to or about somebody who has left again.
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
	r, err := tx.Invite(ctx, access.AccountID(m.Group), ID(m.Ref))
	if errors.Is(err, access.ErrNotFound) {
		return notify.Prepared{Cancel: "the invite is gone"}, nil
	}
	if err != nil {
		return notify.Prepared{}, err
	}
	if m.Kind == MailAccepted {
		return s.prepareAccepted(ctx, tx, r, m)
	}
	if reason := s.notDue(r, m); reason != "" {
		return notify.Prepared{Cancel: reason}, nil
	}
	account, err := tx.Account(ctx, r.Account)
	if err != nil {
		return notify.Prepared{}, err
	}
	if account.Status != access.AccountActive {
		return notify.Prepared{Cancel: "the account isn't active"}, nil
	}
	inviter, err := access.ActorName(ctx, tx, r.By.Kind, r.By.ID)
	if err != nil {
		return notify.Prepared{}, err
	}
	token, ok := s.ring.token(r)
	if !ok {
		return notify.Prepared{Err: errors.New("invite: the key of the invite is not in the configuration")}, nil
	}
	mail, err := s.templates.Render(MailInvite, struct {
		Account, Inviter, Link string
		Labels                 []string
		All                    bool
		Until                  time.Time
		Zone                   string
		Hours                  int
		Resent                 bool
	}{account.Profile.Name, inviter, s.config.LinkBase + token.Secret(), s.members.Catalog().Labels(r.Terms.Permissions),
		r.Terms.Permissions == access.All, r.Expires, account.Profile.TimeZone, int(math.Ceil(r.Expires.Sub(r.Sent).Hours())), r.Generation > 1})
	mail.To = r.Address.Original()
	return notify.Prepared{Mail: mail, Said: notify.WithoutLinks(mail.Text)}, err
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

func (s *Service) prepareAccepted(ctx context.Context, tx Tx, r Record, m notify.Message) (notify.Prepared, error) {
	to, err := tx.User(ctx, access.UserID(m.To))
	if errors.Is(err, access.ErrNotFound) || err == nil && to.Address.IsZero() {
		return notify.Prepared{Cancel: "the directory has no address"}, nil
	}
	if err != nil {
		return notify.Prepared{}, err
	}
	// Who may not use the account any more doesn't hear about it any more.
	grant, err := tx.Grant(ctx, r.Account, to.ID)
	if err != nil {
		return notify.Prepared{}, err
	}
	if grant.Held(s.members.Now()) == 0 {
		return notify.Prepared{Cancel: "the receiver is no member any more"}, nil
	}
	joined, err := tx.Membership(ctx, r.Account, r.AcceptedBy)
	if errors.Is(err, access.ErrNotFound) {
		return notify.Prepared{Cancel: "the new member is no member any more"}, nil
	}
	if err != nil {
		return notify.Prepared{}, err
	}
	account, err := tx.Account(ctx, r.Account)
	if err != nil {
		return notify.Prepared{}, err
	}
	member, err := access.ActorName(ctx, tx, access.ActorUser, string(r.AcceptedBy))
	if err != nil {
		return notify.Prepared{}, err
	}
	inviter, err := access.ActorName(ctx, tx, r.By.Kind, r.By.ID)
	if err != nil {
		return notify.Prepared{}, err
	}
	link := ""
	if s.config.MembersURL != nil {
		link = s.config.MembersURL(r.Account)
	}
	mail, err := s.templates.Render(MailAccepted, struct {
		Account, Member, Inviter string
		Labels                   []string
		All                      bool
		Link                     string
	}{account.Profile.Name, member, inviter, s.members.Catalog().Labels(joined.Permissions), joined.Permissions == access.All, link})
	mail.To, mail.ToName = to.Address.Original(), to.Name
	return notify.Prepared{Mail: mail, Said: notify.WithoutLinks(mail.Text)}, err
}

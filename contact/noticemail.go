package contact

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// A NoticeMail is what the templates of a notice are given.
type NoticeMail struct {
	Account  string // its name
	Name     string // the recipient's; may be empty
	Category string // named in the language of the mail
	Reason   Reason // why the recipient receives it
	// Unsubscribe is the link by which a contact switches the category off; empty for users, and without Config.Links.
	Unsubscribe string
	Data        any // the notice's
}

// prepareNotices prepares messages that are about notices, in their order. Each notice is read once.
func (s *Service) prepareNotices(ctx context.Context, messages []notify.Message) []notify.Prepared {
	prepared := make([]notify.Prepared, len(messages))
	places := map[[2]string][]int{}
	var notices [][2]string // in the order of their first messages
	for i, m := range messages {
		id, _ := noticeOf(m)
		notice := [2]string{m.Group, id}
		if places[notice] == nil {
			notices = append(notices, notice)
		}
		places[notice] = append(places[notice], i)
	}
	last := &attached{service: s}
	for _, notice := range notices {
		some := make([]notify.Message, len(places[notice]))
		for i, place := range places[notice] {
			some[i] = messages[place]
		}
		for i, p := range s.prepareNotice(ctx, access.AccountID(notice[0]), notice[1], some, last) {
			prepared[places[notice][i]] = p
		}
	}
	return prepared
}

// noticeOf returns the id of the notice that a message is about, and as what it goes to its receiver.
func noticeOf(m notify.Message) (id, as string) {
	i := strings.LastIndexByte(m.Ref, '/')
	if i < 0 {
		return m.Ref, ""
	}
	return m.Ref[:i], m.Ref[i+1:]
}

// A noticeDraft is a mail about a notice before it is written.
type noticeDraft struct {
	draft       access.Draft
	unsubscribe string // the link, once the draft's data were asked for
	cancel      string // why there is none
}

// prepareNotice prepares messages that are about one notice.
func (s *Service) prepareNotice(ctx context.Context, account access.AccountID, id string, messages []notify.Message, last *attached) []notify.Prepared {
	var record NoticeRecord
	var drafts []*noticeDraft
	err := s.view(ctx, func(ctx context.Context, tx Tx) (err error) {
		if record, err = tx.Notice(ctx, account, id); err != nil {
			return err
		}
		drafts, err = s.noticeDrafts(ctx, tx, record, messages)
		return err
	})
	prepared := make([]notify.Prepared, len(messages))
	for i := range messages {
		if err != nil {
			prepared[i] = notify.Prepared{Err: err}
			continue
		}
		prepared[i] = s.mails.Prepared(ctx, drafts[i].draft, drafts[i].cancel, nil)
		prepared[i].Mail.Unsubscribe = drafts[i].unsubscribe
		if len(record.Attachments) > 0 {
			prepared[i].Attach = func(ctx context.Context) ([]notify.Attachment, error) { return last.to(ctx, &record) }
		}
	}
	return prepared
}

func (s *Service) noticeDrafts(ctx context.Context, tx Tx, record NoticeRecord, messages []notify.Message) ([]*noticeDraft, error) {
	looked, err := s.members.Look(ctx, tx, access.AsSystem("notify"), record.Account)
	if err != nil {
		return nil, err
	}
	definition, err := s.categories.one(record.Category)
	if err != nil { // which was defined once
		return nil, notify.Permanent(err)
	}
	data, err := decoded(record.Data)
	if err != nil {
		return nil, notify.Permanent(err)
	}
	c := &call{looked, tx, s}
	drafts := make([]*noticeDraft, len(messages))
	for i, m := range messages {
		to, cancel, err := c.stillDue(ctx, definition, record, m)
		if err != nil {
			return nil, err
		}
		drafts[i] = s.noticeDraft(c.Account, definition, record.Kind, to, data)
		drafts[i].cancel = cancel
	}
	return drafts, nil
}

func (s *Service) noticeDraft(account access.Account, d CategoryDefinition, kind notify.Kind, to Recipient, data any) *noticeDraft {
	draft := new(noticeDraft)
	draft.draft = access.Draft{Kind: kind, Account: account, To: to.Address, ToName: to.Name, Locale: to.Locale, Data: func(locale string, brand notify.Brand) (any, error) {
		link, err := s.UnsubscribeURL(account.ID, to, d.Category)
		if err == nil {
			link, err = brand.Link(link)
		}
		draft.unsubscribe = link
		label := strings.Join(s.categories.LabelsIn(locale, d.Category), "")
		return NoticeMail{Account: account.Profile.Name, Name: to.Name, Category: label, Reason: to.Reason, Unsubscribe: link, Data: data}, err
	}}
	return draft
}

// decoded returns data as templates have it, from JSON.
func decoded(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

// stillDue returns who is to have a message now, or why nobody is. Where the category is required, the first mail of a notice
// goes to somebody else instead: to the owner if nobody receives it any more, and if there is no other mail to whoever does.
func (c *call) stillDue(ctx context.Context, d CategoryDefinition, record NoticeRecord, m notify.Message) (Recipient, string, error) {
	to, cancel, err := c.receiver(ctx, d, record, m)
	if err != nil || cancel == "" || !d.Required || m.Generation != 1 {
		return to, cancel, err
	}
	for recipient, err := range c.recipients(ctx, d, record.Also, receiversPage) {
		instead := err == nil && recipient.Reason == ReasonFallback
		if err == nil && !instead {
			instead, err = c.isAlone(ctx, record, m)
		}
		if err != nil || instead {
			return recipient, "", err
		}
		break
	}
	return Recipient{}, cancel, nil
}

// isAlone reports whether the first mail of a notice is the only one.
func (c *call) isAlone(ctx context.Context, record NoticeRecord, first notify.Message) (bool, error) {
	for _, as := range []string{asUser, asContact} {
		ref := record.ID + "/" + as
		last, err := c.tx.Deliveries(ctx, first.Group, first.Kind, []string{ref})
		if err != nil || last[ref].Generation > first.Generation {
			return false, err
		}
	}
	return true, nil
}

// receiver returns whom a message is for, or why they aren't to have it any more.
func (c *call) receiver(ctx context.Context, d CategoryDefinition, record NoticeRecord, m notify.Message) (Recipient, string, error) {
	_, as := noticeOf(m)
	var to Recipient
	var cancel string
	var err error
	switch as {
	case asContact:
		to, cancel, err = c.contactReceiver(ctx, d, ID(m.To))
	case asUser:
		to, cancel, err = c.userReceiver(ctx, d, record, access.UserID(m.To))
	case asFallback:
		if to, err = c.fallback(ctx); err == nil && to.Address.IsZero() {
			cancel = "mail can't reach the owner"
		}
		return to, cancel, err
	default:
		return Recipient{}, "", notify.Permanent(errors.New("contact: a message to nobody"))
	}
	if err != nil || cancel != "" {
		return to, cancel, err
	}
	cancel, err = access.Suppressed(ctx, c.tx, to.Address, false)
	return to, cancel, err
}

func (c *call) contactReceiver(ctx context.Context, d CategoryDefinition, id ID) (Recipient, string, error) {
	contact, err := c.tx.Contact(ctx, c.Account.ID, id)
	switch {
	case errors.Is(err, access.ErrNotFound):
		return Recipient{}, "the contact was removed", nil
	case err != nil:
		return Recipient{}, "", err
	case c.Account.Status == access.AccountClosed:
		return Recipient{}, "the account was closed", nil
	case !c.heard(contact).Has(d.Category):
		return Recipient{}, "the contact doesn't receive such mail any more", nil
	}
	return Recipient{Reason: ReasonContact, Address: contact.Address, Name: contact.Name, Contact: contact.ID, Locale: contact.Locale,
		Unverified: !c.service.verified(contact.Verified, c.Now)}, "", nil
}

func (c *call) userReceiver(ctx context.Context, d CategoryDefinition, record NoticeRecord, user access.UserID) (Recipient, string, error) {
	grant, err := c.grant(ctx, user)
	if err != nil {
		return Recipient{}, "", err
	}
	chosen, err := c.preference(ctx, user)
	if err != nil {
		return Recipient{}, "", err
	}
	reason := ReasonMember
	wants := chosen.Has(d.Category)
	switch {
	case !grant.Member():
		return Recipient{}, "the user is no member any more", nil
	case grant.Owner && wants:
		reason = ReasonOwner
	case c.Account.Status == access.AccountClosed:
		return Recipient{}, "the account was closed", nil
	case !c.hears(grant, d):
		return Recipient{}, "the user may not see what it is about any more", nil
	case slices.Contains(record.Also, user):
		reason = ReasonInvolved
	case !wants:
		return Recipient{}, "the user doesn't receive such mail any more", nil
	}
	people, err := c.tx.Users(ctx, []access.UserID{user})
	if err != nil {
		return Recipient{}, "", err
	}
	person := people[user]
	if person.Address.IsZero() {
		return Recipient{}, "the directory has no address", nil
	}
	return Recipient{Reason: reason, Address: person.Address, Name: person.Name, User: user, Locale: person.Locale}, "", nil
}

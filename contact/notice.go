package contact

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// A Notice is what the host has to say to the recipients of a category: that there is an invoice, for example. It is
// stored once, whoever receives it, and holds no secret.
type Notice struct {
	// ID is the host's own name for the notice, such as "invoice/42/created", in up to MaxNoticeIDBytes: to notify again
	// with the same one sends nothing twice. One is made if it is empty.
	ID   string
	Kind notify.Kind // of the mail: one of Config.Notices
	// Data is what the templates have as .Data, of what JSON has room for, in up to MaxNoticeBytes of it. Numbers come to
	// them as json.Number. Notify doesn't try it with the templates: where it lacks what they name, the mails fail, and are
	// tried again until they are given up.
	Data map[string]any
	// Attachments name files of which Config.Attachment knows what they are: they are fetched when a mail is sent.
	Attachments []string
}

// The sizes that a Notice can have, in bytes and, of attachments, in number.
const (
	MaxNoticeIDBytes = 100
	MaxNoticeBytes   = 64 << 10
)

// A NoticeRecord is a notice as it is stored.
type NoticeRecord struct {
	Account     access.AccountID
	ID          string
	Kind        notify.Kind
	Category    Category // one
	Resource    string
	Also        []access.UserID
	Data        []byte // JSON
	Attachments []string
	Created     time.Time
}

// Notified is what Notify did.
type Notified struct {
	ID         string // of the notice
	Recipients int    // how many mails wait now: none is no error
	Repeated   bool   // the notice was there already, and nothing was done
}

// Notify mails a notice to everybody whom Recipients returns for a category and resource of an account, one mail each. The
// mails are in the outbox when the unit of work has been committed, the host's own one within Within, so that they leave
// if and only if what they tell of has happened. It has no actor: it is the host's own word. It holds the
// users and a page of the contacts in memory at a time, however many contacts there are.
//
// Whether each of them is still to have it is asked again just before their mail is sent: one who has unsubscribed, was
// removed, or may not see what it is about any more gets none, and the e-mail history says why. If the first of them gets
// none, and the category is required, the owner gets that mail if no recipient is left, and if the first was the only one
// whoever is a recipient instead, such as the contact that has replaced it.
//
// ErrInvalid, also with code "notice.kind" for a kind that isn't configured, "notice.data", and "notice.attachments";
// ErrNotFound; ErrExists with code "notice.exists" for an id that another notice of the account has.
func (s *Service) Notify(ctx context.Context, account access.AccountID, category Category, resource string, notice Notice, also ...access.UserID) (Notified, error) {
	definition, err := s.asked(category, resource, also)
	if err != nil {
		return Notified{}, err
	}
	record, err := s.noticeRecord(notice)
	if err != nil {
		return Notified{}, err
	}
	record.Account, record.Category, record.Resource, record.Also = account, category, resource, also
	var done Notified
	err = s.update(ctx, func(ctx context.Context, tx Tx) error {
		c, err := s.members.Look(ctx, tx, access.AsSystem("notify"), account)
		if err != nil {
			return err
		}
		done, err = (&call{c, tx, s}).notify(ctx, definition, record)
		return err
	})
	if err != nil {
		return Notified{}, err
	}
	return done, nil
}

func (s *Service) noticeRecord(n Notice) (NoticeRecord, error) {
	if !s.isNotice(n.Kind) {
		return NoticeRecord{}, access.Invalid("notice", "notice.kind", "is of a kind that is not configured")
	}
	if err := checkShort("id", n.ID, MaxNoticeIDBytes); err != nil {
		return NoticeRecord{}, err
	}
	data, err := json.Marshal(n.Data)
	if err != nil || len(data) > MaxNoticeBytes {
		return NoticeRecord{}, access.Invalid("notice", "notice.data", "has data that JSON has no room for, or of more than "+
			strconv.Itoa(MaxNoticeBytes)+" bytes")
	}
	if len(n.Attachments) > 0 && s.config.Attachment == nil || len(n.Attachments) > notify.MaxAttachments {
		return NoticeRecord{}, access.Invalid("notice", "notice.attachments", "has more attachments than can be fetched")
	}
	for _, name := range n.Attachments {
		if err := access.CheckName("attachment", name); err != nil {
			return NoticeRecord{}, err
		}
	}
	return NoticeRecord{ID: n.ID, Kind: n.Kind, Data: data, Attachments: n.Attachments}, nil
}

func (c *call) notify(ctx context.Context, d CategoryDefinition, record NoticeRecord) (Notified, error) {
	if record.ID == "" {
		id, err := c.NewID()
		if err != nil {
			return Notified{}, err
		}
		record.ID = id
	}
	record.Created = c.Now
	err := c.tx.InsertNotice(ctx, record)
	if errors.Is(err, access.ErrExists) {
		return c.repeated(ctx, record)
	}
	if err != nil {
		return Notified{}, err
	}
	done := Notified{ID: record.ID}
	var waiting []notify.Message
	for recipient, err := range c.recipients(ctx, d, record.Also, receiversPage) {
		if err != nil {
			return Notified{}, c.spoil(err)
		}
		done.Recipients++
		m, err := c.message(record, recipient, done.Recipients)
		if err != nil {
			return Notified{}, c.spoil(err)
		}
		if waiting = append(waiting, m); len(waiting) == access.MaxPage {
			if err := c.tx.Enqueue(ctx, waiting...); err != nil {
				return Notified{}, err
			}
			waiting = waiting[:0]
		}
	}
	return done, c.tx.Enqueue(ctx, waiting...)
}

// spoil keeps half a notice from being committed by a host that takes its error for a refusal.
func (c *call) spoil(err error) error {
	c.tx.Spoil(err)
	return err
}

// repeated returns what was done with a notice whose id is taken: an error if it is another one.
func (c *call) repeated(ctx context.Context, record NoticeRecord) (Notified, error) {
	there, err := c.tx.Notice(ctx, record.Account, record.ID)
	if err != nil {
		return Notified{}, err
	}
	if !there.same(record) {
		return Notified{}, &access.Error{Kind: access.ErrExists, Code: "notice.exists", Field: "id", Reason: "is that of another notice"}
	}
	return Notified{ID: record.ID, Repeated: true}, nil
}

func (r NoticeRecord) same(other NoticeRecord) bool {
	return r.Kind == other.Kind && r.Category == other.Category && r.Resource == other.Resource &&
		bytes.Equal(r.Data, other.Data) && slices.Equal(r.Also, other.Also) && slices.Equal(r.Attachments, other.Attachments)
}

// message returns the message to the n-th recipient of a notice, from 1. Its Ref is the notice's id and as what it goes to
// To: a user's id may look like a contact's.
func (c *call) message(record NoticeRecord, to Recipient, n int) (notify.Message, error) {
	id, err := c.NewID()
	if err != nil {
		return notify.Message{}, err
	}
	as, receiver := asUser, string(to.User)
	switch {
	case to.Reason == ReasonFallback:
		as = asFallback
	case to.Contact != "":
		as, receiver = asContact, string(to.Contact)
	}
	return notify.Message{ID: notify.MessageID(id), Kind: record.Kind, Group: string(record.Account), Ref: record.ID + "/" + as,
		Generation: uint64(n), To: receiver, Created: c.Now, State: notify.Queued, Due: c.Now}, nil
}

// As what a message goes to a recipient.
const (
	asUser     = "user"
	asContact  = "contact"
	asFallback = "fallback"
)

package storagetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// Dump writes down everything that the contract lets one read, a line for each thing: the accounts with their
// members, invites, contacts, preferences, messages and events; the users with their directory entries and accounts; what is on
// the record about addresses of contacts; the suppressions; and the change feed, but not who follows it. Two databases, or two moments of one, with the same content have the same dump. Accounts and
// users have to be named, since nothing lists them all; those that aren't there are left out. It holds full addresses,
// so it belongs in tests only. It returns the backend's error.
func Dump(ctx context.Context, db storage.DB, accounts []access.AccountID, users []access.UserID) (string, error) {
	return dumpAll(ctx, db, []population{{accounts, users}})
}

// A population is some accounts and the users they have to do with.
type population struct {
	accounts []access.AccountID
	users    []access.UserID
}

func dumpAll(ctx context.Context, db storage.DB, populations []population) (string, error) {
	var d dump
	err := db.View(ctx, func(ctx context.Context, tx storage.Tx) error {
		d = dump{tx: tx}
		for _, p := range populations {
			for _, id := range p.accounts {
				if err := d.account(ctx, id, p.users); err != nil {
					return err
				}
			}
			if err := d.users(ctx, p.users); err != nil {
				return err
			}
		}
		return errors.Join(d.suppressions(ctx), d.feed(ctx))
	})
	return d.text.String(), err
}

type dump struct {
	tx   storage.Tx
	text strings.Builder
}

// dumpPage is how much of a list is read at a time.
const dumpPage = 100

func (d *dump) account(ctx context.Context, id access.AccountID, users []access.UserID) error {
	a, err := d.tx.Account(ctx, id)
	if errors.Is(err, access.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	d.line("account", a)
	return errors.Join(
		pages(d, "member", func(after access.UserID) ([]access.Member, error) {
			return d.tx.Members(ctx, id, access.MemberFilter{}, after, dumpPage)
		}, func(m access.Member) access.UserID { return m.User }),
		pages(d, "invite", func(before invite.ID) ([]invite.Record, error) {
			return d.tx.Invites(ctx, id, invite.Filter{}, before, dumpPage)
		}, func(r invite.Record) invite.ID { return r.ID }),
		pages(d, "contact", func(after contact.ID) ([]contact.Contact, error) {
			return d.tx.Contacts(ctx, id, contact.Filter{}, after, dumpPage)
		}, func(c contact.Contact) contact.ID { return c.ID }),
		d.feedback(ctx, id),
		d.notices(ctx, id),
		d.verifications(ctx, id),
		d.preferences(ctx, id, users),
		pages(d, "message", func(before notify.MessageID) ([]notify.Message, error) {
			return d.tx.Messages(ctx, string(id), notify.MessageQuery{Before: before, Limit: dumpPage})
		}, func(m notify.Message) notify.MessageID { return m.ID }),
		pages(d, "event", func(after access.EventKey) ([]access.Record, error) {
			return d.tx.Events(ctx, id, access.EventFilter{}, after, true, dumpPage)
		}, func(r access.Record) access.EventKey { return access.EventKey{Version: r.Version, Index: r.Index} }),
	)
}

func (d *dump) verifications(ctx context.Context, id access.AccountID) error {
	for after := contact.ID(""); ; {
		contacts, err := d.tx.Contacts(ctx, id, contact.Filter{}, after, dumpPage)
		if err != nil {
			return err
		}
		for _, c := range contacts {
			after = c.ID
			v, err := d.tx.Verification(ctx, id, c.ID)
			if err == nil {
				d.line("verification", v)
			} else if !errors.Is(err, access.ErrNotFound) {
				return err
			}
		}
		if len(contacts) < dumpPage {
			return nil
		}
	}
}

func (d *dump) preferences(ctx context.Context, id access.AccountID, users []access.UserID) error {
	for _, user := range users {
		c, err := d.tx.Preference(ctx, id, user)
		if err == nil {
			d.line("preference", struct {
				Account    access.AccountID
				User       access.UserID
				Categories contact.Category
			}{id, user, c})
		} else if !errors.Is(err, access.ErrNotFound) {
			return err
		}
	}
	return nil
}

// feedback writes down what is on the record about the addresses of an account's contacts.
func (d *dump) feedback(ctx context.Context, id access.AccountID) error {
	var after contact.ID
	for {
		contacts, err := d.tx.Contacts(ctx, id, contact.Filter{}, after, dumpPage)
		if err != nil {
			return err
		}
		for _, c := range contacts {
			after = c.ID
			if err := pages(d, "feedback", func(before notify.FeedbackKey) ([]notify.Feedback, error) {
				return d.tx.Feedback(ctx, notify.FeedbackQuery{Address: c.Address.Canonical(), Before: before, Limit: dumpPage})
			}, notify.Feedback.Key); err != nil {
				return err
			}
		}
		if len(contacts) < dumpPage {
			return nil
		}
	}
}

// notices writes down the notices that messages of an account may refer to, by the ids that tests give them.
func (d *dump) notices(ctx context.Context, id access.AccountID) error {
	for n := range 5 {
		notice, err := d.tx.Notice(ctx, id, noticeID(n))
		if err == nil {
			d.line("notice", notice)
		} else if !errors.Is(err, access.ErrNotFound) {
			return err
		}
	}
	return nil
}

func (d *dump) suppressions(ctx context.Context) error {
	return pages(d, "suppression", func(after string) ([]notify.Suppression, error) {
		return d.tx.Suppressions(ctx, after, dumpPage)
	}, func(s notify.Suppression) string { return s.Address })
}

func (d *dump) users(ctx context.Context, ids []access.UserID) error {
	entries, err := d.tx.Users(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if user, known := entries[id]; known {
			d.line("user", user)
		}
		if err := pages(d, "account of "+string(id), func(after access.AccountID) ([]access.UserAccount, error) {
			return d.tx.UserAccounts(ctx, id, access.AccountFilter{}, after, dumpPage)
		}, func(a access.UserAccount) access.AccountID { return a.Account.ID }); err != nil {
			return err
		}
	}
	return nil
}

func (d *dump) feed(ctx context.Context) error {
	heads, err := d.tx.Feed(ctx)
	if err != nil {
		return err
	}
	for shard, head := range heads {
		if head == (access.FeedHead{}) {
			continue
		}
		d.line(fmt.Sprintf("shard %d", shard), head)
		if err := pages(d, "change", func(after uint64) ([]access.Record, error) {
			return d.tx.Changes(ctx, shard, after, dumpPage)
		}, func(r access.Record) uint64 { return r.Number }); err != nil {
			return err
		}
	}
	return nil
}

// pages writes down a list that is read by its key.
func pages[K, T any](d *dump, name string, page func(K) ([]T, error), key func(T) K) error {
	var from K
	for {
		things, err := page(from)
		if err != nil {
			return err
		}
		for _, thing := range things {
			d.line(name, thing)
			from = key(thing)
		}
		if len(things) < dumpPage {
			return nil
		}
	}
}

// line writes a thing down by its fields, leaving out those without a value. It goes by reflection, so that a field
// that is added to the contract is never forgotten here.
func (d *dump) line(name string, thing any) {
	d.text.WriteString(name)
	d.fields("", reflect.ValueOf(thing))
	d.text.WriteByte('\n')
}

func (d *dump) fields(path string, v reflect.Value) {
	if v.IsZero() {
		return
	}
	switch value := v.Interface().(type) {
	case time.Time:
		fmt.Fprintf(&d.text, " %s=%s", path, value.Format(time.RFC3339Nano))
		return
	case access.Address:
		fmt.Fprintf(&d.text, " %s=%q(%q)", path, value.Original(), value.Canonical())
		return
	case []byte:
		fmt.Fprintf(&d.text, " %s=%q", path, value)
		return
	case access.Digest:
		fmt.Fprintf(&d.text, " %s=%x", path, value[:])
		return
	case access.Secret:
		fmt.Fprintf(&d.text, " %s=%x", path, value[:]) // which prints as a placeholder otherwise
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			inner := path
			if field := v.Type().Field(i); !field.Anonymous {
				inner = strings.TrimPrefix(path+"."+field.Name, ".")
			}
			d.fields(inner, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			d.fields(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.String:
		fmt.Fprintf(&d.text, " %s=%q", path, v.String())
	default:
		fmt.Fprintf(&d.text, " %s=%v", path, v.Interface())
	}
}

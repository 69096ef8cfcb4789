package crashes_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

const (
	acme   access.AccountID = "acme"
	globex access.AccountID = "globex"
)

// Services are the verbs on a database, at a time that stands still, with randomness that can be had again.
type services struct {
	db       storage.DB
	now      time.Time
	members  *access.Service
	invites  *invite.Service // mails its links
	handed   *invite.Service // hands out its tokens
	contacts *contact.Service
}

func newServices(db storage.DB, now time.Time, random io.Reader) (*services, error) {
	s := &services{db: db, now: now}
	s.members = access.New(db, access.Config{Now: func() time.Time { return s.now }, Random: random, Staff: allowed})
	keys := []invite.Key{{ID: "k1", Secret: bytes.Repeat([]byte("crashes"), 5)}}
	var err error
	if s.invites, err = invite.New(db, s.members, keys, invite.Config{LinkBase: "https://portal.example/invites/"}); err != nil {
		return nil, err
	}
	if s.handed, err = invite.New(db, s.members, keys, invite.Config{Delivery: invite.ByHost}); err != nil {
		return nil, err
	}
	links, err := contact.NewLinks(keys, "", "https://portal.example/contacts/")
	if err != nil {
		return nil, err
	}
	s.contacts = contact.New(db, s.members, contact.Config{Links: links})
	return s, nil
}

// reproducible returns randomness that is the same for the same name.
func reproducible(name string) io.Reader {
	var seed [32]byte
	copy(seed[:], name)
	return rand.NewChaCha8(seed)
}

// A scene is what verbs act on, in an account with something of everything in it.
type scene struct {
	Token               string // of the invite to dora
	ToCarl              invite.ID
	Contact             contact.ID
	Verify, Unsubscribe string // the tokens of the contact's links
	Claimed             notify.Message
	Dead                notify.MessageID
}

// later is when the verbs are done: invites may be sent again then, and everybody was last seen long ago.
func later() time.Time { return noon().Add(2 * time.Hour) }

// newScene makes acme, owned by olga, with the members ann and bob, who may manage users, and eve, who is suspended;
// two invites, a contact, choices, and a message that is being sent; and globex, which is suspended. A follower is there
// that hasn't acknowledged the last ticket, and the wait is longer than the lease.
func newScene(ctx context.Context, db storage.DB) (scene, error) {
	do, err := newServices(db, noon(), reproducible("scene"))
	if err != nil {
		return scene{}, err
	}
	var s scene
	owner := access.As("olga")
	account := access.NewAccount{ID: acme, Owner: "olga", Profile: access.Profile{Name: "Olga"}}
	other := access.NewAccount{ID: globex, Owner: "olga", Profile: access.Profile{Name: "Olga"}}
	terms := access.Terms{Permissions: access.ManageUsers | access.PayInvoices | access.OpenTickets}
	offer := access.Terms{Permissions: access.PayInvoices}
	for _, step := range []func() error{
		func() error {
			return do.members.SyncUser(ctx, access.User{ID: "olga", Name: "Olga", Address: address("olga"), Verified: true})
		},
		func() error { return second(do.members.CreateAccount(ctx, access.AsSystem("signup"), account)) },
		func() error { return second(do.members.CreateAccount(ctx, access.AsSystem("signup"), other)) },
		func() error { return second(do.members.AddMember(ctx, staff(), acme, "ann", terms)) },
		func() error { return second(do.members.AddMember(ctx, staff(), acme, "bob", terms)) },
		func() error { return second(do.members.AddMember(ctx, staff(), acme, "eve", terms)) },
		func() error { return second(do.members.Suspend(ctx, owner, acme, "eve")) },
		func() error { return second(do.members.SuspendAccount(ctx, staff(), globex)) },
		func() error {
			sent, err := do.handed.Send(ctx, owner, acme, invite.Offer{Address: address("dora"), Terms: offer})
			s.Token = sent.Token.Secret()
			return err
		},
		func() error {
			sent, err := do.invites.Send(ctx, access.As("ann"), acme, invite.Offer{Address: address("carl"), Terms: offer})
			s.ToCarl = sent.Invite.ID
			return err
		},
		func() error {
			details := contact.Details{Name: "Fred", Address: address("fred"), Categories: contact.Invoice}
			added, _, err := do.contacts.Add(ctx, owner, acme, details)
			s.Contact = added.ID
			return err
		},
		func() error {
			mail := do.contacts.Prepare(ctx, []notify.Message{{Kind: contact.MailContactVerify, Group: string(acme), Ref: string(s.Contact), Generation: math.MaxInt64}})
			_, rest, _ := strings.Cut(mail[0].Mail.Text, "/contacts/verify/")
			link, err := do.contacts.UnsubscribeURL(acme, contact.Recipient{Contact: s.Contact, Address: address("fred")}, contact.Invoice)
			s.Verify, s.Unsubscribe = rest[:access.TokenLength], strings.TrimPrefix(link, "https://portal.example/contacts/unsubscribe/")
			return errors.Join(mail[0].Err, err)
		},
		func() error {
			return second(do.contacts.SetPreferences(ctx, access.As("ann"), acme, "ann", contact.Invoice))
		},
		func() error {
			claimed, err := db.Claim(ctx, later(), time.Hour, 2)
			if err != nil {
				return err
			}
			s.Claimed, s.Dead = claimed[0], claimed[1].ID
			_, err = db.Finish(ctx, notify.Result{ID: s.Dead, Attempt: 1, State: notify.Dead, At: later(), Reason: "refused"})
			return err
		},
		func() error { _, _, err := db.DrawTicket(ctx); return err },
		func() error { return db.SetLease(ctx, 2*access.DefaultLease) },
		func() error { return db.SetLease(ctx, access.DefaultLease) },
	} {
		if err := step(); err != nil {
			return scene{}, err
		}
	}
	return s, nil
}

func second[R any](_ R, err error) error { return err }

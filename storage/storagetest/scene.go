package storagetest

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// services are the verbs on one backend.
type services struct {
	db       *faultyDB
	now      time.Time
	members  *access.Service
	invites  *invite.Service // mails its links
	handed   *invite.Service // hands its tokens to the host
	contacts *contact.Service
}

func newServices(t *testing.T, backend storage.DB) *services {
	t.Helper()
	db := &faultyDB{DB: backend}
	s := &services{db: db, now: noon()}
	s.members = access.New(db, access.Config{
		Now:   func() time.Time { return s.now },
		Staff: func(context.Context, access.Actor, access.EventKind, access.AccountID) error { return nil },
	})
	keys := []invite.Key{{ID: "k1", Secret: bytes.Repeat([]byte("storagetest"), 3)}}
	var err error
	s.invites, err = invite.New(db, s.members, keys, invite.Config{LinkBase: "https://portal.example/invites/"})
	require.NoError(t, err)
	s.handed, err = invite.New(db, s.members, keys, invite.Config{Delivery: invite.ByHost})
	require.NoError(t, err)
	links, err := contact.NewLinks(keys, "", "https://portal.example/contacts/")
	require.NoError(t, err)
	s.contacts = contact.New(db, s.members, contact.Config{
		Links:     links,
		Templates: fstest.MapFS{"en/notice.txt": {Data: []byte("Subject: Notice\nHello")}, "en/notice.html": {Data: []byte("<p>Hello</p>")}},
		Notices:   []notify.Sample{{Kind: noticeKind, Data: func(string) any { return nil }}},
	})
	return s
}

// A scene is a database with something of everything in it.
type scene struct {
	database
	do             *services
	token          string    // of the invite to dora
	toDora, toCarl invite.ID // sent by olga, and by ann
	contact        contact.ID
	verified       contact.ID // of which the address is
	verify         string     // the token of the contact's link to verify its address
	unsubscribe    string     // and of that to switch off invoice mail
}

// who is a user as the host authenticated them.
func who(t *testing.T, user access.UserID) invite.Identity {
	t.Helper()
	return invite.Identity{Actor: access.As(user), Address: address(t, string(user)+"@example.com"), Verified: true}
}

// offer is what people are invited with.
func offer(t *testing.T, user access.UserID) invite.Offer {
	t.Helper()
	return invite.Offer{Address: who(t, user).Address, Terms: access.Terms{Permissions: access.PayInvoices}}
}

func staff() access.Actor { return access.AsStaff("support", "a test") }

// newScene makes, at noon, acme, owned by olga, with members ann and bob, who may manage users, and eve, who is
// suspended; two invites, a contact, choices, and a complaint of carl's; and globex, which is suspended. What comes after is two hours later:
// invites may be sent again, and everybody was last seen long ago.
func newScene(t *testing.T, db database) scene {
	t.Helper()
	do, ctx := newServices(t, db.DB), db.ctx
	s := scene{database: db, do: do}
	must := func(_ any, err error) {
		t.Helper()
		require.NoError(t, err)
	}
	for _, user := range []access.UserID{olga, ann, bob, eve, dora} {
		entry := access.User{ID: user, Name: string(user), Address: who(t, user).Address, Verified: true}
		require.NoError(t, do.members.SyncUser(ctx, entry))
	}
	for _, id := range []access.AccountID{acme, globex} {
		account := access.NewAccount{ID: id, Owner: olga, Profile: access.Profile{Name: "Olga"}}
		must(do.members.CreateAccount(ctx, access.AsSystem("signup"), account))
	}
	const managing = access.ManageUsers | access.PayInvoices | access.OpenTickets
	for _, user := range []access.UserID{ann, bob, eve} {
		must(do.members.AddMember(ctx, staff(), acme, user, access.Terms{Permissions: managing}))
	}
	must(do.members.Suspend(ctx, access.As(olga), acme, eve))
	must(do.members.SuspendAccount(ctx, staff(), globex))
	sent, err := do.handed.Send(ctx, access.As(olga), acme, offer(t, dora))
	require.NoError(t, err)
	s.token, s.toDora = sent.Token.Secret(), sent.Invite.ID
	sent, err = do.invites.Send(ctx, access.As(ann), acme, offer(t, carl))
	require.NoError(t, err)
	s.toCarl = sent.Invite.ID
	details := contact.Details{Name: "Fred", Address: who(t, fred).Address, Categories: contact.Invoice}
	fred, _, err := do.contacts.Add(ctx, access.As(olga), acme, details)
	require.NoError(t, err)
	s.contact = fred.ID
	s.verify, s.unsubscribe = tokensOf(t, do, fred)
	verified := newContact(t, 100, acme, "Gina", "gina@example.com")
	verified.Verified = noon()
	db.locked(acme, func(ctx context.Context, tx storage.Tx) { require.NoError(t, tx.PutContact(ctx, verified)) })
	s.verified = verified.ID
	for _, user := range []access.UserID{ann, bob} {
		must(do.contacts.SetPreferences(ctx, access.As(user), acme, user, contact.Invoice))
	}
	require.NoError(t, do.contacts.TakeFeedback(ctx, notify.Feedback{ID: "0", Kind: notify.Complaint, Address: "carl@example.com"}))
	do.now = noon().Add(2 * time.Hour)
	return s
}

// tokensOf returns the tokens of the links that a contact of acme got.
func tokensOf(t *testing.T, do *services, c contact.Contact) (verify, unsubscribe string) {
	t.Helper()
	mail := do.contacts.Prepare(t.Context(), []notify.Message{{Kind: contact.MailContactVerify, Group: string(acme), Ref: string(c.ID),
		Generation: math.MaxInt64}})
	require.NoError(t, mail[0].Err)
	_, rest, found := strings.Cut(mail[0].Mail.Text, "/contacts/verify/")
	require.True(t, found)
	link, err := do.contacts.UnsubscribeURL(acme, contact.Recipient{Contact: c.ID, Address: c.Address}, contact.Invoice)
	require.NoError(t, err)
	return rest[:access.TokenLength], strings.TrimPrefix(link, "https://portal.example/contacts/unsubscribe/")
}

// mail returns the ids of all messages of acme.
func (s scene) mail() []notify.MessageID {
	s.t.Helper()
	var ids []notify.MessageID
	for _, m := range s.messages() {
		ids = append(ids, m.ID)
	}
	return ids
}

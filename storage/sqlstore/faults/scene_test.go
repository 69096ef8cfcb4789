package faults_test

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
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

// The accounts and users of a scene.
const (
	acme    access.AccountID = "acme"
	globex  access.AccountID = "globex"
	initech access.AccountID = "initech"

	olga access.UserID = "olga"
	ann  access.UserID = "ann"
	bob  access.UserID = "bob"
	eve  access.UserID = "eve"
	carl access.UserID = "carl"
	dora access.UserID = "dora"
	fred access.UserID = "fred"
)

func noon() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }

// Services are the verbs on one store, with a clock and ids of their own, so that doing the same twice gives the same.
type services struct {
	store    storage.DB
	now      time.Time
	random   *rand.ChaCha8
	members  *access.Service
	invites  *invite.Service // mails its links
	handed   *invite.Service // hands its tokens to the host
	contacts *contact.Service
}

func newServices(t testing.TB, store storage.DB) *services {
	t.Helper()
	s := &services{now: noon()}
	s.store = &repeatable{store, s}
	s.seed(0)
	s.members = access.New(s.store, access.Config{
		Now:    func() time.Time { return s.now },
		Random: random{s},
		Staff:  func(context.Context, access.Actor, access.EventKind, access.AccountID) error { return nil },
	})
	keys := []invite.Key{{ID: "k1", Secret: bytes.Repeat([]byte("faults"), 6)}}
	var err error
	s.invites, err = invite.New(s.store, s.members, keys, invite.Config{LinkBase: "https://portal.example/invites/"})
	require.NoError(t, err)
	s.handed, err = invite.New(s.store, s.members, keys, invite.Config{Delivery: invite.ByHost})
	require.NoError(t, err)
	links, err := contact.NewLinks(keys, "", "https://portal.example/contacts/")
	require.NoError(t, err)
	s.contacts = contact.New(s.store, s.members, contact.Config{
		Links:     links,
		Templates: fstest.MapFS{"en/notice.txt": {Data: []byte("Subject: Notice\nHello")}, "en/notice.html": {Data: []byte("<p>Hello</p>")}},
		Notices:   []notify.Sample{{Kind: "notice", Data: func(string) any { return nil }}},
	})
	return s
}

// seed chooses the ids and salts that follow.
func (s *services) seed(n byte) { s.random = rand.NewChaCha8([32]byte{n}) }

// random is what the services read.
type random struct{ services *services }

func (r random) Read(b []byte) (int, error) { return r.services.random.Read(b) }

// A repeatable store gives a unit that runs again the same random numbers.
type repeatable struct {
	storage.DB
	services *services
}

func (r *repeatable) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	mark := *r.services.random
	return r.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		again := mark
		r.services.random = &again
		return fn(ctx, tx)
	})
}

// A scene is a database with something of everything in it.
type scene struct {
	*services
	token          string // of the invite to dora
	toDora, toCarl invite.ID
	fred           contact.ID
	verified       contact.ID       // of which the address is
	verify         string           // the token of fred's link to verify the address
	unsubscribe    string           // and of that to switch off invoice mail
	message        notify.MessageID // a worker has it
	dead           notify.MessageID
	address        func(access.UserID) access.Address
}

// who is a user as the host authenticated them.
func (s *scene) who(user access.UserID) invite.Identity {
	return invite.Identity{Actor: access.As(user), Address: s.address(user), Verified: true}
}

// offer is what people are invited with.
func (s *scene) offer(user access.UserID) invite.Offer {
	return invite.Offer{Address: s.address(user), Terms: access.Terms{Permissions: access.PayInvoices}}
}

func staff() access.Actor { return access.AsStaff("support", "a test") }

// newScene makes, at noon, acme, owned by olga, with members ann and bob, who may manage users, and eve, who is
// suspended; two invites, a contact, choices, and a complaint of carl's; and globex, which is suspended. A follower is there that hasn't
// acknowledged the last ticket, and the wait is longer than the lease. What comes after is two hours later.
func newScene(t testing.TB, store storage.DB) *scene {
	t.Helper()
	s := &scene{services: newServices(t, store)}
	s.address = func(user access.UserID) access.Address {
		a, err := access.ParseAddress(string(user) + "@example.com")
		require.NoError(t, err)
		return a
	}
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		require.NoError(t, err)
	}
	for _, user := range []access.UserID{olga, ann, bob, eve, dora} {
		must(nil, s.members.SyncUser(ctx, access.User{ID: user, Name: string(user), Address: s.address(user), Verified: true}))
	}
	for _, id := range []access.AccountID{acme, globex} {
		must(s.members.CreateAccount(ctx, access.AsSystem("signup"),
			access.NewAccount{ID: id, Owner: olga, Profile: access.Profile{Name: "Olga"}}))
	}
	const managing = access.ManageUsers | access.PayInvoices | access.OpenTickets
	for _, user := range []access.UserID{ann, bob, eve} {
		must(s.members.AddMember(ctx, staff(), acme, user, access.Terms{Permissions: managing}))
	}
	must(s.members.Suspend(ctx, access.As(olga), acme, eve))
	must(s.members.SuspendAccount(ctx, staff(), globex))
	sent, err := s.handed.Send(ctx, access.As(olga), acme, s.offer(dora))
	require.NoError(t, err)
	s.token, s.toDora = sent.Token.Secret(), sent.Invite.ID
	sent, err = s.invites.Send(ctx, access.As(ann), acme, s.offer(carl))
	require.NoError(t, err)
	s.toCarl = sent.Invite.ID
	added, _, err := s.contacts.Add(ctx, access.As(olga), acme,
		contact.Details{Name: "Fred", Address: s.address(fred), Categories: contact.Invoice})
	require.NoError(t, err)
	s.fred = added.ID
	verified := contact.Contact{ID: "01900000-0000-7000-8000-000000000064", Account: acme, Name: "Gina", Address: s.address("gina"), Verified: noon()}
	must(nil, store.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		if _, err := tx.Lock(ctx, acme); err != nil {
			return err
		}
		return tx.PutContact(ctx, verified)
	}))
	s.verified = verified.ID
	mail := s.contacts.Prepare(ctx, []notify.Message{{Kind: contact.MailContactVerify, Group: string(acme), Ref: string(s.fred), Generation: math.MaxInt64}})
	require.NoError(t, mail[0].Err)
	_, rest, found := strings.Cut(mail[0].Mail.Text, "/contacts/verify/")
	require.True(t, found)
	s.verify = rest[:access.TokenLength]
	link, err := s.contacts.UnsubscribeURL(acme, contact.Recipient{Contact: s.fred, Address: added.Address}, contact.Invoice)
	require.NoError(t, err)
	s.unsubscribe = strings.TrimPrefix(link, "https://portal.example/contacts/unsubscribe/")
	for _, user := range []access.UserID{ann, bob} {
		must(s.contacts.SetPreferences(ctx, access.As(user), acme, user, contact.Invoice))
	}
	must(nil, s.contacts.TakeFeedback(ctx, notify.Feedback{ID: "0", Kind: notify.Complaint, Address: "carl@example.com"}))
	claimed, err := store.Claim(ctx, noon(), 3*time.Hour, 2)
	require.NoError(t, err)
	require.Len(t, claimed, 2)
	s.message, s.dead = claimed[0].ID, claimed[1].ID
	_, err = store.Finish(ctx, notify.Result{ID: s.dead, Attempt: 1, State: notify.Dead, At: noon(), Reason: "refused"})
	require.NoError(t, err)
	_, _, err = store.DrawTicket(ctx)
	require.NoError(t, err)
	must(nil, store.SetLease(ctx, 2*access.DefaultLease))
	must(nil, store.SetLease(ctx, access.DefaultLease))
	s.now = noon().Add(2 * time.Hour)
	return s
}

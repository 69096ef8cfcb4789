package contact_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

const linkBase = "https://portal.example/contacts/"

// who clicked is the host's own code: the link says who.
var clicked = access.Actor{Kind: access.ActorSystem, ID: "links", IP: "192.0.2.7"}

func keyOf(id string) access.Key { return access.Key{ID: id, Secret: bytes.Repeat([]byte(id), 8)} }

func linksOf(t tester, deployment string, keys ...access.Key) *contact.Links {
	t.Helper()
	links, err := contact.NewLinks(keys, deployment, linkBase)
	require.NoError(t, err)
	return links
}

// newLinkedWorld is a world where contacts get links.
func newLinkedWorld(t tester, config contact.Config) *world {
	t.Helper()
	config.Links = linksOf(t, "", keyOf("2026"))
	return newWorldWith(t, config)
}

// configured gives the world's contacts another config.
func (w *world) configured(config contact.Config) {
	w.contacts = contact.New(w.db, w.members, config)
}

var verifyLink = regexp.MustCompile(regexp.QuoteMeta(linkBase) + `verify/([A-Za-z0-9_-]{64})\n`)

// verifyToken returns the token of the link in the newest mail that has one to an address, empty if there is none.
func (w *world) verifyToken(to string) string {
	w.t.Helper()
	prepared := w.prepare()
	for i := len(prepared) - 1; i >= 0; i-- {
		mail := prepared[i].Mail
		if found := verifyLink.FindStringSubmatch(mail.Text); found != nil && mail.To == to {
			return found[1]
		}
	}
	return ""
}

// verify has a contact verify its address by the link in its newest mail.
func (w *world) verify(c contact.Contact) {
	w.t.Helper()
	_, err := w.contacts.Verify(ctx, clicked, w.verifyToken(c.Address.Original()))
	require.NoError(w.t, err)
}

// get returns a contact as the service shows it.
func (w *world) get(id contact.ID) contact.Contact {
	w.t.Helper()
	c, err := w.contacts.Contact(ctx, system, acme, id)
	require.NoError(w.t, err)
	return c
}

func (w *world) update(id contact.ID, change func(*contact.Details)) error {
	w.t.Helper()
	d := w.get(id).Details()
	change(&d)
	_, err := w.contacts.Update(ctx, access.As(olive), acme, id, d)
	return err
}

// unsubscribeToken returns the token of the link by which a contact switches off a category.
func (w *world) unsubscribeToken(id contact.ID, category contact.Category) string {
	w.t.Helper()
	c := w.get(id)
	link, err := w.contacts.UnsubscribeURL(acme, contact.Recipient{Contact: id, Address: c.Address}, category)
	require.NoError(w.t, err)
	token, ok := strings.CutPrefix(link, linkBase+"unsubscribe/")
	require.True(w.t, ok, link)
	require.Len(w.t, token, access.TokenLength)
	return token
}

func (w *world) unsubscribe(id contact.ID, category contact.Category) {
	w.t.Helper()
	_, err := w.contacts.Unsubscribe(ctx, clicked, w.unsubscribeToken(id, category))
	require.NoError(w.t, err)
}

func TestNewLinksRefuses(t *testing.T) {
	for _, base := range []string{"", "portal.example/", "//portal.example/", "ftp://portal.example/", "https://portal.example",
		"https://portal.example/contacts", "https:///contacts/", "https://u:p@portal.example/", "https://portal.example/?t=/",
		"https://portal.example/#/", "https://portal.example/a b/", "https://portal.example/ä/", "https://portal.example/#", "javascript:/"} {
		links, err := contact.NewLinks([]access.Key{keyOf("2026")}, "", base)
		requireRefused(t, err, access.ErrInvalid, "link.base", "base")
		require.Nil(t, links)
	}
	for _, base := range []string{"https://portal.example/", "http://localhost:8080/contacts/", "https://[::1]/c/"} {
		_, err := contact.NewLinks([]access.Key{keyOf("2026")}, "", base)
		require.NoError(t, err)
	}
	_, err := contact.NewLinks(nil, "", linkBase)
	requireRefused(t, err, access.ErrInvalid, "key.missing", "key")
}

func TestConfigsThatCantBeMeant(t *testing.T) {
	w := newWorld(t)
	for _, config := range []contact.Config{{RequireVerified: true}, {Lifetime: -1}, {VerifyAgain: -1}, {Limits: contact.Limits{PerAccount: -1}},
		{Limits: contact.Limits{PerActor: -1}}, {Limits: contact.Limits{PerRecipient: -1}}, {Limits: contact.Limits{Between: -1}},
		{SoftBounces: -1}, {SoftWindow: -1}} {
		require.ErrorIs(t, config.Check(w.members), access.ErrInvalid)
		require.Panics(t, func() { w.configured(config) })
	}
}

// TestLinksAreOfOnePlace: what another deployment, another key or another purpose made is invalid, and what a former key
// made is not.
func TestLinksAreOfOnePlace(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", contact.Invoice)
	verify, unsubscribe := w.verifyToken("carl@contacts.example"), w.unsubscribeToken(carl.ID, contact.Invoice)
	require.NotEmpty(t, verify)

	_, err := w.contacts.LookupUnsubscribe(ctx, verify)
	requireRefused(t, err, access.ErrNotFound, "contact.invalid", "contact")
	_, err = w.contacts.LookupVerification(ctx, unsubscribe)
	requireRefused(t, err, access.ErrNotFound, "contact.invalid", "contact")

	for name, test := range map[string]struct {
		links *contact.Links
		good  bool
	}{
		"the same":           {linksOf(t, "", keyOf("2026")), true},
		"rotated":            {linksOf(t, "", keyOf("2027"), keyOf("2026")), true},
		"dropped":            {linksOf(t, "", keyOf("2027")), false},
		"another deployment": {linksOf(t, "eu", keyOf("2026")), false},
		"no links any more":  {nil, false},
	} {
		w.configured(contact.Config{Links: test.links})
		_, one := w.contacts.LookupVerification(ctx, verify)
		_, other := w.contacts.LookupUnsubscribe(ctx, unsubscribe)
		for _, err := range []error{one, other} {
			if test.good {
				require.NoError(t, err, name)
			} else {
				requireRefused(t, err, access.ErrNotFound, "contact.invalid", "contact")
			}
		}
	}
}

// TestNoSecretsAreKept looks for tokens and secrets in what is stored, and in how things print.
func TestNoSecretsAreKept(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", contact.Invoice)
	verify, unsubscribe := w.verifyToken("carl@contacts.example"), w.unsubscribeToken(carl.ID, contact.Invoice)
	w.verify(carl)
	w.unsubscribe(carl.ID, contact.Invoice)
	history, err := w.members.History(ctx, system, acme, access.EventFilter{}, access.Page{})
	require.NoError(t, err)
	require.NoError(t, w.db.View(ctx, func(ctx context.Context, tx storage.Tx) error {
		v, err := tx.Verification(ctx, acme, carl.ID)
		require.NoError(t, err)
		for _, thing := range []any{w.state(), history, w.contacts, v, linksOf(t, "", keyOf("2026"))} {
			for _, verb := range []string{"%v", "%+v", "%#v"} {
				text := fmt.Sprintf(verb, thing)
				require.NotContains(t, text, verify[24:])
				require.NotContains(t, text, unsubscribe[24:])
				require.NotContains(t, text, fmt.Sprintf("%v", v.Secret[:]))
				require.NotContains(t, text, "202620262026")
			}
		}
		return nil
	}))
}

// FuzzLinks looks for a text that is taken for a token and isn't the one that was made, and for a panic.
func FuzzLinks(f *testing.F) {
	w := newLinkedWorld(f, contact.Config{})
	carl := w.contact("carl", contact.Invoice)
	verify, unsubscribe := w.verifyToken("carl@contacts.example"), w.unsubscribeToken(carl.ID, contact.Invoice)
	for _, seed := range []string{"", verify, unsubscribe, verify[:63], verify + "A", verify[:24] + unsubscribe[24:], unsubscribe[:22] + "_w" + unsubscribe[24:],
		strings.Repeat("A", 64), strings.Repeat("_", 64)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := w.contacts.LookupVerification(ctx, text)
		require.Equal(t, text == verify, err == nil)
		if err != nil {
			requireRefused(t, err, access.ErrNotFound, "contact.invalid", "contact")
		}
		_, err = w.contacts.LookupUnsubscribe(ctx, text)
		require.Equal(t, text == unsubscribe, err == nil)
		if err != nil {
			requireRefused(t, err, access.ErrNotFound, "contact.invalid", "contact")
		}
	})
}

const day = 24 * time.Hour

// fixedContact is what the golden links are made from.
func fixedContact(t tester) (contact.Contact, contact.Verification) {
	c := contact.Contact{ID: "0190a6e2-7c10-7abc-8def-0123456789ab", Account: acme, Name: "carl", Address: address(t, "Carl@Contacts.example"),
		Created: start, Updated: start}
	return c, contact.Verification{Account: acme, Contact: c.ID, Generation: 3, Secret: access.Secret{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
		Sent: start, Expires: start.Add(time.Hour)}
}

// fixedTokens stores the fixed contact, changed, in a world of its own, and returns the tokens of its links.
func fixedTokens(t tester, change func(*contact.Contact, *contact.Verification)) (w *world, verify, unsubscribe string) {
	w = newLinkedWorld(t, contact.Config{})
	c, v := fixedContact(t)
	change(&c, &v)
	if c.Account != acme {
		w.account(c.Account, "owen")
	}
	require.NoError(t, w.db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		if _, err := tx.Lock(ctx, c.Account); err != nil {
			return err
		}
		require.NoError(t, tx.PutContact(ctx, c))
		return tx.PutVerification(ctx, v)
	}))
	mail := w.contacts.Prepare(ctx, []notify.Message{{Kind: contact.MailContactVerify, Group: string(c.Account), Ref: string(c.ID)}})
	require.NoError(t, mail[0].Err)
	verify = verifyLink.FindStringSubmatch(mail[0].Mail.Text)[1]
	link, err := w.contacts.UnsubscribeURL(c.Account, contact.Recipient{Contact: c.ID, Address: c.Address}, contact.Support)
	require.NoError(t, err)
	return w, verify, strings.TrimPrefix(link, linkBase+"unsubscribe/")
}

func unchanged(*contact.Contact, *contact.Verification) {}

// TestLinksAreGolden: links in mails that are under way must work after an update of this package.
func TestLinksAreGolden(t *testing.T) {
	_, verify, unsubscribe := fixedTokens(t, unchanged)
	want, err := os.ReadFile("testdata/links.golden")
	require.NoError(t, err)
	require.Equal(t, string(want), "verify/"+verify+"\nunsubscribe/"+unsubscribe+"\n")
}

// TestLinksAreBound: a token is of no use for anything but what it was made for.
func TestLinksAreBound(t *testing.T) {
	_, verify, unsubscribe := fixedTokens(t, unchanged)
	type change = func(*contact.Contact, *contact.Verification)
	for name, test := range map[string]struct {
		change                change
		verifies, switchesOff bool
	}{
		"nothing":          {unchanged, true, true},
		"another name":     {func(c *contact.Contact, _ *contact.Verification) { c.Name = "Carla" }, true, true},
		"another spelling": {func(c *contact.Contact, _ *contact.Verification) { c.Address = address(t, "carl@contacts.example") }, true, true},
		"another address":  {func(c *contact.Contact, _ *contact.Verification) { c.Address = address(t, "carl@contacts.test") }, false, false},
		"another account":  {func(c *contact.Contact, v *contact.Verification) { c.Account, v.Account = "globex", "globex" }, false, false},
		"account and address": {func(c *contact.Contact, v *contact.Verification) {
			c.Account, v.Account, c.Address = "acmec", "acmec", address(t, "arl@contacts.example")
		}, false, false},
		"another contact": {func(c *contact.Contact, v *contact.Verification) {
			c.ID, v.Contact = "0190a6e2-7c10-7abc-8def-0123456789ac", "0190a6e2-7c10-7abc-8def-0123456789ac"
		}, false, false},
		"an earlier generation": {func(_ *contact.Contact, v *contact.Verification) { v.Generation = 2 }, false, true},
		"a later generation":    {func(_ *contact.Contact, v *contact.Verification) { v.Generation = 4 }, false, true},
		"another secret":        {func(_ *contact.Contact, v *contact.Verification) { v.Secret[15]++ }, false, true},
	} {
		w, _, _ := fixedTokens(t, test.change)
		_, err := w.contacts.Verify(ctx, clicked, verify)
		require.Equal(t, test.verifies, err == nil, name)
		_, err = w.contacts.Unsubscribe(ctx, clicked, unsubscribe)
		require.Equal(t, test.switchesOff, err == nil, name)
	}
}

// A meddledDB is a database in which somebody else is faster: what meddle does is there once an account is locked.
type meddledDB struct {
	*memory.DB
	meddle func(tx storage.Tx) error
}

type meddledTx struct {
	storage.Tx
	db *meddledDB
}

func (db *meddledDB) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return db.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, meddledTx{tx, db}) })
}

func (tx meddledTx) Lock(ctx context.Context, ids ...access.AccountID) ([]access.Account, error) {
	locked, err := tx.Tx.Lock(ctx, ids...)
	if err == nil {
		err = tx.db.meddle(tx.Tx)
	}
	return locked, err
}

// TestLinksAreReadAgain under the account's lock: what was found before it may have changed.
func TestLinksAreReadAgain(t *testing.T) {
	c, v := fixedContact(t)
	used, moved, off := v, c, c
	used.Used = start
	moved.Address = address(t, "other@contacts.example")
	off.Unsubscribed = contact.Support
	for name, test := range map[string]struct {
		meddle                func(tx storage.Tx) error
		verifies, switchesOff bool
		changes               int // how many events there are then
	}{
		"nothing":      {func(storage.Tx) error { return nil }, true, true, 2},
		"used":         {func(tx storage.Tx) error { return tx.PutVerification(ctx, used) }, true, true, 1},
		"moved":        {func(tx storage.Tx) error { return tx.PutContact(ctx, moved) }, false, false, 0},
		"removed":      {func(tx storage.Tx) error { return tx.DeleteContact(ctx, acme, c.ID) }, false, false, 0},
		"unsubscribed": {func(tx storage.Tx) error { return tx.PutContact(ctx, off) }, true, true, 1},
	} {
		events := 0
		for _, unsubscribing := range []bool{false, true} {
			w, verify, unsubscribe := fixedTokens(t, unchanged)
			before := w.last().ID
			service := contact.New(&meddledDB{w.db, test.meddle}, w.members, contact.Config{Links: linksOf(t, "", keyOf("2026"))})
			if unsubscribing {
				_, err := service.Unsubscribe(ctx, clicked, unsubscribe)
				require.Equal(t, test.switchesOff, err == nil, name)
			} else {
				_, err := service.Verify(ctx, clicked, verify)
				require.Equal(t, test.verifies, err == nil, name)
			}
			if w.last().ID != before {
				events++
			}
		}
		require.Equal(t, test.changes, events, name)
	}
}

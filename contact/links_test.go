package contact_test

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/storage"
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
		{Limits: contact.Limits{PerActor: -1}}, {Limits: contact.Limits{PerRecipient: -1}}, {Limits: contact.Limits{Between: -1}}} {
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

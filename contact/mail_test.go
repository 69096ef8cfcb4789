package contact_test

import (
	"context"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// prepare returns what the service makes of each waiting mail, the oldest first.
func (w *world) prepare() []notify.Prepared {
	w.t.Helper()
	messages := w.state().Messages
	for i, j := 0, len(messages)-1; i < j; i, j = i+1, j-1 {
		messages[i], messages[j] = messages[j], messages[i]
	}
	return w.contacts.Prepare(ctx, messages)
}

func TestContactAddedMail(t *testing.T) {
	w := newWorld(t)
	d := details(t, "carl", contact.Invoice|contact.Support)
	d.Address = address(t, "Carl@Contacts.example")
	carl, revision, err := w.contacts.Add(ctx, access.As(olive), acme, d)
	require.NoError(t, err)

	messages := w.state().Messages
	require.Len(t, messages, 1)
	require.Equal(t, contact.MailContactAdded, messages[0].Kind)
	require.Equal(t, string(acme), messages[0].Group)
	require.Equal(t, string(carl.ID), messages[0].Ref)
	require.Equal(t, revision.Version, messages[0].Generation)
	require.Equal(t, []notify.Kind{contact.MailContactAdded, contact.MailContactVerify, contact.MailContactMoved,
		contact.MailPreferencesChanged, contact.MailAlternateAdded}, w.contacts.Kinds())

	prepared := w.prepare()[0]
	require.NoError(t, prepared.Err)
	require.Empty(t, prepared.Cancel)
	require.Equal(t, "Carl@Contacts.example", prepared.Mail.To, "as it was given")
	require.Equal(t, "carl", prepared.Mail.ToName)
	require.Contains(t, prepared.Mail.Subject, "Acme & Sons")
	for _, text := range []string{"carl", "Acme & Sons", "Name of olive", "Invoice Emails", "Support Emails"} {
		require.Contains(t, prepared.Mail.Text, text)
	}
	require.Contains(t, prepared.Mail.HTML, "Acme &amp; Sons")
	require.NotContains(t, prepared.Mail.Text, "Product Emails")
}

// TestContactAddedMailNamesWhoActed checks the actor's name, also where one unit of work added many.
func TestContactAddedMailNamesWhoActed(t *testing.T) {
	w := newWorld(t)
	const n = access.DefaultPage + 1
	require.NoError(t, w.db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		inside := w.contacts.Within(tx)
		for i := range n {
			actor := staff
			if i == 0 {
				actor = access.As(olive)
			}
			if _, _, err := inside.Add(ctx, actor, acme, details(t, "contact"+string(rune('a'+i/26))+string(rune('a'+i%26)), 0)); err != nil {
				return err
			}
		}
		return nil
	}))
	byOlive, byStaff := 0, 0
	for _, prepared := range w.prepare() {
		require.NoError(t, prepared.Err)
		switch {
		case prepared.Mail.ToName == "contactaa":
			require.Contains(t, prepared.Mail.Text, "Name of olive")
			byOlive++
		default:
			require.Contains(t, prepared.Mail.Text, "our support team")
			byStaff++
		}
	}
	require.Equal(t, []int{1, n - 1}, []int{byOlive, byStaff})
}

func TestContactAddedMailIsCancelled(t *testing.T) {
	t.Run("when the contact is gone", func(t *testing.T) {
		w := newWorld(t)
		carl := w.contact("carl", 0)
		_, err := w.contacts.Remove(ctx, system, acme, carl.ID)
		require.NoError(t, err)
		require.Equal(t, []notify.Prepared{{Cancel: "the contact was removed"}}, w.prepare())
	})
	t.Run("when the account is closed", func(t *testing.T) {
		w := newWorld(t)
		w.contact("carl", 0)
		w.close()
		require.Equal(t, []notify.Prepared{{Cancel: "the account was closed"}}, w.prepare())
	})
	t.Run("when the address was changed again", func(t *testing.T) {
		w := newWorld(t)
		carl := w.contact("carl", 0)
		d := carl.Details()
		d.Address = address(t, "carla@contacts.example")
		w.now = w.now.Add(1e9)
		_, err := w.contacts.Update(ctx, system, acme, carl.ID, d)
		require.NoError(t, err)
		prepared := w.prepare()
		require.Len(t, prepared, 3)
		require.Equal(t, notify.Prepared{Cancel: "the contact's address was changed again"}, prepared[0])
		added, moved := prepared[1].Mail, prepared[2].Mail // in any order
		if moved.To == "carla@contacts.example" {
			added, moved = moved, added
		}
		require.Equal(t, "carla@contacts.example", added.To)
		require.Contains(t, added.Text, "our system")
		require.Equal(t, "carl@contacts.example", moved.To)
	})
}

func TestWhoIsNotMailed(t *testing.T) {
	w := newWorld(t)
	silent := staff
	silent.Silent = true
	carl, _, err := w.contacts.Add(ctx, silent, acme, details(t, "carl", 0))
	require.NoError(t, err)
	require.Empty(t, w.state().Messages, "silent staff")
	d := carl.Details()
	d.Name, d.Categories, d.Address = "Carla", contact.Invoice, address(t, "CARL@contacts.example")
	_, err = w.contacts.Update(ctx, access.As(olive), acme, carl.ID, d)
	require.NoError(t, err)
	require.Empty(t, w.state().Messages, "the address is the same")
}

// TestSilentStaffUseNoLimits: nobody is mailed, so nobody else may be mailed less.
func TestSilentStaffUseNoLimits(t *testing.T) {
	w := newWorldWith(t, contact.Config{Limits: contact.Limits{PerAccount: 1}})
	silent := staff
	silent.Silent = true
	for _, name := range []string{"carl", "dora", "emil"} {
		_, _, err := w.contacts.Add(ctx, silent, acme, details(t, name, 0))
		require.NoError(t, err)
	}
	_, _, err := w.contacts.Add(ctx, access.As(olive), acme, details(t, "fred", 0))
	require.NoError(t, err)
	_, _, err = w.contacts.Add(ctx, access.As(olive), acme, details(t, "gina", 0))
	requireRefused(t, err, access.ErrLimit, "contact.per_account", "limit")
}

// TestOneMailOfOneUnit: what several changes of one unit of work come to is mailed once.
func TestOneMailOfOneUnit(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		s := w.contacts.Within(tx)
		added, _, err := s.Add(ctx, system, acme, details(t, "dora", 0))
		if err != nil {
			return err
		}
		if _, err := s.Update(ctx, system, acme, added.ID, details(t, "dana", 0)); err != nil {
			return err
		}
		for _, c := range []contact.Category{contact.Domain, contact.Domain | contact.Invoice} {
			if _, err := s.SetPreferences(ctx, system, acme, olive, c); err != nil {
				return err
			}
		}
		return nil
	}))
	sent, cancelled := w.deliver()
	require.ElementsMatch(t, []string{"dana@contacts.example: You are now a contact of “Acme & Sons”",
		"dora@contacts.example: Mail about “Acme & Sons” goes to another address now",
		"olive@example.com: Your e-mail preferences for “Acme & Sons” were changed"}, sent)
	require.ElementsMatch(t, []string{"the contact's address was changed again", "the preferences were changed again"}, cancelled)
}

func TestTemplatesCanBeReplaced(t *testing.T) {
	w := newWorld(t)
	files := fstest.MapFS{
		"en/contact.added.txt":  {Data: []byte("Subject: {{.Account}}\n{{.Actor}}, {{.Contact}}, {{range .Categories}}{{.}};{{end}}")},
		"en/contact.added.html": {Data: []byte("<p>{{.Contact}}</p>")},
	}
	w.contacts = contact.New(w.db, w.members, contact.Config{Templates: files})
	w.contact("carl", contact.All)
	mail := w.prepare()[0].Mail
	require.Equal(t, "Acme & Sons", mail.Subject)
	require.Contains(t, mail.Text, "our system, carl, General Emails;Product Emails;Domain Emails;Invoice Emails;Support Emails;Affiliate Emails;")

	files["de/contact.added.html"] = &fstest.MapFile{Data: []byte("{{.Nobody}}")}
	err := contact.Config{Templates: files}.Check(w.members)
	require.ErrorIs(t, err, access.ErrInvalid)
	require.ErrorContains(t, err, "de/contact.added.html")
	require.PanicsWithValue(t, "contact: "+err.Error(), func() { contact.New(w.db, w.members, contact.Config{Templates: files}) })
}

// A contact's mails are in its own language, or else in the account's, and links are the brand's.
func TestContactMailsAreInItsLanguage(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	w.members = access.New(w.db, access.Config{
		Now:      func() time.Time { return w.now },
		Locale:   "fr",
		BaseURLs: []string{"https://panel.reseller.example"},
		Brand: func(context.Context, access.Account) (notify.Brand, error) {
			return notify.Brand{Name: "Reseller", BaseURL: "https://panel.reseller.example"}, nil
		},
	})
	w.configured(contact.Config{Links: linksOf(t, "", keyOf("2026"))})
	d := details(t, "carl", contact.Invoice)
	d.Locale = "de-AT"
	carl, _, err := w.contacts.Add(ctx, system, acme, d)
	require.NoError(t, err)
	require.Equal(t, "de-AT", w.get(carl.ID).Locale)
	mail := w.prepare()[0].Mail
	require.Contains(t, mail.Subject, "Sie sind jetzt ein Kontakt")
	require.Contains(t, mail.Text, "- E-Mails zu Rechnungen\n")
	require.Contains(t, mail.Text, "https://panel.reseller.example/contacts/verify/")
	require.Contains(t, mail.Text, "Nachricht von Reseller.")

	require.NoError(t, w.update(carl.ID, func(d *contact.Details) { d.Locale = "" }))
	require.Contains(t, w.prepare()[0].Mail.Subject, "Vous êtes désormais un contact")
	for locale, code := range map[string]string{"de_AT": "locale.text", "german": "locale.unknown"} {
		d.Locale = locale
		_, _, err = w.contacts.Add(ctx, system, acme, d)
		requireRefused(t, err, access.ErrInvalid, code, "locale")
	}
}

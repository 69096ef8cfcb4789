package access_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/notify"
)

// suspended returns the message of the mail that tells ivan that he is suspended.
func (w *world) suspended(t *testing.T) []notify.Message {
	t.Helper()
	w.must(w.Members.Suspend(t.Context(), olive, "acme", "ivan"))
	return []notify.Message{{Kind: access.MailAccessChanged, Group: "acme", Ref: "ivan", To: "ivan", Generation: w.account("acme").Version}}
}

// TestMailsAreInTheReadersLanguage: the user's, the account's, the brand's, the service's or English.
func TestMailsAreInTheReadersLanguage(t *testing.T) {
	for _, tt := range []struct{ user, account, brand, service, want string }{
		{"", "", "", "", "Your access"},
		{"fr-BE", "de", "en", "en", "Votre accès"},
		{"", "de-AT", "fr", "en", "Ihr Zugang"},
		{"ja", "de-AT", "fr", "en", "Ihr Zugang"},
		{"", "", "fr", "de", "Votre accès"},
		{"", "", "", "de", "Ihr Zugang"},
		{"", "ja", "fr", "de", "Votre accès"},
		{"", "ja", "it", "fr-CH", "Votre accès"},
		{"en-GB", "fr", "fr", "de", "Your access"},
	} {
		w := newWorld(t)
		require.NoError(t, w.Members.SyncUser(t.Context(), access.User{ID: "ivan", Address: accesstest.AddressOf("ivan"), Locale: tt.user}))
		w.must(w.Members.UpdateAccount(t.Context(), olive, "acme", access.Profile{Name: "Acme", Locale: tt.account}))
		s := w.service(func(c *access.Config) {
			c.Locale = tt.service
			c.Brand = func(context.Context, access.Account) (notify.Brand, error) {
				return notify.Brand{Locale: tt.brand}, nil
			}
		})
		mail := s.Prepare(t.Context(), w.suspended(t))[0].Mail
		require.True(t, strings.HasPrefix(mail.Subject, tt.want), "%+v: %s", tt, mail.Subject)
	}
}

// TestMailsNamePermissionsInTheirLanguage, where the catalog does.
func TestMailsNamePermissionsInTheirLanguage(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.UpdateAccount(t.Context(), olive, "acme", access.Profile{Name: "Acme", Locale: "de-CH"}))
	w.must(w.Members.SetPermissions(t.Context(), olive, "acme", "ivan", access.ViewDomains))
	require.Contains(t, w.mail(t, "ivan").Text, "- Domains ansehen\n")
}

// TestBrand: sender, links, templates and name are the brand's, which is the account's.
func TestBrand(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.SetPermissions(t.Context(), olive, "acme", "ivan", access.PayInvoices))
	messages := []notify.Message{{Kind: access.MailAccessChanged, Group: "acme", Ref: "ivan", To: "ivan", Generation: w.account("acme").Version}}
	brand := notify.Brand{Name: "Reseller", From: "mail@reseller.example", FromName: "The Reseller", ReplyTo: "help@reseller.example",
		BaseURL: "https://panel.reseller.example/portal/", Templates: "reseller"}
	var asked access.AccountID
	s := w.service(func(c *access.Config) {
		c.AccountURL = func(id access.AccountID) string {
			return "https://portal.example/accounts/" + string(id) + "?from=mail#top"
		}
		c.BaseURLs = []string{"https://other.example", brand.BaseURL}
		c.BrandTemplates = map[string]fs.FS{"reseller": fstest.MapFS{"en/access.changed.html": {Data: []byte("<p>Theirs: {{.Link}}</p>")}}}
		c.Brand = func(_ context.Context, account access.Account) (notify.Brand, error) {
			asked = account.ID
			return brand, nil
		}
	})
	mail := s.Prepare(t.Context(), messages)[0].Mail
	require.Equal(t, access.AccountID("acme"), asked)
	require.Equal(t, []string{brand.From, brand.FromName, brand.ReplyTo}, []string{mail.From, mail.FromName, mail.ReplyTo})
	const link = "https://panel.reseller.example/portal/accounts/acme?from=mail#top"
	require.Contains(t, mail.Text, link+"\n")
	require.Contains(t, mail.Text, "This is an automatic message from Reseller.")
	require.Contains(t, mail.HTML, "<p>Theirs: "+link+"</p>")
	mail.MessageID = "id"
	require.NoError(t, mail.Check())

	brand = notify.Brand{}
	mail = s.Prepare(t.Context(), messages)[0].Mail
	require.Empty(t, mail.From+mail.FromName+mail.ReplyTo)
	require.Contains(t, mail.Text, "https://portal.example/accounts/acme?from=mail#top\n")
	require.NotContains(t, mail.HTML, "Theirs")
}

// TestBrandThatFails: no mail is sent under another name; it is written again later.
func TestBrandThatFails(t *testing.T) {
	w := newWorld(t)
	messages := w.suspended(t)
	unknown := errors.New("the brands' database is away")
	for _, tt := range []struct {
		name  string
		brand notify.Brand
		err   error
		code  string
	}{
		{"an error", notify.Brand{}, unknown, ""},
		{"a base URL that isn't in the list", notify.Brand{BaseURL: "https://evil.example"}, nil, "brand.base"},
		{"a base URL that is nearly in the list", notify.Brand{BaseURL: "https://portal.example/"}, nil, "brand.base"},
		{"a base URL of another scheme", notify.Brand{BaseURL: "javascript:alert(1)"}, nil, "brand.invalid"},
		{"templates that aren't there", notify.Brand{Templates: "x"}, nil, "brand.templates"},
		{"a sender that is no address", notify.Brand{From: "somebody"}, nil, "brand.invalid"},
		{"two addresses for answers", notify.Brand{ReplyTo: "a@a.example, b@b.example"}, nil, "brand.invalid"},
		{"a name of two lines", notify.Brand{Name: "a\r\nBcc: b@b.example"}, nil, "brand.invalid"},
		{"a long name of the sender", notify.Brand{FromName: strings.Repeat("x", 201)}, nil, "brand.invalid"},
		{"a locale that isn't one", notify.Brand{Locale: "xq"}, nil, "brand.invalid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := w.service(func(c *access.Config) {
				c.BaseURLs = []string{"https://portal.example"}
				c.Brand = func(context.Context, access.Account) (notify.Brand, error) { return tt.brand, tt.err }
			})
			prepared := s.Prepare(t.Context(), messages)[0]
			require.Error(t, prepared.Err)
			require.Equal(t, notify.Prepared{Err: prepared.Err}, prepared)
			require.False(t, notify.IsPermanent(prepared.Err), "it is written again later")
			if tt.err != nil {
				require.ErrorIs(t, prepared.Err, tt.err)
				return
			}
			requireOutcome(t, prepared.Err, tt.code, "brand")
			_, err := s.Preview(access.MailAccessChanged, "en", tt.brand)
			requireOutcome(t, err, tt.code, "brand")
		})
	}
}

// TestLinksThatAreNone: a host's own function that returns no absolute URL is an error, not a mail with a dead link.
func TestLinksThatAreNone(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.SetPermissions(t.Context(), olive, "acme", "ivan", access.PayInvoices))
	messages := []notify.Message{{Kind: access.MailAccessChanged, Group: "acme", Ref: "ivan", To: "ivan", Generation: w.account("acme").Version}}
	for _, link := range []string{"", "/accounts/acme", "accounts", "//portal.example/acme", "javascript:alert(1)", "https:///acme", "https://a@portal.example/",
		"https://portal.example/a b", "mailto:a@a.example"} {
		s := w.service(func(c *access.Config) { c.AccountURL = func(access.AccountID) string { return link } })
		prepared := s.Prepare(t.Context(), messages)[0]
		require.ErrorContains(t, prepared.Err, "link", link)
		require.Empty(t, prepared.Mail)
	}
}

func TestPreviewRefuses(t *testing.T) {
	w := newWorld(t)
	_, err := w.Members.Preview("invite", "en", notify.Brand{})
	requireOutcome(t, err, "kind.unknown", "kind")
	for _, locale := range []string{"", "ja", "deutsch", "de\r\n"} {
		_, err = w.Members.Preview(access.MailAccessChanged, locale, notify.Brand{})
		requireOutcome(t, err, "locale.unknown", "locale")
	}
	mails, err := w.Members.Preview(access.MailOwnerChanged, "de-AT", notify.Brand{Name: "Reseller"})
	require.NoError(t, err)
	require.Len(t, mails, 3)
	require.Contains(t, mails[0].Text, "Nachricht von Reseller.")
}

// TestKindsAreNamedOnce, in whatever order a host has its samples: a worker takes two of one kind for two preparers.
func TestKindsAreNamedOnce(t *testing.T) {
	files := fstest.MapFS{}
	var samples []notify.Sample
	for _, kind := range []notify.Kind{"b", "a", "b", "c", "a"} {
		files["en/"+string(kind)+".txt"] = &fstest.MapFile{Data: []byte("Subject: x\nx")}
		files["en/"+string(kind)+".html"] = &fstest.MapFile{Data: []byte("x")}
		samples = append(samples, notify.Sample{Kind: kind, Data: func(string) any { return nil }})
	}
	mails, err := newWorld(t).Members.Mails(files, nil, samples...)
	require.NoError(t, err)
	require.Equal(t, []notify.Kind{"b", "a", "c"}, mails.Kinds())
}

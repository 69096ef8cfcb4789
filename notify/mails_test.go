package notify_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// The data of the mails that this library's packages write.
type (
	inviteData struct {
		Account string
		Inviter access.NamedActor
		Link    string
		Labels  []string
		All     bool
		Until   time.Time
		Zone    string
		Hours   int
		Resent  bool
	}
	acceptedData struct {
		Account, Member string
		Inviter         access.NamedActor
		Labels          []string
		All             bool
		Link            string
	}
	askedData struct {
		Account, Address string
		Inviter          access.NamedActor
		State            string
		At               time.Time
		Zone, Link       string
	}
	changedData struct {
		Account    string
		Actor      access.NamedActor
		Labels     []string
		All        bool
		Status     string
		Expires    time.Time
		Zone, Link string
	}
	removedData struct {
		Account string
		Actor   access.NamedActor
	}
	ownerData struct {
		Account         string
		Actor, NewOwner access.NamedActor
		You             bool
		Keeps           []string
	}
	contactData struct {
		Account    string
		Actor      access.NamedActor
		Contact    string
		Categories []string
		Waiting    []string
		Link       string
		Hours      int
		Until      time.Time
		Zone       string
	}
	movedData struct {
		Account string
		Actor   access.NamedActor
		Masked  string
	}
)

func user(name string) access.NamedActor {
	return access.NamedActor{Kind: access.ActorUser, Name: name}
}

// theLocales are the languages that this library's mails are written in.
var theLocales = []string{"en", "de", "fr"}

var until = time.Date(2026, time.November, 24, 17, 5, 0, 0, time.UTC)

// A mailCase is a kind of mail with data of one shape. Every text in it comes from value.
type mailCase struct {
	name   string
	folder string
	kind   notify.Kind
	data   func(value func(field string) string) any
	names  []string // the fields that the mail has to mention
	says   []string
	omits  []string
}

func mailCases() []mailCase {
	const link = "https://portal.example.net/invites/token"
	type text = func(string) string
	return []mailCase{
		{"invite", "../invite/templates", "invite", func(v text) any {
			return inviteData{v("account"), user(v("inviter")), link, []string{v("label"), "View Domains"}, false, until, "Europe/Vienna", 72, false}
		}, []string{"account", "inviter", "label"}, []string{"valid for 72 hours, until Tuesday, 24 November 2026, 18:05 CET (Europe/Vienna)", link},
			[]string{"new link", "everything"}},
		{"invite again, to all", "../invite/templates", "invite", func(v text) any {
			return inviteData{v("account"), user(v("inviter")), link, []string{v("label")}, true, until, "", 24, true}
		}, []string{"account", "inviter"}, []string{"valid for 24 hours, until Tuesday, 24 November 2026, 17:05 UTC", link, "new link", "no longer work", "everything"}, nil},
		{"invite accepted", "../invite/templates", "invite.accepted", func(v text) any {
			return acceptedData{v("account"), v("member"), user(v("inviter")), []string{v("label")}, false, link}
		}, []string{"account", "member", "inviter", "label"}, []string{"has accepted", link}, []string{"everything"}},
		{"invite accepted, to all", "../invite/templates", "invite.accepted", func(v text) any {
			return acceptedData{v("account"), v("member"), user(v("inviter")), nil, true, ""}
		}, []string{"account", "member", "inviter"}, []string{"everything"}, []string{"see or change"}},
		{"invite asked for", "../invite/templates", "invite.asked", func(v text) any {
			return askedData{v("account"), v("address"), user(v("inviter")), "expired", until, "Europe/Vienna", link}
		}, []string{"account", "address", "inviter"}, []string{"expired on Tuesday, 24 November 2026, 18:05 CET (Europe/Vienna). If it is still wanted, send it again:", link},
			[]string{"revoked", "declined", "newer"}},
		{"revoked invite asked for", "../invite/templates", "invite.asked", func(v text) any {
			return askedData{v("account"), v("address"), user(v("inviter")), "revoked", until, "", ""}
		}, []string{"account", "address", "inviter"}, []string{"revoked on Tuesday, 24 November 2026, 17:05 UTC", "invite the address again."}, []string{"expired", "declined"}},
		{"declined invite asked for", "../invite/templates", "invite.asked", func(v text) any {
			return askedData{v("account"), v("address"), user(v("inviter")), "declined", until, "", link}
		}, []string{"account", "address", "inviter"}, []string{"declined on Tuesday, 24 November 2026, 17:05 UTC", link}, []string{"expired", "revoked"}},
		{"replaced invite asked for", "../invite/templates", "invite.asked", func(v text) any {
			return askedData{v("account"), v("address"), user(v("inviter")), "sent", until, "", link}
		}, []string{"account", "address", "inviter"}, []string{"A newer link was sent to that address on Tuesday", "still works", link}, []string{"expired", "revoked"}},
		{"access changed", "../access/templates", "access.changed", func(v text) any {
			return changedData{v("account"), user(v("actor")), []string{v("label")}, false, "active", until, "Europe/Vienna", link}
		}, []string{"account", "actor", "label"}, []string{"ends on Tuesday, 24 November 2026, 18:05 CET (Europe/Vienna)", link}, []string{"suspended"}},
		{"access changed to all", "../access/templates", "access.changed", func(v text) any {
			return changedData{v("account"), user(v("actor")), []string{v("label")}, true, "active", time.Time{}, "", ""}
		}, []string{"account", "actor"}, []string{"everything"}, []string{"ends on", "suspended", "To go to"}},
		{"access suspended", "../access/templates", "access.changed", func(v text) any {
			return changedData{v("account"), user(v("actor")), []string{v("label")}, false, "suspended", time.Time{}, "", link}
		}, []string{"account", "actor"}, []string{"suspended"}, []string{"You can now", link}},
		{"access removed", "../access/templates", "access.removed", func(v text) any {
			return removedData{v("account"), user(v("actor"))}
		}, []string{"account", "actor"}, []string{"removed"}, nil},
		{"owner changed, to the new one", "../access/templates", "owner.changed", func(v text) any {
			return ownerData{v("account"), user(v("actor")), user(v("owner")), true, nil}
		}, []string{"account", "actor"}, []string{"you are now the owner"}, []string{"You keep"}},
		{"owner changed, to the old one", "../access/templates", "owner.changed", func(v text) any {
			return ownerData{v("account"), user(v("actor")), user(v("owner")), false, []string{v("label")}}
		}, []string{"account", "actor", "owner", "label"}, []string{"You keep these"}, []string{"you are now"}},
		{"owner changed, nothing kept", "../access/templates", "owner.changed", func(v text) any {
			return ownerData{v("account"), user(v("actor")), user(v("owner")), false, nil}
		}, []string{"account", "actor", "owner"}, []string{"You keep no permissions"}, nil},
		{"contact added", "../contact/templates", "contact.added", func(v text) any {
			return contactData{v("account"), user(v("actor")), v("contact"), []string{v("label"), "Invoices"}, nil, "", 0, time.Time{}, ""}
		}, []string{"account", "actor", "contact", "label"}, []string{"You will receive these kinds of mail"}, []string{"no mail about", "confirm", "before"}},
		{"contact added without mail", "../contact/templates", "contact.added", func(v text) any {
			return contactData{v("account"), user(v("actor")), v("contact"), nil, []string{v("waiting")}, "", 0, time.Time{}, ""}
		}, []string{"account", "actor", "contact"}, []string{"You receive no mail about it yet"}, []string{"confirm", "before"}},
		{"contact added with a link", "../contact/templates", "contact.added", func(v text) any {
			return contactData{v("account"), user(v("actor")), v("contact"), nil, nil, link, 72, until, ""}
		}, []string{"account", "actor", "contact"}, []string{link, "Please confirm that this address is yours:", "valid for 72 hours, until Tuesday, 24 November 2026, 17:05 UTC"}, []string{"before"}},
		{"contact added again", "../contact/templates", "contact.added", func(v text) any {
			return contactData{v("account"), user(v("actor")), v("contact"), nil, []string{v("waiting")}, link, 72, until, ""}
		}, []string{"account", "actor", "contact", "waiting"}, []string{link, "only if you say yes", "and that you want the mail above:"}, nil},
		{"contact asked to verify", "../contact/templates", "contact.verify", func(v text) any {
			return contactData{v("account"), user(v("actor")), v("contact"), []string{"Invoices"}, nil, link, 72, until, ""}
		}, []string{"account", "actor", "contact"}, []string{link, "valid for 72 hours, until Tuesday, 24 November 2026, 17:05 UTC"}, []string{"Invoices", "switched"}},
		{"contact asked to subscribe", "../contact/templates", "contact.verify", func(v text) any {
			return contactData{v("account"), user(v("actor")), v("contact"), nil, []string{v("waiting")}, link, 72, until, ""}
		}, []string{"account", "actor", "contact", "waiting"}, []string{link, "You switched these kinds of mail off before"}, nil},
		{"contact moved", "../contact/templates", "contact.moved", func(v text) any {
			return movedData{v("account"), user(v("actor")), "j...@example.com"}
		}, []string{"account", "actor"}, []string{"to j...@example.com: mail for that contact no longer comes here"}, nil},
		{"contact moved and removed", "../contact/templates", "contact.moved", func(v text) any {
			return movedData{v("account"), user(v("actor")), ""}
		}, []string{"account", "actor"}, []string{"has changed it: mail"}, nil},
	}
}

func (c mailCase) parse(t *testing.T) *notify.Templates {
	t.Helper()
	sample := notify.Sample{Kind: c.kind, Data: func(string) any { return c.data(func(field string) string { return field }) }}
	templates, err := notify.ParseTemplates([]notify.Sample{sample}, os.DirFS(c.folder), os.DirFS("../access/templates"))
	require.NoError(t, err)
	require.ElementsMatch(t, theLocales, templates.Locales(c.kind))
	return templates
}

func (c mailCase) render(t require.TestingT, templates *notify.Templates, locale string, value func(field string) string) notify.Mail {
	m, err := templates.Render(c.kind, locale, notify.Brand{}, c.data(value))
	require.NoError(t, err)
	m.MessageID, m.To = "id", "bob@example.com"
	return m
}

func TestMailsNameWhatTheyAreAbout(t *testing.T) {
	values := map[string]func(field string) string{
		"plain":         func(field string) string { return "The " + field },
		"HTML":          func(field string) string { return `<b onclick="x">` + field + ` & 'Sons'</b>` },
		"a template":    func(field string) string { return "{{.Link}} " + field + " {{end}}" },
		"long":          func(field string) string { return field + strings.Repeat("é", 200-len(field)) },
		"right to left": func(field string) string { return "דוד בע״מ " + field },
	}
	for _, c := range mailCases() {
		templates := c.parse(t)
		for name, value := range values {
			for _, locale := range theLocales {
				t.Run(c.name+"/"+name+"/"+locale, func(t *testing.T) {
					m := c.render(t, templates, locale, value)
					require.NoError(t, m.Check())
					shown := visible(t, m.HTML)
					for _, field := range c.names {
						require.Contains(t, m.Text, value(field))
						require.Contains(t, shown, value(field))
					}
					require.Contains(t, m.Subject, short(value("account")))
					if locale != notify.English {
						return
					}
					for _, sentence := range c.says {
						require.Contains(t, m.Text, sentence)
						require.Contains(t, shown, sentence)
					}
					for _, sentence := range c.omits {
						require.NotContains(t, m.Text, sentence)
						require.NotContains(t, shown, sentence)
					}
				})
			}
		}
	}
}

// short is the beginning of a name, which is in a subject even if that had to be cut.
func short(name string) string { return string([]rune(name)[:5]) }

func TestTextAndHTMLSayTheSame(t *testing.T) {
	for _, c := range mailCases() {
		templates := c.parse(t)
		for _, locale := range theLocales {
			t.Run(c.name+"/"+locale, func(t *testing.T) {
				m := c.render(t, templates, locale, func(field string) string { return "The " + field })
				shown := visible(t, m.HTML)
				for line := range strings.Lines(m.Text) {
					line = strings.Join(strings.Fields(strings.TrimPrefix(line, "- ")), " ")
					if line != "--" {
						require.Contains(t, shown, line)
					}
				}
			})
		}
	}
}

// TestValuesCannotForge renders arbitrary values beside harmless ones: the same lines, elements and links remain.
func TestValuesCannotForge(t *testing.T) {
	for _, c := range mailCases() {
		t.Run(c.name, func(t *testing.T) {
			templates := c.parse(t)
			harmless := map[string]notify.Mail{}
			for _, locale := range theLocales {
				harmless[locale] = c.render(t, templates, locale, func(string) string { return "x" })
			}
			rapid.Check(t, func(t *rapid.T) {
				locale := rapid.SampledFrom(theLocales).Draw(t, "locale")
				m := c.render(t, templates, locale, func(field string) string { return "x" + awkward(t, field) })
				require.NoError(t, m.Check())
				requireHeaders(t, m)
				require.Equal(t, strings.Count(harmless[locale].Text, "\n"), strings.Count(m.Text, "\n"), m.Text)
				require.Equal(t, elements(t, harmless[locale].HTML), elements(t, m.HTML), m.HTML)
			})
		})
	}
}

func TestLinksOfAnotherScheme(t *testing.T) {
	c := mailCases()[0]
	m, err := c.parse(t).Render("invite", "en", notify.Brand{}, inviteData{Account: "Acme", Inviter: user("Ann"), Link: "javascript:alert(1)"})
	require.NoError(t, err)
	require.NotContains(t, m.HTML, `href="javascript`)
}

// visible returns what a reader of HTML sees, on one line.
func visible(t require.TestingT, content string) string {
	document, err := html.Parse(strings.NewReader(content))
	require.NoError(t, err)
	var shown strings.Builder
	for node := range document.Descendants() {
		if node.Type == html.TextNode && node.Parent.Data != "style" && node.Parent.Data != "title" {
			shown.WriteString(node.Data)
		}
	}
	return strings.Join(strings.Fields(shown.String()), " ")
}

// elements lists the elements of HTML and where its links lead.
func elements(t require.TestingT, content string) []string {
	document, err := html.Parse(strings.NewReader(content))
	require.NoError(t, err)
	var found []string
	for node := range document.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		line := node.Data
		for _, attribute := range node.Attr {
			line += " " + attribute.Key + "=" + attribute.Val
		}
		found = append(found, line)
	}
	return found
}

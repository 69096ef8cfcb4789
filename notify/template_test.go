package notify_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rosterkit/roster/notify"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// The data of the mails that this library's packages write.
type (
	inviteData struct {
		Account, Inviter, Link string
		Labels                 []string
		All                    bool
		Until                  time.Time
		Zone                   string
		Hours                  int
		Resent                 bool
	}
	acceptedData struct {
		Account, Member, Inviter string
		Labels                   []string
		All                      bool
		Link                     string
	}
	changedData struct {
		Account, Actor string
		Labels         []string
		All            bool
		Status         string
		Expires        time.Time
		Zone, Link     string
	}
	removedData struct{ Account, Actor string }
	ownerData   struct {
		Account, Actor, NewOwner string
		You                      bool
		Keeps                    []string
	}
	contactData struct {
		Account, Actor, Contact string
		Categories, Waiting     []string
		Link                    string
		Hours                   int
		Until                   time.Time
		Zone                    string
	}
	movedData struct{ Account, Actor, Masked string }
)

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
			return inviteData{v("account"), v("inviter"), link, []string{v("label"), "View Domains"}, false, until, "Europe/Vienna", 72, false}
		}, []string{"account", "inviter", "label"}, []string{"valid for 72 hours, until Tuesday, 24 November 2026, 18:05 CET (Europe/Vienna)", link},
			[]string{"new link", "everything"}},
		{"invite again, to all", "../invite/templates", "invite", func(v text) any {
			return inviteData{v("account"), v("inviter"), link, []string{v("label")}, true, until, "", 24, true}
		}, []string{"account", "inviter"}, []string{"valid for 24 hours, until Tuesday, 24 November 2026, 17:05 UTC", link, "new link", "no longer work", "everything"}, nil},
		{"invite accepted", "../invite/templates", "invite.accepted", func(v text) any {
			return acceptedData{v("account"), v("member"), v("inviter"), []string{v("label")}, false, link}
		}, []string{"account", "member", "inviter", "label"}, []string{"has accepted", link}, []string{"everything"}},
		{"invite accepted, to all", "../invite/templates", "invite.accepted", func(v text) any {
			return acceptedData{v("account"), v("member"), v("inviter"), nil, true, ""}
		}, []string{"account", "member", "inviter"}, []string{"everything"}, []string{"see or change"}},
		{"access changed", "../access/templates", "access.changed", func(v text) any {
			return changedData{v("account"), v("actor"), []string{v("label")}, false, "active", until, "Europe/Vienna", link}
		}, []string{"account", "actor", "label"}, []string{"ends on Tuesday, 24 November 2026, 18:05 CET (Europe/Vienna)", link}, []string{"suspended"}},
		{"access changed to all", "../access/templates", "access.changed", func(v text) any {
			return changedData{v("account"), v("actor"), []string{v("label")}, true, "active", time.Time{}, "", ""}
		}, []string{"account", "actor"}, []string{"everything"}, []string{"ends on", "suspended", "To go to"}},
		{"access suspended", "../access/templates", "access.changed", func(v text) any {
			return changedData{v("account"), v("actor"), []string{v("label")}, false, "suspended", time.Time{}, "", link}
		}, []string{"account", "actor"}, []string{"suspended"}, []string{"You can now", link}},
		{"access removed", "../access/templates", "access.removed", func(v text) any {
			return removedData{v("account"), v("actor")}
		}, []string{"account", "actor"}, []string{"removed"}, nil},
		{"owner changed, to the new one", "../access/templates", "owner.changed", func(v text) any {
			return ownerData{v("account"), v("actor"), v("owner"), true, nil}
		}, []string{"account", "actor"}, []string{"you are now the owner"}, []string{"You keep"}},
		{"owner changed, to the old one", "../access/templates", "owner.changed", func(v text) any {
			return ownerData{v("account"), v("actor"), v("owner"), false, []string{v("label")}}
		}, []string{"account", "actor", "owner", "label"}, []string{"You keep these"}, []string{"you are now"}},
		{"owner changed, nothing kept", "../access/templates", "owner.changed", func(v text) any {
			return ownerData{v("account"), v("actor"), v("owner"), false, nil}
		}, []string{"account", "actor", "owner"}, []string{"You keep no permissions"}, nil},
		{"contact added", "../contact/templates", "contact.added", func(v text) any {
			return contactData{v("account"), v("actor"), v("contact"), []string{v("label"), "Invoices"}, nil, "", 0, time.Time{}, ""}
		}, []string{"account", "actor", "contact", "label"}, []string{"You will receive these kinds of mail"}, []string{"no mail about", "confirm", "before"}},
		{"contact added without mail", "../contact/templates", "contact.added", func(v text) any {
			return contactData{v("account"), v("actor"), v("contact"), nil, []string{v("waiting")}, "", 0, time.Time{}, ""}
		}, []string{"account", "actor", "contact"}, []string{"You receive no mail about it yet"}, []string{"confirm", "before"}},
		{"contact added with a link", "../contact/templates", "contact.added", func(v text) any {
			return contactData{v("account"), v("actor"), v("contact"), nil, nil, link, 72, until, ""}
		}, []string{"account", "actor", "contact"}, []string{link, "Please confirm that this address is yours:", "valid for 72 hours, until Tuesday, 24 November 2026, 17:05 UTC"}, []string{"before"}},
		{"contact added again", "../contact/templates", "contact.added", func(v text) any {
			return contactData{v("account"), v("actor"), v("contact"), nil, []string{v("waiting")}, link, 72, until, ""}
		}, []string{"account", "actor", "contact", "waiting"}, []string{link, "only if you say yes", "and that you want the mail above:"}, nil},
		{"contact asked to verify", "../contact/templates", "contact.verify", func(v text) any {
			return contactData{v("account"), v("actor"), v("contact"), []string{"Invoices"}, nil, link, 72, until, ""}
		}, []string{"account", "actor", "contact"}, []string{link, "valid for 72 hours, until Tuesday, 24 November 2026, 17:05 UTC"}, []string{"Invoices", "switched"}},
		{"contact asked to subscribe", "../contact/templates", "contact.verify", func(v text) any {
			return contactData{v("account"), v("actor"), v("contact"), nil, []string{v("waiting")}, link, 72, until, ""}
		}, []string{"account", "actor", "contact", "waiting"}, []string{link, "You switched these kinds of mail off before"}, nil},
		{"contact moved", "../contact/templates", "contact.moved", func(v text) any {
			return movedData{v("account"), v("actor"), "j...@example.com"}
		}, []string{"account", "actor"}, []string{"to j...@example.com: mail for that contact no longer comes here"}, nil},
		{"contact moved and removed", "../contact/templates", "contact.moved", func(v text) any {
			return movedData{v("account"), v("actor"), ""}
		}, []string{"account", "actor"}, []string{"has changed it: mail"}, nil},
	}
}

func (c mailCase) parse(t *testing.T) *notify.Templates {
	t.Helper()
	templates, err := notify.ParseTemplates(os.DirFS(c.folder), c.kind)
	require.NoError(t, err)
	return templates
}

func (c mailCase) render(t require.TestingT, templates *notify.Templates, value func(field string) string) notify.Mail {
	m, err := templates.Render(c.kind, c.data(value))
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
		for name, value := range values {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				m := c.render(t, c.parse(t), value)
				require.NoError(t, m.Check())
				shown := visible(t, m.HTML)
				for _, field := range c.names {
					require.Contains(t, m.Text, value(field))
					require.Contains(t, shown, value(field))
				}
				for _, sentence := range c.says {
					require.Contains(t, m.Text, sentence)
					require.Contains(t, shown, sentence)
				}
				for _, sentence := range c.omits {
					require.NotContains(t, m.Text, sentence)
					require.NotContains(t, shown, sentence)
				}
				require.Contains(t, m.Subject, short(value("account")))
			})
		}
	}
}

// short is the beginning of a name, which is in a subject even if that had to be cut.
func short(name string) string { return string([]rune(name)[:5]) }

func TestTextAndHTMLSayTheSame(t *testing.T) {
	for _, c := range mailCases() {
		t.Run(c.name, func(t *testing.T) {
			m := c.render(t, c.parse(t), func(field string) string { return "The " + field })
			shown := visible(t, m.HTML)
			for line := range strings.Lines(m.Text) {
				if line = strings.TrimPrefix(strings.TrimSpace(line), "- "); line != "--" {
					require.Contains(t, shown, line)
				}
			}
		})
	}
}

// TestValuesCannotForge renders arbitrary values beside harmless ones: the same lines, elements and links remain.
func TestValuesCannotForge(t *testing.T) {
	for _, c := range mailCases() {
		t.Run(c.name, func(t *testing.T) {
			templates := c.parse(t)
			harmless := c.render(t, templates, func(string) string { return "x" })
			rapid.Check(t, func(t *rapid.T) {
				m := c.render(t, templates, func(field string) string { return "x" + awkward(t, field) })
				require.NoError(t, m.Check())
				requireHeaders(t, m)
				require.Equal(t, strings.Count(harmless.Text, "\n"), strings.Count(m.Text, "\n"), m.Text)
				require.Equal(t, elements(t, harmless.HTML), elements(t, m.HTML), m.HTML)
			})
		})
	}
}

func TestLinksOfAnotherScheme(t *testing.T) {
	c := mailCases()[0]
	m, err := c.parse(t).Render("invite", inviteData{Account: "Acme", Inviter: "Ann", Link: "javascript:alert(1)"})
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

func TestRender(t *testing.T) {
	files := fstest.MapFS{
		"hello.txt":  {Data: []byte("Subject: Hello {{.Name}}\r\nDear {{.Name}},{{$n := 3}}\r\n{{if .Sure}}\r\n\r\n  \r\nsure {{$n}}\r\n{{end}}\r\n")},
		"hello.html": {Data: []byte("<p title=\"{{.Name}}\">{{template \"name\" .Name}}</p>{{define \"name\"}}<i>{{.}}</i>{{end}}")},
	}
	templates, err := notify.ParseTemplates(files, "hello")
	require.NoError(t, err)

	m, err := templates.Render("hello", map[string]any{"Name": "Ann\r\nBcc: <eve>", "Sure": true})
	require.NoError(t, err)
	require.Equal(t, "Hello Ann  Bcc: <eve>", m.Subject)
	require.Equal(t, "Dear Ann  Bcc: <eve>,\n\nsure 3\n\n-- \nThis is an automatic message.\n", m.Text)
	require.Contains(t, m.HTML, "<p title=\"Ann  Bcc: &lt;eve&gt;\"><i>Ann  Bcc: &lt;eve&gt;</i></p>")
	require.Contains(t, m.HTML, "<title>Hello Ann  Bcc: &lt;eve&gt;</title>")

	_, err = templates.Render("hello", map[string]any{"Name": "Ann"})
	require.ErrorContains(t, err, "Sure", "a missing key")
	_, err = templates.Render("hello", struct{ Name string }{"Ann"})
	require.ErrorContains(t, err, "Sure", "a missing field")
	_, err = templates.Render("bye", nil)
	require.ErrorContains(t, err, `no templates for kind "bye"`)
}

func TestRenderCutsLongValues(t *testing.T) {
	files := fstest.MapFS{
		"hello.txt":  {Data: []byte("Subject: {{.}}\n{{.}}\n")},
		"hello.html": {Data: []byte("{{.}}")},
	}
	templates, err := notify.ParseTemplates(files, "hello")
	require.NoError(t, err)
	m, err := templates.Render("hello", strings.Repeat("é", 10_000))
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("é", 249)+"…", m.Subject)
	require.Contains(t, m.Text, strings.Repeat("é", 1999)+"…\n")
}

func TestParseTemplatesRefuses(t *testing.T) {
	file := func(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }
	tests := []struct {
		name  string
		files fstest.MapFS
		want  string
	}{
		{"no text", fstest.MapFS{"k.html": file("x")}, "k.txt"},
		{"no HTML", fstest.MapFS{"k.txt": file("Subject: x\nx")}, "k.html"},
		{"no subject", fstest.MapFS{"k.txt": file("x"), "k.html": file("x")}, "the first line of k.txt"},
		{"a bad subject", fstest.MapFS{"k.txt": file("Subject: {{\nx"), "k.html": file("x")}, "k.txt"},
		{"a bad text", fstest.MapFS{"k.txt": file("Subject: x\n{{if}}"), "k.html": file("x")}, "k.txt"},
		{"an unknown function", fstest.MapFS{"k.txt": file("Subject: x\n{{env 1}}"), "k.html": file("x")}, "env"},
		{"a bad HTML", fstest.MapFS{"k.txt": file("Subject: x\nx"), "k.html": file("{{end}}")}, "k.html"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := notify.ParseTemplates(tt.files, "k")
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err := notify.ParseTemplates(fstest.MapFS{}, "k")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestDate(t *testing.T) {
	files := fstest.MapFS{"k.txt": {Data: []byte("Subject: x\n{{date .At .Zone}}")}, "k.html": {Data: []byte("x")}}
	templates, err := notify.ParseTemplates(files, "k")
	require.NoError(t, err)
	tests := []struct {
		zone string
		want string
	}{
		{"Europe/Vienna", "Tuesday, 24 November 2026, 18:05 CET (Europe/Vienna)"},
		{"America/Sao_Paulo", "Tuesday, 24 November 2026, 14:05 -03 (America/Sao_Paulo)"},
		{"UTC", "Tuesday, 24 November 2026, 17:05 UTC"},
		{"", "Tuesday, 24 November 2026, 17:05 UTC"},
		{"Local", "Tuesday, 24 November 2026, 17:05 UTC"},
		{"Nowhere/Town", "Tuesday, 24 November 2026, 17:05 UTC"},
		{"../../etc/passwd", "Tuesday, 24 November 2026, 17:05 UTC"},
	}
	for _, tt := range tests {
		t.Run(tt.zone, func(t *testing.T) {
			at := until.In(time.FixedZone("odd", 5000))
			m, err := templates.Render("k", map[string]any{"At": at, "Zone": tt.zone})
			require.NoError(t, err)
			text, _, _ := strings.Cut(m.Text, "\n")
			require.Equal(t, tt.want, text)
		})
	}
}

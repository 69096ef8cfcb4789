package smtpmail_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rosterkit/roster/notify"
	"github.com/stretchr/testify/require"
)

// awkward are texts that somebody could try to forge mail with, or that are hard to write.
var awkward = []string{
	"", " ", "a", "Bob Builder", "\r\nBcc: eve@example.com", "\nBcc: eve@example.com", "\r\n\r\nbody", "\r\n.\r\nQUIT\r\n", "a\rb", "\x00", "\xff\xfe",
	"{{.Token}}", "=?utf-8?q?x?=", "=?utf-8?b?DQpCY2M6IGV2ZUBleGFtcGxlLmNvbQ==?=", "x =?utf-8?q?y?= z", "=?", `"quoted"`, `back\slash\`, `a" <eve@example.com>, "b`,
	"(comment)", "a, b; c: d", "<a href=//evil.example>", "</p><script>", "&amp;", "two  blanks", " blank before", "blank after ", "a" + strings.Repeat(" ", 300) + "b",
	strings.Repeat("long ", 40), strings.Repeat("x", 200), strings.Repeat("x", 250), strings.Repeat("Ж", 200), strings.Repeat("𝒳", 100), "Ünïcödé Wörds Hëre",
	"דוד", "👩\u200d🚀 astronaut", "e\u0301", "\u202eecila", "\u2028", "\u0085", "tab\there", ".", "..", "a=b", "==", "From me", "%41%0d%0a", "utf-8''x", "a*b",
	"--", "\n--boundary\nContent-Type: text/html\n\n", "Тема: письмо", "日本語の件名がここにあります。とても長いので折り返されます。", "a\n.\nb", strings.Repeat("a\n", 100), strings.Repeat("ü", 900),
}

// requireRoundTrip fails unless a mail that is let through is read as what it is, with the headers that it has to have. It
// reports whether it was let through.
func requireRoundTrip(t *testing.T, m notify.Mail) bool {
	t.Helper()
	from, to, message, err := composer(t).Compose(m)
	if err != nil {
		require.Nil(t, message)
		if m.Check() == nil {
			require.False(t, isASCII(m.To+m.From+m.ReplyTo), "only a domain that has no ASCII form is refused beyond that: %s", err)
		}
		return false
	}
	require.NoError(t, m.Check())
	got := read(t, message)
	requireSame(t, m, got)
	require.Equal(t, got.From, from, "the envelope says the same")
	require.Equal(t, got.To, to)

	plain := validMail() // whose values do nothing out of the way
	plain.HTML, plain.ReplyTo, plain.Unsubscribe, plain.Attachments = "x", m.ReplyTo, m.Unsubscribe, m.Attachments
	if m.HTML == "" {
		plain.HTML = ""
	}
	_, _, message, err = composer(t).Compose(plain)
	require.NoError(t, err)
	require.ElementsMatch(t, read(t, message).Headers, got.Headers)
	return true
}

func FuzzNames(f *testing.F) {
	for _, text := range awkward {
		f.Add(text, "The Portal")
		f.Add("Bob", text)
	}
	f.Fuzz(func(t *testing.T, receiver, sender string) {
		m := fullMail()
		m.ToName, m.FromName = receiver, sender
		requireRoundTrip(t, m)
	})
}

func FuzzSubject(f *testing.F) {
	for _, text := range awkward {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, subject string) {
		m := fullMail()
		m.Subject = subject
		requireRoundTrip(t, m)
	})
}

func FuzzAddresses(f *testing.F) {
	for _, text := range awkward {
		f.Add(text, "a@example.com", "b@example.com")
		f.Add("a@example.com", text+"@example.com", "b@"+text)
	}
	f.Add("a+b=c@example.com", "!#$%&'*+-/=?^_`{|}~@example.com", "x@bücher.example")
	f.Add("jürgen@bücher.example", "=?utf-8?q?x?=@example.com", strings.Repeat("a", 240)+"@example.com")
	f.Add("a@example.com", "a@xn--.example", "a@ä"+strings.Repeat("a", 100)+".example")
	f.Fuzz(func(t *testing.T, to, from, replyTo string) {
		m := fullMail()
		m.To, m.From, m.ReplyTo = to, from, replyTo
		requireRoundTrip(t, m)
	})
}

func FuzzParts(f *testing.F) {
	for _, text := range awkward {
		f.Add(text, "<p>x</p>")
		f.Add("x", text)
		f.Add(text, "")
	}
	f.Fuzz(func(t *testing.T, text, html string) {
		m := fullMail()
		m.Text, m.HTML = text, html
		requireRoundTrip(t, m)
		m.Attachments = nil // then the parts stand elsewhere
		requireRoundTrip(t, m)
	})
}

func FuzzUnsubscribe(f *testing.F) {
	for _, text := range awkward {
		f.Add(text)
		f.Add("https://portal.example.net/" + text)
		f.Add("https://" + text)
	}
	f.Add("HTTPS://portal.example.net/?a=b&c=%0d%0a#d")
	f.Add("https://portal.example.net/" + strings.Repeat("x", 870))
	f.Fuzz(func(t *testing.T, link string) {
		m := fullMail()
		m.Unsubscribe = link
		requireRoundTrip(t, m)
	})
}

// FuzzTemplates has values reach a mail by its templates, in whatever language is asked for: neither what is around them
// nor the headers change.
func FuzzTemplates(f *testing.F) {
	for i, text := range awkward {
		f.Add(text, "Invoice Emails", "The Portal", "de-AT")
		f.Add("Acme & Sons", text, awkward[len(awkward)-1-i], text)
	}
	templates, err := notify.ParseTemplates([]notify.Sample{{Kind: "k", Data: func(string) any { return map[string]string{"account": "", "category": ""} }}},
		fstest.MapFS{
			"en/k.txt":  {Data: []byte("Subject: {{.category}} of {{.account}}\nAccount: {{.account}}.\nCategory: {{.category}}.")},
			"en/k.html": {Data: []byte(`<p title="{{.account}}">{{.category}}</p>`)},
			"de/k.txt":  {Data: []byte("Subject: {{.category}} von {{.account}}\nKonto: {{.account}}.\nArt: {{.category}}.")},
			"de/k.html": {Data: []byte(`<p title="{{.account}}">{{.category}}</p>`)},
		})
	require.NoError(f, err)
	render := func(t *testing.T, locale, brand, account, category string) notify.Mail {
		data := map[string]string{"account": account, "category": category}
		m, err := templates.Render("k", templates.Match("k", locale), notify.Brand{Name: brand, FromName: brand, From: "a@example.org"}, data)
		require.NoError(t, err)
		m.MessageID, m.To = "1", "bob@example.com"
		return m
	}
	f.Fuzz(func(t *testing.T, account, category, brand, locale string) {
		m := render(t, locale, brand, account, category)
		if (notify.Brand{FromName: brand}).Check() != nil {
			require.Error(t, m.Check())
			return
		}
		require.True(t, requireRoundTrip(t, m))
		plain := render(t, locale, "x", "x", "x")
		require.Equal(t, strings.Count(plain.Text, "\n"), strings.Count(m.Text, "\n"), m.Text)
		require.Equal(t, strings.Count(plain.HTML, "<"), strings.Count(m.HTML, "<"), m.HTML)
		require.Equal(t, strings.Count(plain.HTML, `"`), strings.Count(m.HTML, `"`), m.HTML)
	})
}

func FuzzAttachments(f *testing.F) {
	for _, text := range awkward {
		f.Add(text, "application/pdf", []byte("x"))
		f.Add("a.txt", "text/"+text, []byte("x"))
		f.Add(text+".pdf", text, []byte(text))
	}
	f.Add("../../etc/passwd", "application/octet-stream", []byte{})
	f.Fuzz(func(t *testing.T, name, mediaType string, content []byte) {
		m := fullMail()
		m.Attachments = []notify.Attachment{{Name: name, Type: mediaType, Content: content}, {Name: "b.bin", Type: "a/b"}}
		requireRoundTrip(t, m)
	})
}

func FuzzMessageID(f *testing.F) {
	for _, text := range awkward {
		f.Add(text)
	}
	f.Add("01900000-0000-7000-8000-000000000001")
	f.Add(strings.Repeat("a", 128))
	f.Fuzz(func(t *testing.T, id string) {
		m := fullMail()
		m.MessageID = notify.MessageID(id)
		requireRoundTrip(t, m)
	})
}

// TestAwkwardTextsAreLetThrough shows that the fuzz targets don't pass by refusing everything.
func TestAwkwardTextsAreLetThrough(t *testing.T) {
	count := 0
	for _, text := range awkward {
		m := fullMail()
		m.ToName, m.FromName = text, text
		if requireRoundTrip(t, m) {
			count++
		}
	}
	require.Greater(t, count, 30)
}

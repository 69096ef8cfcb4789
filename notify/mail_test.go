package notify_test

import (
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/rosterkit/roster/notify"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func validMail() notify.Mail {
	return notify.Mail{
		MessageID: "01900000-0000-7000-8000-000000000001",
		To:        "Bob.Builder@example.com",
		ToName:    "Bob Builder",
		From:      "portal@example.net",
		FromName:  "The Portal",
		ReplyTo:   "support@example.net",
		Subject:   "Ann invites you to “Acme”",
		Text:      "Hello,\n\n\tbye\n",
		HTML:      "<p>Hello,</p>\n",

		Unsubscribe: "https://portal.example.net/unsubscribe?token=a-b_c.d~e",
		Attachments: []notify.Attachment{{Name: "Überblick 7.pdf", Type: "application/pdf", Content: []byte("%PDF")}},
	}
}

func TestCheckLetsMailsThrough(t *testing.T) {
	require.NoError(t, validMail().Check())

	bare := validMail()
	bare.ToName, bare.From, bare.FromName, bare.ReplyTo, bare.HTML, bare.Unsubscribe, bare.Attachments = "", "", "", "", "", "", nil
	require.NoError(t, bare.Check())

	joined := validMail()
	joined.ToName = "👩\u200d🚀 \u05d3\u05d5\u05d3" // a joined emoji and right-to-left letters are names
	require.NoError(t, joined.Check())
}

func TestCheckRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*notify.Mail)
		want  string
	}{
		{"no message id", func(m *notify.Mail) { m.MessageID = "" }, "message id"},
		{"angle in message id", func(m *notify.Mail) { m.MessageID = "a>b" }, "message id"},
		{"line break in message id", func(m *notify.Mail) { m.MessageID = "a\r\nBcc" }, "message id"},
		{"long message id", func(m *notify.Mail) { m.MessageID = notify.MessageID(strings.Repeat("a", 129)) }, "message id"},
		{"no receiver", func(m *notify.Mail) { m.To = "" }, "receiver's address is empty"},
		{"no at", func(m *notify.Mail) { m.To = "bob.example.com" }, "receiver's address is not one address"},
		{"no local part", func(m *notify.Mail) { m.To = "@example.com" }, "receiver's address is not one address"},
		{"no domain", func(m *notify.Mail) { m.To = "bob@" }, "receiver's address is not one address"},
		{"two ats", func(m *notify.Mail) { m.To = "bob@evil.example@example.com" }, "receiver's address is not one address"},
		{"two receivers", func(m *notify.Mail) { m.To = "a@example.com,b@example.com" }, "receiver's address holds"},
		{"two receivers by semicolon", func(m *notify.Mail) { m.To = "a@example.com;b@example.com" }, "receiver's address holds"},
		{"two receivers by NUL", func(m *notify.Mail) { m.To = "a@example.com\x00b@example.com" }, "receiver's address holds"},
		{"name in address", func(m *notify.Mail) { m.To = "Bob <bob@example.com>" }, "receiver's address holds"},
		{"quoted local part", func(m *notify.Mail) { m.To = `"bob@evil.example x"@example.com` }, "receiver's address holds"},
		{"comment", func(m *notify.Mail) { m.To = "bob(x)@example.com" }, "receiver's address holds"},
		{"literal", func(m *notify.Mail) { m.To = "bob@[127.0.0.1]" }, "receiver's address holds"},
		{"line break in address", func(m *notify.Mail) { m.To = "bob@example.com\r\nBcc:eve@example.com" }, "receiver's address holds"},
		{"parameter in address", func(m *notify.Mail) { m.To = "bob@example.com> ORCPT=eve" }, "receiver's address holds"},
		{"invisible in address", func(m *notify.Mail) { m.To = "b\u200bob@example.com" }, "receiver's address holds"},
		{"long address", func(m *notify.Mail) { m.To = strings.Repeat("a", 243) + "@example.com" }, "receiver's address is longer than 254 bytes"},
		{"dot at the end of the local part", func(m *notify.Mail) { m.To = "bob.@example.com" }, "receiver's address is not one address"},
		{"two dots", func(m *notify.Mail) { m.To = "bob@example..com" }, "receiver's address is not one address"},
		{"bad sender", func(m *notify.Mail) { m.From = "portal" }, "sender's address is not one address"},
		{"bad address for answers", func(m *notify.Mail) { m.ReplyTo = "a@example.com, b@example.com" }, "address for answers holds"},
		{"line break in sender's name", func(m *notify.Mail) { m.FromName = "Portal\r\nBcc: eve@example.com" }, "sender's name holds"},
		{"long sender's name", func(m *notify.Mail) { m.FromName = strings.Repeat("é", 201) }, "sender's name is longer than 200 characters"},
		{"line break in name", func(m *notify.Mail) { m.ToName = "Bob\nBcc: eve@example.com" }, "receiver's name holds"},
		{"separator in name", func(m *notify.Mail) { m.ToName = "Bob\u2028Bcc" }, "receiver's name holds"},
		{"paragraph separator in name", func(m *notify.Mail) { m.ToName = "Bob\u2029Bcc" }, "receiver's name holds"},
		{"turned name", func(m *notify.Mail) { m.ToName = "Bob\u202eecila" }, "receiver's name holds"},
		{"long name", func(m *notify.Mail) { m.ToName = strings.Repeat("é", 201) }, "receiver's name is longer than 200 characters"},
		{"no subject", func(m *notify.Mail) { m.Subject = " " }, "subject is empty"},
		{"line break in subject", func(m *notify.Mail) { m.Subject = "Hello\r\nBcc: eve@example.com" }, "subject holds"},
		{"return in subject", func(m *notify.Mail) { m.Subject = "Hello\rBcc: eve@example.com" }, "subject holds"},
		{"subject not UTF-8", func(m *notify.Mail) { m.Subject = "Hello \xff" }, "subject holds"},
		{"long subject", func(m *notify.Mail) { m.Subject = strings.Repeat("x", 251) }, "subject is longer than 250 characters"},
		{"no text", func(m *notify.Mail) { m.Text = "\n" }, "text is empty"},
		{"NUL in text", func(m *notify.Mail) { m.Text = "a\x00b" }, "text holds"},
		{"bare return in text", func(m *notify.Mail) { m.Text = "a\r.\rb" }, "text holds"},
		{"long text", func(m *notify.Mail) { m.Text = strings.Repeat("x", 1<<20+1) }, "text is longer than 1048576 bytes"},
		{"HTML not UTF-8", func(m *notify.Mail) { m.HTML = "\xc3" }, "HTML holds"},
		{"relative link", func(m *notify.Mail) { m.Unsubscribe = "/unsubscribe" }, "unsubscribe link is not an absolute"},
		{"link without host", func(m *notify.Mail) { m.Unsubscribe = "https:///unsubscribe" }, "unsubscribe link is not an absolute"},
		{"link with a port only", func(m *notify.Mail) { m.Unsubscribe = "https://:443/unsubscribe" }, "unsubscribe link is not an absolute"},
		{"link with a password", func(m *notify.Mail) { m.Unsubscribe = "https://a:b@portal.example.net/" }, "unsubscribe link is not an absolute"},
		{"script as link", func(m *notify.Mail) { m.Unsubscribe = "javascript:alert(1)" }, "unsubscribe link is not an absolute"},
		{"mailto as link", func(m *notify.Mail) { m.Unsubscribe = "mailto:x.example.net" }, "unsubscribe link is not an absolute"},
		{"two links", func(m *notify.Mail) { m.Unsubscribe = "https://a.example.net>,<https://b.example.net" }, "unsubscribe link holds"},
		{"line break in link", func(m *notify.Mail) { m.Unsubscribe = "https://a.example.net/\r\nBcc:b" }, "unsubscribe link holds"},
		{"letters beyond ASCII in link", func(m *notify.Mail) { m.Unsubscribe = "https://ä.example.net/" }, "unsubscribe link holds"},
		{"long link", func(m *notify.Mail) { m.Unsubscribe += strings.Repeat("a", 900) }, "unsubscribe link is longer than 900 bytes"},
		{"attachment without name", attachment(func(a *notify.Attachment) { a.Name = "" }), "attachment's name is not"},
		{"attachment named by dots", attachment(func(a *notify.Attachment) { a.Name = ".." }), "attachment's name is not"},
		{"attachment in a folder", attachment(func(a *notify.Attachment) { a.Name = "../../x.example" }), "attachment's name is not"},
		{"attachment in a folder of Windows", attachment(func(a *notify.Attachment) { a.Name = `..\x.example` }), "attachment's name is not"},
		{"line break in attachment's name", attachment(func(a *notify.Attachment) { a.Name = "a\r\nBcc: eve@example.com" }), "attachment's name holds"},
		{"attachment that looks like another", attachment(func(a *notify.Attachment) { a.Name = "a\u202efdp.exe" }), "attachment's name holds"},
		{"long attachment's name", attachment(func(a *notify.Attachment) { a.Name = strings.Repeat("é", 101) }), "attachment's name is longer than 200 bytes"},
		{"no media type", attachment(func(a *notify.Attachment) { a.Type = "" }), "attachment's media type"},
		{"half a media type", attachment(func(a *notify.Attachment) { a.Type = "pdf" }), "attachment's media type"},
		{"media type with parameter", attachment(func(a *notify.Attachment) { a.Type = "text/plain; charset=utf-7" }), "attachment's media type"},
		{"line break in media type", attachment(func(a *notify.Attachment) { a.Type = "text/plain\r\nX-Example: y" }), "attachment's media type"},
		{"parts as attachment", attachment(func(a *notify.Attachment) { a.Type = "Multipart/mixed" }), "attachment's media type"},
		{"message as attachment", attachment(func(a *notify.Attachment) { a.Type = "message/rfc822" }), "attachment's media type"},
		{"too many attachments", func(m *notify.Mail) { m.Attachments = slices.Repeat(m.Attachments, 21) }, "more than 20 attachments"},
		{"long attachments", func(m *notify.Mail) {
			m.Attachments[0].Content = make([]byte, 8<<20+1)
			m.Attachments = slices.Repeat(m.Attachments, 2)
		}, "attachments are longer than 16777216 bytes"},
		{"escape in HTML", func(m *notify.Mail) { m.HTML = "\x1b[2J" }, "HTML holds"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := validMail()
			tt.spoil(&m)
			err := m.Check()
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "example", "the part itself is not repeated")
		})
	}
}

// attachment spoils the one attachment of a mail.
func attachment(spoil func(*notify.Attachment)) func(*notify.Mail) {
	return func(m *notify.Mail) { spoil(&m.Attachments[0]) }
}

// TestCheckedMailForgesNoHeader writes the headers in the most careless way there is: what passed the check comes back
// from the parser as it went in, in as many headers.
func TestCheckedMailForgesNoHeader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := validMail()
		m.MessageID = notify.MessageID(awkward(t, "message id"))
		m.To = rapid.OneOf(rapid.Just(m.To), rapid.Just("x@example.com"+awkward(t, "to"))).Draw(t, "address")
		m.ToName = awkward(t, "name")
		m.Subject = "x" + awkward(t, "subject") + "x"
		if m.Check() != nil {
			m = validMail()
			m.Subject = "x" + awkward(t, "other subject") + "x"
		}
		if m.Check() == nil {
			requireHeaders(t, m)
		}
	})
}

// requireHeaders fails unless the headers of a mail, written as they are, are read as they are.
func requireHeaders(t require.TestingT, m notify.Mail) {
	written := fmt.Sprintf("Message-ID: <%s@example.net>\r\nTo: %s\r\nX-Name: x%sx\r\nSubject: %s\r\n\r\nText", m.MessageID, m.To, m.ToName, m.Subject)
	read, err := mail.ReadMessage(strings.NewReader(written))
	require.NoError(t, err)
	require.Len(t, read.Header, 4)
	require.Equal(t, "x"+m.ToName+"x", read.Header.Get("X-Name"))
	require.Equal(t, m.Subject, read.Header.Get("Subject"))
	require.Equal(t, m.To, read.Header.Get("To"))
}

// awkward draws a text that somebody could try to forge mail with.
func awkward(t *rapid.T, label string) string {
	return rapid.OneOf(
		rapid.String(),
		rapid.StringOf(rapid.RuneFrom([]rune("\r\n\t\x00 :<>@,;\"\u2028\u202e\u0085a"))),
		rapid.SampledFrom([]string{
			"\r\nBcc: eve@example.com", "\nBcc: eve@example.com", "\r\n\r\nbody", "\r\n .\r\n", "{{.Token}}", "\xff\xfe",
			"<a href=//evil.example>", "javascript:alert(1)", "</p><script>", strings.Repeat("long ", 2000), "דוד", "&amp;", "=?utf-8?q?x?=",
		}),
	).Draw(t, label)
}

func TestPermanent(t *testing.T) {
	refused := errors.New("no such user")
	require.NoError(t, notify.Permanent(nil))
	require.True(t, notify.IsPermanent(notify.Permanent(refused)))
	require.True(t, notify.IsPermanent(fmt.Errorf("sending: %w", notify.Permanent(refused))))
	require.ErrorIs(t, notify.Permanent(refused), refused)
	require.Equal(t, "no such user", notify.Permanent(refused).Error())
	require.False(t, notify.IsPermanent(refused))
	require.False(t, notify.IsPermanent(nil))
}

func TestAddressError(t *testing.T) {
	err := fmt.Errorf("sending: %w", &notify.AddressError{Code: 550, Status: "5.1.1"})
	require.True(t, notify.IsPermanent(err))
	require.EqualError(t, err, "sending: the receiver's address was refused: 550 5.1.1")
	require.EqualError(t, &notify.AddressError{Code: 550}, "the receiver's address was refused: 550")
	require.EqualError(t, &notify.AddressError{}, "the receiver's address was refused")
}

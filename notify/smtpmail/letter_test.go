package smtpmail_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/smtpmail"
	"github.com/rosterkit/roster/notify/smtpmail/smtptest"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/idna"
)

// fullMail has everything that a mail may have.
func fullMail() notify.Mail {
	m := validMail()
	m.ToName, m.Subject = "Bob Builder", "Your invoice"
	m.From, m.FromName, m.ReplyTo = "billing@example.org", "Acme Billing", "support@example.org"
	m.Unsubscribe = "https://portal.example.net/unsubscribe?token=a-b_c.d~e"
	m.Attachments = []notify.Attachment{{Name: "invoice.pdf", Type: "application/pdf", Content: []byte("%PDF\x00\xff\r\n.\n")}}
	return m
}

func composer(t testing.TB) *smtpmail.Mailer {
	return newMailer(t, "mail.example.net:587", smtpmail.Config{})
}

func TestHeaders(t *testing.T) {
	_, _, message, err := composer(t).Compose(fullMail())
	require.NoError(t, err)
	got := read(t, message)
	require.Equal(t, []string{"Auto-Submitted", "Date", "From", "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Message-ID",
		"Reply-To", "Subject", "To", "Content-Type"}, got.Headers)
	require.Equal(t, "Sun, 01 Mar 2026 11:00:00 +0000", got.Date)
	require.Equal(t, "auto-generated", got.Auto)
	require.Equal(t, "example.net", got.Domain, "the mailer's, whoever the mail is from")
	require.Equal(t, "List-Unsubscribe=One-Click", got.Post)
	require.Contains(t, string(message), "\r\nSubject: Your invoice\r\nTo: \"Bob Builder\" <Bob.Builder@example.com>\r\n", "readable where it can be")
}

func TestHeadersThatAreLeftOut(t *testing.T) {
	m := validMail()
	m.HTML = ""
	_, _, message, err := composer(t).Compose(m)
	require.NoError(t, err)
	got := read(t, message)
	require.Equal(t, []string{"Auto-Submitted", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To", "Content-Transfer-Encoding",
		"Content-Type"}, got.Headers)
	require.Equal(t, "The Portal", got.FromName)
	require.Equal(t, "portal@example.net", got.From)

	m.Unsubscribe = "http://localhost:8080/unsubscribe"
	_, _, message, err = composer(t).Compose(m)
	require.NoError(t, err)
	require.Equal(t, m.Unsubscribe, read(t, message).Unsubscribe)
	require.Empty(t, read(t, message).Post, "one click is for https")
}

// TestLinesOfHeadersAreShort holds for what can be broken: not for addresses and links.
func TestLinesOfHeadersAreShort(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 190), strings.Repeat("long words ", 17) + "x", strings.Repeat("Ж", 190), strings.Repeat("x", 61), strings.Repeat("x", 60)} {
		m := validMail()
		m.Subject, m.ToName, m.FromName = text, text, text
		_, _, message, err := composer(t).Compose(m)
		require.NoError(t, err)
		head, _, _ := strings.Cut(string(message), "\r\n\r\n")
		for line := range strings.SplitSeq(head, "\r\n") {
			require.LessOrEqual(t, len(line), 78)
		}
		require.Equal(t, text, read(t, message).Subject)
	}
}

func TestSenders(t *testing.T) {
	tests := []struct{ from, name, wantFrom, wantName string }{
		{"", "", "portal@example.net", "The Portal"},
		{"", "Acme", "portal@example.net", "Acme"},
		{"acme@example.org", "Acme", "acme@example.org", "Acme"},
		{"acme@example.org", "", "acme@example.org", ""},
	}
	for _, tt := range tests {
		m := validMail()
		m.From, m.FromName = tt.from, tt.name
		envelope, _, message, err := composer(t).Compose(m)
		require.NoError(t, err)
		got := read(t, message)
		require.Equal(t, tt.wantFrom, envelope)
		require.Equal(t, tt.wantFrom, got.From)
		require.Equal(t, tt.wantName, got.FromName)
	}
}

// TestRepeatsCarryTheSameMessageID also holds for another process, at another time.
func TestRepeatsCarryTheSameMessageID(t *testing.T) {
	var ids []string
	for range 2 {
		mailer := newMailer(t, "mail.example.net:587", smtpmail.Config{Domain: "bücher.example"})
		_, _, message, err := mailer.Compose(validMail())
		require.NoError(t, err)
		got := read(t, message)
		ids = append(ids, string(got.MessageID)+"@"+got.Domain)
	}
	require.Equal(t, []string{"01900000-0000-7000-8000-000000000001@xn--bcher-kva.example", "01900000-0000-7000-8000-000000000001@xn--bcher-kva.example"}, ids)
}

// TestTextsTravelUnchanged sends what SMTP treats in its own way over a server.
func TestTextsTravelUnchanged(t *testing.T) {
	server, mailer := unprotected(t, smtptest.Options{})
	texts := []string{".\n", "a\n.\nb\n", "..\n.\n", ".a\n", "From here\n", strings.Repeat("x", 2000) + "\n.", "a \t\n\n\n b\n", "ä\n.\nö\n",
		strings.Repeat("щ", 3000), strings.Repeat("=", 100), "x" + strings.Repeat(" ", 200), strings.Repeat(strings.Repeat("x", 75)+".", 3)}
	for _, text := range texts {
		m := validMail()
		m.Text, m.HTML = text, text
		if strings.TrimSpace(text) == "" {
			continue
		}
		m.Attachments = []notify.Attachment{{Name: "a.txt", Type: "text/plain", Content: []byte(text + "\r\n.\r\nQUIT\r\n\x00")}}
		require.NoError(t, mailer.Send(t.Context(), m))
		deliveries := server.Deliveries()
		requireSame(t, m, read(t, deliveries[len(deliveries)-1].Message))
	}
	require.Equal(t, 1, server.Connections())
}

func TestTheLargestMail(t *testing.T) {
	server, mailer := unprotected(t, smtptest.Options{MaxBytes: 25 << 20})
	m := fullMail()
	m.Text = strings.Repeat("long lines \n", notify.MaxPartBytes/12)
	m.HTML = strings.Repeat("щ", notify.MaxPartBytes/2)
	m.Attachments = []notify.Attachment{{Name: "large", Type: "application/zip", Content: bytes.Repeat([]byte{0xff}, notify.MaxAttachmentsBytes)}}
	require.NoError(t, mailer.Send(t.Context(), m))
	requireSame(t, m, read(t, server.Deliveries()[0].Message))
}

// requireSame fails unless what was read is the mail, as the mailer completes it.
func requireSame(t testing.TB, m notify.Mail, got readMail) {
	t.Helper()
	if m.From == "" {
		m.From = "portal@example.net"
		if m.FromName == "" {
			m.FromName = "The Portal"
		}
	}
	for _, field := range []*string{&m.To, &m.From, &m.ReplyTo} {
		if local, domain, found := strings.Cut(*field, "@"); found && !isASCII(domain) {
			ascii, err := idna.Lookup.ToASCII(domain)
			require.NoError(t, err)
			*field = local + "@" + ascii
		}
	}
	for _, part := range []*string{&m.Text, &m.HTML} {
		if *part != "" && !strings.HasSuffix(*part, "\n") {
			*part += "\n"
		}
	}
	require.Len(t, got.Attachments, len(m.Attachments))
	for i, a := range m.Attachments {
		require.Equal(t, a.Name, got.Attachments[i].Name)
		require.Equal(t, a.Type, got.Attachments[i].Type)
		require.True(t, bytes.Equal(a.Content, got.Attachments[i].Content))
	}
	m.Attachments, got.Attachments = nil, nil
	require.Empty(t, cmp.Diff(m, got.Mail))
	require.Equal(t, "auto-generated", got.Auto)
	require.Equal(t, "example.net", got.Domain)
	require.Equal(t, strings.HasPrefix(strings.ToLower(m.Unsubscribe), "https:"), got.Post == "List-Unsubscribe=One-Click")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

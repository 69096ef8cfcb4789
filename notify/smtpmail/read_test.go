package smtpmail_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"testing"

	"github.com/rosterkit/roster/notify"
	"github.com/stretchr/testify/require"
)

// A readMail is what the standard library's parsers find in a message.
type readMail struct {
	notify.Mail
	Headers []string // their names, in their order
	Domain  string   // of the message id
	Post    string   // List-Unsubscribe-Post
	Auto    string   // Auto-Submitted
	Date    string
}

// read reads a message, and fails where it isn't as mail has to be.
func read(t testing.TB, message []byte) readMail {
	t.Helper()
	got := readMail{Headers: headerNames(t, message)}
	parsed, err := netmail.ReadMessage(bytes.NewReader(message))
	require.NoError(t, err)
	require.Len(t, got.Headers, len(parsed.Header), "no header is there twice, and none is found by one reader only")
	one := parsed.Header.Get
	id, domain, found := strings.Cut(one("Message-Id"), "@")
	require.True(t, found)
	got.MessageID, got.Domain = notify.MessageID(strings.TrimPrefix(id, "<")), strings.TrimSuffix(domain, ">")
	got.FromName, got.From = address(t, one("From"))
	got.ToName, got.To = address(t, one("To"))
	if one("Reply-To") != "" {
		_, got.ReplyTo = address(t, one("Reply-To"))
	}
	got.Subject, err = new(mime.WordDecoder).DecodeHeader(one("Subject"))
	require.NoError(t, err)
	got.Unsubscribe = strings.TrimSuffix(strings.TrimPrefix(one("List-Unsubscribe"), "<"), ">")
	got.Post, got.Auto, got.Date = one("List-Unsubscribe-Post"), one("Auto-Submitted"), one("Date")
	require.Equal(t, "1.0", one("Mime-Version"))
	readPart(t, textproto.MIMEHeader(parsed.Header), parsed.Body, &got)
	return got
}

func address(t testing.TB, field string) (name, address string) {
	t.Helper()
	list, err := netmail.ParseAddressList(field)
	require.NoError(t, err)
	require.Len(t, list, 1)
	return list[0].Name, list[0].Address
}

// headerNames reads the headers without a library, and fails where readers could differ: at lines that are too long, hold
// nothing but blanks, or don't end with \r\n.
func headerNames(t testing.TB, message []byte) []string {
	t.Helper()
	require.Equal(t, bytes.Count(message, []byte("\n")), bytes.Count(message, []byte("\r\n")))
	require.Equal(t, bytes.Count(message, []byte("\r")), bytes.Count(message, []byte("\r\n")))
	head, body, found := strings.Cut(string(message), "\r\n\r\n")
	require.True(t, found)
	var names []string
	for line := range strings.SplitSeq(head, "\r\n") {
		require.LessOrEqual(t, len(line), 998)
		require.NotEmpty(t, strings.TrimSpace(line))
		if strings.HasPrefix(line, " ") {
			require.NotEmpty(t, names)
			continue
		}
		name, _, found := strings.Cut(line, ":")
		require.True(t, found, line)
		require.Regexp(t, `^[A-Za-z-]+$`, name)
		names = append(names, name)
	}
	longest := 0
	for line := range strings.SplitSeq(body, "\r\n") {
		longest = max(longest, len(line))
	}
	require.LessOrEqual(t, longest, 998)
	require.False(t, strings.Contains(body, "\x00"))
	require.True(t, isASCII(body))
	return names
}

// readPart adds what a part holds, and the parts in it.
func readPart(t testing.TB, header textproto.MIMEHeader, content io.Reader, got *readMail) {
	t.Helper()
	mediaType, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	require.NoError(t, err)
	if strings.HasPrefix(mediaType, "multipart/") {
		require.Equal(t, len(got.Text), 0, "the text comes first")
		parts := multipart.NewReader(content, parameters["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err == io.EOF {
				return
			}
			require.NoError(t, err)
			readPart(t, part.Header, part, got)
		}
	}
	switch encoding := header.Get("Content-Transfer-Encoding"); encoding {
	case "quoted-printable":
		content = quotedprintable.NewReader(content)
	case "base64":
		content = base64.NewDecoder(base64.StdEncoding, content)
	default:
		require.Fail(t, "encoding "+encoding)
	}
	decoded, err := io.ReadAll(content)
	require.NoError(t, err)
	if header.Get("Content-Disposition") != "" {
		disposition, named, err := mime.ParseMediaType(header.Get("Content-Disposition"))
		require.NoError(t, err)
		require.Equal(t, "attachment", disposition)
		require.Len(t, header, 3)
		got.Attachments = append(got.Attachments, notify.Attachment{Name: named["filename"], Type: header.Get("Content-Type"), Content: decoded})
		return
	}
	require.Equal(t, "UTF-8", parameters["charset"])
	require.Equal(t, bytes.Count(decoded, []byte("\n")), bytes.Count(decoded, []byte("\r\n")), "lines of a text end so in each encoding")
	text := strings.ReplaceAll(string(decoded), "\r\n", "\n")
	require.NotContains(t, text, "\r")
	switch mediaType {
	case "text/plain":
		require.Empty(t, got.Text)
		got.Text = text
	case "text/html":
		require.Empty(t, got.HTML)
		require.NotEmpty(t, got.Text, "the better part comes last")
		got.HTML = text
	default:
		require.Fail(t, "media type "+mediaType)
	}
}

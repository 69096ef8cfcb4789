package smtpmail

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"unicode"

	"github.com/rosterkit/roster/notify"
	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"
)

// A letter is a mail as it is sent.
type letter struct {
	from, to    string // of the envelope
	beyondASCII bool   // whether the server has to take addresses with other letters (SMTPUTF8, RFC 6531)
	message     []byte // in lines that end with \r\n
}

// compose returns a mail as it is sent.
func (m *Mailer) compose(mail notify.Mail) (letter, error) {
	if err := mail.Check(); err != nil {
		return letter{}, err
	}
	if mail.From == "" {
		mail.From, mail.FromName = m.cfg.From, cmp.Or(mail.FromName, m.cfg.FromName)
	}
	for _, address := range []*string{&mail.To, &mail.From, &mail.ReplyTo} {
		ascii, err := asciiAddress(*address)
		if err != nil {
			return letter{}, err
		}
		*address = ascii
	}
	if err := mail.Check(); err != nil { // a letter that maps to a dot may have ended the domain
		return letter{}, err
	}
	l := letter{from: mail.From, to: mail.To, beyondASCII: !isASCII(mail.From + mail.To + mail.ReplyTo)}
	var message bytes.Buffer
	if _, err := m.message(mail).WriteTo(&message); err != nil {
		return letter{}, errors.New("smtpmail: the mail can't be written")
	}
	if message.Len() > m.cfg.MaxBytes {
		return letter{}, fmt.Errorf("smtpmail: the mail is larger than %d bytes", m.cfg.MaxBytes)
	}
	l.message = message.Bytes()
	return l, nil
}

// message returns a mail with its headers and parts.
func (m *Mailer) message(mail notify.Mail) *gomail.Msg {
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	message.SetDateWithValue(m.cfg.Now().UTC())
	set(message, "Message-ID", "<"+string(mail.MessageID)+"@"+m.cfg.Domain+">")
	set(message, "Auto-Submitted", "auto-generated") // RFC 3834: nobody's absence is to answer
	set(message, "From", namedAddress(mail.FromName, mail.From))
	set(message, "To", namedAddress(mail.ToName, mail.To))
	if mail.ReplyTo != "" {
		set(message, "Reply-To", namedAddress("", mail.ReplyTo))
	}
	set(message, "Subject", unstructured(mail.Subject))
	if mail.Unsubscribe != "" {
		set(message, "List-Unsubscribe", "<"+mail.Unsubscribe+">")
		if isHTTPS(mail.Unsubscribe) { // which RFC 8058 section 3.1 asks for
			set(message, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
		}
	}
	text, encoding := part(mail.Text)
	message.SetBodyString(gomail.TypeTextPlain, text, gomail.WithPartEncoding(encoding))
	if mail.HTML != "" {
		html, encoding := part(mail.HTML)
		message.AddAlternativeString(gomail.TypeTextHTML, html, gomail.WithPartEncoding(encoding))
	}
	for _, a := range mail.Attachments {
		attach(message, a)
	}
	return message
}

// part returns a text as it is given to the encoder, and the encoding that makes it shorter. Both make lines of at
// most 76 characters.
func part(text string) (string, gomail.Encoding) {
	if !strings.HasSuffix(text, "\n") {
		text += "\n" // as SMTP ends every line
	}
	escaped := strings.Count(text, "=")
	for i := range len(text) {
		if text[i] > unicode.MaxASCII {
			escaped++
		}
	}
	if 6*escaped <= len(text) { // three bytes for each of these, where base64 has four for three of all
		return text, gomail.EncodingQP
	}
	return strings.ReplaceAll(text, "\n", "\r\n"), gomail.EncodingB64 // RFC 2045 section 6.8
}

// attach adds a file. Its name is written as RFC 2231 has it, which go-mail doesn't do by itself, and its content isn't
// copied.
func attach(message *gomail.Msg, a notify.Attachment) {
	// The reader, which go-mail would copy, is empty: its only possible error is the reader's.
	_ = message.AttachReader(a.Name, strings.NewReader(""), func(f *gomail.File) {
		f.Header.Set("Content-Type", a.Type)
		f.Header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.Name}))
		f.Writer = func(w io.Writer) (int64, error) {
			n, err := w.Write(a.Content)
			return int64(n), err
		}
	})
}

func isHTTPS(link string) bool {
	scheme, _, _ := strings.Cut(link, ":")
	return strings.EqualFold(scheme, "https")
}

// asciiAddress returns an address whose domain every server understands. It leaves the local part, of which only the
// receiver's server knows what it means.
func asciiAddress(address string) (string, error) {
	local, domain, found := strings.Cut(address, "@")
	if !found {
		return address, nil
	}
	domain, err := asciiDomain(domain)
	if err != nil {
		return "", err
	}
	return local + "@" + domain, nil
}

func asciiDomain(domain string) (string, error) {
	if isASCII(domain) {
		return domain, nil
	}
	profile := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true), idna.BidiRule(),
		idna.VerifyDNSLength(true))
	ascii, err := profile.ToASCII(domain)
	if err != nil {
		return "", errors.New("smtpmail: the domain of an address has no ASCII form")
	}
	return ascii, nil
}

func unfitForDomain(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != '-'
}

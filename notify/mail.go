package notify

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The sizes that Mail.Check allows.
const (
	MaxAddressBytes     = 254     // of an e-mail address
	MaxNameRunes        = 200     // of the receiver's and of the sender's name, in characters
	MaxSubjectRunes     = 250     // in characters
	MaxPartBytes        = 1 << 20 // of the text and of the HTML, each
	MaxUnsubscribeBytes = 900     // of the link, which must fit on one line of a header
)

// A Mail is ready to be sent to one receiver. Its text may hold a secret, such as the link of an invite: it is
// handed over and then forgotten.
type Mail struct {
	// MessageID is the message's id. Every repeat of a mail carries the same one, so that receivers can tell: a mailer
	// writes it left of the @ in the Message-ID header, with a domain of its own that doesn't change.
	MessageID MessageID
	To        string // the address, as the person spells it
	ToName    string // shown beside the address; may be empty
	From      string // the sender's address; empty for the mailer's own
	FromName  string // shown beside the sender's address; may be empty, which is the mailer's own name if From is
	ReplyTo   string // the address that answers go to; empty for the sender's
	Subject   string
	Text      string // lines end with \n
	HTML      string // says the same as the text; may be empty
	// Unsubscribe is an absolute http or https URL at which the receiver ends mails like this one; empty for mail that
	// isn't up to them. From it a mailer writes List-Unsubscribe, and for https List-Unsubscribe-Post (RFC 8058, which
	// has mail programs send a POST there without asking further).
	Unsubscribe string
	Attachments []Attachment
}

// A Mailer hands mails to whatever carries them.
type Mailer interface {
	// Send returns nil when the mail has been taken: from then on the carrier answers for it. An error made by
	// Permanent says that the same mail will never be taken, and an AddressError that no mail to this address will;
	// after any other error it is sent again later. Send ends when its context does. It is called by several goroutines at
	// once, and may be called again for a mail that it has taken, when the record of that was lost.
	//
	// Mails are checked before Send gets them: no header value holds line breaks or other control characters. A mailer
	// adds the headers Date, Message-ID and "Auto-Submitted: auto-generated" (RFC 3834), and those of Mail.Unsubscribe.
	Send(ctx context.Context, m Mail) error
}

// Permanent marks an error of a Mailer or a Preparer as one that no repetition can mend, such as an address that
// doesn't exist: the message is given up at once. It returns nil for nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent reports whether an error was made by Permanent or is an AddressError, or wraps one of these.
func IsPermanent(err error) bool {
	var permanent *permanentError
	var address *AddressError
	return errors.As(err, &permanent) || errors.As(err, &address)
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// Check returns an error that names the first part of a mail that can't be sent as it is: a part that is missing,
// longer than allowed, not UTF-8, or that holds characters which could forge a header or end the mail early. The
// error never holds the part itself.
func (m Mail) Check() error {
	if m.MessageID == "" || len(m.MessageID) > 128 || strings.ContainsFunc(string(m.MessageID), unfitForID) {
		return errors.New("notify: message id is not letters, digits, dots and dashes")
	}
	if err := checkAddress("receiver's address", m.To); err != nil {
		return err
	}
	if m.From != "" {
		if err := checkAddress("sender's address", m.From); err != nil {
			return err
		}
	}
	if m.ReplyTo != "" {
		if err := checkAddress("address for answers", m.ReplyTo); err != nil {
			return err
		}
	}
	if err := checkLine("receiver's name", m.ToName, MaxNameRunes); err != nil {
		return err
	}
	if err := checkLine("sender's name", m.FromName, MaxNameRunes); err != nil {
		return err
	}
	if strings.TrimSpace(m.Subject) == "" {
		return errors.New("notify: subject is empty")
	}
	if err := checkLine("subject", m.Subject, MaxSubjectRunes); err != nil {
		return err
	}
	if strings.TrimSpace(m.Text) == "" {
		return errors.New("notify: text is empty")
	}
	if err := checkPart("text", m.Text); err != nil {
		return err
	}
	if err := checkPart("HTML", m.HTML); err != nil {
		return err
	}
	if err := checkUnsubscribe(m.Unsubscribe); err != nil {
		return err
	}
	return checkAttachments(m.Attachments)
}

// Size returns the bytes of the subject, the text, the HTML and the content of the attachments, as they are before they
// are encoded for sending, which makes attachments a third more.
func (m Mail) Size() int {
	size := len(m.Subject) + len(m.Text) + len(m.HTML)
	for _, each := range m.Attachments {
		size += len(each.Content)
	}
	return size
}

// checkAddress is no grammar of addresses: it lets nothing through that could be read as two of them, or as a header.
func checkAddress(field, address string) error {
	local, domain, found := strings.Cut(address, "@")
	switch {
	case address == "":
		return fmt.Errorf("notify: %s is empty", field)
	case len(address) > MaxAddressBytes:
		return fmt.Errorf("notify: %s is longer than %d bytes", field, MaxAddressBytes)
	case !utf8.ValidString(address) || strings.ContainsFunc(address, unfitForAddress):
		return fmt.Errorf("notify: %s holds characters that addresses can't", field)
	case !found || strings.Contains(domain, "@") || hasEmptyLabel(local) || hasEmptyLabel(domain):
		return fmt.Errorf("notify: %s is not one address", field)
	}
	return nil
}

// hasEmptyLabel reports whether there is nothing before, between or after the dots.
func hasEmptyLabel(s string) bool {
	return s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..")
}

func checkLine(field, line string, max int) error {
	if len(line) > 4*max || utf8.RuneCountInString(line) > max {
		return fmt.Errorf("notify: %s is longer than %d characters", field, max)
	}
	if !utf8.ValidString(line) || strings.ContainsFunc(line, unfitForLine) {
		return fmt.Errorf("notify: %s holds control characters", field)
	}
	return nil
}

func checkPart(field, part string) error {
	if len(part) > MaxPartBytes {
		return fmt.Errorf("notify: %s is longer than %d bytes", field, MaxPartBytes)
	}
	unfit := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	if !utf8.ValidString(part) || strings.ContainsFunc(part, unfit) {
		return fmt.Errorf("notify: %s holds control characters", field)
	}
	return nil
}

// checkUnsubscribe also refuses what is told apart by nothing but brackets and commas in the header.
func checkUnsubscribe(link string) error {
	if link == "" {
		return nil
	}
	if len(link) > MaxUnsubscribeBytes {
		return fmt.Errorf("notify: unsubscribe link is longer than %d bytes", MaxUnsubscribeBytes)
	}
	if strings.ContainsFunc(link, unfitForLink) {
		return errors.New("notify: unsubscribe link holds characters that must be escaped")
	}
	parsed, err := url.Parse(link)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Hostname() == "" || parsed.User != nil {
		return errors.New("notify: unsubscribe link is not an absolute http or https URL")
	}
	return nil
}

func unfitForLink(r rune) bool {
	return r <= ' ' || r >= unicode.MaxASCII || strings.ContainsRune("<>\"\\^`{|},", r)
}

func unfitForID(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != '-'
}

func unfitForAddress(r rune) bool {
	return unfitForLine(r) || unicode.IsSpace(r) || strings.ContainsRune(`<>()[],;:\"`, r)
}

// unfitForLine finds what could end a line or change the look of what follows. Joiners are let through: languages and
// emoji need them.
func unfitForLine(r rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d'
	if r == zeroWidthNonJoiner || r == zeroWidthJoiner {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

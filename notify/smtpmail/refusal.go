package smtpmail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strings"

	"github.com/rosterkit/roster/notify"
)

// A point is where in a session something failed, as errors name it.
type point string

const (
	atStart    point = "the connection"
	atPassword point = "the user and password"
	toSender   point = "the sender's address"
	toReceiver point = "the receiver's address"
	toMail     point = "the mail"
)

// Reply codes of RFC 5321 section 4.2.3 and RFC 4954 section 6 that mean something of their own here.
const (
	closing        = 421 // the server ends the connection
	needsPassword  = 530 // it takes mails only from whom it knows
	wrongPassword  = 535
	weakMechanism  = 534
	needsEncrypted = 538
	mailboxFull    = 552 // or, at the sender's address, which comes with the size, the mail is too large (RFC 1870)
	tooLarge       = mailboxFull
)

// isRefusal tells a refusal from an answer that doesn't belong there.
func isRefusal(code int) bool { return 400 <= code && code < 600 }

// refused returns what a server's no to a mail means. Its text stays here: it may repeat addresses, and parts of the mail.
func refused(p point, reply *textproto.Error) error {
	status := statusOf(reply)
	if p == toReceiver && refusesAddress(reply.Code, status) {
		return fmt.Errorf("smtpmail: %w", &notify.AddressError{Code: reply.Code, Status: status})
	}
	err := noTo(p, reply.Code, status)
	if reply.Code >= 500 && !isAboutUs(p, reply.Code) {
		return notify.Permanent(err)
	}
	return err
}

func noTo(p point, code int, status string) error {
	return errors.New(strings.TrimSpace(fmt.Sprintf("smtpmail: the server refused %s: %d %s", p, code, status)))
}

// isAboutUs reports whether a refusal is about who is sending: it says nothing about the mail, which may go once the
// configuration is put right. So is every refusal of the sender's address but that of a mail which is too large.
func isAboutUs(p point, code int) bool {
	return p == toSender && code != tooLarge || code == needsPassword || code == wrongPassword || code == weakMechanism || code == needsEncrypted
}

// refusesAddress reports whether a refusal of the receiver's address is about the address: without an enhanced status code
// every refusal for good is, but for the codes of a command that wasn't understood (500 to 504), of the password, or of a
// mailbox that is full. With one, it is about the address if its subject is the address or the mailbox (X.1.X and X.2.X of
// RFC 3463 section 3), but not the sender's address (X.1.7 and X.1.8), which many servers refuse at this point too, nor a
// mailbox that is full or a mail that is too long for it (X.2.2 and X.2.3): another mail may fit. What is left is about the
// network, the protocol or a policy such as "relaying denied": were that taken for the address, a mistake in the
// configuration would end the mail to everybody.
func refusesAddress(code int, status string) bool {
	if code <= 504 || isAboutUs(toReceiver, code) {
		return false
	}
	switch {
	case status == "" && code == mailboxFull, status == "5.1.7", status == "5.1.8", status == "5.2.2", status == "5.2.3":
		return false
	case status == "", strings.HasPrefix(status, "5.1."), strings.HasPrefix(status, "5.2."):
		return true
	}
	return false
}

var enhancedStatus = regexp.MustCompile(`^[45]\.\d{1,3}\.\d{1,3}\b`)

// statusOf returns the enhanced status code of RFC 3463 at the start of an answer's text, empty if it has none that
// agrees with the reply code.
func statusOf(reply *textproto.Error) string {
	status := enhancedStatus.FindString(reply.Msg)
	if status == "" || int(status[0]-'0') != reply.Code/100 {
		return ""
	}
	return status
}

// interrupted returns the temporary error of a connection that can't be used any more, or not yet. What it wraps holds
// nothing that the server has said.
func interrupted(ctx context.Context, p point, err error) error {
	var reply *textproto.Error
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("smtpmail: interrupted at %s: %w", p, ctx.Err())
	case errors.As(err, &reply) && isRefusal(reply.Code):
		return noTo(p, reply.Code, statusOf(reply))
	case errors.Is(err, io.EOF):
		return fmt.Errorf("smtpmail: interrupted at %s: the server ended the connection", p)
	case isPlain(err):
		return fmt.Errorf("smtpmail: interrupted at %s: %w", p, withoutMachines(err))
	}
	return fmt.Errorf("smtpmail: interrupted at %s: the server's answer is not SMTP", p)
}

// withoutMachines returns what an error of the network says, without the names and addresses of machines: the reasons why
// mails failed are shown to customers.
func withoutMachines(err error) error {
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		return &net.DNSError{Err: lookup.Err, Name: "the server", IsTimeout: lookup.IsTimeout, IsTemporary: lookup.IsTemporary, IsNotFound: lookup.IsNotFound}
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		return operation.Err
	}
	return err
}

// isPlain reports whether an error is from below SMTP, or of this package.
func isPlain(err error) bool {
	var network net.Error
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &network) || errors.As(err, &certificate) || strings.HasPrefix(err.Error(), "tls: ") ||
		errors.Is(err, errNoTLS) || errors.Is(err, errNoAuth)
}

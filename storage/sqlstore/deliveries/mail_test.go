package deliveries_test

import (
	"fmt"
	"strings"

	"github.com/rosterkit/roster/notify"
)

const kind notify.Kind = "test.mail"

// A fate is what is to become of a mail.
type fate string

const (
	due       fate = "due"       // stays due: delivered at least once
	undone    fate = "undone"    // its transaction was rolled back: never
	cancelled fate = "cancelled" // was no longer due before it could be leased: never
	raced     fate = "raced"     // no longer due from some moment on: whatever its row says
	gone      fate = "gone"      // to an address that is refused: never
	spam      fate = "spam"      // refused when the server has it: never
)

// A mail is one that was enqueued. Its reference begins with what was to become of it when it was.
type mail struct {
	id   notify.MessageID
	ref  string
	fate fate
}

// newMail returns the n-th mail.
func newMail(n int, f fate) mail {
	return mail{notify.MessageID(fmt.Sprintf("01900000-0000-7000-8000-%012x", n)), fmt.Sprintf("%s-%d", f, n), f}
}

// goesToPostfix reports which of the servers a mail goes to.
func goesToPostfix(id notify.MessageID) bool {
	return strings.ContainsAny(string(id[len(id)-1]), "02468ace")
}

func group(n int) string { return fmt.Sprint("group-", n%groups) }

const groups = 7

// content returns a mail as it is sent. The text says which one it is, whatever its headers say.
func content(ref string) notify.Mail {
	return notify.Mail{To: ref + "@example.com", Subject: "Mail " + ref, Text: "Reference: " + ref + "\n", HTML: "<p>" + ref + "</p>\n"}
}

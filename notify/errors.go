package notify

import (
	"strconv"
	"strings"
)

// An AddressError is what a mailer returns when it is the receiver's address that the carrier refuses, for good: nobody
// is there, or they take no mail. IsPermanent is true for it. Sending there again does harm, to the sender's good name.
type AddressError struct {
	Code   int    // the reply code of RFC 5321 section 4.2, such as 550; 0 from carriers that speak another protocol
	Status string // the enhanced status code of RFC 3463, such as "5.1.1"; empty if there was none
}

// Error returns the codes, and never the address.
func (e *AddressError) Error() string {
	text := "the receiver's address was refused"
	if e.Code != 0 {
		text += ": " + strconv.Itoa(e.Code)
	}
	return strings.TrimSpace(text + " " + e.Status)
}

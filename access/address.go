package access

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// The longest address and local part, in octets (RFC 5321 section 4.5.3.1; a path of 256 includes its brackets).
const (
	MaxAddressBytes = 254
	maxLocalBytes   = 64
)

// An Address is an e-mail address that can be mailed to as it stands. ParseAddress is the only way to one; the zero
// value is no address. Addresses are comparable: == compares them as they were given, Same compares whom they reach.
//
// Printing an Address, with whatever verb, logging it and marshalling it show it masked, so that it can't slip into
// a log. That is deliberate and can't be undone by parsing: to store an address, store Original. (Package fmt calls no
// methods on unexported fields: a struct that keeps an Address in one is printed with care.)
type Address struct{ original, canonical string }

// ParseAddress returns the address that s is, and nothing but: no display name, quotes, comments, groups, address
// literals, or domains of one label. The local part is a dot-atom of RFC 5322 in ASCII, at most 64 octets. The domain
// is one of IDNA 2008 (UTS 46, non-transitional) in its own letters: characters that merely map to others, like a
// full-width at sign or an ideographic full stop, are refused, and so is everything invisible. The whole is at most
// 254 octets as given and in canonical form; longer input isn't looked at.
//
// Its errors are of kind ErrInvalid, with code "address.empty", "address.long", "address.text" (not UTF-8, or blank,
// control or invisible characters), "address.local" or "address.domain". None contains the address.
func ParseAddress(s string) (Address, error) {
	switch {
	case s == "":
		return Address{}, Invalid("address", "address.empty", "is empty")
	case len(s) > MaxAddressBytes:
		return Address{}, Invalid("address", "address.long", "is longer than 254 octets")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unseen):
		return Address{}, Invalid("address", "address.text", "holds blanks, control or invisible characters")
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return Address{}, Invalid("address", "address.domain", "has no domain")
	}
	if !isDotAtom(s[:at]) {
		return Address{}, Invalid("address", "address.local", "has no plain local part before the at sign")
	}
	domain, ok := canonicalDomain(s[at+1:])
	if !ok {
		return Address{}, Invalid("address", "address.domain", "has no valid internet domain after the at sign")
	}
	a := Address{original: s, canonical: lowerASCII(s[:at]) + "@" + domain}
	if len(a.canonical) > MaxAddressBytes {
		return Address{}, Invalid("address", "address.long", "is longer than 254 octets")
	}
	return a, nil
}

// ParseDomain returns the canonical form of an internet domain: ASCII, lower case, as in Address.Domain. The same
// rules hold as in an address. Its error is of kind ErrInvalid, with code "domain.invalid".
func ParseDomain(s string) (string, error) {
	if len(s) <= MaxAddressBytes && utf8.ValidString(s) && !strings.ContainsFunc(s, unseen) {
		if domain, ok := canonicalDomain(s); ok {
			return domain, nil
		}
	}
	return "", Invalid("domain", "domain.invalid", "is not a valid internet domain")
}

// String returns the address masked, for logs and pages: "j...@example.com". It is empty for the zero value.
func (a Address) String() string {
	if a.IsZero() {
		return ""
	}
	return a.canonical[:1] + "...@" + a.Domain()
}

// Format writes the masked address for every verb, a mistaken one too.
func (a Address) Format(f fmt.State, verb rune) {
	fmt.Fprintf(f, fmt.FormatString(f, verb), a.String())
}

// MarshalText returns the masked address: what is marshalled often ends in a log or a page. There is no
// UnmarshalText; store Original and parse it.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Original returns the address as it was given, for sending and for storing: parsing it gives the same Address.
func (a Address) Original() string { return a.original }

// Canonical returns the address as it is compared: the local part in ASCII lower case, the domain in its ASCII form.
// Dots and a +tag in the local part stay: only the receiver knows what they mean.
func (a Address) Canonical() string { return a.canonical }

// Same reports whether both are the same mailbox, that is, have the same canonical form.
func (a Address) Same(b Address) bool { return a.canonical == b.canonical }

// IsZero reports whether a is no address.
func (a Address) IsZero() bool { return a.canonical == "" }

// Domain returns the canonical domain, empty for the zero value.
func (a Address) Domain() string {
	return a.canonical[strings.IndexByte(a.canonical, '@')+1:]
}

func isDotAtom(s string) bool {
	if len(s) > maxLocalBytes {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, notAtext) {
			return false
		}
	}
	return true
}

// notAtext reports whether an atom of RFC 5322 section 3.2.3 can't hold the character.
func notAtext(r rune) bool {
	return r > unicode.MaxASCII || !isAlphanumeric(r) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

func isAlphanumeric(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// canonicalDomain returns the ASCII form of a domain that is written in its own letters.
func canonicalDomain(s string) (string, bool) {
	profile := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true), idna.BidiRule(),
		idna.VerifyDNSLength(true))
	domain, err := profile.ToASCII(s)
	if err != nil {
		return "", false
	}
	readable, err := profile.ToUnicode(domain)
	if err != nil || strings.ContainsFunc(readable, unseen) {
		return "", false
	}
	given, labels, letters := strings.Split(s, "."), strings.Split(domain, "."), strings.Split(readable, ".")
	if len(given) < 2 || len(given) != len(labels) || len(given) != len(letters) {
		return "", false
	}
	for i, label := range given {
		if lowerASCII(label) != labels[i] && lowerLetters(label) != letters[i] {
			return "", false
		}
	}
	top := labels[len(labels)-1]
	return domain, strings.ContainsFunc(top, func(r rune) bool { return r < '0' || r > '9' })
}

// lowerLetters is what a label may be changed by when it is mapped: case, and the composition of accents. A letter
// that isn't ASCII but whose lower case is, like the Kelvin sign, stays and so maps to something else.
func lowerLetters(label string) string {
	for _, r := range label {
		if r > unicode.MaxASCII && unicode.ToLower(r) <= unicode.MaxASCII {
			return label
		}
	}
	return norm.NFC.String(strings.ToLower(label))
}

// unseen reports whether a character can't be seen, or orders others to be seen differently: blanks, controls,
// zero-width and bidi characters.
func unseen(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Z) }

// lowerASCII folds ASCII only: other letters have foldings that meet where they shouldn't.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// StoredAddress returns an address as a backend stored it: what Original and Canonical returned, which are not parsed
// again, so that an address that was taken once stays readable whatever becomes of the rules. It is for backends only.
func StoredAddress(original, canonical string) Address { return Address{original, canonical} }

package access

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxNameRunes is the length of the longest name, company or label, in characters.
const MaxNameRunes = 200

// CheckText returns an error of kind ErrInvalid, with code "text.long" or "text.control", if a one-line text is
// longer than max characters, isn't UTF-8, or holds control, format or line-separating characters. Such characters
// could forge a mail header, a log line or the look of a name. Zero-width joiners are let through: languages and
// emoji need them.
func CheckText(field, text string, max int) error {
	if len(text) > 4*max || utf8.RuneCountInString(text) > max {
		return &Error{Kind: ErrInvalid, Code: "text.long", Field: field,
			Reason: "is longer than " + strconv.Itoa(max) + " characters", Params: map[string]string{"max": strconv.Itoa(max)}}
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unfit) {
		return Invalid(field, "text.control", "holds control characters")
	}
	return nil
}

// CheckName is CheckText for a name that must be there, of up to 200 characters. A name of which nothing can be seen has
// the code "text.empty".
func CheckName(field, name string) error {
	blank := strings.TrimSpace(name) == "" || !strings.ContainsFunc(name, visible) && !strings.ContainsFunc(name, unfit)
	if blank {
		return Invalid(field, "text.empty", "is empty")
	}
	return CheckText(field, name, MaxNameRunes)
}

func unfit(r rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d'
	if r == zeroWidthNonJoiner || r == zeroWidthJoiner {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// visible reports whether a character shows, by itself. Fillers are letters to Unicode, and a cell of Braille without dots
// is a symbol.
func visible(r rune) bool {
	const brailleBlank = '\u2800'
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) &&
		r != brailleBlank
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

// Fold returns a text as lists compare it: lower case by Unicode, character by character, so that every backend
// answers alike.
func Fold(s string) string { return strings.Map(unicode.ToLower, s) }

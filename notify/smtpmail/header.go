package smtpmail

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
)

// set sets a header to a value that is encoded already and has single blanks, at which lines are folded. go-mail would
// encode a value with letters beyond ASCII as a whole, and an address with it: those are left to SMTPUTF8.
func set(message *gomail.Msg, name gomail.Header, value string) {
	if isASCII(value) {
		message.SetGenHeader(name, value)
		return
	}
	message.SetGenHeaderPreformatted(name, strings.ReplaceAll(value, " ", "\r\n "))
}

// namedAddress returns an address and the name that is shown for it, as in RFC 5322 section 3.4.
func namedAddress(name, address string) string {
	switch {
	case name == "":
		return "<" + address + ">"
	case !isPlainText(name):
		return encoded(name) + " <" + address + ">"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `" <` + address + ">"
}

// unstructured returns the value of a header that is nothing but text.
func unstructured(text string) string {
	if isPlainText(text) {
		return text
	}
	return encoded(text)
}

// longestPlain is the length of the longest word that leaves room for the name of its header on a line of 76 characters.
const longestPlain = 60

// isPlainText reports whether a text can be written as it is, and is read as that: it is ASCII, looks like no encoded
// word, and folding its lines leaves its blanks and doesn't make lines that are too long.
func isPlainText(text string) bool {
	if !isASCII(text) || strings.Contains(text, "=?") {
		return false
	}
	for word := range strings.SplitSeq(text, " ") {
		if word == "" || len(word) > longestPlain {
			return false
		}
	}
	return true
}

// encoded returns a text as encoded words (RFC 2047 section 2) of at most 60 characters, each with whole letters.
func encoded(text string) string {
	const longest = 36 // bytes, for 48 characters between "=?utf-8?b?" and "?="
	var words []string
	for text != "" {
		length := 0
		for length < len(text) {
			_, size := utf8.DecodeRuneInString(text[length:])
			if length+size > longest {
				break
			}
			length += size
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(text[:length]))+"?=")
		text = text[length:]
	}
	return strings.Join(words, " ")
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

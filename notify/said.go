package notify

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Whatever could carry a secret: a link, of any scheme, and a word as long as tokens are, which people don't write.
var (
	anyLink  = regexp.MustCompile(`[^\s<>"(]*://[^\s<>")]*`)
	longWord = regexp.MustCompile(`[A-Za-z0-9_.~%+/=-]{32,}`)
)

// WithoutLinks returns a mail's text as history may keep it: "[link]" stands for each link, and "[…]" for whatever else is
// as long as a token. It is for texts whose secrets are in links: don't keep those that tell a password or a short code.
func WithoutLinks(text string) string {
	return longWord.ReplaceAllString(anyLink.ReplaceAllString(text, "[link]"), "[…]")
}

// clipBytes cuts a text that is longer than max bytes, and shows that it did.
func clipBytes(s string, max int) string {
	if len(s) <= max {
		return s
	}
	const more = "…"
	end := max - len(more)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.ToValidUTF8(s[:end], "") + more
}

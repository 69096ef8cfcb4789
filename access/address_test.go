package access_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
)

var goodAddresses = []struct {
	name, input, canonical string
}{
	{"plain", "jane@example.com", "jane@example.com"},
	{"ASCII is folded", "Jane.DOE@Example.COM", "jane.doe@example.com"},
	{"a tag is significant", "jane+work@example.com", "jane+work@example.com"},
	{"dots are significant", "j.a.n.e@gmail.com", "j.a.n.e@gmail.com"},
	{"every character of an atom", "!#$%&'*+-/=?^_`{|}~0Az@example.com", "!#$%&'*+-/=?^_`{|}~0az@example.com"},
	{"one letter", "j@x.io", "j@x.io"},
	{"a route that is none", "a%evil.com@example.com", "a%evil.com@example.com"},
	{"digits below the top", "a@123.example.com", "a@123.example.com"},
	{"the top has a digit and a letter", "a@example.c0", "a@example.c0"},
	{"a domain in its own letters", "jane@bücher.example", "jane@xn--bcher-kva.example"},
	{"in capitals", "jane@BÜCHER.example", "jane@xn--bcher-kva.example"},
	{"with accents apart", "jane@bu\u0308cher.example", "jane@xn--bcher-kva.example"},
	{"in its ASCII form", "jane@XN--Bcher-KVA.example", "jane@xn--bcher-kva.example"},
	{"sharp s stays", "a@faß.de", "a@xn--fa-hia.de"},
	{"final sigma stays", "a@βόλος.com", "a@xn--nxasmm1c.com"},
	{"right to left", "a@אבג.com", "a@xn--4dbcd.com"},
	{"without case", "a@例え.テスト", "a@xn--r8jz45g.xn--zckzah"},
	{"64 octets before the at sign", strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com"},
	{"a label of 63", "a@" + strings.Repeat("b", 63) + ".com", "a@" + strings.Repeat("b", 63) + ".com"},
	{"254 octets", longAddress(254), longAddress(254)},
	{"254 octets, fewer in ASCII", "aaaaaaaa" + compact, "aaaaaaaa" + compactASCII},
}

var badAddresses = []struct {
	name, input, code string
}{
	{"empty", "", "address.empty"},
	{"255 octets", longAddress(255), "address.long"},
	{"255 octets, fewer in ASCII", "aaaaaaaaa" + compact, "address.long"},
	{"a megabyte", strings.Repeat("a@", 1<<19), "address.long"},
	{"longer in ASCII", strings.Repeat("a", 64) + "@" + strings.Repeat("é.", 24) + "com", "address.long"},
	{"not UTF-8", "a\xff@example.com", "address.text"},

	// A quoted local part loses its quotes on the way to SMTP, and goes elsewhere.
	{"quoted", `"jane"@example.com`, "address.local"},
	{"quoted with another address", `"a@evil.com x"@internal.domain`, "address.text"},
	{"quoted with another address, no blank", `"a@evil.com"@internal.domain`, "address.local"},
	{"quoted with an SMTP parameter", `"toni.tester@example.com> ORCPT=admin@admin.com"@example.com`, "address.text"},
	{"quoted with an SMTP parameter, no blank", `"toni.tester@example.com>ORCPT=admin@admin.com"@example.com`, "address.local"},
	{"escaped", `a\@b@example.com`, "address.local"},

	// What net/mail reads and is more or less than an address.
	{"display name", "Name <a@b.example>", "address.text"},
	{"display name, no blank", "Name<a@b.example>", "address.local"},
	{"angle brackets", "<a@b.example>", "address.local"},
	{"comment behind", "a@b.example(comment)", "address.domain"},
	{"comment before", "(comment)a@b.example", "address.local"},
	{"group", "Grp:a@b.example;", "address.local"},
	{"group with blanks", "Grp: a@b.example;", "address.text"},
	{"empty group", "Undisclosed:;", "address.domain"},
	{"literal", "a@[127.0.0.1]", "address.domain"},
	{"literal of version 6", "a@[IPv6:::1]", "address.domain"},
	{"bare number", "a@127.0.0.1", "address.domain"},
	{"one label", "a@b", "address.domain"},
	{"localhost", "root@localhost", "address.domain"},
	{"source route", "@relay.example:a@b.example", "address.local"},

	// More recipients than one.
	{"comma", "a@x.example,b@y.example", "address.local"},
	{"semicolon", "a@x.example;b@y.example", "address.local"},
	{"NUL", "a@x.example\x00b@y.example", "address.text"},
	{"two at signs", "a@b@example.com", "address.local"},
	{"JSON list", `["a@x.example","b@y.example"]`, "address.local"},

	// Lines and blanks.
	{"CRLF", "a@b.example\r\nBcc: c@d.example", "address.text"},
	{"line feed at the end", "a@b.example\n", "address.text"},
	{"carriage return inside", "a\r@b.example", "address.text"},
	{"folded line", "a@b.example\r\n c", "address.text"},
	{"line separator", "a\u2028@b.example", "address.text"},
	{"leading blank", " a@b.example", "address.text"},
	{"trailing blank", "a@b.example ", "address.text"},
	{"tab", "a\t@b.example", "address.text"},
	{"no-break space", "a\u00a0b@c.example", "address.text"},
	{"ideographic space", "a@b\u3000.example", "address.text"},
	{"delete", "a\x7f@b.example", "address.text"},

	// Characters that look like, or are mapped to, others.
	{"full-width at sign", "a\uff20evil.com", "address.domain"},
	{"small at sign", "a\ufe6bevil.com", "address.domain"},
	{"full-width at sign before one", "a\uff20evil.com@b.example", "address.local"},
	{"full-width at sign behind one", "a@evil\uff20b.example", "address.domain"},
	{"ideographic full stop", "a@b\u3002example", "address.domain"},
	{"full-width full stop", "a@b\uff0eexample", "address.domain"},
	{"half-width full stop", "a@b\uff61example", "address.domain"},
	{"one dot leader", "a@b\u2024example", "address.domain"},
	{"ellipsis", "a@b\u2026example.com", "address.domain"},
	{"digit with full stop", "a@\u2488example.com", "address.domain"},
	{"full-width letter", "a@\uff45xample.com", "address.domain"},
	{"ligature", "a@\ufb01sh.example", "address.domain"},
	{"circled digit", "a@\u2460.example.com", "address.domain"},
	{"Kelvin sign", "a@\u212aelvin.example", "address.domain"},
	{"long s", "a@te\u017ft.example", "address.domain"},
	{"dotted capital i", "a@\u0130stanbul.example", "address.domain"},
	{"not ASCII before the at sign", "jané@example.com", "address.local"},
	{"Kelvin sign before the at sign", "\u212aate@example.com", "address.local"},
	{"long s before the at sign", "\u017fue@example.com", "address.local"},
	{"dotless i before the at sign", "\u0131an@example.com", "address.local"},
	{"Cyrillic a before the at sign", "j\u0430ne@example.com", "address.local"},

	// What can't be seen.
	{"zero-width space", "a\u200b@example.com", "address.text"},
	{"zero-width space in the domain", "a@exa\u200bmple.com", "address.text"},
	{"zero-width joiner", "a@exa\u200dmple.com", "address.text"},
	{"zero-width joiner in its ASCII form", "a@xn--example-j06c.com", "address.domain"},
	{"zero-width non-joiner where a script needs it", "a@نامه\u200cای.com", "address.text"},
	{"the same in its ASCII form", "a@xn--mgba3gch31f060k.com", "address.domain"},
	{"soft hyphen", "a@exam\u00adple.com", "address.text"},
	{"byte order mark", "\ufeffa@example.com", "address.text"},
	{"right-to-left override", "a\u202e@example.com", "address.text"},
	{"left-to-right isolate", "a@\u2066example.com", "address.text"},
	{"variation selector", "a@exam\ufe0fple.com", "address.domain"},
	{"grapheme joiner", "a@exam\u034fple.com", "address.domain"},
	{"Hangul filler", "a@exam\u3164ple.com", "address.domain"},

	// The shape of either part.
	{"no at sign", "example.com", "address.domain"},
	{"only an at sign", "@", "address.local"},
	{"no local part", "@example.com", "address.local"},
	{"no domain", "a@", "address.domain"},
	{"leading dot", ".a@example.com", "address.local"},
	{"trailing dot", "a.@example.com", "address.local"},
	{"two dots", "a..b@example.com", "address.local"},
	{"65 octets before the at sign", strings.Repeat("a", 65) + "@example.com", "address.local"},
	{"full stop at the end", "a@example.com.", "address.domain"},
	{"full stop at the beginning", "a@.example.com", "address.domain"},
	{"empty label", "a@example..com", "address.domain"},
	{"only a full stop", "a@.", "address.domain"},
	{"hyphen at the beginning", "a@-example.com", "address.domain"},
	{"hyphen at the end", "a@example-.com", "address.domain"},
	{"hyphens third and fourth", "a@ab--cd.com", "address.domain"},
	{"underscore", "a@exam_ple.com", "address.domain"},
	{"a label of 64", "a@" + strings.Repeat("b", 64) + ".com", "address.domain"},
	{"a label of 64 in ASCII", "a@" + strings.Repeat("é", 60) + ".com", "address.domain"},
	{"the top is a number", "a@example.123", "address.domain"},
	{"broken ASCII form", "a@xn--.com", "address.domain"},
	{"ASCII form of ASCII", "a@xn--example-.com", "address.domain"},
	{"ASCII form of capitals", "a@xn--bcher-joa.com", "address.domain"},
	{"mixed directions", "a@אa.com", "address.domain"},
}

// A domain that is 245 octets as given and fewer than 100 in ASCII.
var (
	compact      = "@" + strings.Repeat("例", 40) + "." + strings.Repeat("例", 40) + ".com"
	compactASCII = "@xn--fsqaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.xn--fsqaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com"
)

// longAddress returns an address of n octets that is right in everything but, perhaps, its length.
func longAddress(n int) string {
	label := strings.Repeat("b", 61)
	address := "a@" + label + "." + label + "." + label + "."
	rest := n - len(address) - len(".com")
	return address + strings.Repeat("c", rest) + ".com"
}

func TestParseAddressTakes(t *testing.T) {
	for _, tt := range goodAddresses {
		t.Run(tt.name, func(t *testing.T) {
			a, err := access.ParseAddress(tt.input)
			require.NoError(t, err)
			require.Equal(t, tt.input, a.Original())
			require.Equal(t, tt.canonical, a.Canonical())
			require.Equal(t, tt.canonical[strings.Index(tt.canonical, "@")+1:], a.Domain())
			require.False(t, a.IsZero())
			checkAddress(t, a)
		})
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for _, tt := range badAddresses {
		t.Run(tt.name, func(t *testing.T) {
			a, err := access.ParseAddress(tt.input)
			require.ErrorIs(t, err, access.ErrInvalid)
			require.Zero(t, a)
			var refusal *access.Error
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, "address", refusal.Field)
			require.Equal(t, tt.code, refusal.Code)
			require.Empty(t, refusal.Params)
			if len(tt.input) > 2 {
				require.NotContains(t, err.Error(), tt.input)
			}
		})
	}
}

// TestAddressesThatFoldTogetherAreNotTheSame takes the pairs that are equal under Unicode case folding: at most one
// of each is an address, or they differ.
func TestAddressesThatFoldTogetherAreNotTheSame(t *testing.T) {
	for _, pair := range [][2]string{
		{"i@example.com", "\u0130@example.com"}, {"k@example.com", "\u212a@example.com"},
		{"i@example.com", "\u0131@example.com"}, {"s@example.com", "\u017f@example.com"},
		{"a@k.example", "a@\u212a.example"}, {"a@s.example", "a@\u017f.example"},
		{"a@i.example", "a@\u0130.example"}, {"a@i.example", "a@\u0131.example"},
		{"a@ss.example", "a@ß.example"}, {"a@a.example", "a@\u0430.example"},
		{"a@fi.example", "a@\ufb01.example"}, {"jane@gmail.com", "ja.ne@gmail.com"},
	} {
		first, err := access.ParseAddress(pair[0])
		require.NoError(t, err)
		second, err := access.ParseAddress(pair[1])
		require.False(t, err == nil && first.Same(second), "%q and %q", pair[0], pair[1])
	}
}

func TestAddressesCompare(t *testing.T) {
	lower, upper := parse(t, "jane@example.com"), parse(t, "Jane@Example.com")
	require.True(t, lower.Same(upper))
	require.False(t, lower == upper, "== compares as given")
	require.True(t, lower == parse(t, "jane@example.com"))
	require.False(t, lower.Same(parse(t, "john@example.com")))
	require.False(t, lower.Same(access.Address{}))
}

func TestZeroAddress(t *testing.T) {
	var zero access.Address
	require.True(t, zero.IsZero())
	require.Empty(t, zero.String()+zero.Original()+zero.Canonical()+zero.Domain())
}

// TestAddressIsNeverPrinted prints an address in every way a host's code is likely to.
func TestAddressIsNeverPrinted(t *testing.T) {
	a := parse(t, "Jane.Doe@example.com")
	type holder struct {
		Address access.Address
		List    []access.Address
		Map     map[string]access.Address
	}
	h := holder{a, []access.Address{a}, map[string]access.Address{"x": a}}
	var outputs []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%20v", "%d", "%t"} {
		outputs = append(outputs, fmt.Sprintf(verb, a), fmt.Sprintf(verb, &a), fmt.Sprintf(verb, h), fmt.Sprintf(verb, &h))
	}
	for _, value := range []any{a, &a, h} {
		text, err := json.Marshal(value)
		require.NoError(t, err)
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("m", "value", value)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "value", value)
		outputs = append(outputs, string(text), logged.String(), fmt.Sprint(value), fmt.Errorf("wrapped: %v", value).Error())
	}
	for _, output := range outputs {
		lower := strings.ToLower(output)
		require.NotContains(t, lower, "jane")
		require.NotContains(t, lower, "doe")
		require.NotContains(t, lower, fmt.Sprintf("%x", "jane"))
		require.NotContains(t, lower, fmt.Sprintf("%x", "Jane"))
	}
	require.Equal(t, "j...@example.com", a.String())
	text, err := json.Marshal(a)
	require.NoError(t, err)
	require.Equal(t, `"j...@example.com"`, string(text))
	require.Equal(t, `"j...@example.com"   j...@example.com`, fmt.Sprintf("%#v%19v", a, a))
	require.Equal(t, "j...@xn--bcher-kva.example", parse(t, "jane@bücher.example").String())
}

func TestAddressIsNotReadFromJSON(t *testing.T) {
	var form struct{ Address access.Address }
	require.Error(t, json.Unmarshal([]byte(`{"Address":"a@example.com,b@example.com"}`), &form))
	require.NoError(t, json.Unmarshal([]byte(`{"Address":{"original":"x","canonical":"y"}}`), &form))
	require.True(t, form.Address.IsZero())
}

func TestParseDomain(t *testing.T) {
	for input, want := range map[string]string{
		"example.com": "example.com", "Example.COM": "example.com", "bücher.example": "xn--bcher-kva.example",
		"xn--bcher-kva.example": "xn--bcher-kva.example",
	} {
		domain, err := access.ParseDomain(input)
		require.NoError(t, err)
		require.Equal(t, want, domain)
	}
	for _, input := range []string{"", "com", "a@example.com", "@example.com", "*.example.com", "example.com.",
		" example.com", "example.com\n", "127.0.0.1", "exa\u200bmple.com", "example\u3002com", "\xff.com",
		"https://example.com", "example.com:25", strings.Repeat("a.", 200) + "com"} {
		_, err := access.ParseDomain(input)
		requireCode(t, err, access.ErrInvalid, "domain.invalid", "%q", input)
	}
}

// TestParseAddressProperties builds addresses out of the pieces that parsers trip over.
func TestParseAddressProperties(t *testing.T) {
	pieces := rapid.SampledFrom([]string{"a", "B", "jane", "@", "@", ".", "-", "xn--", "bcher-kva", "example", ".com", "ü", "ß",
		"\u0308", "\u200b", "\u200d", "\u3002", "\uff20", "\u212a", "\u0130", "א", "例", "\"", "<", ">", " ", "\r\n", "\x00", "(", ")",
		",", ";", "[", "]", "1", "\xff", strings.Repeat("x", 60)})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(pieces, 0, 12).Draw(t, "pieces"), "")
		if rapid.Bool().Draw(t, "whole") {
			s = "a@" + s + ".com"
		}
		a, err := access.ParseAddress(s)
		if err != nil {
			if !errors.Is(err, access.ErrInvalid) || !a.IsZero() {
				t.Fatalf("%q: %v, %#v", s, err, a)
			}
			return
		}
		if a.Original() != s {
			t.Fatalf("%q became %q", s, a.Original())
		}
		checkAddress(t, a)
	})
}

func FuzzParseAddress(f *testing.F) {
	for _, tt := range goodAddresses {
		f.Add(tt.input)
	}
	for _, tt := range badAddresses {
		if len(tt.input) < 1000 {
			f.Add(tt.input)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := access.ParseAddress(s)
		if err != nil {
			require.ErrorIs(t, err, access.ErrInvalid)
			require.Zero(t, a)
			return
		}
		require.Equal(t, s, a.Original())
		checkAddress(t, a)
	})
}

// checkAddress checks what holds of every address: it is a fixed point, within the limits, and what a mailer reads,
// sends and writes is the address itself.
func checkAddress(t require.TestingT, a access.Address) {
	again, err := access.ParseAddress(a.Original())
	require.NoError(t, err)
	require.True(t, again == a, "parsing the original again gives another address")
	canonical, err := access.ParseAddress(a.Canonical())
	require.NoError(t, err)
	require.Equal(t, a.Canonical(), canonical.Canonical())
	require.True(t, canonical.Same(a))

	local, domain, found := strings.Cut(a.Canonical(), "@")
	require.True(t, found)
	require.Equal(t, domain, a.Domain())
	require.LessOrEqual(t, len(a.Canonical()), access.MaxAddressBytes)
	require.LessOrEqual(t, len(local), 64)
	require.Equal(t, -1, strings.IndexFunc(a.Canonical(), func(r rune) bool { return r <= ' ' || r > '~' || 'A' <= r && r <= 'Z' }))
	require.NotContains(t, a.String(), local+"@")
	viaDomain, err := access.ParseDomain(domain)
	require.NoError(t, err)
	require.Equal(t, domain, viaDomain)

	for _, s := range []string{a.Original(), a.Canonical()} {
		parsed, err := mail.ParseAddress(s)
		require.NoError(t, err)
		require.Equal(t, mail.Address{Address: s}, *parsed)
		require.Equal(t, "<"+s+">", parsed.String())
	}
}

func parse(t *testing.T, s string) access.Address {
	t.Helper()
	a, err := access.ParseAddress(s)
	require.NoError(t, err)
	return a
}

// requireCode checks an error's kind and code.
func requireCode(t require.TestingT, err, kind error, code string, message ...any) {
	require.ErrorIs(t, err, kind, message...)
	var refusal *access.Error
	require.ErrorAs(t, err, &refusal, message...)
	require.Equal(t, code, refusal.Code, message...)
}

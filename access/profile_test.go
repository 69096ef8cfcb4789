package access_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

func TestProfileCheck(t *testing.T) {
	long := strings.Repeat("é", 201)
	tests := []struct {
		name        string
		change      func(*access.Profile)
		code, field string
	}{
		{"only a name", func(*access.Profile) {}, "", ""},
		{"everything", func(p *access.Profile) {
			*p = access.Profile{Name: strings.Repeat("é", 200), Company: "Böhm & Söhne <GmbH>", Phone: "+43 (0)1/234.56-7 x8 #9",
				Billing: access.PostalAddress{Street: "Am Hof 1", City: "Wien", Region: "Wien", PostalCode: "1010", Country: "AT"},
				Locale:  "sl-Latn-IT-nedis", TimeZone: "Europe/Vienna"}
		}, "", ""},
		{"no name", func(p *access.Profile) { p.Name = "" }, "text.empty", "name"},
		{"a blank name", func(p *access.Profile) { p.Name = " \u3000" }, "text.empty", "name"},
		{"a long name", func(p *access.Profile) { p.Name = long }, "text.long", "name"},
		{"a name of two lines", func(p *access.Profile) { p.Name = "a\r\nBcc: b" }, "text.control", "name"},
		{"a long company", func(p *access.Profile) { p.Company = long }, "text.long", "company"},
		{"a long street", func(p *access.Profile) { p.Billing.Street = long }, "text.long", "billing.street"},
		{"a city of two lines", func(p *access.Profile) { p.Postal.City = "a\nb" }, "text.control", "postal.city"},
		{"a long region", func(p *access.Profile) { p.Postal.Region = long }, "text.long", "postal.region"},
		{"a long postal code", func(p *access.Profile) { p.Billing.PostalCode = long }, "text.long", "billing.postal_code"},
		{"a country in small letters", func(p *access.Profile) { p.Billing.Country = "at" }, "country.text", "billing.country"},
		{"a country of three letters", func(p *access.Profile) { p.Billing.Country = "AUT" }, "country.text", "billing.country"},
		{"a country with a digit", func(p *access.Profile) { p.Postal.Country = "A1" }, "country.text", "postal.country"},
		{"a country of one letter in two bytes", func(p *access.Profile) { p.Postal.Country = "É" }, "country.text", "postal.country"},
		{"a long phone", func(p *access.Profile) { p.Phone = strings.Repeat("1", 41) }, "text.long", "phone"},
		{"letters inside a phone", func(p *access.Profile) { p.Phone = "+43 call me 1" }, "phone.text", "phone"},
		{"a phone in other digits", func(p *access.Profile) { p.Phone = "٠١٢" }, "phone.text", "phone"},
		{"a phone of two lines", func(p *access.Profile) { p.Phone = "1\n2" }, "text.control", "phone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := access.Profile{Name: "Ann"}
			tt.change(&p)
			requireOutcome(t, p.Check(), tt.code, tt.field)
		})
	}
}

func TestLocale(t *testing.T) {
	for _, locale := range []string{"", "en", "EN", "en-GB", "de-AT", "zh-Hant-TW", "es-419", "sl-rozaj-biske", "de-CH-1901",
		"en-u-ca-buddhist", "en-x-private", "gsw", "en-GB-oxendict"} {
		require.NoError(t, access.Profile{Name: "Ann", Locale: locale}.Check(), "%q", locale)
	}
	for _, locale := range []string{"e", "en_GB", "en-", "-en", "en--GB", "e1", "123", "english12", "en GB", "en-GB\n", "x-private",
		"i-klingon", "en-u", "en-x", "en-toolongone", "dé", "en-é", "C.UTF-8", "../../etc", "en-" + strings.Repeat("abcde-", 6) + "fg"} {
		requireOutcome(t, access.Profile{Name: "Ann", Locale: locale}.Check(), "locale.text", "locale")
	}
	for _, locale := range []string{"xq", "german", "en-ZY", "de-Wxyz", "en-abcde"} {
		requireOutcome(t, access.Profile{Name: "Ann", Locale: locale}.Check(), "locale.unknown", "locale")
	}
}

func TestTimeZone(t *testing.T) {
	for _, zone := range []string{"", "UTC", "Europe/Vienna", "America/Argentina/Buenos_Aires"} {
		require.NoError(t, access.Profile{Name: "Ann", TimeZone: zone}.Check(), "%q", zone)
	}
	for _, zone := range []string{"Local", "Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "Europe/Vienna\x00", " UTC", "+02:00",
		strings.Repeat("a", 65), "\xff"} {
		requireOutcome(t, access.Profile{Name: "Ann", TimeZone: zone}.Check(), "time_zone.unknown", "time_zone")
	}
}

func TestPolicyCheck(t *testing.T) {
	var hundred []string
	for i := range access.MaxPolicyDomains {
		hundred = append(hundred, fmt.Sprintf("d%d.example.com", i))
	}
	tests := []struct {
		name        string
		policy      access.Policy
		code, field string
	}{
		{"none", access.Policy{}, "", ""},
		{"the most", access.Policy{Seats: 1_000_000, Domains: hundred}, "", ""},
		{"seats below 0", access.Policy{Seats: -1}, "seats.range", "seats"},
		{"too many seats", access.Policy{Seats: 1_000_001}, "seats.range", "seats"},
		{"too many domains", access.Policy{Domains: append([]string{"example.com"}, hundred...)}, "domains.many", "domains"},
		{"a domain twice", access.Policy{Domains: []string{"a.example", "b.example", "a.example"}}, "domains.repeated", "domains"},
		{"capitals", access.Policy{Domains: []string{"Example.com"}}, "domain.invalid", "domains"},
		{"not in ASCII", access.Policy{Domains: []string{"bücher.example"}}, "domain.invalid", "domains"},
		{"an empty one", access.Policy{Domains: []string{""}}, "domain.invalid", "domains"},
		{"an address", access.Policy{Domains: []string{"a@example.com"}}, "domain.invalid", "domains"},
		{"a pattern", access.Policy{Domains: []string{"*.example.com"}}, "domain.invalid", "domains"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { requireOutcome(t, tt.policy.Check(), tt.code, tt.field) })
	}
}

// requireOutcome checks that an error of kind ErrInvalid has a code and a field, or that there is none if code is
// empty.
func requireOutcome(t *testing.T, err error, code, field string) {
	t.Helper()
	if code == "" {
		require.NoError(t, err)
		return
	}
	requireCode(t, err, access.ErrInvalid, code)
	var refusal *access.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, field, refusal.Field)
}

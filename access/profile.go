package access

import (
	"strings"
	"time"

	"golang.org/x/text/language"
)

// The limits of a Policy.
const (
	MaxSeats         = 1_000_000
	MaxPolicyDomains = 100
)

const (
	maxPhoneRunes    = 40
	maxLocaleBytes   = 35 // RFC 5646 section 4.4.1: what every well-known tag fits in
	maxTimeZoneBytes = 64
)

// Check returns an error of kind ErrInvalid if the profile can't be one. Beside the codes of CheckName and CheckText
// these are "phone.text", those of CheckLocale, "time_zone.unknown" and "country.text". Time zones are looked up with
// time.LoadLocation: a host on a machine without a time zone database imports time/tzdata.
func (p Profile) Check() error {
	if err := CheckName("name", p.Name); err != nil {
		return err
	}
	if err := CheckText("company", p.Company, MaxNameRunes); err != nil {
		return err
	}
	if err := p.Billing.Check("billing"); err != nil {
		return err
	}
	if err := p.Postal.Check("postal"); err != nil {
		return err
	}
	if err := CheckPhone("phone", p.Phone); err != nil {
		return err
	}
	if err := CheckLocale("locale", p.Locale); err != nil {
		return err
	}
	if !isTimeZone(p.TimeZone) {
		return Invalid("time_zone", "time_zone.unknown", "is not the name of a time zone that is known here")
	}
	return nil
}

// Check returns an error of kind ErrInvalid if the postal address can't be one: the codes of CheckText, and
// "country.text". Its Field is the given one and the line, for example "billing.city".
func (a PostalAddress) Check(field string) error {
	for _, line := range []struct{ name, text string }{
		{"street", a.Street}, {"city", a.City}, {"region", a.Region}, {"postal_code", a.PostalCode},
	} {
		if err := CheckText(field+"."+line.name, line.text, MaxNameRunes); err != nil {
			return err
		}
	}
	if a.Country != "" && (len(a.Country) != 2 || strings.Trim(a.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		return Invalid(field+".country", "country.text", "is not a country code of two capital letters")
	}
	return nil
}

// CheckPhone returns an error of kind ErrInvalid if a text can't be a phone number: with code "text.long" beyond 40
// characters, "phone.text" if it holds others than digits, blanks and + - ( ) . / x #. It may be empty.
func CheckPhone(field, phone string) error {
	if err := CheckText(field, phone, maxPhoneRunes); err != nil {
		return err
	}
	if strings.ContainsFunc(phone, func(r rune) bool { return !strings.ContainsRune("0123456789 +-()./x#", r) }) {
		return Invalid(field, "phone.text", "holds characters that are not of a phone number")
	}
	return nil
}

// Check returns an error of kind ErrInvalid if the policy can't be one: with code "seats.range" for seats below 0 or
// above MaxSeats, "domains.many" for more than MaxPolicyDomains, "domain.invalid" for one that isn't in the form
// which ParseDomain returns, "domains.repeated" for one that is there twice.
func (p Policy) Check() error {
	if p.Seats < 0 || p.Seats > MaxSeats {
		return Invalid("seats", "seats.range", "are not between 0 and 1000000")
	}
	if len(p.Domains) > MaxPolicyDomains {
		return Invalid("domains", "domains.many", "are more than 100")
	}
	seen := map[string]bool{}
	for _, domain := range p.Domains {
		if canonical, err := ParseDomain(domain); err != nil || canonical != domain {
			return Invalid("domains", "domain.invalid", "hold one that is not a valid internet domain in canonical form")
		}
		if seen[domain] {
			return Invalid("domains", "domains.repeated", "hold one twice")
		}
		seen[domain] = true
	}
	return nil
}

// CheckLocale returns an error of kind ErrInvalid if a text can't be a locale, a BCP 47 language tag of up to 35
// characters: with code "locale.text" if it hasn't the shape of one, "locale.unknown" if a part of it isn't registered.
// It may be empty.
func CheckLocale(field, locale string) error {
	switch {
	case locale == "":
		return nil
	case !isLocale(locale):
		return Invalid(field, "locale.text", "is not a BCP 47 language tag")
	}
	if _, err := language.Parse(locale); err != nil {
		return Invalid(field, "locale.unknown", "is not a language that is known")
	}
	return nil
}

// isLocale reports whether a text has the shape of a BCP 47 tag that begins with a language: subtags of 1 to 8 ASCII
// letters and digits, of which a single character introduces more. Whether the subtags are registered is not asked.
func isLocale(s string) bool {
	if len(s) > maxLocaleBytes {
		return false
	}
	subtags := strings.Split(s, "-")
	language := subtags[0]
	if len(language) < 2 || strings.ContainsAny(language, "0123456789") || len(subtags[len(subtags)-1]) < 2 {
		return false
	}
	for _, subtag := range subtags {
		if subtag == "" || len(subtag) > 8 || strings.ContainsFunc(subtag, func(r rune) bool { return !isAlphanumeric(r) }) {
			return false
		}
	}
	return true
}

// isTimeZone reports whether a name is known. "Local" isn't one: it would mean wherever the program runs.
func isTimeZone(name string) bool {
	if len(name) > maxTimeZoneBytes || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

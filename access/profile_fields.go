package access

// profileFields are the names of the fields of a profile, as events call them.
var profileFields = []string{"billing", "company", "locale", "name", "phone", "postal", "time_zone"}

// fields returns the values of a profile by name.
func (p Profile) fields() map[string]string {
	return map[string]string{
		"billing": p.Billing.line(), "company": p.Company, "locale": p.Locale, "name": p.Name,
		"phone": p.Phone, "postal": p.Postal.line(), "time_zone": p.TimeZone,
	}
}

// line returns the address on one line.
func (a PostalAddress) line() string {
	line := ""
	for _, part := range []string{a.Street, a.PostalCode, a.City, a.Region, a.Country} {
		if part == "" {
			continue
		}
		if line != "" {
			line += ", "
		}
		line += part
	}
	return line
}

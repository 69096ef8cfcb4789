package access

import "slices"

// profileFields returns the names of the fields of a profile, as events call them, sorted.
func profileFields() []string {
	return []string{"billing", "company", "locale", "name", "phone", "postal", "time_zone"}
}

// fields returns the values of some fields of a profile by name.
func (p Profile) fields(names ...string) map[string]string {
	all := map[string]string{
		"billing": p.Billing.line(), "company": p.Company, "locale": p.Locale, "name": p.Name,
		"phone": p.Phone, "postal": p.Postal.line(), "time_zone": p.TimeZone,
	}
	fields := make(map[string]string, len(names))
	for _, name := range names {
		fields[name] = all[name]
	}
	return fields
}

// changedFields returns the names of the fields in which two profiles differ, sorted. Postal addresses are compared as
// such: different ones may have the same line.
func (p Profile) changedFields(q Profile) []string {
	same := map[string]bool{
		"billing": p.Billing == q.Billing, "company": p.Company == q.Company, "locale": p.Locale == q.Locale,
		"name": p.Name == q.Name, "phone": p.Phone == q.Phone, "postal": p.Postal == q.Postal,
		"time_zone": p.TimeZone == q.TimeZone,
	}
	return slices.DeleteFunc(profileFields(), func(name string) bool { return same[name] })
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

package contact

import (
	"context"

	"github.com/rosterkit/roster/access"
)

// recordContact puts a change of a contact on the record. A contact without a name is none. The names of what changed
// and the categories are public; what it changed from and to is personal, with the e-mail address masked.
func (c *call) recordContact(ctx context.Context, kind access.EventKind, before, after Contact) error {
	target := access.Target{Kind: access.TargetContact, ID: string(after.ID), Name: after.Name}
	if after.Name == "" {
		target.Name = before.Name
	}
	var changed []string
	for _, f := range contactFields {
		from, to := f.value(before), f.value(after)
		if from == to {
			continue
		}
		changed = append(changed, f.name)
		if f.name == "address" {
			from, to = before.Address.String(), after.Address.String()
		}
		target.Before = put(target.Before, f.name, from)
		target.After = put(target.After, f.name, to)
	}
	factsBefore, factsAfter := before.facts(), after.facts()
	if kind == access.EventContactUpdated {
		factsAfter.Fields = changed
	}
	return c.Record(ctx, kind, target, factsBefore, factsAfter)
}

// recordOwn puts on the record what a contact did itself, or was asked to.
func (c *call) recordOwn(ctx context.Context, kind access.EventKind, before, after Contact) error {
	target := access.Target{Kind: access.TargetContact, ID: string(after.ID), Name: after.Name}
	return c.Record(ctx, kind, target, before.facts(), after.facts())
}

// facts are what events tell of a contact that isn't personal.
func (c Contact) facts() access.Facts {
	return access.Facts{Categories: access.Permission(c.Categories), Waiting: access.Permission(c.Waiting)}
}

// contactFields are what events tell of a contact, sorted by name.
var contactFields = []struct {
	name  string
	value func(Contact) string
}{
	{"address", func(c Contact) string { return c.Address.Original() }},
	{"alternate_of", func(c Contact) string { return string(c.AlternateOf) }},
	{"company", func(c Contact) string { return c.Company }},
	{"label", func(c Contact) string { return c.Label }},
	{"locale", func(c Contact) string { return c.Locale }},
	{"name", func(c Contact) string { return c.Name }},
	{"phone", func(c Contact) string { return c.Phone }},
	{"postal.city", func(c Contact) string { return c.Postal.City }},
	{"postal.country", func(c Contact) string { return c.Postal.Country }},
	{"postal.postal_code", func(c Contact) string { return c.Postal.PostalCode }},
	{"postal.region", func(c Contact) string { return c.Postal.Region }},
	{"postal.street", func(c Contact) string { return c.Postal.Street }},
}

// put adds a value that isn't empty to a map, which may be nil.
func put(values map[string]string, name, value string) map[string]string {
	if value == "" {
		return values
	}
	if values == nil {
		values = map[string]string{}
	}
	values[name] = value
	return values
}

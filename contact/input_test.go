package contact_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

// TestBadInput gives every verb what can't be right: the error is of kind ErrInvalid and names the field and the
// reason, and nothing changes.
func TestBadInput(t *testing.T) {
	w := notifyingWorld(t)
	w.member("mia", access.PayInvoices)
	carl := w.contact("carl", contact.Invoice)
	w.contact("dora", contact.Invoice)
	first, err := w.contacts.Contacts(ctx, system, acme, contact.Filter{}, access.Page{Limit: 1})
	require.NoError(t, err)
	otherList := access.Page{After: firstCursorOf(t, w)}

	// The verbs, with everything right but what a case replaces.
	type input struct {
		actor    access.Actor
		account  access.AccountID
		id       contact.ID
		details  contact.Details
		user     access.UserID
		category contact.Category
		filter   contact.Filter
		page     access.Page
		resource string
		also     []access.UserID
		address  access.Address
	}
	verbs := map[string]func(input) error{
		"Add": func(in input) error {
			_, _, err := w.contacts.Add(ctx, in.actor, in.account, in.details)
			return err
		},
		"Update": func(in input) error {
			_, err := w.contacts.Update(ctx, in.actor, in.account, in.id, in.details)
			return err
		},
		"Remove": func(in input) error {
			_, err := w.contacts.Remove(ctx, in.actor, in.account, in.id)
			return err
		},
		"Contact": func(in input) error {
			_, err := w.contacts.Contact(ctx, in.actor, in.account, in.id)
			return err
		},
		"Contacts": func(in input) error {
			_, err := w.contacts.Contacts(ctx, in.actor, in.account, in.filter, in.page)
			return err
		},
		"Preferences": func(in input) error {
			_, err := w.contacts.Preferences(ctx, in.actor, in.account, in.user)
			return err
		},
		"SetPreferences": func(in input) error {
			_, err := w.contacts.SetPreferences(ctx, in.actor, in.account, in.user, in.category)
			return err
		},
		"Recipients": func(in input) error {
			_, err := w.contacts.Recipients(ctx, in.account, in.category, in.resource, in.also...)
			return err
		},
		"SendVerification": func(in input) error {
			_, err := w.contacts.SendVerification(ctx, in.actor, in.account, in.id)
			return err
		},
		"SetAlternate": func(in input) error {
			_, err := w.contacts.SetAlternate(ctx, in.actor, in.account, in.id, true)
			return err
		},
		"Notify": func(in input) error {
			_, err := w.contacts.Notify(ctx, in.account, in.category, in.resource, invoice(1), in.also...)
			return err
		},
		"Requester": func(in input) error {
			_, err := w.contacts.Requester(ctx, in.actor, in.account, in.address)
			return err
		},
	}
	type badInput struct {
		verbs       string
		change      func(*input)
		code, field string
	}
	const acting = "Add Update Remove Contact Contacts Preferences SetPreferences SendVerification SetAlternate Requester"
	const writing, naming, choosing, telling = "Add Update", "Update Remove Contact SendVerification SetAlternate",
		"Preferences SetPreferences", "Recipients Notify"
	long, control := strings.Repeat("ä", 201), "a\r\nb"
	cases := map[string]badInput{
		"zero actor":           {acting, func(in *input) { in.actor = access.Actor{} }, "actor.zero", "actor"},
		"staff without reason": {acting, func(in *input) { in.actor = access.AsStaff("sam", "") }, "actor.reason", "actor"},
		"no account":           {acting + " " + telling, func(in *input) { in.account = "" }, "id.empty", "account"},
		"long account":         {acting + " " + telling, func(in *input) { in.account = access.AccountID(strings.Repeat("a", 129)) }, "id.long", "account"},
		"account with control": {acting + " " + telling, func(in *input) { in.account = "a\x00b" }, "id.text", "account"},

		"no contact":           {naming, func(in *input) { in.id = "" }, "id.empty", "contact"},
		"contact of no kind":   {naming, func(in *input) { in.id = "7" }, "id.text", "contact"},
		"contact in capitals":  {naming, func(in *input) { in.id = contact.ID(strings.ToUpper(string(carl.ID))) }, "id.text", "contact"},
		"contact in braces":    {naming, func(in *input) { in.id = "{" + carl.ID + "}" }, "id.text", "contact"},
		"long contact":         {naming, func(in *input) { in.id = contact.ID(strings.Repeat("0", 1<<20)) }, "id.text", "contact"},
		"no name":              {writing, func(in *input) { in.details.Name = "" }, "text.empty", "name"},
		"blank name":           {writing, func(in *input) { in.details.Name = " \t" }, "text.empty", "name"},
		"long name":            {writing, func(in *input) { in.details.Name = long }, "text.long", "name"},
		"name with control":    {writing, func(in *input) { in.details.Name = control }, "text.control", "name"},
		"name not UTF-8":       {writing, func(in *input) { in.details.Name = "a\xff" }, "text.control", "name"},
		"no address":           {writing, func(in *input) { in.details.Address = access.Address{} }, "address.empty", "address"},
		"long company":         {writing, func(in *input) { in.details.Company = long }, "text.long", "company"},
		"company with control": {writing, func(in *input) { in.details.Company = control }, "text.control", "company"},
		"long city":            {writing, func(in *input) { in.details.Postal.City = long }, "text.long", "postal.city"},
		"no country code":      {writing, func(in *input) { in.details.Postal.Country = "Austria" }, "country.text", "postal.country"},
		"long phone":           {writing, func(in *input) { in.details.Phone = strings.Repeat("1", 41) }, "text.long", "phone"},
		"phone of letters":     {writing, func(in *input) { in.details.Phone = "call me" }, "phone.text", "phone"},
		"long label":           {writing, func(in *input) { in.details.Label = long }, "text.long", "label"},
		"label with control":   {writing, func(in *input) { in.details.Label = control }, "text.control", "label"},
		"bad locale":           {writing, func(in *input) { in.details.Locale = "deutsch" }, "locale.unknown", "locale"},
		"locale of two lines":  {writing, func(in *input) { in.details.Locale = "de\nen" }, "locale.text", "locale"},
		"unknown category":     {writing, func(in *input) { in.details.Categories = 1 << 6 }, "category.unknown", "categories"},
		"category bit 63":      {writing, func(in *input) { in.details.Categories = 1 << 63 }, "category.unknown", "categories"},

		"filter by unknown category": {"Contacts", func(in *input) { in.filter.Categories = 1 << 6 }, "category.unknown", "categories"},
		"filter by long prefix":      {"Contacts", func(in *input) { in.filter.Prefix = long }, "text.long", "prefix"},
		"filter by control":          {"Contacts", func(in *input) { in.filter.Prefix = control }, "text.control", "prefix"},
		"page below zero":            {"Contacts", func(in *input) { in.page.Limit = -1 }, "page.limit", "page"},
		"page too big":               {"Contacts", func(in *input) { in.page.Limit = access.MaxPage + 1 }, "page.limit", "page"},
		"made-up cursor":             {"Contacts", func(in *input) { in.page.After = "abc" }, "page.cursor", "page"},
		"cursor of another list":     {"Contacts", func(in *input) { in.page = otherList }, "page.cursor", "page"},
		"cursor of another account":  {"Contacts", func(in *input) { in.page.After, in.account = first.Next, "other" }, "page.cursor", "page"},

		"no user":                    {choosing, func(in *input) { in.user = "" }, "id.empty", "user"},
		"long user":                  {choosing, func(in *input) { in.user = access.UserID(strings.Repeat("u", 129)) }, "id.long", "user"},
		"user with control":          {choosing, func(in *input) { in.user = "a\nb" }, "id.text", "user"},
		"choosing unknown":           {"SetPreferences", func(in *input) { in.category = 1 << 6 }, "category.unknown", "categories"},
		"choosing bit 63":            {"SetPreferences", func(in *input) { in.category = contact.All + 1 }, "category.unknown", "categories"},
		"recipients of nothing":      {telling, func(in *input) { in.category = 0 }, "category.unknown", "category"},
		"recipients of two":          {telling, func(in *input) { in.category = contact.Invoice | contact.Support }, "category.unknown", "category"},
		"recipients of all":          {telling, func(in *input) { in.category = contact.All }, "category.unknown", "category"},
		"recipients of unknown":      {telling, func(in *input) { in.category = 1 << 6 }, "category.unknown", "category"},
		"long resource":              {telling, func(in *input) { in.resource = strings.Repeat("r", 129) }, "id.long", "resource"},
		"resource with control":      {telling, func(in *input) { in.resource = "a\nb" }, "text.control", "resource"},
		"involving nobody":           {telling, func(in *input) { in.also = []access.UserID{"mia", ""} }, "id.empty", "user"},
		"involving too many":         {telling, func(in *input) { in.also = make([]access.UserID, contact.MaxAlso+1) }, "also.many", "also"},
		"a requester without a name": {"Requester", func(in *input) { in.address = access.Address{} }, "address.empty", "address"},
	}
	before := w.state("mia")
	for name, test := range cases {
		for _, verb := range strings.Fields(test.verbs) {
			t.Run(name+"/"+verb, func(t *testing.T) {
				in := input{actor: system, account: acme, id: carl.ID, details: details(t, "emil", contact.Support), user: "mia",
					category: contact.Invoice, address: carl.Address}
				test.change(&in)
				err := verbs[verb](in)
				requireRefused(t, err, access.ErrInvalid, test.code, test.field)
				requireSame(t, before, w.state("mia"))
			})
		}
	}

	// With an account that isn't there each verb is refused too; with nothing wrong it isn't.
	for name, verb := range verbs {
		in := input{actor: system, account: "nowhere", id: carl.ID, details: details(t, "by"+name, contact.Support), user: "mia",
			category: contact.Invoice, address: carl.Address}
		requireRefused(t, verb(in), access.ErrNotFound, "not_found", "account")
		// Removing would leave nothing for the others, and two have other reasons to refuse.
		if in.account = acme; name != "Remove" && name != "SendVerification" && name != "SetAlternate" {
			require.NoError(t, verb(in), name)
		}
	}
}

// firstCursorOf returns a cursor of another list.
func firstCursorOf(t *testing.T, w *world) access.Cursor {
	t.Helper()
	members, err := w.members.Members(ctx, system, acme, access.MemberFilter{}, access.Page{Limit: 1})
	require.NoError(t, err)
	require.NotEmpty(t, members.Next)
	return members.Next
}

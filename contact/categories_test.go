package contact_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/storage/memory"
)

// TestPortalIsGolden keeps the promise that bits and keys are never changed or reused: add lines, change none.
func TestPortalIsGolden(t *testing.T) {
	type line struct {
		Bit      uint64
		Key      string
		Reveals  []string
		Required bool
	}
	var got []line
	for _, d := range contact.Portal().Definitions() {
		require.NotEmpty(t, d.Help)
		got = append(got, line{uint64(d.Category), d.Key, access.Portal().Keys(d.Reveals), d.Required})
	}
	want := []line{
		{1, "general", nil, false},
		{2, "product", []string{"products"}, false},
		{4, "domain", []string{"domains"}, true},
		{8, "invoice", []string{"invoices"}, false},
		{16, "support", []string{"tickets"}, false},
		{32, "affiliate", []string{"affiliates"}, false},
	}
	require.Empty(t, cmp.Diff(want, got))
	require.Equal(t, uint64(1<<63-1), uint64(contact.All))
	require.Equal(t, contact.General|contact.Product|contact.Domain|contact.Invoice|contact.Support|contact.Affiliate,
		contact.Portal().Known())
}

func TestCategoryHas(t *testing.T) {
	for _, test := range []struct {
		c, d contact.Category
		want bool
	}{
		{contact.Invoice, contact.Invoice, true},
		{contact.Invoice | contact.Support, contact.Invoice, true},
		{contact.Invoice, contact.Invoice | contact.Support, false},
		{contact.All, contact.Portal().Known(), true},
		{contact.Portal().Known(), contact.All, false},
		{contact.All, 0, false},
		{0, 0, false},
		{contact.All, 1 << 63, false},
	} {
		require.Equal(t, test.want, test.c.Has(test.d), "%b has %b", test.c, test.d)
	}
}

func TestNewCategoriesRefuses(t *testing.T) {
	good := contact.CategoryDefinition{Category: 1, Key: "billing", Label: "Billing", Help: "Everything about money."}
	with := func(change func(*contact.CategoryDefinition)) []contact.CategoryDefinition {
		other := contact.CategoryDefinition{Category: 2, Key: "sales", Label: "Sales", Help: "Everything about orders."}
		change(&other)
		return []contact.CategoryDefinition{good, other}
	}
	_, err := contact.NewCategories(with(func(*contact.CategoryDefinition) {}))
	require.NoError(t, err)
	for name, test := range map[string]struct {
		definitions []contact.CategoryDefinition
		code, field string
	}{
		"none":          {nil, "categories.empty", "categories"},
		"no bit":        {with(func(d *contact.CategoryDefinition) { d.Category = 0 }), "categories.bit", "categories"},
		"two bits":      {with(func(d *contact.CategoryDefinition) { d.Category = 6 }), "categories.bit", "categories"},
		"bit 63":        {with(func(d *contact.CategoryDefinition) { d.Category = 1 << 63 }), "categories.bit", "categories"},
		"bit taken":     {with(func(d *contact.CategoryDefinition) { d.Category = 1 }), "categories.bit", "categories"},
		"no key":        {with(func(d *contact.CategoryDefinition) { d.Key = "" }), "categories.key", "categories"},
		"capital key":   {with(func(d *contact.CategoryDefinition) { d.Key = "Sales" }), "categories.key", "categories"},
		"key all":       {with(func(d *contact.CategoryDefinition) { d.Key = "all" }), "categories.key", "categories"},
		"key taken":     {with(func(d *contact.CategoryDefinition) { d.Key = "billing" }), "categories.key", "categories"},
		"no label":      {with(func(d *contact.CategoryDefinition) { d.Label = " " }), "text.empty", "label"},
		"no language":   {with(func(d *contact.CategoryDefinition) { d.Labels = map[string]string{"german": "x"} }), "locale.unknown", "labels"},
		"label control": {with(func(d *contact.CategoryDefinition) { d.Label = "a\nb" }), "text.control", "label"},
		"no meaning":    {with(func(d *contact.CategoryDefinition) { d.Help = " " }), "categories.help", "categories"},
		"reveals 63":    {with(func(d *contact.CategoryDefinition) { d.Reveals = 1 << 63 }), "categories.reveals", "categories"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := contact.NewCategories(test.definitions)
			requireRefused(t, err, access.ErrInvalid, test.code, test.field)
		})
	}
}

func TestCategoriesParseAndKeys(t *testing.T) {
	portal := contact.Portal()
	rapid.Check(t, func(t *rapid.T) {
		c := contact.Category(rapid.Uint64Range(0, uint64(portal.Known())).Draw(t, "categories"))
		require.NoError(t, portal.Check(c))
		parsed, err := portal.Parse(portal.Keys(c)...)
		require.NoError(t, err)
		require.Equal(t, c, parsed)
		require.Len(t, portal.Labels(c), len(portal.Keys(c)))
	})
	all, err := portal.Parse("invoice", "all")
	require.NoError(t, err)
	require.Equal(t, contact.All, all)
	require.NoError(t, portal.Check(contact.All))
	require.Equal(t, []string{"all"}, portal.Keys(contact.All))
	require.Equal(t, contact.Invoice, portal.Bit("invoice"))
	require.Zero(t, portal.Bit("all"))

	_, err = portal.Parse("invoice", "invoices")
	requireRefused(t, err, access.ErrInvalid, "category.unknown", "categories")
	requireRefused(t, portal.Check(1<<6), access.ErrInvalid, "category.unknown", "categories")
	requireRefused(t, portal.Check(1<<63), access.ErrInvalid, "category.unknown", "categories")
}

func TestCategoriesReveal(t *testing.T) {
	portal := contact.Portal()
	require.Zero(t, portal.Reveals(0))
	require.Zero(t, portal.Reveals(contact.General))
	require.Equal(t, access.PayInvoices|access.OpenTickets, portal.Reveals(contact.Invoice|contact.Support))
	require.Equal(t, access.All, portal.Reveals(contact.All), "tomorrow's category may reveal anything")
}

// TestCategoriesAreShared checks that nobody changes a set through what it was made from or returned.
func TestCategoriesAreShared(t *testing.T) {
	definitions := contact.Portal().Definitions()
	own, err := contact.NewCategories(definitions)
	require.NoError(t, err)
	definitions[0].Key = "changed"
	own.Definitions()[1].Key = "changed"
	require.Empty(t, cmp.Diff(contact.Portal().Definitions(), own.Definitions()))
}

func TestNewPanics(t *testing.T) {
	db := memory.New()
	other, err := access.NewCatalog([]access.Definition{{Permission: access.ViewProducts, Key: "servers", Label: "Servers"}}, nil)
	require.NoError(t, err)
	general, err := contact.NewCategories([]contact.CategoryDefinition{{Category: 1, Key: "general", Label: "General", Help: "Everything."}})
	require.NoError(t, err)

	portal, servers := access.New(db, access.Config{}), access.New(db, access.Config{Catalog: other})
	require.NotPanics(t, func() { contact.New(db, portal, contact.Config{}) })
	require.NotPanics(t, func() { contact.New(db, servers, contact.Config{Categories: general}) })
	require.PanicsWithValue(t, "contact: New without a service for members", func() { contact.New(db, nil, contact.Config{}) })
	require.PanicsWithValue(t, "contact: New without a store",
		func() { contact.New[contact.Tx](nil, portal, contact.Config{}) })
	require.PanicsWithValue(t, "contact: New without Config.Categories for a catalog other than access.Portal",
		func() { contact.New(db, servers, contact.Config{}) })
	require.PanicsWithValue(t, "contact: New with a category that reveals a permission which the catalog doesn't have",
		func() { contact.New(db, servers, contact.Config{Categories: contact.Portal()}) })
}

// TestPortalSpeaks: every category has a label of its own in every language that mails are written in.
func TestPortalSpeaks(t *testing.T) {
	categories := contact.Portal()
	seen := map[string]bool{}
	for _, locale := range []string{"en", "de-AT", "fr"} {
		labels := categories.LabelsIn(locale, contact.All)
		require.Len(t, labels, len(categories.Definitions()))
		for _, label := range labels {
			require.False(t, seen[label], label)
			seen[label] = true
		}
	}
	categories.Definitions()[0].Labels["de"] = "changed"
	require.Equal(t, []string{"E-Mails zu Domains"}, categories.LabelsIn("de", contact.Domain))
	require.NotContains(t, categories.LabelsIn("de", contact.All), "changed")
}

package access_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
)

func TestNewCatalogRefuses(t *testing.T) {
	read := access.Definition{Permission: 1, Key: "read", Label: "Read"}
	with := func(change func(*access.Definition)) []access.Definition {
		write := access.Definition{Permission: 2, Key: "write", Label: "Write", Needs: 1}
		change(&write)
		return []access.Definition{read, write}
	}
	tests := []struct {
		name        string
		definitions []access.Definition
		presets     []access.Preset
		code        string
	}{
		{"no definition", nil, nil, "catalog.empty"},
		{"no bit", with(func(d *access.Definition) { d.Permission = 0 }), nil, "catalog.bit"},
		{"two bits", with(func(d *access.Definition) { d.Permission = 6 }), nil, "catalog.bit"},
		{"bit 63", with(func(d *access.Definition) { d.Permission = 1 << 63 }), nil, "catalog.bit"},
		{"a bit twice", with(func(d *access.Definition) { d.Permission = 1; d.Needs = 0 }), nil, "catalog.bit"},
		{"no key", with(func(d *access.Definition) { d.Key = "" }), nil, "catalog.key"},
		{"a key twice", with(func(d *access.Definition) { d.Key = "read" }), nil, "catalog.key"},
		{"the key of All", with(func(d *access.Definition) { d.Key = "all" }), nil, "catalog.key"},
		{"a key in capitals", with(func(d *access.Definition) { d.Key = "Write" }), nil, "catalog.key"},
		{"a key with a blank", with(func(d *access.Definition) { d.Key = "wri te" }), nil, "catalog.key"},
		{"a key that isn't ASCII", with(func(d *access.Definition) { d.Key = "wríte" }), nil, "catalog.key"},
		{"no label", with(func(d *access.Definition) { d.Label = " " }), nil, "text.empty"},
		{"a label in no language", with(func(d *access.Definition) { d.Labels = map[string]string{"": "x"} }), nil, "locale.text"},
		{"a label in what is no language", with(func(d *access.Definition) { d.Labels = map[string]string{"german": "x"} }), nil, "locale.unknown"},
		{"an empty label in a language", with(func(d *access.Definition) { d.Labels = map[string]string{"de": ""} }), nil, "text.empty"},
		{"needs what isn't there", with(func(d *access.Definition) { d.Needs = 4 }), nil, "catalog.needs"},
		{"needs bit 63", with(func(d *access.Definition) { d.Needs = 1 << 63 }), nil, "catalog.needs"},
		{"needs itself", with(func(d *access.Definition) { d.Needs = 2 }), nil, "catalog.needs"},
		{"needs itself by a detour", []access.Definition{
			{Permission: 1, Key: "a", Label: "A", Needs: 2}, {Permission: 2, Key: "b", Label: "B", Needs: 4},
			{Permission: 4, Key: "c", Label: "C", Needs: 1}}, nil, "catalog.needs"},
		{"a preset without a key", []access.Definition{read}, []access.Preset{{Label: "P", Permissions: 1}}, "catalog.preset"},
		{"a preset twice", []access.Definition{read},
			[]access.Preset{{Key: "p", Label: "P", Permissions: 1}, {Key: "p", Label: "P", Permissions: 1}}, "catalog.preset"},
		{"a preset without a label", []access.Definition{read}, []access.Preset{{Key: "p", Permissions: 1}}, "text.empty"},
		{"an empty preset", []access.Definition{read}, []access.Preset{{Key: "p", Label: "P"}}, "catalog.preset"},
		{"an unknown preset", []access.Definition{read}, []access.Preset{{Key: "p", Label: "P", Permissions: 2}}, "catalog.preset"},
		{"an incomplete preset", with(func(*access.Definition) {}),
			[]access.Preset{{Key: "p", Label: "P", Permissions: 2}}, "catalog.preset"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := access.NewCatalog(tt.definitions, tt.presets)
			require.Nil(t, c)
			requireCode(t, err, access.ErrInvalid, tt.code)
		})
	}
	_, err := access.NewCatalog(with(func(*access.Definition) {}), []access.Preset{{Key: "all", Label: "All", Permissions: access.All}})
	require.NoError(t, err, "what the cases above spoil is right")
}

func TestCatalogNeverChanges(t *testing.T) {
	definitions := []access.Definition{{Permission: 1, Key: "read", Label: "Read", Group: "g", Labels: map[string]string{"de": "Lesen"}}}
	presets := []access.Preset{{Key: "p", Label: "P", Permissions: 1}}
	c, err := access.NewCatalog(definitions, presets)
	require.NoError(t, err)
	definitions[0].Key, presets[0].Key = "changed", "changed"
	definitions[0].Labels["de"], c.Definitions()[0].Labels["de"] = "changed", "changed"
	c.Definitions()[0].Key, c.Presets()[0].Key, c.Groups()[0] = "changed", "changed", "changed"
	require.Equal(t, "read", c.Definitions()[0].Key)
	require.Equal(t, "p", c.Presets()[0].Key)
	require.Equal(t, "g", c.Groups()[0])
	require.Equal(t, []string{"Lesen"}, c.LabelsIn("de", 1))
}

func TestLabelsIn(t *testing.T) {
	c, err := access.NewCatalog([]access.Definition{
		{Permission: 1, Key: "read", Label: "Read", Labels: map[string]string{"de": "Lesen", "de-AT": "Anschauen", "zh-Hant": "讀"}},
		{Permission: 2, Key: "write", Label: "Write"},
	}, nil)
	require.NoError(t, err)
	for locale, want := range map[string]string{"de": "Lesen", "de-CH": "Lesen", "de-AT": "Anschauen", "zh-Hant-TW": "讀", "zh": "Read", "en": "Read", "": "Read"} {
		require.Equal(t, []string{want, "Write"}, c.LabelsIn(locale, access.All), locale)
		require.Equal(t, []string{"Write"}, c.LabelsIn(locale, 2))
	}
	require.Empty(t, c.LabelsIn("de", 4))
}

// TestPortalSpeaks: every permission has a label of its own in every language that mails are written in.
func TestPortalSpeaks(t *testing.T) {
	c := access.Portal()
	seen := map[string]bool{}
	for _, locale := range []string{"en", "de", "fr"} {
		labels := c.LabelsIn(locale, access.All)
		require.Len(t, labels, len(c.Definitions()))
		for _, label := range labels {
			require.False(t, seen[label], label)
			seen[label] = true
		}
	}
}

func TestCatalogCheck(t *testing.T) {
	c := access.Portal()
	tests := []struct {
		name   string
		set    access.Permission
		code   string
		params map[string]string
	}{
		{"all", access.All, "", nil},
		{"every one of today", c.Known(), "", nil},
		{"one", access.PayInvoices, "", nil},
		{"one with what it needs", access.ManageProducts | access.ViewProducts, "", nil},
		{"empty", 0, "permissions.empty", nil},
		{"bit 14", 1 << 14, "permissions.unknown", nil},
		{"a known and an unknown bit", access.PayInvoices | 1<<40, "permissions.unknown", nil},
		{"bit 63", 1 << 63, "permissions.unknown", nil},
		{"all and bit 63", 1<<64 - 1, "permissions.unknown", nil},
		{"all but one", access.All &^ access.ModifyProfile, "permissions.unknown", nil},
		{"without what it needs", access.ManageProducts, "permissions.needs",
			map[string]string{"key": "manageproducts", "needs": "products"}},
		{"sign-on alone", access.ProductSSO | access.PayInvoices, "permissions.needs",
			map[string]string{"key": "productsso", "needs": "products"}},
		{"domain settings alone", access.ManageDomains | access.ViewProducts, "permissions.needs",
			map[string]string{"key": "managedomains", "needs": "domains"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := c.Check(tt.set)
			if tt.code == "" {
				require.NoError(t, err)
				return
			}
			requireCode(t, err, access.ErrInvalid, tt.code)
			var refusal *access.Error
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, "permissions", refusal.Field)
			require.Empty(t, cmp.Diff(tt.params, refusal.Params))
		})
	}
	require.EqualError(t, c.Check(access.ManageProducts),
		"roster: permissions hold manageproducts, which needs products")
}

func TestCatalogParse(t *testing.T) {
	c := access.Portal()
	tests := []struct {
		keys []string
		want access.Permission
	}{
		{nil, 0},
		{[]string{"invoices"}, access.PayInvoices},
		{[]string{"invoices", "invoices"}, access.PayInvoices},
		{[]string{"tickets", "products"}, access.OpenTickets | access.ViewProducts},
		{[]string{"managedomains"}, access.ManageDomains},
		{[]string{"all"}, access.All},
		{[]string{"invoices", "all"}, access.All},
	}
	for _, tt := range tests {
		p, err := c.Parse(tt.keys...)
		require.NoError(t, err)
		require.Equal(t, tt.want, p, "%q", tt.keys)
	}
	for _, key := range []string{"", "Invoices", " invoices", "invoices,tickets", "owner", "ALL", "\x00", "7"} {
		p, err := c.Parse("tickets", key)
		requireCode(t, err, access.ErrInvalid, "permissions.unknown", "%q", key)
		require.Zero(t, p)
		require.Zero(t, c.Bit(key))
	}
	require.Zero(t, c.Bit("all"), "All is no permission of its own")
}

func TestCatalogKeys(t *testing.T) {
	c := access.Portal()
	require.Empty(t, c.Keys(0))
	require.Equal(t, []string{"all"}, c.Keys(access.All))
	require.Equal(t, []string{"products", "tickets"}, c.Keys(access.OpenTickets|access.ViewProducts))
	require.Equal(t, []string{"invoices"}, c.Keys(access.PayInvoices|1<<50), "unknown bits are left out")
	require.Len(t, c.Keys(c.Known()), 14)
}

func TestCatalogCompleteGoesAllTheWay(t *testing.T) {
	c, err := access.NewCatalog([]access.Definition{
		{Permission: 1 << 0, Key: "base", Label: "Base"}, // in an order in which one pass isn't enough
		{Permission: 1 << 5, Key: "middle", Label: "Middle", Needs: 1 << 0},
		{Permission: 1 << 62, Key: "top", Label: "Top", Needs: 1 << 5},
		{Permission: 1 << 1, Key: "aside", Label: "Aside"},
	}, nil)
	require.NoError(t, err)
	require.Equal(t, access.Permission(1<<62|1<<5|1), c.Complete(1<<62))
	require.Equal(t, access.Permission(2), c.Complete(2))
	require.Equal(t, access.Permission(0), c.Complete(0))
	require.Equal(t, access.All, c.Complete(access.All))
}

// drawCatalog returns a random catalog, in which a permission needs only ones that were defined before it.
func drawCatalog(t *rapid.T) *access.Catalog {
	numbers := rapid.SliceOfNDistinct(rapid.IntRange(0, 62), 1, 63, rapid.ID).Draw(t, "bits")
	var definitions []access.Definition
	var before access.Permission
	for i, n := range numbers {
		definitions = append(definitions, access.Definition{Permission: 1 << n, Key: "k" + strings.Repeat("x", i), Label: "L",
			Needs: before & access.Permission(rapid.Uint64().Draw(t, "needs")) & access.Permission(rapid.Uint64().Draw(t, "fewer"))})
		before |= 1 << n
	}
	c, err := access.NewCatalog(rapid.Permutation(definitions).Draw(t, "order"), nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return c
}

func TestCatalogProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := access.Portal()
		if rapid.Bool().Draw(t, "random catalog") {
			c = drawCatalog(t)
		}
		p := access.Permission(rapid.Uint64().Draw(t, "set")) & c.Known()
		complete := c.Complete(p)
		if p != 0 && c.Check(complete) != nil {
			t.Fatalf("Complete(%b) = %b: %v", p, complete, c.Check(complete))
		}
		if c.Complete(complete) != complete || complete&p != p || complete&^c.Known() != 0 {
			t.Fatalf("Complete(%b) = %b, then %b", p, complete, c.Complete(complete))
		}
		if (p != 0 && c.Check(p) == nil) != (p != 0 && complete == p) {
			t.Fatalf("Check(%b) = %v, complete it is %b", p, c.Check(p), complete)
		}
		back, err := c.Parse(c.Keys(p)...)
		if err != nil || back != p {
			t.Fatalf("Parse(Keys(%b)) = %b, %v", p, back, err)
		}
	})
}

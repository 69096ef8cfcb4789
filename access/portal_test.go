package access_test

import (
	"flag"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// requireGolden compares a text with a file in testdata. A line that goes or changes there breaks a promise.
func requireGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestPortalIsGolden(t *testing.T) {
	c := access.Portal()
	var b strings.Builder
	for _, d := range c.Definitions() {
		fmt.Fprintf(&b, "%d %s %q", bits.TrailingZeros64(uint64(d.Permission)), d.Key, d.Label)
		if d.Needs != 0 {
			fmt.Fprintf(&b, " needs=%s", strings.Join(c.Keys(d.Needs), ","))
		}
		if d.Sensitive {
			b.WriteString(" sensitive")
		}
		if d.WhileSuspended {
			b.WriteString(" while-suspended")
		}
		b.WriteByte('\n')
	}
	for _, p := range c.Presets() {
		fmt.Fprintf(&b, "preset %s %q %d %s\n", p.Key, p.Label, p.Permissions, strings.Join(c.Keys(p.Permissions), ","))
	}
	requireGolden(t, "portal.golden", b.String())
}

// TestPortalBits says the bits once more, by constant and key.
func TestPortalBits(t *testing.T) {
	c := access.Portal()
	for bit, row := range []struct {
		constant access.Permission
		key      string
	}{
		{access.ModifyProfile, "profile"}, {access.ManageContacts, "contacts"}, {access.ViewProducts, "products"},
		{access.ManageProducts, "manageproducts"}, {access.ProductSSO, "productsso"}, {access.ViewDomains, "domains"},
		{access.ManageDomains, "managedomains"}, {access.PayInvoices, "invoices"}, {access.AcceptQuotes, "quotes"},
		{access.OpenTickets, "tickets"}, {access.ManageAffiliates, "affiliates"}, {access.ViewEmails, "emails"},
		{access.PlaceOrders, "orders"}, {access.ManageUsers, "users"},
	} {
		require.Equal(t, access.Permission(1)<<bit, row.constant, row.key)
		require.Equal(t, row.constant, c.Bit(row.key), row.key)
	}
	require.Equal(t, access.Permission(1<<14-1), c.Known())
	require.Equal(t, access.PayInvoices|access.OpenTickets, c.WhileSuspended())
	require.Equal(t, access.ModifyProfile|access.ManageProducts|access.ProductSSO|access.ManageUsers, c.Sensitive())
	require.NotEqual(t, c.Known(), access.All, "every permission of today is not every permission")
	require.True(t, access.All.Has(c.Known()))
}

func TestPortalIsReadyForAForm(t *testing.T) {
	c := access.Portal()
	require.Equal(t, []string{"Account", "People", "Services", "Domains", "Billing", "Support"}, c.Groups())
	for _, d := range c.Definitions() {
		require.NotEmpty(t, d.Help, d.Key)
		require.Contains(t, c.Groups(), d.Group, d.Key)
	}
	var warned []string
	for _, d := range c.Definitions() {
		if d.Warning != "" {
			warned = append(warned, d.Key)
		}
	}
	require.Equal(t, []string{"manageproducts", "productsso", "users"}, warned)
}

func TestPortalPresets(t *testing.T) {
	c := access.Portal()
	presets := map[string]access.Permission{}
	for _, p := range c.Presets() {
		require.NotEmpty(t, p.Help, p.Key)
		require.NoError(t, c.Check(p.Permissions), p.Key)
		presets[p.Key] = p.Permissions
	}
	require.Equal(t, map[string]access.Permission{
		"developer":  access.ViewProducts | access.ManageProducts | access.ProductSSO | access.OpenTickets,
		"accounting": access.PayInvoices,
		"domains":    access.ViewDomains | access.ManageDomains,
		"manager":    c.Known() &^ access.ModifyProfile,
		"all":        access.All,
	}, presets)
	require.False(t, presets["manager"].Has(1<<14), "tomorrow's permissions are not a trusted manager's")
}

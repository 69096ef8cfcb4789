package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// controls are what each permission of the catalog guards: a link or a button on a page, and the
// request behind it.
var controls = map[access.Permission]struct {
	page, control  string
	method, action string
	fields         url.Values
}{
	access.ModifyProfile:    {"/details", "Save Profile", "POST", "/details", url.Values{"name": {"Acme"}}},
	access.ManageContacts:   {"/contacts", "Add Contact", "POST", "/contacts", url.Values{"name": {"Carl"}, "address": {"carl@example.com"}}},
	access.ViewProducts:     {"", "Services", "GET", "/services", nil},
	access.ManageProducts:   {"/services", "Passwords", "GET", "/services/S-1001/passwords", nil},
	access.ProductSSO:       {"/services", "Log in to Plesk", "POST", "/services/S-1001/log-in", nil},
	access.ViewDomains:      {"", "Domains", "GET", "/domains", nil},
	access.ManageDomains:    {"/domains", "Settings", "GET", "/domains/D-1001/settings", nil},
	access.PayInvoices:      {"/invoices", "Pay", "POST", "/invoices/I-1003/pay", nil},
	access.AcceptQuotes:     {"/quotes", "Accept Quote", "POST", "/quotes/Q-1001/accept", nil},
	access.OpenTickets:      {"/tickets", "Open Ticket", "POST", "/tickets", url.Values{"subject": {"Help"}}},
	access.ManageAffiliates: {"/affiliates", "Request Withdrawal", "POST", "/affiliates", nil},
	access.ViewEmails:       {"", "E-mails", "GET", "/emails", nil},
	access.PlaceOrders:      {"/orders", "Place Order", "POST", "/orders", url.Values{"plan": {"Managed WordPress"}}},
	access.ManageUsers:      {"/users", "Send Invite", "POST", "/invites", url.Values{"address": {"dora@example.com"}, "permission": {"users"}}},
}

func TestEachPermissionGuardsAControl(t *testing.T) {
	catalog := access.Portal()
	const account = "/accounts/acme"
	s, _ := acme(t)
	stranger := s.visitor(t, "stranger", 0)
	for _, definition := range catalog.Definitions() {
		t.Run(definition.Key, func(t *testing.T) {
			control, ok := controls[definition.Permission]
			require.True(t, ok, "the permission guards nothing")
			request := func(b *browser) *shown {
				if control.method == "GET" {
					return b.get(account + control.action)
				}
				return b.post(account+control.action, control.fields)
			}

			only := s.visitor(t, "only-"+definition.Key, catalog.Complete(definition.Permission))
			page := only.get(account + control.page)
			require.Equal(t, http.StatusOK, page.status)
			require.Equal(t, http.StatusOK, page.use(control.control, control.fields).status)

			others := s.visitor(t, "without-"+definition.Key, without(catalog, definition.Permission))
			for _, path := range []string{"", control.page, control.action} {
				page := others.get(account + path)
				require.False(t, page.has(control.control), "%s shows %q", path, control.control)
			}
			refused := request(others)
			require.Equal(t, http.StatusForbidden, refused.status)
			require.Equal(t, account+control.action, refused.path, "it is the action that is refused, not where it leads")
			require.Contains(t, refused.text(), "You don't have the permission for this")

			require.Equal(t, http.StatusNotFound, request(stranger).status)
			anonymous := request(s.browser(t))
			require.True(t, anonymous.status == http.StatusUnauthorized || anonymous.path == "/sign-in")
		})
	}
}

// visitor is the browser of a person with these permissions in acme, a stranger's for none.
func (s *site) visitor(t *testing.T, name string, p access.Permission) *browser {
	t.Helper()
	who := s.addPerson(t, name+"@example.com", name)
	if p != 0 {
		s.addMember(t, "acme", who, p)
	}
	browser := s.browser(t)
	browser.signIn(name+"@example.com", testPassword)
	return browser
}

// without is every permission but one, and but those that need it.
func without(catalog *access.Catalog, p access.Permission) access.Permission {
	rest := catalog.Known() &^ p
	for _, definition := range catalog.Definitions() {
		if definition.Needs&p != 0 {
			rest &^= definition.Permission
		}
	}
	return rest
}

// has reports whether a page shows a link or a button with this text.
func (s *shown) has(control string) bool {
	_, link := s.link(control)
	return link || len(s.formsWith(control)) > 0
}

// use clicks the link or presses the button with this text.
func (s *shown) use(control string, fields url.Values) *shown {
	s.t.Helper()
	if _, ok := s.link(control); ok {
		return s.follow(control)
	}
	return s.submit(control, fields)
}

func TestChosenPermissions(t *testing.T) {
	catalog := access.Portal()
	for name, test := range map[string]struct {
		fields        url.Values
		chosen, added access.Permission
		refused       bool
	}{
		"all":                     {url.Values{"mode": {"all"}, "permission": {"invoices"}}, access.All, 0, false},
		"ticked":                  {url.Values{"mode": {"choose"}, "permission": {"invoices", "tickets"}}, access.PayInvoices | access.OpenTickets, 0, false},
		"needs are added":         {url.Values{"mode": {"choose"}, "permission": {"productsso"}}, access.ProductSSO | access.ViewProducts, access.ViewProducts, false},
		"preset":                  {url.Values{"mode": {"choose"}, "preset": {"domains"}, "permission": {"invoices"}}, access.ViewDomains | access.ManageDomains, 0, false},
		"unknown preset":          {url.Values{"preset": {"emperor"}}, 0, 0, true},
		"unknown permission":      {url.Values{"permission": {"everything"}}, 0, 0, true},
		"all is no box":           {url.Values{"permission": {"all"}}, 0, 0, true},
		"nothing":                 {url.Values{"mode": {"choose"}}, 0, 0, true},
		"an unknown mode chooses": {url.Values{"mode": {"ALL"}, "permission": {"invoices"}}, access.PayInvoices, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			chosen, added, err := chosenPermissions(catalog, test.fields)
			require.Equal(t, test.refused, err != nil, "%v", err)
			if err == nil {
				require.Equal(t, test.chosen, chosen)
				require.Equal(t, test.added, added)
			}
		})
	}
}

func TestAManagerSeesWhatTheyMayGrant(t *testing.T) {
	s, _ := acme(t)
	manager := s.visitor(t, "manager", access.ManageUsers|access.PayInvoices)
	page := manager.get("/accounts/acme/users")
	require.True(t, page.disabled("mode-all"))
	require.True(t, page.disabled("preset-developer"))
	require.False(t, page.disabled("preset-accounting"))
	require.True(t, page.disabled("permission-products"))
	require.False(t, page.disabled("permission-invoices"))

	page = manager.post("/accounts/acme/invites", url.Values{"address": {"bob@example.com"}, "mode": {"all"}})
	require.Contains(t, page.text(), "permissions that you don't hold yourself")
	require.NotContains(t, page.text(), "is on its way")
}

func (s *shown) disabled(id string) bool {
	for node := range s.root.Descendants() {
		if attribute(node, "id") == id {
			return hasAttribute(node, "disabled")
		}
	}
	require.Fail(s.t, "no element "+id)
	return false
}

func TestSummaries(t *testing.T) {
	catalog := access.Portal()
	require.Equal(t, "All permissions", summary(catalog, access.All))
	require.Equal(t, "Accounting", summary(catalog, access.PayInvoices))
	require.Equal(t, "No permissions", summary(catalog, 0))
	require.Equal(t, strings.Join([]string{"View Products & Services", "View & Pay Invoices"}, ", "), summary(catalog, access.ViewProducts|access.PayInvoices))
	require.Equal(t, "a, b and c", joinWords([]string{"a", "b", "c"}))
}

package main

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProducts(t *testing.T) {
	s, ann := acme(t)
	const account = "/accounts/acme"
	page := ann.get(account).follow("Services").follow("Passwords of acme.example")
	page = page.submit("Change Password", url.Values{"password": {"short"}})
	require.Contains(t, page.text(), "at least 10 characters")
	page = page.submit("Change Password", url.Values{"password": {"a much longer one"}})
	require.Contains(t, page.text(), "The FTP password of Web hosting Business is changed.")
	require.Contains(t, page.submit("Log in to Plesk", nil).text(), "logged in as Ann Archer")

	page = ann.get(account).follow("Domains").follow("Settings of acme.example")
	page = page.submit("Save Settings", url.Values{"name-server": {"not a domain"}})
	require.Equal(t, http.StatusUnprocessableEntity, page.status)
	page = page.submit("Save Settings", url.Values{"name-server": {"NS9.example.net"}})
	require.Contains(t, page.text(), "ns9.example.net")

	page = ann.get(account).follow("Invoices").submit("Pay invoice I-1003", nil)
	require.Contains(t, page.text(), "Invoice I-1003 is paid.")
	require.False(t, page.has("Pay"))
	s.deliver(t)
	require.Equal(t, "Payment received: Domain renewals", s.mailbox.Mails()[0].Subject)

	page = ann.get(account).follow("Quotes").submit("Accept Quote", nil)
	require.Contains(t, page.text(), "Quote Q-1001 is accepted.")
	page = ann.get(account).follow("Order").submit("Place Order", url.Values{"plan": {"Managed WordPress"}})
	require.Contains(t, page.text(), "O-1001 Managed WordPress ordered by Ann Archer")
	require.Equal(t, http.StatusUnprocessableEntity, ann.post(account+"/orders", url.Values{"plan": {"A yacht"}}).status)
	page = ann.get(account).follow("Affiliates").submit("Request Withdrawal", nil)
	require.Contains(t, page.text(), "Your withdrawal is requested.")
	require.Contains(t, ann.get(account+"/tickets").submit("Open Ticket", url.Values{"subject": {" "}}).text(), "Fill in this field.")

	sendInvite(ann, "bob@example.com", "invoices")
	s.deliver(t)
	page = ann.get(account).follow("E-mails")
	require.Contains(t, page.text(), "Ann Archer invites you")
	require.Contains(t, page.text(), "bob@example.com")

	for _, path := range []string{"/services/S-9999/passwords", "/domains/D-9999/settings"} {
		require.Equal(t, http.StatusNotFound, ann.get(account+path).status)
	}
	for _, path := range []string{"/services/S-9999/passwords", "/services/S-9999/log-in", "/domains/D-9999/settings", "/invoices/I-9999/pay", "/quotes/Q-9999/accept"} {
		require.Equal(t, http.StatusNotFound, ann.post(account+path, nil).status)
	}
}

func TestAccountsAreApart(t *testing.T) {
	s, ann := acme(t)
	s.addAccount(t, "beta", "Beta Bakery", s.addPerson(t, "bob@example.com", "Bob Baker"))
	require.NoError(t, s.products.add(t.Context(), "beta", kindInvoice, product{Name: "Beta's own", State: "due"}))
	require.NoError(t, s.products.add(t.Context(), "beta", kindService, product{Name: "Beta's own", State: "active"}))
	require.NotContains(t, ann.get("/accounts/acme/invoices").text(), "Beta's own")
	require.Equal(t, http.StatusNotFound, ann.get("/accounts/acme/services/S-1003/passwords").status)
	require.Equal(t, http.StatusNotFound, ann.post("/accounts/acme/invoices/I-1004/pay", nil).status)
	for _, path := range []string{"", "/details", "/users", "/contacts", "/activity", "/activity.csv", "/invoices", "/nothing"} {
		require.Equal(t, http.StatusNotFound, ann.get("/accounts/beta"+path).status, path)
		require.Equal(t, http.StatusNotFound, ann.get("/accounts/absent"+path).status, "foreign and absent look the same: %s", path)
	}
}

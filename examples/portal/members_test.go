package main

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

func TestTheListOfMembers(t *testing.T) {
	s, ann := acme(t)
	s.visitor(t, "bob", access.PayInvoices).get("/accounts/acme")
	never := person{ID: "never", Address: s.addPerson(t, "never@example.com", "Nora Never").Address, Name: "Nora Never", SecondFactor: true}
	require.NoError(t, s.members.SyncUser(t.Context(), never.entry()))
	s.addMember(t, "acme", never, access.All)

	page := ann.get(users)
	require.Contains(t, page.row("ann"), "OWNER")
	require.Contains(t, page.row("ann"), "To change the owner, contact support.")
	require.Contains(t, page.row("ann"), "you")
	require.Contains(t, page.row("bob"), "2 Nov 2026, 12:00 UTC")
	require.Contains(t, page.row("bob"), "Accounting")
	require.Contains(t, page.row("bob"), "2FA off")
	require.Contains(t, page.row("never"), "never")
	require.Contains(t, page.row("never"), "2FA on")
	require.Contains(t, page.row("never"), "All permissions")

	page = page.submit("Filter", url.Values{"search": {"nora"}})
	require.Contains(t, page.text(), "Nora Never")
	require.Empty(t, page.row("bob"))
	page = page.submit("Filter", url.Values{"search": {""}, "show": {"suspended"}})
	require.Contains(t, page.text(), "Nobody fits this filter.")
}

// row is the text of a member's row, empty if the list doesn't show them.
func (s *shown) row(user string) string {
	for node := range s.root.Descendants() {
		if attribute(node, "id") == "user-"+user {
			return textOf(node)
		}
	}
	return ""
}

func TestLongListsArePaged(t *testing.T) {
	s, ann := acme(t)
	for index := range access.DefaultPage + 5 {
		user := access.UserID("member-" + string(rune('A'+index/26)) + string(rune('a'+index%26)))
		_, err := s.members.AddMember(t.Context(), access.AsSystem("test"), "acme", user, access.Terms{Permissions: access.PayInvoices})
		require.NoError(t, err)
	}
	page := ann.get(users)
	require.NotEmpty(t, page.row("member-Aa"))
	require.Empty(t, page.row("member-Cc"))
	page = page.follow("More users")
	require.NotEmpty(t, page.row("member-Cc"))
	require.Equal(t, http.StatusUnprocessableEntity, ann.get(users+"?after=made-up").status)
}

func TestSuspendAndReinstate(t *testing.T) {
	s, ann := acme(t)
	bob := s.visitor(t, "bob", access.PayInvoices)
	page := ann.get(users).submit("Suspend bob", nil)
	require.Contains(t, page.text(), "bob is suspended")
	require.Contains(t, page.row("bob"), "suspended")
	page = bob.get("/accounts/acme")
	require.Contains(t, page.text(), "Your access to this account is suspended.")
	require.False(t, page.has("Invoices"))
	require.Equal(t, http.StatusForbidden, bob.get("/accounts/acme/invoices").status)
	page = ann.get(users).submit("Reinstate bob", nil)
	require.Contains(t, page.text(), "bob can use this account again.")
	require.Equal(t, http.StatusOK, bob.get("/accounts/acme/invoices").status)
}

func TestLabelAndEndOfAccess(t *testing.T) {
	s, ann := acme(t)
	bob := s.visitor(t, "bob", access.PayInvoices)
	page := ann.get(users+"/bob").submit("Save Label", url.Values{"label": {"Books"}})
	require.Contains(t, page.row("bob"), "Books")
	page = ann.get(users+"/bob").submit("Save End", url.Values{"expires": {"2026-11-03"}})
	require.Contains(t, page.row("bob"), "until 3 Nov 2026")
	require.Contains(t, ann.get(users+"/bob").body, `value="2026-11-03"`)
	page = ann.get(users+"/bob").submit("Save End", url.Values{"expires": {"2001-01-01"}})
	require.Contains(t, page.text(), "Choose a day in the future.")
	page = ann.get(users+"/bob").submit("Save End", url.Values{"expires": {"soon"}})
	require.Contains(t, page.text(), "Write the day like 2030-12-31.")

	s.clock.Advance(35 * time.Hour)
	require.Equal(t, http.StatusOK, bob.get("/accounts/acme/invoices").status, "the last day counts")
	s.clock.Advance(time.Hour)
	require.Equal(t, http.StatusForbidden, bob.get("/accounts/acme/invoices").status)
	require.Contains(t, bob.get("/accounts/acme").text(), "Your access to this account ended")
	require.Contains(t, ann.get(users).row("bob"), "expired")
}

func TestTheOwnerAndOneselfAreOutOfReach(t *testing.T) {
	s, ann := acme(t)
	manager := s.visitor(t, "manager", access.All)
	for path, words := range map[string]string{
		"/ann":            "To change the owner, contact support.",
		"/ann/remove":     "To change the owner, contact support.",
		"/manager":        "You can't change your own access",
		"/manager/remove": "You can't change your own access",
	} {
		require.Contains(t, manager.get(users+path).text(), words, path)
	}
	page := manager.post(users+"/ann/remove", nil)
	require.Contains(t, page.text(), "The owner can't be restricted or removed.")
	page = manager.post(users+"/manager/permissions", url.Values{"mode": {"all"}})
	require.Contains(t, page.text(), "You can't change your own access")
	require.Equal(t, http.StatusOK, ann.get(users).status)
}

func TestAManagerCantTouchWhoHoldsMore(t *testing.T) {
	s, _ := acme(t)
	s.visitor(t, "bob", access.OpenTickets|access.PayInvoices)
	manager := s.visitor(t, "manager", access.ManageUsers|access.OpenTickets)
	page := manager.get(users)
	require.Contains(t, page.row("bob"), "Holds more than you do: ask the owner.")
	require.NotContains(t, page.row("bob"), "Remove Access")
	page = manager.post(users+"/bob/remove", nil)
	require.Contains(t, page.text(), "permissions that you don't hold yourself")
	require.NotEmpty(t, manager.get(users).row("bob"))
}

func TestPeopleCanBeRemovedFromASuspendedAccount(t *testing.T) {
	s, ann := acme(t)
	bob := s.visitor(t, "bob", access.PayInvoices|access.ViewProducts)
	_, err := s.members.SuspendAccount(t.Context(), access.AsSystem("billing"), "acme")
	require.NoError(t, err)
	page := bob.get("/accounts/acme")
	require.Contains(t, page.text(), "This account is suspended.")
	require.True(t, page.has("Invoices"), "somebody must be able to pay")
	require.False(t, page.has("Services"))
	page = sendInvite(ann, "carl@example.com", "invoices")
	require.Contains(t, page.text(), "Nobody can be given more access")
	page = ann.get(users).follow("Remove Access of bob").submit("Remove Access", nil)
	require.Contains(t, page.text(), "bob no longer has access to this account.")

	page = ann.post("/accounts/acme/contacts", url.Values{"name": {"Carl"}, "address": {"carl@example.com"}})
	require.Contains(t, page.text(), "The account is suspended.")
	require.Equal(t, http.StatusOK, ann.get("/accounts/acme/contacts").status, "contacts can be removed from it")
}

func TestLeave(t *testing.T) {
	s, ann := acme(t)
	bob := s.visitor(t, "bob", access.PayInvoices)
	page := bob.get("/accounts/acme/details").follow("Leave this account")
	require.Contains(t, page.text(), "Leave Acme?")
	page = page.submit("Leave Account", nil)
	require.Contains(t, page.text(), "You have left the account “Acme”.")
	require.Equal(t, http.StatusNotFound, bob.get("/accounts/acme").status)
	require.Contains(t, ann.get("/accounts/acme/leave").text(), "The owner can't leave.")
	require.Contains(t, ann.post("/accounts/acme/leave", nil).text(), "The owner can't be restricted or removed.")
}

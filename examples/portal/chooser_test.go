package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

func TestOneAccountIsEntered(t *testing.T) {
	s, _ := acme(t)
	page := s.browser(t).signIn("ann@example.com", testPassword)
	require.Equal(t, "/accounts/acme", page.path)
	require.Contains(t, page.text(), "You own this account")
	require.Equal(t, "/accounts/acme/details", page.follow("Account Details").path)
}

func TestNoAccountIsExplained(t *testing.T) {
	s := newSite(t)
	s.addPerson(t, "eve@example.com", "Eve")
	page := s.browser(t).signIn("eve@example.com", testPassword)
	require.Contains(t, page.text(), "No accounts yet")
}

func TestSeveralAccountsAreChosenFrom(t *testing.T) {
	s, ann := acme(t)
	owner, err := s.people.byID(t.Context(), "ann")
	require.NoError(t, err)
	s.addAccount(t, "zeta", "Zeta Works", owner)
	s.addAccount(t, "beta", "Beta Bakery", owner)
	ann.get("/accounts/beta")
	s.clock.Advance(time.Hour)
	ann.get("/accounts/zeta")

	page := s.browser(t).signIn("ann@example.com", testPassword)
	require.Equal(t, "/accounts", page.path)
	text := page.text()
	require.Less(t, strings.Index(text, "Zeta Works"), strings.Index(text, "Beta Bakery"), "last used first")
	page = page.submit("Search", map[string][]string{"search": {"beta"}})
	require.Contains(t, page.text(), "Beta Bakery")
	require.NotContains(t, page.text(), "Zeta Works")
	require.Contains(t, page.submit("Search", map[string][]string{"search": {"nothing"}}).text(), "None of your accounts begins with “nothing”.")

	page = ann.get("/accounts/zeta")
	require.Equal(t, "/accounts/beta", page.follow("Beta Bakery").path, "the switcher lists other accounts")
}

func TestWaitingInvites(t *testing.T) {
	s, ann := acme(t)
	s.addPerson(t, "bob@example.com", "Bob Baker")
	owner, err := s.people.byID(t.Context(), "ann")
	require.NoError(t, err)
	s.addAccount(t, "beta", "Beta Bakery", owner)
	sendInvite(ann, "bob@example.com", "invoices")
	ann.post("/accounts/beta/invites", map[string][]string{"address": {"bob@example.com"}, "permission": {"tickets"}})

	bob := s.browser(t)
	page := bob.signIn("bob@example.com", testPassword)
	require.Contains(t, page.text(), "2 invites wait for you")
	page = page.submit("Decline the invite to Beta Bakery", nil)
	require.Contains(t, page.text(), "The invite is declined.")
	require.Contains(t, page.text(), "1 invite waits for you")
	stale := page
	page = page.submit("Accept the invite to Acme", nil)
	require.Equal(t, "/accounts/acme", page.path)
	require.Contains(t, page.text(), "Welcome!")
	require.Contains(t, stale.submit("Decline the invite to Acme", nil).text(), "This invite was used already.")
	require.Equal(t, http.StatusOK, bob.get("/accounts/acme/invoices").status)
}

func TestAnUnverifiedAddressSeesNoInvites(t *testing.T) {
	s, ann := acme(t)
	who := s.addPerson(t, "bob@example.com", "Bob Baker")
	_, err := s.people.db.exec(t.Context(), `UPDATE portal_people SET verified = FALSE`)
	require.NoError(t, err)
	sendInvite(ann, "bob@example.com", "invoices")
	link := s.linkTo(t, "bob@example.com")
	bob := s.browser(t)
	require.Contains(t, bob.signIn("bob@example.com", testPassword).text(), "No accounts yet")
	require.Equal(t, "/accounts/acme", bob.get(link).submit("Accept", nil).path, "the link itself came by mail")
	found, err := s.people.byID(t.Context(), who.ID)
	require.NoError(t, err)
	require.True(t, found.Verified)
}

func TestClosedAccount(t *testing.T) {
	s, ann := acme(t)
	_, err := s.members.CloseAccount(t.Context(), access.AsSystem("test"), "acme")
	require.NoError(t, err)
	page := ann.get("/accounts/acme")
	require.Contains(t, page.text(), "This account is closed.")
	require.Equal(t, http.StatusForbidden, ann.get(users).status)
	require.Equal(t, http.StatusOK, ann.get("/accounts/acme/details").status)
}

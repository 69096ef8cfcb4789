package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
)

const users = "/accounts/acme/users"

// sendInvite uses the real form.
func sendInvite(b *browser, address string, keys ...string) *shown {
	b.t.Helper()
	return b.get(users).submit("Send Invite", url.Values{"address": {address}, "mode": {"choose"}, "permission": keys})
}

func TestANewUserIsInvitedComesInAndIsRemoved(t *testing.T) {
	s, ann := acme(t)
	page := sendInvite(ann, "bob@example.com", "invoices")
	require.Equal(t, users, page.path)
	require.Contains(t, page.text(), "The invite to bob@example.com is on its way. It is valid for 72 hours.")
	require.Contains(t, page.text(), "waiting to be sent")
	link := s.linkTo(t, "bob@example.com")
	page = ann.get(users)
	require.Contains(t, page.text(), "by Ann Archer")
	require.Contains(t, page.text(), "pending")
	require.Contains(t, page.text(), "Did a mail not arrive?")
	require.NotContains(t, page.text(), "waiting to be sent")

	bob := s.browser(t)
	page = bob.get(link)
	require.Contains(t, page.text(), "Join Acme")
	require.Contains(t, page.text(), "Ann Archer invited b...@example.com")
	page = page.submit("Create password and accept", url.Values{"name": {" "}, "password": {"bobs long password"}, "repeat": {"bobs long password"}})
	require.Equal(t, http.StatusUnprocessableEntity, page.status)
	page = page.submit("Create password and accept", url.Values{"name": {"Bob Baker"}, "password": {"bobs long password"}, "repeat": {"other"}})
	require.Contains(t, page.text(), "The two passwords differ")
	page = page.submit("Create password and accept", url.Values{"name": {"Bob Baker"}, "password": {"bobs long password"}, "repeat": {"bobs long password"}})
	require.Equal(t, "/accounts/acme", page.path, page.text())
	require.Contains(t, page.text(), "Welcome!")
	require.True(t, page.has("Invoices"))
	require.False(t, page.has("Services"))
	require.Equal(t, http.StatusForbidden, bob.get("/accounts/acme/services").status)

	page = ann.get(users)
	require.Contains(t, page.text(), "Bob Baker")
	page = page.follow("Manage Permissions of Bob Baker").submit("Save Permissions", url.Values{"permission": {"invoices", "manageproducts"}})
	require.Contains(t, page.text(), "The permissions of Bob Baker are saved. “View Products & Services” was added, because the rest needs it.")
	require.Equal(t, http.StatusOK, bob.get("/accounts/acme/services").status)

	page = ann.get(users).follow("Remove Access of Bob Baker")
	require.Contains(t, page.text(), "Remove the access of Bob Baker?")
	require.Contains(t, page.text(), "View & Pay Invoices")
	page = page.submit("Remove Access", nil)
	require.Contains(t, page.text(), "Bob Baker no longer has access to this account.")
	require.Equal(t, http.StatusNotFound, bob.get("/accounts/acme/invoices").status, "the next click is refused")

	page = bob.get(link)
	require.Equal(t, http.StatusGone, page.status)
	require.Contains(t, page.text(), "This invite was used already")
	require.Contains(t, bob.get("/").text(), "No accounts yet")
	require.NotContains(t, s.logged.String(), strings.TrimPrefix(link, "/invites/"), "the log holds no token")
}

func TestAnExistingUserAcceptsByLink(t *testing.T) {
	s, ann := acme(t)
	s.addPerson(t, "bob@example.com", "Bob Baker")
	sendInvite(ann, "BOB@example.com", "tickets")
	link := s.linkTo(t, "BOB@example.com")
	bob := s.browser(t)
	page := bob.get(link).submit("Sign in and accept", url.Values{"address": {"ann@example.com"}, "password": {"wrong password"}})
	require.Equal(t, http.StatusUnauthorized, page.status)
	page = page.submit("Sign in and accept", url.Values{"address": {"ann@example.com"}, "password": {testPassword}})
	require.Equal(t, "/accounts/acme", page.path)
	require.Contains(t, page.text(), "Bob Baker", "the address is the invite's, whatever the form says")
	require.Contains(t, bob.get(link).text(), "You are in already")
}

func TestASignedInUserAcceptsOrDeclinesByLink(t *testing.T) {
	for _, answer := range []string{"Accept", "Decline"} {
		t.Run(answer, func(t *testing.T) {
			s, ann := acme(t)
			s.addPerson(t, "bob@example.com", "Bob Baker")
			bob := s.browser(t)
			bob.signIn("bob@example.com", testPassword)
			sendInvite(ann, "bob@example.com", "tickets")
			link := s.linkTo(t, "bob@example.com")
			page := bob.get(link).submit(answer, nil)
			if answer == "Accept" {
				require.Equal(t, "/accounts/acme", page.path)
				return
			}
			require.Contains(t, page.text(), "The invite is declined.")
			require.Contains(t, bob.get(link).text(), "This invite was declined")
			require.Equal(t, http.StatusNotFound, bob.get("/accounts/acme").status)
		})
	}
}

func TestALinkOpenedBySomebodyElseLosesNothing(t *testing.T) {
	s, ann := acme(t)
	s.addPerson(t, "bob@example.com", "Bob Baker")
	s.addPerson(t, "carl@example.com", "Carl Cooper")
	sendInvite(ann, "bob@example.com", "tickets")
	link := s.linkTo(t, "bob@example.com")
	browser := s.browser(t)
	browser.signIn("carl@example.com", testPassword)

	page := browser.get(link)
	require.Contains(t, page.text(), "This invite is for somebody else")
	require.Contains(t, page.text(), "b...@example.com")
	require.Contains(t, page.text(), "you are signed in as carl@example.com")
	require.NotContains(t, page.text(), "bob@example.com", "the invited address is not for others")
	for _, action := range []string{"/accept", "/decline", "/sign-in", "/sign-up"} {
		page := browser.post(link+action, url.Values{"password": {testPassword}, "name": {"Carl"}})
		require.Contains(t, page.text(), "This invite is for somebody else", action)
	}
	page = page.submit("Switch user", nil)
	require.Equal(t, link, page.path)
	page = page.submit("Sign in and accept", url.Values{"password": {testPassword}})
	require.Equal(t, "/accounts/acme", page.path)
	require.Contains(t, page.text(), "Bob Baker")
}

func TestLookingAtALinkChangesNothing(t *testing.T) {
	s, ann := acme(t)
	sendInvite(ann, "bob@example.com", "tickets")
	link := s.linkTo(t, "bob@example.com")
	before := ann.get(users).text()
	for range 3 {
		require.Equal(t, http.StatusOK, s.browser(t).get(link).status)
	}
	require.Equal(t, before, ann.get(users).text())
}

func TestLinksThatAreOver(t *testing.T) {
	s, ann := acme(t)
	sendInvite(ann, "bob@example.com", "tickets")
	old := s.linkTo(t, "bob@example.com")

	page := ann.get(users).submit("Resend", nil)
	require.Contains(t, page.text(), "less than a minute ago")
	s.clock.Advance(2 * time.Minute)
	page = ann.get(users).submit("Resend", nil)
	require.Contains(t, page.text(), "The invite to bob@example.com is sent again")
	link := s.linkTo(t, "bob@example.com")
	stranger := s.browser(t)
	page = stranger.get(old)
	require.Equal(t, http.StatusGone, page.status)
	require.Contains(t, page.text(), "There is a newer mail")

	s.clock.Advance(72 * time.Hour)
	page = stranger.get(link)
	require.Equal(t, http.StatusGone, page.status)
	require.Contains(t, page.text(), "This invite has expired")
	require.Contains(t, ann.get(users).text(), "expired")

	ann.get(users).submit("Resend", nil)
	link = s.linkTo(t, "bob@example.com")
	page = ann.get(users).submit("Revoke", nil)
	require.Contains(t, page.text(), "The invite is revoked.")
	page = stranger.get(link)
	require.Equal(t, http.StatusGone, page.status)
	require.Contains(t, page.text(), "This invite was revoked")
	page = ann.post(users+"/../invites/00000000-0000-7000-8000-000000000000/resend", nil)
	require.NotEqual(t, http.StatusInternalServerError, page.status)

	page = stranger.get("/invites/" + strings.Repeat("A", invite.TokenLength))
	require.Equal(t, http.StatusNotFound, page.status)
	require.Contains(t, page.text(), "This invite link isn't valid")
}

func TestAnInviteIsEdited(t *testing.T) {
	s, ann := acme(t)
	sendInvite(ann, "bob@example.com", "tickets")
	link := s.linkTo(t, "bob@example.com")
	page := ann.get(users).follow("Edit the invite to bob@example.com")
	page = page.submit("Save Invite", url.Values{"permission": nil})
	require.Equal(t, http.StatusUnprocessableEntity, page.status)
	require.Contains(t, page.text(), "Choose at least one permission.")
	page = page.submit("Save Invite", url.Values{"preset": {"domains"}, "label": {"Names"}, "expires": {"2026-12-24"}})
	require.Contains(t, page.text(), "The invite to bob@example.com is changed. Its link stays the same.")
	require.Contains(t, page.text(), "Domain manager")

	s.browser(t).get(link).submit("Create password and accept", url.Values{"name": {"Bob"}, "password": {testPassword}, "repeat": {testPassword}})
	page = ann.get(users)
	require.Contains(t, page.text(), "until 24 Dec 2026")
	require.Contains(t, page.text(), "Names")
}

func TestInvitesThatAreRefused(t *testing.T) {
	s, ann := acme(t)
	s.addMember(t, "acme", s.addPerson(t, "bob@example.com", "Bob Baker"), access.PayInvoices)
	for address, words := range map[string]string{
		"":                "Type an e-mail address.",
		"nobody":          "This is not an e-mail address",
		"a b@example.com": "blanks or invisible characters",
		"bob@example.com": "This person has access to the account already.",
	} {
		page := ann.post("/accounts/acme/invites", url.Values{"address": {address}, "permission": {"invoices"}})
		require.Equal(t, http.StatusUnprocessableEntity, page.status, address)
		require.Contains(t, page.text(), words)
		require.Contains(t, page.body, `id="permission-invoices" value="invoices" checked`, "what was typed stays")
	}
	page := ann.post("/accounts/acme/invites", url.Values{"address": {"carl@example.com"}, "permission": {"invoices"}, "expires": {"2020-01-01"}})
	require.Contains(t, page.text(), "Choose a day in the future.")
	page = ann.post("/accounts/acme/invites", url.Values{"address": {"carl@example.com"}})
	require.Contains(t, page.text(), "Choose at least one permission.")
	require.Contains(t, page.text(), "Nobody is invited at the moment.")
}

func TestAnInviteWhoseSenderIsGoneExplains(t *testing.T) {
	s, ann := acme(t)
	manager := s.visitor(t, "manager", access.ManageUsers|access.PayInvoices)
	sendInvite(manager, "bob@example.com", "invoices")
	link := s.linkTo(t, "bob@example.com")
	ann.get(users).follow("Remove Access of manager").submit("Remove Access", nil)
	page := s.browser(t).get(link)
	require.Equal(t, http.StatusGone, page.status)
	require.Contains(t, page.text(), "This invite was revoked", "removing a member revokes what they sent")
}

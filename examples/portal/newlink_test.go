package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
)

const passedOn = "Your request is passed on, unless that was done before."

// mailsTo is how many mails an address has got.
func (s *site) mailsTo(t *testing.T, address string) (n int) {
	t.Helper()
	s.deliver(t)
	for _, mail := range s.mailbox.Mails() {
		if mail.To == address {
			n++
		}
	}
	return n
}

func TestAnExpiredInviteIsAskedForAgain(t *testing.T) {
	s, ann := acme(t)
	manager := s.visitor(t, "max", access.ManageUsers|access.PayInvoices)
	sendInvite(manager, "bob@example.com", "invoices")
	link := s.linkTo(t, "bob@example.com")
	s.clock.Advance(invite.DefaultLifetime)
	before := s.mailsTo(t, "max@example.com")

	bob := s.browser(t)
	page := bob.get(link)
	require.Equal(t, http.StatusGone, page.status)
	require.Contains(t, page.text(), "This invite has expired")
	require.Contains(t, page.text(), "b...@example.com")
	require.NotContains(t, page.body, "bob@example.com")
	require.NotContains(t, page.body, "max@example.com")
	require.Equal(t, before, s.mailsTo(t, "max@example.com"), "looking changes nothing")
	for range 3 {
		page = bob.get(link).submit("Ask for a new link", nil)
		require.Equal(t, link, page.path)
		require.Contains(t, page.text(), passedOn, "the answer is the same whether it mailed or not")
		require.NotContains(t, page.body, "bob@example.com")
	}
	require.Equal(t, before+1, s.mailsTo(t, "max@example.com"), "once in an hour")
	s.clock.Advance(time.Hour)
	bob.get(link).submit("Ask for a new link", nil)
	require.Equal(t, before+2, s.mailsTo(t, "max@example.com"))
	require.Contains(t, ann.get("/accounts/acme/activity").text(), "asked for a new link of the invite to b...@example.com")
	require.NotContains(t, s.logged.String(), strings.TrimPrefix(link, "/invites/"))

	mail := s.mailbox.Mails()[0]
	require.Equal(t, "max@example.com", mail.To)
	require.Contains(t, mail.Text, s.baseURL.String()+users)
	manager.get(users).submit("Resend", nil)
	require.Contains(t, bob.get(link).text(), "There is a newer mail")
	require.Equal(t, http.StatusOK, bob.get(s.linkTo(t, "bob@example.com")).status)
}

// Which invites offer it, and what the others answer to who asks all the same.
func TestWhichInvitesAreAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		become func(s *site, ann *browser, link string)
		asks   bool
	}{
		"expired": {func(s *site, _ *browser, _ string) { s.clock.Advance(invite.DefaultLifetime) }, true},
		"revoked": {func(_ *site, ann *browser, _ string) { ann.get(users).submit("Revoke", nil) }, true},
		"replaced": {func(s *site, ann *browser, _ string) {
			s.clock.Advance(time.Minute)
			ann.get(users).submit("Resend", nil)
		}, true},
		"declined": {func(s *site, _ *browser, link string) {
			s.visitor(t, "bob", 0).get(link).submit("Decline", nil)
		}, true},
		"accepted": {func(s *site, _ *browser, link string) { s.visitor(t, "bob", 0).get(link).submit("Accept", nil) }, false},
		"live":     {func(*site, *browser, string) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, ann := acme(t)
			sendInvite(ann, "bob@example.com", "invoices")
			link := s.linkTo(t, "bob@example.com")
			c.become(s, ann, link)
			before := s.mailsTo(t, "ann@example.com")
			page := s.browser(t).get(link)
			require.Equal(t, c.asks, page.has("Ask for a new link"))
			page = s.browser(t).post(link+"/ask", nil)
			require.Contains(t, page.text(), passedOn)
			if c.asks {
				before++
			}
			require.Equal(t, before, s.mailsTo(t, "ann@example.com"))
		})
	}
}

// A stranger with a token that isn't one learns nothing, not even whether there is such an invite.
func TestAskingWithAWrongLink(t *testing.T) {
	s, ann := acme(t)
	sendInvite(ann, "bob@example.com", "invoices")
	link := s.linkTo(t, "bob@example.com")
	s.clock.Advance(invite.DefaultLifetime)
	before := s.mailsTo(t, "ann@example.com")
	stranger := s.browser(t)
	want := stranger.post("/invites/nothing/ask", nil)
	require.Equal(t, http.StatusNotFound, want.status)
	require.Contains(t, want.text(), "This invite link isn't valid")
	for _, wrong := range []string{link + "A", link[:len(link)-2] + "AA", "/invites/" + strings.Repeat("A", invite.TokenLength)} {
		got := stranger.post(wrong+"/ask", nil)
		require.Equal(t, want.status, got.status)
		require.Equal(t, want.body, got.body)
	}
	require.Equal(t, before, s.mailsTo(t, "ann@example.com"))
	require.Equal(t, http.StatusNotFound, stranger.get(link+"/ask").status, "looking changes nothing")
}

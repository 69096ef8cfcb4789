package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
)

// addContact adds one through the page.
func (b *browser) addContact(address string, categories ...string) {
	b.t.Helper()
	name, _, _ := strings.Cut(address, "@")
	page := b.post("/accounts/acme/contacts", url.Values{"name": {name}, "address": {address}, "category": categories})
	require.Contains(b.t, page.text(), name+" is a contact now")
}

// contactPage is the page of the contact with a name.
func (b *browser) contactPage(name string) *shown {
	b.t.Helper()
	return b.get("/accounts/acme/contacts").follow("Edit " + name)
}

// unsubscribePath is the path of the link to unsubscribe in the newest mail to an address.
func (s *site) unsubscribePath(t *testing.T, address string) string {
	t.Helper()
	s.deliver(t)
	for _, mail := range s.mailbox.Mails() {
		if mail.To == address {
			path, ok := strings.CutPrefix(mail.Unsubscribe, s.baseURL.String())
			require.True(t, ok, mail.Unsubscribe)
			require.Contains(t, mail.Text, mail.Unsubscribe)
			require.Contains(t, mail.HTML, mail.Unsubscribe)
			return path
		}
	}
	require.Fail(t, "no mail to "+address)
	return ""
}

// oneClick is what a mail program sends to unsubscribe: no cookies, no page before it, and no word of a browser's.
func (s *site) oneClick(t *testing.T, path string) *http.Response {
	t.Helper()
	response, err := http.Post(s.server.URL+path, "application/x-www-form-urlencoded", strings.NewReader("List-Unsubscribe=One-Click"))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response
}

func TestContactConfirmsItsAddress(t *testing.T) {
	s, ann := acme(t)
	ann.addContact("carl@example.com", "invoice")
	require.Contains(t, ann.contactPage("carl").text(), "asked to confirm 2 Nov 2026, 12:00 UTC The mail is waiting to be sent.")
	link := s.linkTo(t, "carl@example.com")
	require.True(t, strings.HasPrefix(link, "/contacts/verify/"))
	page := ann.contactPage("carl")
	require.Contains(t, page.text(), "asked to confirm")
	require.NotContains(t, page.text(), "waiting to be sent")
	page = page.submit("Send Confirmation Mail", nil)
	require.Contains(t, page.text(), "This contact was mailed a link less than a minute ago.")

	s.clock.Advance(time.Minute)
	page = ann.contactPage("carl").submit("Send Confirmation Mail", nil)
	require.Contains(t, page.text(), "carl@example.com is asked by mail")
	newer := s.linkTo(t, "carl@example.com")
	require.NotEqual(t, link, newer)
	carl := s.browser(t)
	require.Equal(t, http.StatusNotFound, carl.get(link).status, "replaced")

	for range 2 { // a scanner first
		page = carl.get(newer)
		require.Equal(t, http.StatusOK, page.status)
		require.Contains(t, page.text(), "Is this your address?")
		require.Contains(t, page.text(), "c...@example.com")
		require.Contains(t, ann.contactPage("carl").text(), "asked to confirm", "looking changes nothing")
	}
	page = carl.post(newer, filledIn(page.formsWith("Confirm")[0]))
	require.Equal(t, http.StatusBadRequest, page.status, "without the button")
	page = carl.post(newer, url.Values{"confirm": {"yes"}})
	require.Contains(t, page.text(), "Thank you")
	page = ann.contactPage("carl")
	require.Contains(t, page.text(), "confirmed 2 Nov 2026, 12:01 UTC")
	require.False(t, page.has("Send Confirmation Mail"))
	require.Contains(t, ann.get("/accounts/acme/activity").text(), "The contact carl confirmed its address")
	s.clock.Advance(time.Minute)
	page = ann.post(page.path+"/verification", nil)
	require.Contains(t, page.text(), "This contact has confirmed its address already.")

	ann.addContact("dora@example.com")
	s.deliver(t)
	s.clock.Advance(contact.DefaultLifetime)
	require.Contains(t, ann.contactPage("dora").text(), "The link in the mail has expired.")
}

// TestLinkPagesAreOutside checks what the pages of contacts' links don't have of others: sessions, and who is signed in.
func TestLinkPagesAreOutside(t *testing.T) {
	s, ann := acme(t)
	ann.addContact("carl@example.com", "invoice")
	link := s.linkTo(t, "carl@example.com")
	page := ann.get(link)
	require.Equal(t, http.StatusOK, page.status)
	require.NotContains(t, page.text(), "Ann Archer")
	require.Empty(t, page.header.Values("Set-Cookie"))
	require.Equal(t, contentPolicy, page.header.Get("Content-Security-Policy"))
	require.Equal(t, "no-referrer", page.header.Get("Referrer-Policy"))
	require.Equal(t, "noindex", page.header.Get("X-Robots-Tag"))
	require.Equal(t, "no-store", page.header.Get("Cache-Control"))

	// A browser that sends no Sec-Fetch-Site has no other origin to tell of after "no-referrer".
	request, err := http.NewRequest(http.MethodPost, s.server.URL+link, strings.NewReader("confirm=yes"))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", "null")
	require.Equal(t, http.StatusOK, s.browser(t).do(request).status)

	for _, path := range []string{"/contacts/", "/contacts/verify/", "/contacts/unsubscribe/x", link + "A"} {
		page := ann.get(path)
		require.Equal(t, http.StatusNotFound, page.status, path)
		require.Contains(t, page.text(), "This link can’t be used")
	}
	require.NotContains(t, s.logged.String(), link[strings.LastIndex(link, "/")+1:])
	require.Contains(t, s.logged.String(), "route=/contacts/")
}

func TestContactUnsubscribes(t *testing.T) {
	s, ann := acme(t)
	ann.addContact("carl@example.com", "invoice", "support")
	ann.get("/accounts/acme/invoices").submit("Pay", nil)
	link := s.unsubscribePath(t, "carl@example.com")
	carl := s.browser(t)
	for range 2 {
		page := carl.get(link)
		require.Contains(t, page.text(), "Unsubscribe?")
		require.Contains(t, page.text(), "Invoice Emails")
		require.NotContains(t, ann.contactPage("carl").text(), "switched off by the contact", "looking changes nothing")
	}
	page := carl.post(link, url.Values{"confirm": {"yes"}})
	require.Contains(t, page.text(), "You are unsubscribed")
	page = ann.contactPage("carl")
	require.Contains(t, page.text(), "Invoice Emails switched off by the contact")
	require.Contains(t, page.text(), "The contact has switched this off.")
	require.Contains(t, ann.get("/accounts/acme/activity").text(), "The contact carl switched off a kind of mail")

	// What it switched off only its own word switches on again.
	s.clock.Advance(time.Minute)
	page = page.submit("Save Contact", url.Values{"category": {"invoice", "support"}})
	require.Contains(t, page.text(), "Invoice Emails, waits for a yes")
	require.Contains(t, ann.get("/accounts/acme/activity").text(), "Waits for the contact's yes: Invoice Emails")
	page = ann.contactPage("carl")
	require.Contains(t, page.text(), "The contact was asked by mail")
	s.clock.Advance(time.Minute)
	page.submit("Save Contact", url.Values{"phone": {"+44 1"}})
	require.Contains(t, ann.contactPage("carl").text(), "Invoice Emails, waits for a yes", "saving something else keeps that")
	s.deliver(t)
	mails := len(s.mailbox.Mails())
	ann.contactPage("carl").submit("Ask Again by Mail", nil)
	link = s.linkTo(t, "carl@example.com")
	require.Len(t, s.mailbox.Mails(), mails+1)
	require.Contains(t, carl.get(link).text(), "Invoice Emails")
	carl.post(link, url.Values{"confirm": {"yes"}})
	page = ann.contactPage("carl")
	require.NotContains(t, page.text(), "waits for a yes")
	require.False(t, page.has("Ask Again by Mail"))
}

func TestContactUnsubscribesWithOneClick(t *testing.T) {
	s, ann := acme(t)
	ann.addContact("carl@example.com", "support")
	ann.get("/accounts/acme/tickets").submit("Open Ticket", url.Values{"subject": {"Slow shop"}})
	link := s.unsubscribePath(t, "carl@example.com")
	for range 2 {
		response := s.oneClick(t, link)
		require.Equal(t, http.StatusOK, response.StatusCode)
		require.Empty(t, response.Cookies())
		require.Contains(t, ann.contactPage("carl").text(), "Support Emails switched off by the contact")
	}
	before := len(s.mailbox.Mails())
	ann.get("/accounts/acme/tickets").submit("Open Ticket", url.Values{"subject": {"Slower shop"}})
	s.deliver(t)
	for _, mail := range s.mailbox.Mails()[:len(s.mailbox.Mails())-before] {
		require.NotEqual(t, "carl@example.com", mail.To)
	}
}

// TestSomebodyMustReceiveDomainEmails checks the page that refuses to unsubscribe the last one.
func TestSomebodyMustReceiveDomainEmails(t *testing.T) {
	s, ann := acme(t)
	ann.addContact("carl@example.com", "domain")
	ann.contactPage("carl").submit("Save Contact", url.Values{"locale": {"de"}})
	ann.get("/accounts/acme/details").submit("Save Preferences", url.Values{"category": {"general"}})
	to, err := s.contacts.Recipients(t.Context(), "acme", contact.Domain, "")
	require.NoError(t, err)
	require.Len(t, to, 1)
	link, err := s.contacts.UnsubscribeURL("acme", to[0], contact.Domain)
	require.NoError(t, err)
	link = strings.TrimPrefix(link, s.baseURL.String())
	carl := s.browser(t)
	page := carl.get(link)
	require.Contains(t, page.text(), "Abbestellen?", "in the contact's language")
	require.Contains(t, page.body, `lang="de"`)
	page = carl.post(link, url.Values{"confirm": {"yes"}})
	require.Equal(t, http.StatusForbidden, page.status)
	require.Contains(t, page.text(), "Jemand muss diese E-Mails erhalten")
	require.Equal(t, http.StatusForbidden, s.oneClick(t, link).StatusCode)
	require.NotContains(t, ann.contactPage("carl").text(), "switched off by the contact")
}

func TestTestMail(t *testing.T) {
	s, ann := acme(t)
	ann.addContact("carl@example.com", "invoice")
	ann.addContact("dora@example.com")
	s.deliver(t)
	page := ann.contactPage("carl").submit("Send Test Mail", nil)
	require.Contains(t, page.text(), "A test mail to carl@example.com is on its way.")
	s.deliver(t)
	mail := s.mailbox.Mails()[0]
	require.Equal(t, "carl@example.com", mail.To)
	require.Equal(t, "Test mail for “Acme”", mail.Subject)
	require.Contains(t, mail.Text, "- Invoice Emails")
	require.Contains(t, mail.HTML, "<li>Invoice Emails</li>")
	require.Contains(t, ann.get("/accounts/acme/emails").text(), "Test mail for “Acme”")

	ann.contactPage("dora").submit("Save Contact", url.Values{"locale": {"fr"}})
	ann.contactPage("dora").submit("Send Test Mail", nil)
	s.deliver(t)
	require.Equal(t, "E-mail de test pour « Acme »", s.mailbox.Mails()[0].Subject)

	count := len(s.mailbox.Mails())
	for range 2 { // each of which is due no more when it would be sent
		ann.contactPage("carl").submit("Send Test Mail", nil)
		ann.contactPage("dora").submit("Send Test Mail", nil)
	}
	ann.get("/accounts/acme/contacts").follow("Remove dora").submit("Remove Contact", nil)
	s.report(t, notify.HardBounce, "carl@example.com")
	s.deliver(t)
	require.Len(t, s.mailbox.Mails(), count)
	history := ann.get("/accounts/acme/emails").text()
	require.Contains(t, history, "the contact was removed")
	require.Contains(t, history, "the address is suppressed: hard bounce")

	ann.addContact("erin@example.com")
	for range attemptLimit - 6 {
		page = ann.contactPage("erin").submit("Send Test Mail", nil)
		require.Contains(t, page.text(), "on its way")
	}
	page = ann.contactPage("erin").submit("Send Test Mail", nil)
	require.Contains(t, page.text(), "Too many test mails were sent.")
}

// report is what a mail provider says about an address.
func (s *site) report(t *testing.T, kind notify.FeedbackKind, address string) {
	t.Helper()
	require.NoError(t, s.contacts.TakeFeedback(t.Context(), notify.Feedback{Kind: kind, Address: address}))
}

func TestSuppressedAddresses(t *testing.T) {
	s, ann := acme(t)
	ann.addContact("carl@example.com", "invoice")
	s.deliver(t)
	s.report(t, notify.HardBounce, "carl@example.com")
	require.Contains(t, ann.get("/accounts/acme/contacts").text(), "mail bounces")
	page := ann.contactPage("carl")
	require.Contains(t, page.text(), "The address refused our mail for good")
	require.False(t, page.has("Send Test Mail"))
	require.False(t, page.has("Send Confirmation Mail"))
	for _, action := range []string{"/verification", "/test-mail"} {
		require.Contains(t, ann.post(page.path+action, nil).text(), "The address refused our mail for good")
	}
	lifted := page.submit("Try This Address Again", nil)
	require.Contains(t, lifted.text(), "We send mail to carl@example.com again.")
	require.True(t, lifted.has("Send Test Mail"))
	require.Equal(t, http.StatusOK, ann.post(page.path+"/send-again", nil).status, "again")
	address, err := access.ParseAddress("carl@example.com")
	require.NoError(t, err)
	record, err := s.contacts.Feedback(t.Context(), access.AsSystem("test"), address, access.Page{})
	require.NoError(t, err)
	require.Len(t, record.Items, 2)
	require.Equal(t, "system/portal", record.Items[0].By)
	require.Equal(t, "asked for by the user ann", record.Items[0].Detail)

	for range 5 {
		s.clock.Advance(time.Second)
		s.report(t, notify.SoftBounce, "carl@example.com")
	}
	require.Contains(t, ann.contactPage("carl").text(), "again and again")
	ann.contactPage("carl").submit("Try This Address Again", nil)
	s.clock.Advance(time.Second)
	s.report(t, notify.Complaint, "carl@example.com")
	page = ann.contactPage("carl")
	require.Contains(t, page.text(), "marked our mail as unwanted")
	require.False(t, page.has("Try This Address Again"))
	page = ann.post(page.path+"/send-again", nil)
	require.NotContains(t, page.text(), "We send mail", "who complained has to say so")
	require.Contains(t, page.text(), "No mail goes to carl@example.com.")
	s.clock.Advance(time.Second)
	s.report(t, notify.HardBounce, "carl@example.com")
	page = ann.contactPage("carl").submit("Try This Address Again", nil)
	require.NotContains(t, page.text(), "We send mail", "a bounce doesn't take the complaint back")
	require.Contains(t, page.text(), "marked our mail as unwanted")

	s.report(t, notify.HardBounce, "ann@example.com")
	page = ann.get("/accounts/acme/details")
	require.Contains(t, page.text(), "No mail goes to ann@example.com.")
	page = page.submit("Try This Address Again", nil)
	require.Contains(t, page.text(), "We send mail to ann@example.com again.")
	require.NotContains(t, page.text(), "No mail goes to")
}

// TestContactActionsAreGuarded: not by a form of another website, nobody from another account, nobody without the
// permission, and nothing but looking and removing while the account is suspended.
func TestContactActionsAreGuarded(t *testing.T) {
	s, ann := acme(t)
	ann.addContact("carl@example.com", "invoice")
	page := ann.contactPage("carl").path
	other := s.addPerson(t, "oscar@example.com", "Oscar")
	s.addAccount(t, "other", "Other", other)
	oscar := s.browser(t)
	oscar.signIn("oscar@example.com", testPassword)
	bob := s.visitor(t, "bob", access.OpenTickets)
	actions := []string{page, page + "/verification", page + "/test-mail", page + "/send-again", page + "/remove"}
	for _, action := range actions {
		require.Equal(t, http.StatusNotFound, oscar.post(action, nil).status, action)
		foreign := strings.Replace(action, "/acme/", "/other/", 1)
		require.Equal(t, http.StatusNotFound, oscar.post(foreign, nil).status, foreign)
		require.Equal(t, http.StatusForbidden, bob.post(action, nil).status, action)
		require.Equal(t, http.StatusUnauthorized, s.browser(t).post(action, nil).status, action)
		request, err := http.NewRequest(http.MethodPost, s.server.URL+action, nil)
		require.NoError(t, err)
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		require.Contains(t, ann.do(request).text(), "This form came from another website", action)
	}
	require.Equal(t, http.StatusNotFound, oscar.post("/accounts/acme/send-again", nil).status)

	_, err := s.members.SuspendAccount(t.Context(), access.AsSystem("billing"), "acme")
	require.NoError(t, err)
	list := ann.get("/accounts/acme/contacts")
	require.False(t, list.has("Add Contact"))
	shown := list.follow("Show carl")
	require.False(t, shown.has("Save Contact") || shown.has("Send Test Mail") || shown.has("Send Confirmation Mail"))
	for _, action := range actions[:4] {
		require.Equal(t, http.StatusForbidden, ann.post(action, url.Values{"name": {"carl"}, "address": {"other@example.com"}}).status, action)
	}
	require.Contains(t, list.follow("Remove carl").submit("Remove Contact", nil).text(), "carl is no longer a contact")
}

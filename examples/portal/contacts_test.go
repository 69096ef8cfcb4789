package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/rosterkit/roster/access"
)

func TestContacts(t *testing.T) {
	s, ann := acme(t)
	page := ann.get("/accounts/acme").follow("Contacts")
	require.Contains(t, page.text(), "There are no contacts yet.")
	page = page.submit("Add Contact", url.Values{"name": {"Carl"}, "address": {"carl"}, "category": {"invoice"}})
	require.Equal(t, http.StatusUnprocessableEntity, page.status)
	require.Contains(t, page.text(), "This is not an e-mail address")
	page = page.submit("Add Contact", url.Values{"address": {"carl@example.com"}, "company": {"Carl Ltd"}, "postal-country": {"gb"}})
	require.Contains(t, page.text(), "Carl is a contact now")
	require.Contains(t, page.text(), "Invoice Emails")
	s.deliver(t)
	require.Equal(t, "carl@example.com", s.mailbox.Mails()[0].To)

	page = page.submit("Add Contact", url.Values{"name": {"Other"}, "address": {"CARL@example.com"}})
	require.Contains(t, page.text(), "There is a contact with this e-mail address already.")
	page = ann.get("/accounts/acme/contacts").follow("Edit Carl").submit("Save Contact", url.Values{"category": {"support"}, "phone": {"call me"}})
	require.Contains(t, page.text(), "A phone number has digits")
	page = page.submit("Save Contact", url.Values{"phone": {"+44 1"}, "locale": {"german"}})
	require.Contains(t, page.text(), "There is no such language.")
	page = page.submit("Save Contact", url.Values{"locale": {"de"}})
	require.Contains(t, page.text(), "The contact Carl is saved.")
	require.Contains(t, ann.get("/accounts/acme/contacts").follow("Edit Carl").body, `name="locale" maxlength="35" placeholder="de" value="de"`)
	require.Contains(t, page.text(), "Support Emails")

	page = page.follow("Remove Carl")
	require.Contains(t, page.text(), "Remove Carl?")
	require.Contains(t, page.text(), "They no longer receive: Support Emails")
	page = page.submit("Remove Contact", nil)
	require.Contains(t, page.text(), "Carl is no longer a contact")
	require.Equal(t, http.StatusNotFound, ann.get("/accounts/acme/contacts/nothing").status)
}

func TestContactsReceiveOnlyWhatTheirMakerMaySee(t *testing.T) {
	s, _ := acme(t)
	bob := s.visitor(t, "bob", access.ManageContacts|access.OpenTickets)
	page := bob.get("/accounts/acme/contacts")
	require.True(t, page.disabled("category-invoice"))
	require.False(t, page.disabled("category-support"))
	page = bob.post("/accounts/acme/contacts", url.Values{"name": {"Carl"}, "address": {"carl@example.com"}, "category": {"invoice"}})
	require.Contains(t, page.refused("category-invoice"), "You can switch on only e-mails about what you may see yourself.")
}

// refused is what a page says next to a field that was refused, empty if it wasn't. It checks that the field names it.
func (s *shown) refused(field string) string {
	s.t.Helper()
	node := s.element(field)
	if attribute(node, "aria-invalid") != "true" {
		return ""
	}
	id, _, _ := strings.Cut(attribute(node, "aria-describedby"), " ")
	return textOf(s.element(id))
}

// element is what has an id.
func (s *shown) element(id string) *html.Node {
	s.t.Helper()
	for node := range s.root.Descendants() {
		if attribute(node, "id") == id {
			return node
		}
	}
	require.Fail(s.t, "nothing has the id "+id, s.text())
	return nil
}

func TestProfile(t *testing.T) {
	_, ann := acme(t)
	page := ann.get("/accounts/acme").follow("Account Details")
	page = page.submit("Save Profile", url.Values{"name": {"Acme & Sons"}, "time-zone": {"Mars/Olympus"}})
	require.Equal(t, http.StatusUnprocessableEntity, page.status)
	require.Contains(t, page.text(), "This time zone isn't known.")
	page = page.submit("Save Profile", url.Values{"time-zone": {"Europe/Vienna"}, "billing-country": {"at"}})
	require.Contains(t, page.text(), "The profile is saved.")
	require.Contains(t, page.body, `value="Acme &amp; Sons"`)
	require.Contains(t, ann.get("/accounts/acme/activity").text(), "2 Nov 2026, 13:00 CET")
}

func TestPreferencesKeepSomebodyForDomainEmails(t *testing.T) {
	s, ann := acme(t)
	page := ann.get("/accounts/acme/details").submit("Save Preferences", url.Values{"category": {"general"}})
	require.Equal(t, http.StatusUnprocessableEntity, page.status)
	require.Contains(t, page.text(), "Nothing is saved yet. Look at “Domain Emails”.")
	require.Contains(t, page.refused("category-ann-domain"), "Switch them on for a contact first")
	require.Empty(t, page.refused("category-ann-general"))
	require.Equal(t, []string{"general"}, filledIn(page.formsWith("Save Preferences")[0])["category"], "what was chosen is still there")
	require.True(t, hasAttribute(ann.get("/accounts/acme/details").element("category-ann-domain"), "checked"), "but not saved")
	ann.post("/accounts/acme/contacts", url.Values{"name": {"Carl"}, "address": {"carl@example.com"}, "category": {"domain"}})
	page = ann.get("/accounts/acme/details").submit("Save Preferences", url.Values{"category": {"general"}})
	require.Contains(t, page.text(), "The e-mail preferences are saved.")
	page = ann.get("/accounts/acme/contacts").follow("Remove Carl").submit("Remove Contact", nil)
	require.Contains(t, page.text(), "At least one address must receive Domain Emails")
	page = page.follow("Edit Carl").submit("Save Contact", url.Values{"category": {"general"}})
	require.Contains(t, page.refused("category-domain"), "Switch them on for a contact first")

	bob := s.visitor(t, "bob", access.OpenTickets)
	page = bob.get("/accounts/acme/details")
	require.True(t, page.disabled("category-bob-invoice"))
	page = page.submit("Save Preferences", url.Values{"category": {"support"}})
	require.Contains(t, page.text(), "The e-mail preferences are saved.")
	require.Equal(t, http.StatusForbidden, bob.post("/accounts/acme/preferences/ann", nil).status)
	page = bob.post("/accounts/acme/preferences/bob", url.Values{"category": {"invoice"}})
	require.Contains(t, page.refused("category-bob-invoice"), "You can switch on only e-mails about what you may see yourself.")
	_, err := s.members.SetPermissions(t.Context(), access.As("ann"), "acme", "bob", access.PayInvoices)
	require.NoError(t, err)
	page = bob.get("/accounts/acme/details")
	require.Contains(t, page.text(), "which you may not now")
	require.True(t, hasAttribute(page.element("category-bob-support"), "checked"))

	carol := s.visitor(t, "carol", access.ModifyProfile)
	page = carol.get("/accounts/acme/details").submit("Save the Owner's Preferences", url.Values{"category": {"general", "support"}})
	require.Contains(t, page.text(), "The e-mail preferences are saved.")
	ann.post("/accounts/acme/preferences/ann", url.Values{"category": {"domain"}})
	ann.get("/accounts/acme/contacts").follow("Remove Carl").submit("Remove Contact", nil)
	page = carol.get("/accounts/acme/details").submit("Save the Owner's Preferences", url.Values{"category": {"general"}})
	require.Contains(t, page.refused("category-ann-domain"), "Switch them on for a contact first")
}

func TestMailGoesToThoseWhoAreToHear(t *testing.T) {
	s, ann := acme(t)
	ann.post("/accounts/acme/contacts", url.Values{"name": {"Carl"}, "address": {"carl@example.com"}, "category": {"support"}})
	bob := s.visitor(t, "bob", access.OpenTickets)
	s.deliver(t)
	before := len(s.mailbox.Mails())
	page := bob.get("/accounts/acme/tickets").submit("Open Ticket", url.Values{"subject": {"Slow shop"}})
	require.Contains(t, page.text(), "Your ticket is open.")
	require.Contains(t, page.text(), "opened by bob")
	s.deliver(t)
	var to []string
	for _, mail := range s.mailbox.Mails()[:len(s.mailbox.Mails())-before] {
		to = append(to, mail.To)
		require.Equal(t, "Ticket: Slow shop", mail.Subject)
		require.Equal(t, mail.To == "carl@example.com", mail.Unsubscribe != "", "users choose in the portal")
	}
	require.ElementsMatch(t, []string{"ann@example.com", "bob@example.com", "carl@example.com"}, to)
}

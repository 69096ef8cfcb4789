package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestContactsInBrowser drives the pages of contacts, the links that are mailed to them, and e-mail preferences.
func TestContactsInBrowser(t *testing.T) {
	chrome := startChrome(t)
	base, said := startPortal(t, freshSource(t, "sqlite"))

	t.Run("confirms its address by the mailed link", func(t *testing.T) {
		owner := chrome.window(t, base)
		owner.signIn("olivia@brightside.example", demoPassword)
		owner.addContact("Cora Count", "cora@counting.example", "invoice", "support")
		link := owner.mailedLink("cora@counting.example", "You are now a contact of “Brightside Bakery”")
		said.secret(link[strings.LastIndex(link, "/")+1:])
		require.Contains(t, link, "/contacts/verify/")

		cora := chrome.window(t, base)
		cora.open(link)
		cora.sees("Is this your address?")
		cora.sees("c...@counting.example")
		owner.showContact("Cora Count")
		owner.sees("asked to confirm")
		cora.press("Confirm")
		cora.sees("Thank you")
		owner.showContact("Cora Count")
		require.Contains(t, owner.fact("Address"), "confirmed")
		require.NotContains(t, owner.fact("Address"), "asked")
		owner.press("Send Test Mail")
		owner.mailed("cora@counting.example", "Test mail for “Brightside Bakery”")
	})

	t.Run("unsubscribes by link", func(t *testing.T) {
		owner := chrome.window(t, base)
		owner.signIn("olivia@brightside.example", demoPassword)
		owner.follow("Invoices")
		owner.press("Pay")
		owner.sees("is paid")
		link := owner.mailedLink("cora@counting.example", "Payment received: Domain renewals")
		said.secret(link[strings.LastIndex(link, "/")+1:])
		require.Contains(t, link, "/contacts/unsubscribe/")

		cora := chrome.window(t, base)
		for range 2 {
			cora.open(link)
			cora.sees("Unsubscribe?")
			cora.sees("Invoice Emails")
		}
		owner.showContact("Cora Count")
		require.Equal(t, "Invoice Emails Support Emails", owner.fact("Receives"), "looking changes nothing")
		cora.press("Unsubscribe")
		cora.sees("You are unsubscribed")
		owner.showContact("Cora Count")
		require.Equal(t, "Support Emails Invoice Emails switched off by the contact", owner.fact("Receives"))
	})

	t.Run("unsubscribes with one click in a mail program", func(t *testing.T) {
		owner := chrome.window(t, base)
		owner.signIn("olivia@brightside.example", demoPassword)
		owner.follow("Support Tickets")
		owner.fill("#subject", "The oven is offline")
		owner.press("Open Ticket")
		link := owner.mailedLink("cora@counting.example", "Ticket: The oven is offline")
		said.secret(link[strings.LastIndex(link, "/")+1:])

		looked, err := http.Get(link)
		require.NoError(t, err)
		require.NoError(t, looked.Body.Close())
		require.Equal(t, http.StatusOK, looked.StatusCode)
		owner.showContact("Cora Count")
		require.Contains(t, owner.fact("Receives"), "Support Emails Invoice", "looking changes nothing")
		done, err := http.Post(link, "application/x-www-form-urlencoded", strings.NewReader("List-Unsubscribe=One-Click"))
		require.NoError(t, err)
		require.NoError(t, done.Body.Close())
		require.Equal(t, http.StatusOK, done.StatusCode)
		require.Empty(t, done.Cookies())
		owner.showContact("Cora Count")
		require.Equal(t, "Invoice Emails switched off by the contact Support Emails switched off by the contact", owner.fact("Receives"))
	})

	t.Run("somebody must receive domain mails", func(t *testing.T) {
		owner := chrome.window(t, base)
		owner.signIn("olivia@brightside.example", demoPassword)
		owner.showContact("IT Desk")
		owner.click(`label[for="category-domain"]`)
		owner.press("Save Contact")
		owner.sees("The contact IT Desk is saved.")

		owner.follow("Account Details")
		owner.click(`label[for="category-olivia-domain"]`)
		owner.press("Save Preferences")
		owner.sees("Nothing is saved yet. Look at “Domain Emails”.")
		require.Contains(t, owner.text("#refused-olivia-domain"), "At least one address must receive Domain Emails")
		require.Equal(t, "category-olivia-domain", owner.focused())
		require.Equal(t, "true", owner.attribute("#category-olivia-domain", "aria-invalid"))

		tom := chrome.window(t, base)
		tom.signIn("tom@brightside.example", demoPassword)
		tom.follow("Account Details")
		require.Equal(t, "true", tom.disabled("#category-tom-invoice"), "he doesn't see invoices")
		tom.click(`label[for="category-tom-domain"]`)
		tom.press("Save Preferences")
		tom.sees("The e-mail preferences are saved.")

		owner.press("Save Preferences")
		owner.sees("The e-mail preferences are saved.")
		tom.click(`label[for="category-tom-domain"]`)
		tom.press("Save Preferences")
		require.Contains(t, tom.text("#refused-tom-domain"), "At least one address must receive Domain Emails")
	})

	said.search(t, 3, "roster_contacts", "cora@counting.example")
}

// addContact adds a contact to the account that the window shows.
func (w *window) addContact(name, address string, categories ...string) {
	w.t.Helper()
	w.follow("Contacts")
	w.fill("#name", name)
	w.fill("#address", address)
	for _, category := range categories {
		w.click(`label[for="category-` + category + `"]`)
	}
	w.press("Add Contact")
	w.sees(name + " is a contact now")
}

func (w *window) showContact(name string) {
	w.t.Helper()
	w.follow("Contacts")
	w.click(`a[aria-label="Edit ` + name + `"]`)
}

// fact is what the page says beside a term.
func (w *window) fact(term string) string {
	w.t.Helper()
	return w.words(`document.evaluate('//main//div[dt[.="` + term + `"]]/dd', document, null, XPathResult.STRING_TYPE).stringValue`)
}

func (w *window) text(selector string) string {
	w.t.Helper()
	return w.words(`document.querySelector("` + selector + `").textContent`)
}

func (w *window) focused() string {
	w.t.Helper()
	return w.words(`document.activeElement.id`)
}

func (w *window) attribute(selector, name string) string {
	w.t.Helper()
	return w.words(`document.querySelector("` + selector + `").getAttribute("` + name + `")`)
}

func (w *window) disabled(selector string) string {
	w.t.Helper()
	return w.words(`String(document.querySelector("` + selector + `").disabled)`)
}

// words is the text that a script answers with, on one line.
func (w *window) words(script string) string {
	w.t.Helper()
	return strings.Join(strings.Fields(ask(w, "reading "+script, chromedp.Evaluate[string](script))), " ")
}

// mailed returns the text of a mail with a subject, and goes back to the account.
func (w *window) mailed(address, subject string) string {
	w.t.Helper()
	text := w.mailText(`//tr[td[normalize-space()="` + address + `"]]//a[normalize-space()="` + subject + `"]`)
	w.open(w.base + "/accounts/" + string(bakery))
	return text
}

var contactLink = regexp.MustCompile(`http\S+/contacts/\w+/[\w-]{64}`)

// mailedLink is the contact's link in a mail.
func (w *window) mailedLink(address, subject string) string {
	w.t.Helper()
	text := w.mailed(address, subject)
	link := contactLink.FindString(text)
	require.NotEmpty(w.t, link, text)
	return link
}

package main

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestEmailsInBrowser looks into the e-mail history, and asks for a new link of an invite that has expired.
func TestEmailsInBrowser(t *testing.T) {
	chrome := startChrome(t)
	base, _ := startPortal(t, freshSource(t, "sqlite"))

	t.Run("the history of mails", func(t *testing.T) {
		owner := chrome.window(t, base)
		owner.signIn("olivia@brightside.example", demoPassword)
		owner.follow("E-mails")
		owner.sees("Invite accepted")
		owner.choose("#state", "cancelled")
		owner.press("Filter")
		owner.sees("not sentthe invite was revoked")
		owner.choose("#state", "sent")
		owner.choose("#kind", "invite")
		owner.press("Filter")
		owner.sees("old.contractor@example.com")
		require.NotContains(t, owner.main(), "Contact added")
		require.NotContains(t, owner.main(), "is now a member")

		owner.leave("opening a mail", chromedp.Click(`//tr[td[contains(., "old.contractor@example.com")]]//a`))
		owner.sees("Attempts1")
		text := ask(owner, "reading the mail", chromedp.Text(chromedp.CSS(".mail-text")))
		require.Contains(t, text, "Olivia Hart invites you to the account “Brightside Bakery”.")
		require.Contains(t, text, "open this link:\n\n[link]\n")
		require.Empty(t, inviteLink.FindString(text))
		sealed := ask(owner, "reaching into the frame", chromedp.Evaluate[bool](`document.querySelector("iframe.mail-frame").contentDocument === null`))
		require.True(t, sealed, "the frame is of no origin")
		frame := ask(owner, "finding the frame", chromedp.Evaluate[string](`document.querySelector("iframe.mail-frame").src`))
		owner.open(frame)
		owner.sees("Olivia Hart invites you to the account “Brightside Bakery”.")
		owner.sees("[link]")
		colour := ask(owner, "looking at the frame", chromedp.Evaluate[string](`getComputedStyle(document.querySelector(".mail")).borderTopStyle`))
		require.Equal(t, "solid", colour, "the policy lets the frame's own style through")
	})

	t.Run("an expired invite", func(t *testing.T) {
		contractor := chrome.window(t, base)
		link := contractor.linkMailedTo("old.contractor@example.com")
		contractor.open(link)
		contractor.sees("This invite has expired")
		contractor.sees("o...@example.com")
		contractor.press("Ask for a new link")
		contractor.sees(passedOn)
		contractor.sees("This invite has expired")
		contractor.press("Ask for a new link")
		contractor.sees(passedOn)

		owner := chrome.window(t, base)
		mail := owner.mailTo("olivia@brightside.example", "A new link for the invitation to “Brightside Bakery” is wanted")
		require.Contains(t, mail, "the invitation for old.contractor@example.com to the account “Brightside Bakery”")
		require.Equal(t, 1, owner.count(`//tr[td[normalize-space()="olivia@brightside.example"]]//a[starts-with(., "A new link")]`), "once in an hour")

		owner.signIn("olivia@brightside.example", demoPassword)
		owner.follow("User Management")
		owner.leave("sending it again", chromedp.Click(`//tr[td[contains(., "old.contractor@example.com")]]//button[normalize-space()="Resend"]`))
		owner.sees("The invite to old.contractor@example.com is sent again")
		contractor.open(link)
		contractor.sees("There is a newer mail")
	})
}

// choose chooses an option of a list by its value.
func (w *window) choose(selector, value string) {
	w.t.Helper()
	w.do("choosing "+value, chromedp.SetValue(chromedp.CSS(selector), value))
}

func (w *window) main() string {
	w.t.Helper()
	return ask(w, "reading the content", chromedp.Evaluate[string](`document.querySelector("main section:last-of-type").textContent`))
}

// count is how many elements of the development mailbox there are for an XPath.
func (w *window) count(path string) int {
	w.t.Helper()
	w.open(w.base + "/mailbox")
	return ask(w, "counting", chromedp.Evaluate[int](`document.evaluate('count(`+path+`)', document, null, XPathResult.NUMBER_TYPE).numberValue`))
}

// mailTo looks into the development mailbox until a mail is there, and returns its text.
func (w *window) mailTo(address, subject string) string {
	w.t.Helper()
	path := `//tr[td[normalize-space()="` + address + `"]]//a[normalize-space()="` + subject + `"]`
	for w.count(path) == 0 {
	}
	w.leave("opening the mail", chromedp.Click(path))
	return ask(w, "reading the mail", chromedp.Text(chromedp.CSS(".mail-text")))
}

package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/notifytest"
)

const emails = "/accounts/acme/emails"

// refused is why a mail that no mailer took wasn't sent.
var refused = notifytest.ErrRefused.Error()

// history is a site with a mail of each state: to bob sent, to carl cancelled, to dora given up, to eve waiting for its
// second attempt. The days between them are whole.
func history(t *testing.T) (*site, *browser) {
	t.Helper()
	s, ann := acme(t)
	sendInvite(ann, "bob@example.com", "invoices")
	s.deliver(t)
	s.clock.Advance(day)

	sendInvite(ann, "carl@example.com", "invoices")
	ann.get(users).submit("Revoke the invite to carl@example.com", nil)
	s.deliver(t)
	s.clock.Advance(day)

	sendInvite(ann, "dora@example.com", "invoices")
	s.sendThrough(t, &notifytest.Failing{Times: 1, Permanent: true})
	s.clock.Advance(day)

	sendInvite(ann, "eve@example.com", "invoices")
	s.sendThrough(t, &notifytest.Failing{Times: 1})
	return s, ann
}

// sendThrough sends what is due through another mailer, once.
func (s *site) sendThrough(t *testing.T, mailer notify.Mailer) {
	t.Helper()
	worker, err := notify.NewWorker(s.store, mailer, notify.WorkerConfig{Now: s.clock.Now, Log: s.log}, s.members, s.invites, s.contacts)
	require.NoError(t, err)
	_, err = worker.Deliver(t.Context())
	require.NoError(t, err)
}

func TestEmailsSayWhatBecameOfThem(t *testing.T) {
	_, ann := history(t)
	page := ann.get("/accounts/acme").follow("E-mails")
	require.Equal(t, http.StatusOK, page.status)
	text := page.text()
	require.Contains(t, text, "Ann Archer invites you to “Acme” Invite bob@example.com")
	require.Contains(t, text, "sent")
	require.Contains(t, text, "not sent the invite was revoked")
	require.Contains(t, text, "could not be delivered "+refused)
	waiting := strings.Index(text, "waiting to be sent "+refused)
	require.Positive(t, waiting)
	require.Less(t, waiting, strings.Index(text, "bob@example.com"), "newest first")
}

func TestEmailsAreFiltered(t *testing.T) {
	s, ann := history(t)
	s.clock.Advance(time.Hour)
	s.browser(t).get(s.linkTo(t, "eve@example.com")).submit("Create password and accept",
		url.Values{"name": {"Eve"}, "password": {testPassword}, "repeat": {testPassword}})
	s.deliver(t)
	first := s.clock.Now().Add(-3 * day).Format(time.DateOnly)
	second := s.clock.Now().Add(-2 * day).Format(time.DateOnly)
	for name, c := range map[string]struct {
		fields  url.Values
		found   []string // In the list's cells.
		missing []string
	}{
		"sent":      {url.Values{"state": {"sent"}}, []string{"bob@example.com", "eve@example.com", "Invite accepted"}, []string{"the invite was revoked", refused}},
		"waiting":   {url.Values{"state": {"waiting"}}, []string{"There is no mail that fits."}, []string{"bob@example.com"}},
		"cancelled": {url.Values{"state": {"cancelled"}}, []string{"the invite was revoked"}, []string{"bob@example.com", refused}},
		"dead":      {url.Values{"state": {"dead"}}, []string{refused}, []string{"bob@example.com", "revoked"}},
		"kind":      {url.Values{"kind": {"invite.accepted"}}, []string{"ann@example.com"}, []string{"bob@example.com"}},
		"day":       {url.Values{"since": {first}, "until": {first}}, []string{"bob@example.com"}, []string{"revoked", refused}},
		"since":     {url.Values{"since": {second}}, []string{"revoked", refused}, []string{"bob@example.com"}},
		"until":     {url.Values{"until": {second}}, []string{"bob@example.com", "revoked"}, []string{refused}},
		"both":      {url.Values{"state": {"sent"}, "kind": {"invite"}}, []string{"bob@example.com", "eve@example.com"}, []string{"ann@example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			page := ann.get(emails).submit("Filter", c.fields)
			require.Equal(t, http.StatusOK, page.status, page.text())
			_, list, found := strings.Cut(page.text(), "Show all")
			require.True(t, found, "a filter can be taken back")
			for _, text := range c.found {
				require.Contains(t, list, text)
			}
			for _, text := range c.missing {
				require.NotContains(t, list, text)
			}
			again := page.submit("Filter", nil)
			require.Equal(t, page.body, again.body, "the form keeps what was chosen")
		})
	}
	for _, query := range []string{"state=lost", "kind=nothing", "since=yesterday", "until=31.12.2026"} {
		require.Equal(t, http.StatusBadRequest, ann.get(emails+"?"+query).status, query)
	}
	require.False(t, ann.get(emails).has("Show all"))
}

func TestEmailsAreInPages(t *testing.T) {
	s, ann := acme(t)
	sendInvite(ann, "guest@example.com", "invoices")
	const each = access.DefaultPage + 10
	for n := range each {
		ann.addContact(fmt.Sprintf("reader-%02d@example.com", n))
	}
	s.deliver(t)
	seen, pages := 0, 1
	page := ann.get(emails).submit("Filter", url.Values{"state": {"sent"}, "kind": {"contact.added"}})
	for ; ; pages++ {
		seen += strings.Count(page.text(), "reader-")
		require.NotContains(t, page.text(), "Invite guest")
		require.Contains(t, page.body, `<option value="sent" selected>`, "the filter stays")
		if !page.has("Older e-mails") {
			break
		}
		page = page.follow("Older e-mails")
	}
	require.Equal(t, each, seen)
	require.Equal(t, 2, pages)
}

// One mail is shown with what it said, but without the link that is worth having.
func TestAnEmailIsShown(t *testing.T) {
	s, ann := history(t)
	link := s.linkTo(t, "bob@example.com")
	page := ann.get(emails).submit("Filter", url.Values{"state": {"sent"}, "until": {s.clock.Now().Add(-2 * day).Format(time.DateOnly)}})
	page = page.follow("Ann Archer invites you to “Acme”")
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, page.text(), "To bob@example.com")
	require.Contains(t, page.text(), "Delivery sent")
	require.Contains(t, page.text(), "Attempts 1")
	require.Contains(t, page.text(), "To accept or decline, open this link: [link]")
	framed := ann.get(page.frame())
	require.Equal(t, http.StatusOK, framed.status)
	require.Contains(t, framed.text(), "To accept or decline, open this link: [link]")
	require.Contains(t, framed.body, "<li>View &amp; Pay Invoices</li>")
	policy := framed.header.Get("Content-Security-Policy")
	require.Contains(t, policy, "sandbox")
	require.Contains(t, policy, "default-src 'none'")
	require.Contains(t, policy, "frame-ancestors 'self'")
	for _, shown := range []*shown{page, framed} {
		require.NotContains(t, shown.body, strings.TrimPrefix(link, "/invites/"))
		require.NotContains(t, shown.body, "/invites/")
	}
}

func TestAnEmailThatWasNotSentIsShown(t *testing.T) {
	_, ann := history(t)
	for state, words := range map[string][]string{
		"cancelled": {"Delivery not sent Because the invite was revoked", "It was never sent"},
		"dead":      {"Delivery could not be delivered Because " + refused, "Attempts 1", "It was never sent"},
		"waiting":   {"Delivery waiting to be sent Because " + refused, "Attempts 1", "Next attempt not before", "What it says is written when it is sent."},
	} {
		page := ann.get(emails).submit("Filter", url.Values{"state": {state}})
		page = page.follow("Invite")
		for _, text := range words {
			require.Contains(t, page.text(), text, state)
		}
		require.NotContains(t, page.body, "<iframe")
		require.Equal(t, http.StatusNotFound, ann.get(page.path+"/html").status)
	}
}

// frame is where the page's frame gets its content.
func (s *shown) frame() string {
	s.t.Helper()
	for node := range s.root.Descendants() {
		if node.Data == "iframe" {
			require.True(s.t, hasAttribute(node, "sandbox"))
			require.NotEmpty(s.t, attribute(node, "title"))
			return attribute(node, "src")
		}
	}
	require.Fail(s.t, "there is no frame")
	return ""
}

func TestEmailsAreForThoseWhoMaySeeThem(t *testing.T) {
	s, ann := history(t)
	s.addAccount(t, "beta", "Beta Bakery", s.addPerson(t, "bea@example.com", "Bea"))
	page := ann.get(emails).submit("Filter", url.Values{"state": {"sent"}}).follow("Ann Archer invites you to “Acme”")
	others := s.visitor(t, "without", without(access.Portal(), access.ViewEmails))
	reader := s.visitor(t, "reader", access.ViewEmails)
	bea := s.browser(t)
	bea.signIn("bea@example.com", testPassword)
	for _, path := range []string{page.path, page.path + "/html"} {
		require.Equal(t, http.StatusOK, reader.get(path).status)
		require.Equal(t, http.StatusForbidden, others.get(path).status)
		require.Equal(t, http.StatusNotFound, bea.get(path).status)
		require.Equal(t, http.StatusNotFound, bea.get(strings.Replace(path, "acme", "beta", 1)).status, "another account's mail")
		require.NotEqual(t, path, s.browser(t).get(path).path, "sign in first")
	}
	for _, path := range []string{emails + "/nothing", emails + "/nothing/html"} {
		require.Equal(t, http.StatusNotFound, ann.get(path).status)
	}
}

// What somebody called themselves or their account is text in a mail that is shown, and nothing else.
func TestSaidHTMLEscapes(t *testing.T) {
	content, err := saidHTML(notify.Message{Subject: "<script>1</script>", Said: "Hello,\n\n<script>2</script> & \"so\"\nnext line\n\nYou can:\n\n- <b>one</b>\n- two\n\n-- \nA <i>footer</i>\n"})
	require.NoError(t, err)
	for _, forbidden := range []string{"<script", "<b>", "<i>"} {
		require.NotContains(t, content, forbidden)
	}
	require.Contains(t, content, "&lt;script&gt;2&lt;/script&gt; &amp; &#34;so&#34;<br>next line</p>")
	require.Contains(t, content, "<ul><li>&lt;b&gt;one&lt;/b&gt;</li><li>two</li></ul>")
	require.Contains(t, content, `<div class="footer"><p>A &lt;i&gt;footer&lt;/i&gt;</p>`)
}

func TestEveryKindOfMailHasWords(t *testing.T) {
	for _, kind := range newSite(t).emailKinds() {
		require.NotEqual(t, string(kind.Kind), kind.Label)
	}
}

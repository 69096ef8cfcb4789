package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSignInAndOut(t *testing.T) {
	s := newSite(t)
	s.addPerson(t, "Ann@example.com", "Ann Archer")
	browser := s.browser(t)

	page := browser.get("/")
	require.Equal(t, "/sign-in", page.path, "a signed-out visitor is sent to the sign-in page")

	page = page.submit("Sign in", url.Values{"address": {" ann@EXAMPLE.com "}, "password": {testPassword}})
	require.Equal(t, "/accounts", page.path)
	require.Contains(t, page.text(), "Ann Archer")
	require.Contains(t, page.text(), "No accounts yet")

	cookies := browser.client.Jar.Cookies(s.baseURL)
	require.Len(t, cookies, 1)

	page = page.submit("Sign out", nil)
	require.Contains(t, page.text(), "You are signed out.")
	require.Equal(t, "/sign-in", browser.get("/").path)
}

func TestSignInRenewsTheSession(t *testing.T) {
	s := newSite(t)
	s.addPerson(t, "ann@example.com", "Ann Archer")
	browser := s.browser(t)
	browser.signIn("ann@example.com", testPassword)
	first := browser.client.Jar.Cookies(s.baseURL)[0].Value
	browser.post("/sign-in", url.Values{"address": {"ann@example.com"}, "password": {testPassword}})
	require.NotEqual(t, first, browser.client.Jar.Cookies(s.baseURL)[0].Value)
}

func TestSessionCookie(t *testing.T) {
	s := newSite(t)
	s.addPerson(t, "ann@example.com", "Ann Archer")
	browser := s.browser(t)
	browser.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	page := browser.post("/sign-in", url.Values{"address": {"ann@example.com"}, "password": {testPassword}})
	cookie := page.header.Get("Set-Cookie")
	require.Contains(t, cookie, "HttpOnly")
	require.Contains(t, cookie, "SameSite=Lax")
	require.NotContains(t, cookie, "Secure")
	require.True(t, newSessions(nil, true).Cookie.Secure, "by HTTPS the cookie is kept from plain HTTP")
}

func TestSignInRefusesAlike(t *testing.T) {
	s := newSite(t)
	s.addPerson(t, "ann@example.com", "Ann Archer")
	browser := s.browser(t)
	var answers []string
	for _, address := range []string{"ann@example.com", "nobody@example.com"} {
		page := browser.post("/sign-in", url.Values{"address": {address}, "password": {"not the password"}})
		require.Equal(t, http.StatusUnauthorized, page.status)
		answers = append(answers, strings.ReplaceAll(page.body, address, ""))
	}
	require.Equal(t, answers[0], answers[1], "known and unknown addresses get the same answer")
}

func TestSignInAttemptsAreLimited(t *testing.T) {
	s := newSite(t)
	s.addPerson(t, "ann@example.com", "Ann Archer")
	browser := s.browser(t)
	right := url.Values{"address": {"ann@example.com"}, "password": {testPassword}}
	for range attemptLimit {
		browser.post("/sign-in", url.Values{"address": {"ANN@example.com"}, "password": {"wrong password"}})
	}
	page := browser.post("/sign-in", right)
	require.Equal(t, http.StatusTooManyRequests, page.status, "the right password doesn't help once the limit is reached")

	s.clock.Advance(attemptWindow + time.Minute)
	require.Equal(t, http.StatusOK, browser.post("/sign-in", right).status)
}

func TestSignInReturnsToThePage(t *testing.T) {
	for next, want := range map[string]string{
		"/mailbox":              "/mailbox",
		"https://evil.example/": "/",
		"//evil.example/":       "/",
		`/\evil.example/`:       "/",
		"/\tevil":               "/",
		"javascript:alert(1)":   "/",
		"":                      "/",
	} {
		require.Equal(t, want, localPath(next), "%q", next)
	}
	s := newSite(t)
	s.addPerson(t, "ann@example.com", "Ann Archer")
	page := s.browser(t).get("/sign-in?next=/mailbox").submit("Sign in", url.Values{"address": {"ann@example.com"}, "password": {testPassword}})
	require.Equal(t, "/mailbox", page.path)
}

func TestNewPassword(t *testing.T) {
	s := newSite(t)
	s.addPerson(t, "ann@example.com", "Ann Archer")
	before := s.browser(t)
	before.signIn("ann@example.com", testPassword)

	browser := s.browser(t)
	page := browser.get("/sign-in").follow("Forgotten password?").submit("Send the link", url.Values{"address": {"ann@example.com"}})
	require.Contains(t, page.text(), "If there is a login with this address")
	require.Len(t, s.mailbox.Mails(), 1)
	mailPage := browser.get("/mailbox").follow("Create a new password")
	link, err := url.Parse(linkIn(t, mailPage))
	require.NoError(t, err)

	page = browser.get(link.Path)
	require.Contains(t, page.text(), "For ann@example.com")
	page = page.submit("Save the new password", url.Values{"password": {"short"}, "repeat": {"short"}})
	require.Equal(t, http.StatusUnprocessableEntity, page.status)
	require.Contains(t, page.text(), "at least 10 characters")
	page = page.submit("Save the new password", url.Values{"password": {"correct horse battery"}, "repeat": {"correct horse"}})
	require.Contains(t, page.text(), "The two passwords differ")
	page = page.submit("Save the new password", url.Values{"password": {"correct horse battery"}, "repeat": {"correct horse battery"}})
	require.Contains(t, page.text(), "Your new password is set.")

	require.Equal(t, http.StatusNotFound, browser.get(link.Path).status, "the link works once")
	require.Equal(t, http.StatusNotFound, browser.post(link.Path, url.Values{"password": {"another password"}, "repeat": {"another password"}}).status)
	require.Equal(t, "/sign-in", before.get("/").path, "the new password ends earlier sessions")
	require.Equal(t, http.StatusUnauthorized, browser.post("/sign-in", url.Values{"address": {"ann@example.com"}, "password": {testPassword}}).status)
	browser.signIn("ann@example.com", "correct horse battery")
	require.NotContains(t, s.logged.String(), link.Path[len("/new-password/"):], "the log holds no token")
}

func TestNewPasswordLinkEnds(t *testing.T) {
	s := newSite(t)
	s.addPerson(t, "ann@example.com", "Ann Archer")
	browser := s.browser(t)
	ask := func() string {
		browser.post("/forgotten-password", url.Values{"address": {"ann@example.com"}})
		return s.linkTo(t, "ann@example.com")
	}
	first := ask()
	second := ask()
	require.Equal(t, http.StatusNotFound, browser.get(first).status, "a newer link replaces an older one")
	require.Equal(t, http.StatusOK, browser.get(second).status)
	s.clock.Advance(resetLifetime)
	require.Equal(t, http.StatusNotFound, browser.get(second).status, "after an hour it is over")
}

func TestNewPasswordForUnknownAddressLooksTheSame(t *testing.T) {
	s := newSite(t)
	s.addPerson(t, "ann@example.com", "Ann Archer")
	browser := s.browser(t)
	known := browser.post("/forgotten-password", url.Values{"address": {"ann@example.com"}})
	unknown := browser.post("/forgotten-password", url.Values{"address": {"nobody@example.com"}})
	require.Equal(t, known.body, unknown.body)
	require.Len(t, s.mailbox.Mails(), 1)
}

// linkIn is the first link in the text of a mail's page.
func linkIn(t *testing.T, page *shown) string {
	t.Helper()
	for node := range page.root.Descendants() {
		if node.Data == "pre" {
			for inner := range node.Descendants() {
				if inner.Data == "a" {
					return attribute(inner, "href")
				}
			}
		}
	}
	require.Fail(t, "no link in the mail", page.text())
	return ""
}

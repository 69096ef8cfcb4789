package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProblemPages(t *testing.T) {
	s := newSite(t)
	s.addPerson(t, "ann@example.com", "Ann Archer")
	browser := s.browser(t)

	t.Run("401 for a form after the session ended", func(t *testing.T) {
		page := browser.post("/accounts/acme/invites", url.Values{"address": {"bob@example.com"}})
		require.Equal(t, http.StatusUnauthorized, page.status)
		require.Contains(t, page.text(), "Your session is over, so nothing was changed.")
	})
	t.Run("403 for a form of another website", func(t *testing.T) {
		request, err := http.NewRequest(http.MethodPost, s.server.URL+"/sign-out", nil)
		require.NoError(t, err)
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		page := browser.do(request)
		require.Equal(t, http.StatusForbidden, page.status)
		require.Contains(t, page.text(), "This form came from another website")
	})
	t.Run("404", func(t *testing.T) {
		page := browser.get("/nothing/here")
		require.Equal(t, http.StatusNotFound, page.status)
		require.Contains(t, page.text(), "Page not found")
	})
	t.Run("413", func(t *testing.T) {
		page := browser.post("/sign-in", url.Values{"address": {strings.Repeat("a", maximumBody)}})
		require.Equal(t, http.StatusRequestEntityTooLarge, page.status)
	})
	t.Run("500 tells nothing of the cause", func(t *testing.T) {
		handler := s.sessions.LoadAndSave(s.recovered(s.page(func(http.ResponseWriter, *http.Request) error { panic("the cause") })))
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
		require.Equal(t, http.StatusInternalServerError, answer.Code)
		require.Contains(t, answer.Body.String(), "Something went wrong")
		require.NotContains(t, answer.Body.String(), "the cause")
		require.Contains(t, s.logged.String(), "the cause")
	})
}

func TestHeaders(t *testing.T) {
	s := newSite(t)
	page := s.browser(t).get("/sign-in")
	require.Equal(t, "no-store", page.header.Get("Cache-Control"))
	require.Equal(t, "nosniff", page.header.Get("X-Content-Type-Options"))
	policy := page.header.Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'")
	require.Contains(t, policy, "frame-ancestors 'none'")
	require.NotContains(t, policy, "script-src", "no script runs at all")
	require.NotContains(t, policy, "unsafe-inline")
}

func TestTokenPagesSendNoReferrer(t *testing.T) {
	s := newSite(t)
	request, err := http.NewRequest(http.MethodGet, s.server.URL+"/new-password/token", nil)
	require.NoError(t, err)
	request.Header.Set("Sec-Fetch-Site", "none")
	require.Equal(t, "no-referrer", s.browser(t).do(request).header.Get("Referrer-Policy"))
}

func TestLogHoldsNoPaths(t *testing.T) {
	s := newSite(t)
	s.browser(t).get("/sign-in?next=/secret-in-query")
	s.browser(t).get("/new-password/secret-in-path")
	require.NotContains(t, s.logged.String(), "secret-in")
	require.Contains(t, s.logged.String(), "GET /new-password/{token}")
}

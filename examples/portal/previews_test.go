package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPreviews(t *testing.T) {
	browser := newSite(t).browser(t)
	list := browser.get("/previews")
	require.Equal(t, http.StatusOK, list.status)
	for _, kind := range []string{"access.changed", "invite", "contact.added", "invoice.paid", "contact.test"} {
		require.Contains(t, list.text(), kind+" en de fr")
	}
	page := browser.get("/previews/invite/de")
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, page.text(), "Ann Example lädt Sie zu „Example & Sons“ ein")
	require.Contains(t, page.text(), "Nachricht von Example Hosting.")
	framed := browser.get("/previews/invite/fr/1/html")
	require.Equal(t, http.StatusOK, framed.status)
	require.Contains(t, framed.header.Get("Content-Security-Policy"), "sandbox")
	require.Contains(t, framed.text(), "Notre équipe d’assistance")
	for _, path := range []string{"/previews/nothing/de", "/previews/invite/ja", "/previews/invite/xq", "/previews/invite/de/9/html", "/previews/invite/de/-1/html",
		"/previews/invite/de/x/html"} {
		require.Equal(t, http.StatusNotFound, browser.get(path).status, path)
	}
}

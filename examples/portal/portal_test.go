package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// A site is a portal that a test drives through HTTP.
type site struct {
	*portal
	server *httptest.Server
	logged *strings.Builder
}

func newSite(t *testing.T) *site {
	t.Helper()
	db, err := openDatabase(context.Background(), filepath.Join(t.TempDir(), "portal.db"))
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })

	server := httptest.NewUnstartedServer(nil)
	baseURL := &url.URL{Scheme: "http", Host: server.Listener.Addr().String()}
	logged := &strings.Builder{}
	p, err := newPortal(db, baseURL, slog.New(slog.NewTextHandler(logged, nil)))
	require.NoError(t, err)
	server.Config.Handler = p.handler()
	server.Start()
	t.Cleanup(server.Close)
	return &site{portal: p, server: server, logged: logged}
}

const testPassword = "a long enough password"

func (s *site) addPerson(t *testing.T, address, name string) person {
	t.Helper()
	who := person{ID: "person-" + address, Address: canonicalAddress(address), TypedAddress: address, Name: name, Verified: true}
	require.NoError(t, s.people.add(t.Context(), who, testPassword))
	return who
}

// A browser keeps cookies and follows redirects, as a person's browser does.
type browser struct {
	t      *testing.T
	site   *site
	client *http.Client
}

func (s *site) browser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t: t, site: s, client: &http.Client{Jar: jar}}
}

// A shown page is what the browser has after a request.
type shown struct {
	t       *testing.T
	browser *browser
	status  int
	path    string
	header  http.Header
	body    string
	root    *html.Node
}

func (b *browser) get(path string) *shown {
	b.t.Helper()
	request, err := http.NewRequest(http.MethodGet, b.site.server.URL+path, nil)
	require.NoError(b.t, err)
	return b.do(request)
}

// post sends a form as the browser does for a page of the same site.
func (b *browser) post(path string, fields url.Values) *shown {
	b.t.Helper()
	request, err := http.NewRequest(http.MethodPost, b.site.server.URL+path, strings.NewReader(fields.Encode()))
	require.NoError(b.t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(request)
}

func (b *browser) do(request *http.Request) *shown {
	b.t.Helper()
	response, err := b.client.Do(request)
	require.NoError(b.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	root, err := html.Parse(strings.NewReader(string(body)))
	require.NoError(b.t, err)
	return &shown{b.t, b, response.StatusCode, response.Request.URL.Path, response.Header, string(body), root}
}

// signIn uses the real form and requires that it worked.
func (b *browser) signIn(address, password string) *shown {
	b.t.Helper()
	page := b.get("/sign-in").submit("Sign in", url.Values{"address": {address}, "password": {password}})
	require.Equal(b.t, http.StatusOK, page.status, page.text())
	return page
}

// submit presses the button with this text: it sends the form around it as the page filled it,
// with changes. It fails the test if there is no such button.
func (s *shown) submit(button string, changes url.Values) *shown {
	s.t.Helper()
	forms := s.formsWith(button)
	require.NotEmpty(s.t, forms, "no button %q on %s:\n%s", button, s.path, s.text())
	return s.submitForm(forms[0], changes)
}

func (s *shown) submitForm(form *html.Node, changes url.Values) *shown {
	s.t.Helper()
	fields := formFields(form)
	for name, values := range changes {
		fields[name] = values
	}
	action := attribute(form, "action")
	if attribute(form, "method") != "post" {
		return s.browser.get(action + "?" + fields.Encode())
	}
	return s.browser.post(action, fields)
}

// formsWith are the forms that have a button with this text.
func (s *shown) formsWith(button string) []*html.Node {
	var forms []*html.Node
	for node := range s.root.Descendants() {
		if node.Data != "form" {
			continue
		}
		for inner := range node.Descendants() {
			if inner.Data == "button" && (textOf(inner) == button || attribute(inner, "aria-label") == button) {
				forms = append(forms, node)
			}
		}
	}
	return forms
}

// follow clicks the link with this text.
func (s *shown) follow(text string) *shown {
	s.t.Helper()
	path, ok := s.link(text)
	require.True(s.t, ok, "no link %q on %s:\n%s", text, s.path, s.text())
	return s.browser.get(path)
}

// link is where the first link with this text leads.
func (s *shown) link(text string) (path string, ok bool) {
	for node := range s.root.Descendants() {
		if node.Data == "a" && textOf(node) == text {
			return attribute(node, "href"), true
		}
	}
	return "", false
}

// text is what a reader sees.
func (s *shown) text() string { return textOf(s.root) }

func formFields(form *html.Node) url.Values {
	fields := url.Values{}
	for node := range form.Descendants() {
		name := attribute(node, "name")
		switch {
		case name == "":
		case node.Data == "select":
			fields.Set(name, selectedOption(node))
		case node.Data == "textarea":
			fields.Set(name, textOf(node))
		case node.Data == "input" && (attribute(node, "type") == "checkbox" || attribute(node, "type") == "radio"):
			if hasAttribute(node, "checked") {
				fields.Add(name, attribute(node, "value"))
			}
		case node.Data == "input":
			fields.Add(name, attribute(node, "value"))
		}
	}
	return fields
}

func selectedOption(node *html.Node) string {
	var first *html.Node
	for option := range node.Descendants() {
		if option.Data != "option" {
			continue
		}
		if hasAttribute(option, "selected") {
			return attribute(option, "value")
		}
		if first == nil {
			first = option
		}
	}
	if first == nil {
		return ""
	}
	return attribute(first, "value")
}

func attribute(node *html.Node, name string) string {
	for _, attribute := range node.Attr {
		if attribute.Key == name {
			return attribute.Val
		}
	}
	return ""
}

func hasAttribute(node *html.Node, name string) bool {
	for _, attribute := range node.Attr {
		if attribute.Key == name {
			return true
		}
	}
	return false
}

func textOf(node *html.Node) string {
	var words []string
	for inner := range node.Descendants() {
		if inner.Type == html.TextNode && inner.Parent.Data != "style" {
			words = append(words, strings.Fields(inner.Data)...)
		}
	}
	return strings.Join(words, " ")
}

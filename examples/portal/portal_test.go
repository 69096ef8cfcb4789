package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/notify/notifytest"
)

// A site is a portal that a test drives through HTTP.
type site struct {
	*portal
	clock  *accesstest.Clock
	server *httptest.Server
	logged *lockedBuffer
}

// newSite is a portal on an empty database. Its clock stands still.
func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteOn(t, freshSource(t, "sqlite"))
}

func newSiteOn(t *testing.T, source string) *site {
	t.Helper()
	clock := accesstest.NewClock(accesstest.Epoch)
	s := newSiteWith(t, config{database: newDatabaseOn(t, source), key: bytes.Repeat([]byte("k"), keyBytes), now: clock.Now})
	s.clock = clock
	return s
}

// newSiteWith fills in the config's log and base URL.
func newSiteWith(t *testing.T, c config) *site {
	t.Helper()
	s := &site{server: httptest.NewUnstartedServer(nil), logged: &lockedBuffer{}}
	c.baseURL = &url.URL{Scheme: "http", Host: s.server.Listener.Addr().String()}
	c.log = slog.New(slog.NewTextHandler(s.logged, nil))
	var err error
	s.portal, err = newPortal(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.close()) })
	s.server.Config.Handler = s.handler()
	s.server.Start()
	t.Cleanup(s.server.Close)
	return s
}

// lockedBuffer is a log that is written and read at once.
type lockedBuffer struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}

const testPassword = "a long enough password"

// testHash is made once: hashing is slow on purpose.
var testHash = sync.OnceValue(func() string { return hashPassword(testPassword) })

// addPerson gives somebody a login; their id is the address's local part.
func (s *site) addPerson(t *testing.T, address, name string) person {
	t.Helper()
	parsed, err := access.ParseAddress(address)
	require.NoError(t, err)
	id, _, _ := strings.Cut(parsed.Canonical(), "@")
	who := person{ID: id, Address: parsed, Name: name, Verified: true}
	require.NoError(t, s.people.add(t.Context(), who, testHash()))
	require.NoError(t, s.members.SyncUser(t.Context(), who.entry()))
	return who
}

// addAccount creates an account with something of everything in it.
func (s *site) addAccount(t *testing.T, id access.AccountID, name string, owner person) {
	t.Helper()
	_, err := s.members.CreateAccount(t.Context(), access.As(owner.user()),
		access.NewAccount{ID: id, Owner: owner.user(), Profile: access.Profile{Name: name}})
	require.NoError(t, err)
	require.NoError(t, s.products.stock(t.Context(), id, "acme.example"))
}

func (s *site) addMember(t *testing.T, account access.AccountID, who person, p access.Permission) {
	t.Helper()
	_, err := s.members.AddMember(t.Context(), access.AsSystem("test"), account, who.user(), access.Terms{Permissions: p})
	require.NoError(t, err)
}

// acme is a site with an account, its owner Ann, and the owner's browser.
func acme(t *testing.T) (*site, *browser) {
	t.Helper()
	s := newSite(t)
	s.addAccount(t, "acme", "Acme", s.addPerson(t, "ann@example.com", "Ann Archer"))
	ann := s.browser(t)
	ann.signIn("ann@example.com", testPassword)
	return s, ann
}

// deliver lets the worker send all mail that is due.
func (s *site) deliver(t *testing.T) {
	t.Helper()
	for count := 1; count > 0; {
		var err error
		count, err = s.worker.Deliver(t.Context())
		require.NoError(t, err)
	}
}

// linkTo is the path of the link in the newest mail to an address.
func (s *site) linkTo(t *testing.T, address string) string {
	t.Helper()
	s.deliver(t)
	for _, mail := range s.mailbox.Mails() {
		if mail.To == address {
			link, err := url.Parse(notifytest.FirstURL(mail.Text))
			require.NoError(t, err)
			require.Equal(t, s.baseURL.Host, link.Host)
			return link.Path
		}
	}
	require.Fail(t, "no mail to "+address)
	return ""
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
	fields := filledIn(form)
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
		if node.Data == "a" && (textOf(node) == text || attribute(node, "aria-label") == text) {
			return attribute(node, "href"), true
		}
	}
	return "", false
}

// text is what a reader sees.
func (s *shown) text() string { return textOf(s.root) }

func filledIn(form *html.Node) url.Values {
	fields := url.Values{}
	for node := range form.Descendants() {
		name := attribute(node, "name")
		switch {
		case name == "" || hasAttribute(node, "disabled"):
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

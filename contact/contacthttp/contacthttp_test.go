package contacthttp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/contact/contacthttp"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/rosterkit/roster/storage/storagetest"
)

const (
	form     = "application/x-www-form-urlencoded"
	button   = "confirm=yes"
	oneClick = "List-Unsubscribe=One-Click" // RFC 8058
)

// A site is the handler where a host mounts it, before the account acme of olive with the contact carl.
type site struct {
	t        *testing.T
	db       *memory.DB
	now      time.Time
	contacts *contact.Service
	carl     contact.Contact
	handler  http.Handler
	verify   string // the path of carl's link to verify the address
	off      string // and of that to switch off domain mail
}

func newSite(t *testing.T, config contacthttp.Config) *site {
	t.Helper()
	s := &site{t: t, db: memory.New(), now: time.Date(2026, time.November, 2, 12, 0, 0, 0, time.UTC)}
	members := access.New(s.db, access.Config{Now: func() time.Time { return s.now }})
	links, err := contact.NewLinks([]access.Key{{ID: "2026", Secret: bytes.Repeat([]byte("k"), 32)}}, "", "https://portal.example/contacts/")
	require.NoError(t, err)
	s.contacts = contact.New(s.db, members, contact.Config{Links: links})
	require.NoError(t, members.SyncUser(t.Context(), access.User{ID: "olive", Address: address(t, "olive@example.com"), Verified: true}))
	_, err = members.CreateAccount(t.Context(), access.AsSystem("test"),
		access.NewAccount{ID: "acme", Owner: "olive", Profile: access.Profile{Name: "<b>Acme</b> & Sons"}})
	require.NoError(t, err)
	s.carl, _, err = s.contacts.Add(t.Context(), access.As("olive"), "acme",
		contact.Details{Name: "Carl", Address: address(t, "carl@contacts.example"), Categories: contact.Domain | contact.Invoice})
	require.NoError(t, err)

	s.links()
	s.mount(s.contacts, config)
	return s
}

// links notes the paths of carl's links.
func (s *site) links() {
	s.t.Helper()
	mail := s.contacts.Prepare(s.t.Context(), []notify.Message{{Kind: contact.MailContactVerify, Group: "acme", Ref: string(s.carl.ID), Generation: 1 << 40}})
	require.NoError(s.t, mail[0].Err)
	_, token, _ := strings.Cut(mail[0].Mail.Text, "https://portal.example/contacts/verify/")
	s.verify = "/contacts/verify/" + token[:access.TokenLength]
	link, err := s.contacts.UnsubscribeURL("acme", contact.Recipient{Contact: s.carl.ID, Address: s.carl.Address}, contact.Domain)
	require.NoError(s.t, err)
	s.off = strings.TrimPrefix(link, "https://portal.example")
}

func (s *site) mount(contacts contacthttp.Contacts, config contacthttp.Config) {
	s.t.Helper()
	handler, err := contacthttp.New(contacts, config)
	require.NoError(s.t, err)
	mux := http.NewServeMux()
	mux.Handle("/contacts/", http.StripPrefix("/contacts", handler))
	s.handler = mux
}

func address(t *testing.T, text string) access.Address {
	t.Helper()
	a, err := access.ParseAddress(text)
	require.NoError(t, err)
	return a
}

// ask sends a request, and checks what holds for every answer.
func (s *site) ask(method, path, contentType, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	require.Equal(s.t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(s.t, "no-referrer", w.Header().Get("Referrer-Policy"))
	require.Equal(s.t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(s.t, "DENY", w.Header().Get("X-Frame-Options"))
	require.Equal(s.t, "noindex", w.Header().Get("X-Robots-Tag"))
	require.Equal(s.t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
	policy := w.Header().Get("Content-Security-Policy")
	require.Regexp(s.t, `^default-src 'none'; style-src 'sha256-[^' ]{44}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$`, policy)
	return w
}

func (s *site) dump() string {
	s.t.Helper()
	text, err := storagetest.Dump(s.t.Context(), s.db, []access.AccountID{"acme"}, []access.UserID{"olive"})
	require.NoError(s.t, err)
	return text
}

func (s *site) get() contact.Contact {
	s.t.Helper()
	c, err := s.contacts.Contact(s.t.Context(), access.As("olive"), "acme", s.carl.ID)
	require.NoError(s.t, err)
	return c
}

// TestLookingChangesNothing: mail scanners and browsers follow links before anybody clicks.
func TestLookingChangesNothing(t *testing.T) {
	s := newSite(t, contacthttp.Config{})
	before := s.dump()
	for _, path := range []string{s.verify, s.off} {
		for _, query := range []string{"", "?confirm=yes", "?List-Unsubscribe=One-Click", "?utm_source=mail"} {
			w := s.ask(http.MethodGet, path+query, "", "")
			require.Equal(t, 200, w.Code)
			require.Contains(t, w.Body.String(), `<form method="post"><button name="confirm" value="yes">`)
			require.Contains(t, w.Body.String(), "&lt;b&gt;Acme&lt;/b&gt; &amp; Sons")
			require.Contains(t, w.Body.String(), "c...@contacts.example")
			require.NotContains(t, w.Body.String(), "carl@")
			require.NotContains(t, w.Body.String(), path[len(path)-access.TokenLength:], "the page doesn't repeat the secret")

			w = s.ask(http.MethodHead, path+query, form, button)
			require.Equal(t, 200, w.Code)
			require.Zero(t, w.Body.Len())
		}
		w := s.ask(http.MethodGet, path, form, button)
		require.Equal(t, 200, w.Code, "a body of a GET is nothing")
	}
	require.Equal(t, before, s.dump())
}

func TestButtons(t *testing.T) {
	s := newSite(t, contacthttp.Config{})
	w := s.ask(http.MethodPost, s.verify, form, button)
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Body.String(), "Thank you")
	require.NotContains(t, w.Body.String(), "<form")
	require.False(t, s.get().Verified.IsZero())

	w = s.ask(http.MethodPost, s.off, form+"; charset=utf-8", button)
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Body.String(), "no longer receives “Domain Emails”")
	require.NotContains(t, w.Body.String(), "<form")
	require.Equal(t, contact.Invoice, s.get().Categories)

	before := s.dump()
	for _, path := range []string{s.verify, s.off} {
		first := s.ask(http.MethodPost, path, form, button)
		require.Equal(t, 200, first.Code, "again")
		require.Equal(t, first.Body.String(), s.ask(http.MethodGet, path, "", "").Body.String(), "and looking says that it is done")
	}
	require.Equal(t, before, s.dump())
}

// TestOneClick is what mail programs send (RFC 8058): no cookies, either way of sending a form.
func TestOneClick(t *testing.T) {
	for name, body := range map[string]func() (contentType, body string){
		"urlencoded": func() (string, string) { return form, oneClick },
		"multipart": func() (string, string) {
			var body bytes.Buffer
			w := multipart.NewWriter(&body)
			require.NoError(t, w.WriteField("List-Unsubscribe", "One-Click"))
			require.NoError(t, w.Close())
			return w.FormDataContentType(), body.String()
		},
	} {
		s := newSite(t, contacthttp.Config{})
		contentType, text := body()
		for range 2 {
			w := s.ask(http.MethodPost, s.off, contentType, text)
			require.Equal(t, 200, w.Code, name)
			require.Empty(t, w.Header().Get("Set-Cookie"))
			require.Equal(t, contact.Invoice, s.get().Categories, name)
		}
	}
}

func TestTheLastOne(t *testing.T) {
	s := newSite(t, contacthttp.Config{})
	_, err := s.contacts.SetPreferences(t.Context(), access.As("olive"), "acme", "olive", 0)
	require.NoError(t, err)
	before := s.dump()
	for _, body := range []string{button, oneClick} {
		w := s.ask(http.MethodPost, s.off, form, body)
		require.Equal(t, 403, w.Code)
		require.Contains(t, w.Body.String(), "c...@contacts.example is the last address that receives “Domain Emails”")
	}
	require.Equal(t, before, s.dump())
}

func TestRequestsThatAreNotOurs(t *testing.T) {
	s := newSite(t, contacthttp.Config{})
	before := s.dump()
	for name, test := range map[string]struct {
		method, contentType, body string
		status                    int
	}{
		"PUT":                     {"PUT", form, button, 405},
		"DELETE":                  {"DELETE", "", "", 405},
		"OPTIONS":                 {"OPTIONS", "", "", 405},
		"an unknown method":       {"CONFIRM", form, button, 405},
		"no content type":         {"POST", "", button, 415},
		"JSON":                    {"POST", "application/json", `{"confirm":"yes"}`, 415},
		"text":                    {"POST", "text/plain", button, 415},
		"a bad content type":      {"POST", ";;", button, 415},
		"no form":                 {"POST", form, "", 400},
		"another form":            {"POST", form, "confirm=no&List-Unsubscribe=Two-Clicks", 400},
		"a broken form":           {"POST", form, "confirm=%zz", 400},
		"multipart, broken":       {"POST", "multipart/form-data", button, 400},
		"multipart, cut off":      {"POST", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"confirm\"\r\n\r\nyes", 400},
		"oversized":               {"POST", form, button + "&x=" + strings.Repeat("x", contacthttp.MaxBodyBytes), 413},
		"oversized, in multipart": {"POST", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"confirm\"\r\n\r\nyes\r\n--x\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n" + strings.Repeat("x", contacthttp.MaxBodyBytes) + "\r\n--x--\r\n", 413},
	} {
		for _, path := range []string{s.verify, s.off} {
			w := s.ask(test.method, path, test.contentType, test.body)
			require.Equal(t, test.status, w.Code, name)
			if test.status == 405 {
				require.Equal(t, "GET, HEAD, POST", w.Header().Get("Allow"))
			}
			w = s.ask("POST", path+"?"+button, form, "")
			require.Equal(t, 400, w.Code, "the query is no form")
		}
	}
	require.Equal(t, before, s.dump())
}

// TestOneAnswerForEverythingInvalid: nobody learns from it what is there.
func TestOneAnswerForEverythingInvalid(t *testing.T) {
	s := newSite(t, contacthttp.Config{})
	other := newSite(t, contacthttp.Config{})
	token := func(path string) string { return path[len(path)-access.TokenLength:] }
	expired := s.verify
	paths := []string{"/contacts/", "/contacts/verify/", "/contacts/unsubscribe/", "/contacts/verify/x", "/contacts/unsubscribe/x",
		"/contacts/verify/" + token(s.off), "/contacts/unsubscribe/" + token(s.verify), other.verify, other.off, s.off + "/", s.off + "A",
		s.off[:len(s.off)-1], "/contacts/other/" + token(s.off), "/contacts/verify/%00" + token(s.verify)[1:], expired,
		"/contacts/unsubscribe/" + strings.Repeat("A", 100_000)}
	s.now = s.now.Add(72 * time.Hour)
	want := ""
	before := s.dump()
	for _, path := range paths {
		for _, ask := range []func() *httptest.ResponseRecorder{
			func() *httptest.ResponseRecorder { return s.ask("GET", path, "", "") },
			func() *httptest.ResponseRecorder { return s.ask("POST", path, form, button) },
			func() *httptest.ResponseRecorder { return s.ask("POST", path, form, oneClick) },
		} {
			w := ask()
			require.Equal(t, 404, w.Code, path)
			if want == "" {
				want = w.Body.String()
			}
			require.Equal(t, want, w.Body.String(), path)
		}
	}
	require.Equal(t, before, s.dump())
	require.Contains(t, want, "This link can’t be used")
}

// TestPagesHoldTogether: the style is the one that the policy names, and nothing else is loaded or run.
func TestPagesHoldTogether(t *testing.T) {
	s := newSite(t, contacthttp.Config{})
	for _, path := range []string{s.verify, s.off, "/contacts/"} {
		w := s.ask("GET", path, "", "")
		document, err := html.Parse(w.Body)
		require.NoError(t, err)
		for node := range document.Descendants() {
			require.NotContains(t, []string{"script", "img", "link", "iframe", "a"}, node.Data)
			for _, attribute := range node.Attr {
				require.False(t, attribute.Key == "style" || strings.HasPrefix(attribute.Key, "on"), attribute.Key)
			}
			if node.Data == "style" {
				sum := sha256.Sum256([]byte(node.FirstChild.Data))
				require.Contains(t, w.Header().Get("Content-Security-Policy"), "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
			}
		}
	}
}

func TestActorIsOnTheRecord(t *testing.T) {
	actor := access.Actor{Kind: access.ActorSystem, ID: "links", IP: "192.0.2.7", Request: "r-1"}
	s := newSite(t, contacthttp.Config{Actor: func(*http.Request) access.Actor { return actor }})
	require.Equal(t, 200, s.ask("POST", s.verify, form, button).Code)
	require.Contains(t, s.dump(), `Actor.Text="{\"kind\":\"system\",\"id\":\"links\",\"request\":\"r-1\",\"ip\":\"192.0.2.7\"}"`)
	s = newSite(t, contacthttp.Config{})
	require.Equal(t, 200, s.ask("POST", s.off, form, button).Code)
	require.Contains(t, s.dump(), `Actor.Text="{\"kind\":\"system\",\"id\":\"contact link\"}"`)
}

func TestRenderIsTheHosts(t *testing.T) {
	var got []contacthttp.Page
	s := newSite(t, contacthttp.Config{Render: func(w http.ResponseWriter, r *http.Request, page contacthttp.Page) {
		got = append(got, page)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(page.Status)
	}})
	s.ask("GET", s.verify, "", "")
	s.ask("POST", s.verify, form, button)
	s.ask("GET", s.off, "", "")
	s.ask("POST", s.off, form, button)
	s.ask("GET", s.off+"x", "", "")
	s.ask("PUT", s.off, "", "")
	var kinds []contacthttp.Kind
	for _, page := range got {
		kinds = append(kinds, page.Kind)
	}
	require.Equal(t, []contacthttp.Kind{contacthttp.AskVerify, contacthttp.Verified, contacthttp.AskUnsubscribe, contacthttp.Unsubscribed,
		contacthttp.Invalid, contacthttp.BadRequest}, kinds)
	require.Equal(t, access.AccountID("acme"), got[0].Verification.Account)
	require.Equal(t, "domain", got[2].Unsubscribe.Category.Key)
	require.Equal(t, 405, got[5].Status)

	got[2].Locale = "de-AT"
	asks, err := got[2].Words()
	require.NoError(t, err)
	require.Equal(t, "de", asks.Language)
	require.Equal(t, "Abbestellen?", asks.Title)
	require.Contains(t, asks.Body, `<form method="post"><button name="confirm" value="yes">Abbestellen</button></form>`)
	done, err := got[3].Words()
	require.NoError(t, err)
	require.Equal(t, "You are unsubscribed", done.Title)
	require.NotContains(t, done.Body, "<form")
}

// A failing is Contacts whose storage fails.
type failing struct{ contacthttp.Contacts }

var errBroken = errors.New("broken")

func (failing) LookupVerification(context.Context, string) (contact.VerificationPreview, error) {
	return contact.VerificationPreview{}, errBroken
}

func (failing) Unsubscribe(context.Context, access.Actor, string) (access.Revision, error) {
	return access.Revision{}, errBroken
}

func TestFailures(t *testing.T) {
	s := newSite(t, contacthttp.Config{})
	var log bytes.Buffer
	s.mount(failing{s.contacts}, contacthttp.Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, w := range []*httptest.ResponseRecorder{s.ask("GET", s.verify, "", ""), s.ask("POST", s.off, form, button)} {
		require.Equal(t, 500, w.Code)
		require.Contains(t, w.Body.String(), "Please try again later")
		require.NotContains(t, w.Body.String(), "broken")
	}
	require.Equal(t, 2, strings.Count(log.String(), "error=broken"))
	require.NotContains(t, log.String(), s.off[len(s.off)-access.TokenLength:])
	s.mount(failing{s.contacts}, contacthttp.Config{})
	require.Equal(t, 500, s.ask("GET", s.verify, "", "").Code, "without a log")

	_, err := contacthttp.New(nil, contacthttp.Config{})
	require.EqualError(t, err, "contacthttp: New needs contacts")
}

// TestAServer has a real client ask, one that is slow to send a large body among them.
func TestAServer(t *testing.T) {
	s := newSite(t, contacthttp.Config{})
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	response, err := server.Client().Post(server.URL+s.off, form, strings.NewReader(oneClick))
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 200, response.StatusCode)
	response, err = server.Client().Post(server.URL+s.off, form, io.LimitReader(zeros{}, 10<<20))
	if err == nil { // or the server has hung up
		defer response.Body.Close()
		require.Equal(t, 413, response.StatusCode)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestLanguages are the account's, or else what the browser prefers of those that there are.
func TestLanguages(t *testing.T) {
	for _, test := range []struct{ account, browser, want, button string }{
		{"", "", "en", "Unsubscribe"}, {"de", "fr", "de", "Abbestellen"}, {"de-AT", "", "de", "Abbestellen"}, {"fr-CA", "en", "fr", "Se désabonner"},
		{"", "fr-FR,fr;q=0.9,en;q=0.8", "fr", "Se désabonner"}, {"", "de-CH", "de", "Abbestellen"}, {"ja", "de", "en", "Unsubscribe"},
		{"", "*", "en", "Unsubscribe"}, {"", "de," + strings.Repeat("fr,", 100), "en", "Unsubscribe"}, {"", "\x00;;", "en", "Unsubscribe"},
	} {
		s := newSite(t, contacthttp.Config{})
		s.speak(test.account)
		get := func(path string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("Accept-Language", test.browser)
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			return w
		}
		w := get(s.off)
		require.Equal(t, test.want, w.Header().Get("Content-Language"), test)
		require.Contains(t, w.Body.String(), `<html lang="`+test.want+`">`)
		require.Contains(t, w.Body.String(), test.button+"</button>")
		if test.account == "" {
			require.Equal(t, test.want, get("/contacts/").Header().Get("Content-Language"), test)
		}
	}
}

// TestContactsOwnLanguage goes before the account's.
func TestContactsOwnLanguage(t *testing.T) {
	s := newSite(t, contacthttp.Config{})
	s.speak("de")
	d := s.get().Details()
	d.Locale = "fr"
	_, err := s.contacts.Update(t.Context(), access.As("olive"), "acme", s.carl.ID, d)
	require.NoError(t, err)
	for _, path := range []string{s.verify, s.off} {
		require.Equal(t, "fr", s.ask("GET", path, "", "").Header().Get("Content-Language"))
	}
}

// speak gives the account a locale.
func (s *site) speak(locale string) {
	s.t.Helper()
	require.NoError(s.t, s.db.Update(s.t.Context(), func(ctx context.Context, tx storage.Tx) error {
		locked, err := tx.Lock(ctx, "acme")
		if err != nil {
			return err
		}
		locked[0].Profile.Locale = locale
		return tx.UpdateAccount(ctx, locked[0])
	}))
}

// TestPagesAreGolden has every page in every language.
func TestPagesAreGolden(t *testing.T) {
	var text strings.Builder
	for _, locale := range []string{"en", "de", "fr"} {
		s := newSite(t, contacthttp.Config{})
		s.speak(locale)
		show := func(w *httptest.ResponseRecorder) {
			_, page, found := strings.Cut(w.Body.String(), "<main>\n")
			require.True(t, found)
			page, _, _ = strings.Cut(page, "</main>")
			fmt.Fprintf(&text, "--- %s %d\n%s", locale, w.Code, page)
		}
		w := func(method, path, body string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("Content-Type", form)
			r.Header.Set("Accept-Language", locale)
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			return w
		}
		show(w("GET", s.verify, ""))
		show(w("POST", s.verify, button))
		show(w("GET", s.off, ""))
		show(w("POST", s.off, button))
		s.now = s.now.Add(time.Hour)
		d := s.get().Details()
		d.Categories |= contact.Domain
		_, err := s.contacts.Update(t.Context(), access.As("olive"), "acme", s.carl.ID, d)
		require.NoError(t, err)
		s.links()
		show(w("GET", s.verify, ""))
		require.Equal(t, 200, w("POST", s.verify, button).Code)
		_, err = s.contacts.SetPreferences(t.Context(), access.As("olive"), "acme", "olive", 0)
		require.NoError(t, err)
		show(w("POST", s.off, button))
		show(w("GET", "/contacts/", ""))
		show(w("POST", s.off, ""))
		s.mount(failing{s.contacts}, contacthttp.Config{})
		show(w("GET", s.verify, ""))
	}
	if *update {
		require.NoError(t, os.WriteFile("testdata/pages.golden", []byte(text.String()), 0o644))
	}
	want, err := os.ReadFile("testdata/pages.golden")
	require.NoError(t, err)
	require.Equal(t, string(want), text.String())
}

var update = flag.Bool("update", false, "write the files in testdata instead of comparing with them")

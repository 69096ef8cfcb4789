package contacthttp

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"golang.org/x/text/language"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

// MaxBodyBytes is how much of the body of a POST is read: forms with a button have a few bytes.
const MaxBodyBytes = 4096

// Contacts is what the handler asks: *contact.Service is one.
type Contacts interface {
	// LookupVerification says what a link to verify an address is for. See contact.Service.
	LookupVerification(ctx context.Context, token string) (contact.VerificationPreview, error)
	// Verify verifies an address. See contact.Service.
	Verify(ctx context.Context, actor access.Actor, token string) (access.Revision, error)
	// LookupUnsubscribe says what a link to unsubscribe is for. See contact.Service.
	LookupUnsubscribe(ctx context.Context, token string) (contact.UnsubscribePreview, error)
	// Unsubscribe switches off a category. See contact.Service.
	Unsubscribe(ctx context.Context, actor access.Actor, token string) (access.Revision, error)
}

// Config is what New can be told. The zero value works.
type Config struct {
	// Actor returns what the history says about a request: the host's own code, perhaps with the request's id and the
	// address that it came from, as the host trusts them. access.AsSystem("contact link") if nil.
	Actor func(*http.Request) access.Actor
	// Render writes a page, after the handler has set the headers that keep it from being stored, framed and referred to.
	// Nil for ours, in English, German or French; Page.Words are what it says. It may change the Content-Security-Policy, which allows nothing but our own style.
	Render func(w http.ResponseWriter, r *http.Request, page Page)
	// Log gets the failures of storage; none if nil. It is told no token.
	Log *slog.Logger
}

// A Page is what the answer to a request says.
type Page struct {
	Status int // of HTTP (RFC 9110)
	Kind   Kind
	// Locale is the language to answer in, as a BCP 47 tag: the contact's, or else the account's, or what the browser prefers where
	// neither is known. It may be empty.
	Locale string
	// Verification is there on the pages of a link to verify an address that can be used.
	Verification contact.VerificationPreview
	// Unsubscribe is there on the pages of a link to unsubscribe that can be used.
	Unsubscribe contact.UnsubscribePreview
}

// A Kind says which page it is. The texts are stable.
type Kind string

// The pages.
const (
	AskVerify      Kind = "ask_verify"      // a button, to verify the address
	Verified       Kind = "verified"        // it is done
	AskUnsubscribe Kind = "ask_unsubscribe" // a button, to switch the category off
	Unsubscribed   Kind = "unsubscribed"    // it is off
	LastOne        Kind = "last_one"        // it can't be: nobody would receive the category, and somebody must
	Invalid        Kind = "invalid"         // the link can't be used, whatever is wrong with it
	BadRequest     Kind = "bad_request"     // the request is none of ours, by method, content type, size or form
	TryAgainLater  Kind = "try_again_later" // storage failed
	buttonField         = "confirm"
	buttonValue         = "yes"
	oneClickField       = "List-Unsubscribe" // RFC 8058 section 3.2
	oneClickValue       = "One-Click"
)

// New returns the handler of the links, for the paths verify/<token> and unsubscribe/<token> below where it is mounted. It
// returns an error if contacts are missing.
func New(contacts Contacts, config Config) (http.Handler, error) {
	if contacts == nil {
		return nil, errors.New("contacthttp: New needs contacts")
	}
	if config.Actor == nil {
		config.Actor = func(*http.Request) access.Actor { return access.AsSystem("contact link") }
	}
	if config.Render == nil {
		config.Render = renderPage
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	return &handler{contacts, config}, nil
}

type handler struct {
	contacts Contacts
	config   Config
}

// ServeHTTP answers for the paths of links, and with the page of one that can't be used for every other.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	page := h.page(w, r)
	page.Locale = cmp.Or(page.Verification.Locale, page.Unsubscribe.Locale, preferred(r.Header.Get("Accept-Language")))
	h.config.Render(w, r, page)
}

// preferred returns the first language that a browser asks for, empty if it asks for none.
func preferred(header string) string {
	const longest = 200 // of what browsers send
	if len(header) > longest {
		return ""
	}
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(tags) == 0 {
		return ""
	}
	return tags[0].String()
}

func (h *handler) page(w http.ResponseWriter, r *http.Request) Page {
	do := r.Method == http.MethodPost
	if !do && r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD, POST")
		return Page{Status: http.StatusMethodNotAllowed, Kind: BadRequest}
	}
	if do {
		if status := checkForm(w, r); status != http.StatusOK {
			return Page{Status: status, Kind: BadRequest}
		}
	}
	if token, ok := strings.CutPrefix(r.URL.Path, "/verify/"); ok {
		return h.verify(r, token, do)
	}
	if token, ok := strings.CutPrefix(r.URL.Path, "/unsubscribe/"); ok {
		return h.unsubscribe(r, token, do)
	}
	return Page{Status: http.StatusNotFound, Kind: Invalid}
}

// setHeaders keeps the page, whose address is a secret, from being stored, framed, found and referred to.
func setHeaders(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", contentSecurityPolicy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Robots-Tag", "noindex")
}

// checkForm returns 200 for a form that has our button or is a mail program's one click, and what is wrong otherwise.
func checkForm(w http.ResponseWriter, r *http.Request) int {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" && kind != "multipart/form-data" {
		return http.StatusUnsupportedMediaType
	}
	r.Body = http.MaxBytesReader(w, r.Body, MaxBodyBytes)
	if kind == "multipart/form-data" {
		err = r.ParseMultipartForm(MaxBodyBytes)
	} else {
		err = r.ParseForm()
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case err != nil, r.PostForm.Get(buttonField) != buttonValue && r.PostForm.Get(oneClickField) != oneClickValue:
		return http.StatusBadRequest
	}
	return http.StatusOK
}

func (h *handler) verify(r *http.Request, token string, do bool) Page {
	preview, err := h.contacts.LookupVerification(r.Context(), token)
	if err == nil && do {
		_, err = h.contacts.Verify(r.Context(), h.config.Actor(r), token)
	}
	if err != nil {
		return h.failed(r, err)
	}
	page := Page{Status: http.StatusOK, Kind: AskVerify, Verification: preview}
	if do || preview.Used {
		page.Kind = Verified
	}
	return page
}

func (h *handler) unsubscribe(r *http.Request, token string, do bool) Page {
	preview, err := h.contacts.LookupUnsubscribe(r.Context(), token)
	if err == nil && do {
		_, err = h.contacts.Unsubscribe(r.Context(), h.config.Actor(r), token)
	}
	if errors.Is(err, access.ErrDenied) {
		return Page{Status: http.StatusForbidden, Kind: LastOne, Unsubscribe: preview}
	}
	if err != nil {
		return h.failed(r, err)
	}
	page := Page{Status: http.StatusOK, Kind: AskUnsubscribe, Unsubscribe: preview}
	if do || preview.Done {
		page.Kind = Unsubscribed
	}
	return page
}

// failed is the page for an error: one for every link that can't be used.
func (h *handler) failed(r *http.Request, err error) Page {
	if errors.Is(err, access.ErrNotFound) {
		return Page{Status: http.StatusNotFound, Kind: Invalid}
	}
	h.config.Log.ErrorContext(r.Context(), "a contact's link failed", "error", err)
	return Page{Status: http.StatusInternalServerError, Kind: TryAgainLater}
}

package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// A page is what the layout shows around and in the middle.
type page struct {
	Title    string
	Person   *person     // Nil while nobody is signed in.
	Account  *accountTab // Nil outside of an account.
	Others   []link      // The person's other accounts, for the switcher.
	Sections []section   // The sidebar.
	Flash    *flash
	Content  any // What the page's own template reads.
}

// An accountTab is the account that a page is about.
type accountTab struct {
	ID, Name          string
	Suspended, Closed bool
}

// A section is a group of links in the sidebar.
type section struct {
	Heading string
	Links   []link
}

// A link leads to a page; the current one is the page itself.
type link struct {
	Path, Label string
	Current     bool
}

// A flash says once, on the next page, what happened.
type flash struct {
	Kind string // "success", "notice" or "problem".
	Text string
}

// A pageFunc answers a request or returns why it can't; the error becomes the page for it.
type pageFunc func(http.ResponseWriter, *http.Request) error

// page turns a pageFunc into a handler. Forms are parsed before it runs.
func (p *portal) page(fn pageFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
				p.fail(w, r, statusError{http.StatusRequestEntityTooLarge, "That was too much to send at once."})
				return
			}
			p.fail(w, r, statusError{http.StatusBadRequest, "The form could not be read."})
			return
		}
		if err := fn(w, r); err != nil {
			p.fail(w, r, err)
		}
	})
}

// render shows a page with status 200.
func (p *portal) render(w http.ResponseWriter, r *http.Request, name, title string, content any) error {
	return p.renderStatus(w, r, http.StatusOK, name, title, content)
}

// renderStatus shows a page with a status of its own.
func (p *portal) renderStatus(w http.ResponseWriter, r *http.Request, status int, name, title string, content any) error {
	view := page{Title: title, Flash: p.popFlash(r), Content: content}
	if who, err := visitor(r); err == nil {
		view.Person = &who
	}
	return p.pages.write(w, status, name, view)
}

// say leaves a message for the next page.
func (p *portal) say(r *http.Request, kind, text string) {
	p.sessions.Put(r.Context(), sessionFlashKind, kind)
	p.sessions.Put(r.Context(), sessionFlash, text)
}

func (p *portal) popFlash(r *http.Request) *flash {
	text := p.sessions.PopString(r.Context(), sessionFlash)
	if text == "" {
		return nil
	}
	return &flash{Kind: p.sessions.PopString(r.Context(), sessionFlashKind), Text: text}
}

// redirect sends the browser on with a GET.
func redirect(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// localPath returns path if it is one of this portal, and "/" otherwise: a link into the sign-in
// page must not lead to another site.
func localPath(path string) string {
	target, err := url.Parse(path)
	if err != nil || target.Scheme != "" || target.Host != "" || target.User != nil || !strings.HasPrefix(path, "/") ||
		strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

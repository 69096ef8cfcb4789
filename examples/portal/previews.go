package main

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// A previewer shows the mails of a service with sample data.
type previewer interface {
	Kinds() []notify.Kind
	Locales(notify.Kind) []string
	Preview(kind notify.Kind, locale string, brand notify.Brand) ([]notify.Mail, error)
}

// A previewedKind is a kind of mail with the languages that it is written in.
type previewedKind struct {
	Kind    notify.Kind
	Locales []string
}

// A preview is what a kind of mail looks like in a language.
type preview struct {
	Kind   notify.Kind
	Locale string
	Mails  []notify.Mail
}

func (p *portal) previewers() []previewer {
	return []previewer{p.members, p.invites, p.contacts, p.tests.mails}
}

// showPreviews lists for staff which mails there are.
func (p *portal) showPreviews(w http.ResponseWriter, r *http.Request) error {
	var kinds []previewedKind
	for _, each := range p.previewers() {
		for _, kind := range each.Kinds() {
			kinds = append(kinds, previewedKind{kind, each.Locales(kind)})
		}
	}
	return p.render(w, r, "previews", "Mails", kinds)
}

// preview returns the mails that a path asks for.
func (p *portal) preview(r *http.Request) (preview, error) {
	asked := preview{Kind: notify.Kind(r.PathValue("kind")), Locale: r.PathValue("locale")}
	for _, each := range p.previewers() {
		mails, err := each.Preview(asked.Kind, asked.Locale, notify.Brand{Name: "Example Hosting"})
		if problem, ok := errors.AsType[*access.Error](err); ok && problem.Code == "kind.unknown" {
			continue
		}
		if err != nil {
			return preview{}, errNotFound
		}
		asked.Mails = mails
		return asked, nil
	}
	return preview{}, errNotFound
}

func (p *portal) showPreview(w http.ResponseWriter, r *http.Request) error {
	asked, err := p.preview(r)
	if err != nil {
		return err
	}
	return p.render(w, r, "preview", string(asked.Kind), asked)
}

func (p *portal) showPreviewHTML(w http.ResponseWriter, r *http.Request) error {
	asked, err := p.preview(r)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || number < 0 || number >= len(asked.Mails) {
		return errNotFound
	}
	return writeMailHTML(w, asked.Mails[number])
}

// writeMailHTML writes what a mail's frame shows. The sandbox keeps it from running anything or
// reading the portal, whoever wrote it; a link in it may be followed by a click.
func writeMailHTML(w http.ResponseWriter, m notify.Mail) error {
	header := w.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; "+
		"sandbox allow-top-navigation-by-user-activation")
	header.Set("X-Frame-Options", "SAMEORIGIN")
	header.Set("Content-Type", "text/html; charset=utf-8")
	// Links leave the frame: the pages that they lead to can't be framed.
	_, err := io.WriteString(w, strings.Replace(m.HTML, "<head>", `<head><base target="_top">`, 1))
	return err
}

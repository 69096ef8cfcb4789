package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rosterkit/roster/access"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFolder embed.FS

// pages are the parsed templates, by name without extension.
type pages struct{ byName map[string]*template.Template }

// parsePages parses layout.html and the partials (which begin with an underscore) once, and
// every page on a copy of its own. They mention the development mailbox if there is one.
func parsePages(mailbox bool) (*pages, error) {
	functions := helpers()
	functions["mailbox"] = func() bool { return mailbox }
	shared, err := template.New("layout.html").Funcs(functions).ParseFS(templateFiles, "templates/layout.html", "templates/_*.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(templateFiles, "templates/[^_]*.html")
	if err != nil {
		return nil, err
	}
	all := map[string]*template.Template{}
	for _, name := range names {
		own, err := template.Must(shared.Clone()).ParseFS(templateFiles, name)
		if err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(path.Base(name), ".html")] = own
	}
	return &pages{all}, nil
}

// write renders a page completely before the first byte leaves, so that a template that fails
// can still become an error page.
func (p *pages) write(w http.ResponseWriter, status int, name string, view page) error {
	parsed, ok := p.byName[name]
	if !ok {
		return fmt.Errorf("there is no template %q", name)
	}
	var body bytes.Buffer
	if err := parsed.Execute(&body, view); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := body.WriteTo(w)
	return err
}

// helpers are the functions that templates call.
func helpers() template.FuncMap {
	return template.FuncMap{
		"brand":      func() string { return brand },
		"support":    func() string { return supportAddress },
		"styleURL":   func() string { return "/static/style.css?v=" + styleVersion() },
		"date":       formatDate,
		"dateTime":   formatDateTime,
		"lastSeen":   lastSeen,
		"machine":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"plural":     plural,
		"initials":   initials,
		"utc":        func() *time.Location { return time.UTC },
		"checked":    checked,
		"selected":   selected,
		"linkified":  linkified,
		"lastDay":    lastDay,
		"lastDate":   lastDate,
		"postal":     newPostalFields,
		"choice":     newChoiceField,
		"suppressed": newSuppressedAddress,
	}
}

// plural writes a count with the word that fits it.
func plural(count int, one, many string) string {
	if count == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", count, many)
}

// initials are the one or two letters of the avatar.
func initials(name string) string {
	words := strings.Fields(name)
	if len(words) == 0 {
		return "?"
	}
	letters := firstLetter(words[0])
	if len(words) > 1 {
		letters += firstLetter(words[len(words)-1])
	}
	return strings.ToUpper(letters)
}

func firstLetter(word string) string {
	letter, _ := utf8.DecodeRuneInString(word)
	return string(letter)
}

// postalFields is a postal address under the names that its fields have in a form.
type postalFields struct {
	Prefix string
	Lines  access.PostalAddress
}

func newPostalFields(prefix string, lines access.PostalAddress) postalFields {
	return postalFields{prefix, lines}
}

// choiceField is a box for a category. Where a page has several forms of them, a prefix tells their ids apart.
type choiceField struct {
	categoryChoice
	ID string
}

func newChoiceField(prefix string, choice categoryChoice) choiceField {
	return choiceField{choice, prefix + choice.Key}
}

// suppressedAddress is an address that gets no mail, with the path of the form that lifts that; none if it is empty.
type suppressedAddress struct {
	Address     string
	Suppression suppression
	Zone        *time.Location
	Lift        string
}

func newSuppressedAddress(address access.Address, s suppression, zone *time.Location, lift string) suppressedAddress {
	return suppressedAddress{address.Original(), s, zone, lift}
}

func checked(is bool) template.HTMLAttr {
	if is {
		return "checked"
	}
	return ""
}

func selected(is bool) template.HTMLAttr {
	if is {
		return "selected"
	}
	return ""
}

// linkified escapes a mail's text and turns its links into links.
func linkified(text string) template.HTML {
	var out strings.Builder
	for line := range strings.Lines(text) {
		for index, word := range strings.Split(strings.TrimRight(line, "\r\n"), " ") {
			if index > 0 {
				out.WriteByte(' ')
			}
			escaped := template.HTMLEscapeString(word)
			if strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://") {
				escaped = `<a href="` + escaped + `">` + escaped + `</a>`
			}
			out.WriteString(escaped)
		}
		out.WriteByte('\n')
	}
	return template.HTML(out.String())
}

// styleVersion changes with the style sheet, so that browsers may keep one for long.
func styleVersion() string {
	style, _ := staticFolder.ReadFile("static/style.css")
	sum := sha256.Sum256(style)
	return hex.EncodeToString(sum[:6])
}

// staticFiles serves the style sheet and the icon.
func staticFiles() http.Handler {
	files := http.FileServerFS(staticFolder)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=86400")
		files.ServeHTTP(w, r)
	})
}

package notify

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"slices"
	"strings"
	texttemplate "text/template"

	"golang.org/x/text/language"
)

// English is the locale that every kind of mail is written in.
const English = "en"

// Templates turn the data of a message into the subject, the text and the HTML of its mail, in the languages that
// there are files for. They are safe for concurrent use.
type Templates struct {
	kinds   map[Kind]map[string]kindTemplates // by kind and locale
	choices map[Kind]choice
	samples []Sample
}

// A kindTemplates writes the mails of one kind in one locale.
type kindTemplates struct {
	subject, text, textLayout *texttemplate.Template
	html, htmlLayout          *htmltemplate.Template
}

// A choice finds, among the locales that one kind of mail is written in, the best for a reader.
type choice struct {
	locales []string // English is the first
	matcher language.Matcher
}

//go:embed templates
var templates embed.FS

// layoutData is what the layouts are given. The content has been escaped already.
type layoutData struct {
	Subject, Locale, Brand string
	Content                htmltemplate.HTML
}

// A Sample is the data of a mail that could be: what its templates are tried with, and shown with in a preview.
// Several for one kind show what its mails can look like.
type Sample struct {
	Kind Kind
	// Data returns the data in a locale, as far as it depends on that: names of permissions, for example.
	Data func(locale string) any
}

// ParseTemplates reads the templates of the kinds of samples, in all languages that there are folders for, and renders
// every sample in each of them: a template that fails does so here, not at the first mail. The error names the file.
//
// A folder is named by a locale, a BCP 47 tag such as "de" or "pt-BR", and holds two files for each kind:
// "de/<kind>.txt", a text/template whose first line is "Subject: " and the subject, and "de/<kind>.html", an
// html/template of what goes inside the body. Every kind is there in English, "en"; another language may leave kinds
// out. The file "de/words.txt" defines templates that all others of the language can call, and what dates look like: see
// this package's own. Those of "de" are known in "de-AT" too. "layout.txt" and "layout.html" are what is around every mail.
//
// Each file is read from the first of the layers that has it, so that one can replace single files of the next; of the
// words, each definition is. This package's own templates folder is the last layer, and has the layouts and the words
// in English, German and French. A layer may be nil. Files of other kinds are passed over, as several packages may be given
// the same ones, and so is one whose name is misspelt: Preview shows which text is in force.
//
// Whatever a template prints is put on one line, without control characters, so that a value can't forge a header or
// a paragraph. Besides the functions that come with the template packages there are
//
//	{{date .Until .Zone}}
//	{{number .Hours}}
//
// which write a time in a zone, and a number, in the manner of the language: "Tuesday, 24 November 2026, 18:05
// CET (Europe/Vienna)" and "1,234". A zone that is empty or unknown to the machine is
// taken as UTC. What JSON has for times and numbers will do too: "2026-11-24T17:05:00Z" and json.Number.
func ParseTemplates(samples []Sample, layers ...fs.FS) (*Templates, error) {
	own, _ := fs.Sub(templates, "templates") // can't fail: the folder is embedded
	files := newTemplateFiles(append(slices.Clone(layers), own))
	locales, err := files.locales()
	if err != nil {
		return nil, err
	}
	t := &Templates{kinds: map[Kind]map[string]kindTemplates{}, choices: map[Kind]choice{}, samples: slices.Clone(samples)}
	for _, sample := range samples {
		if t.kinds[sample.Kind] == nil {
			t.kinds[sample.Kind] = map[string]kindTemplates{}
		}
	}
	for _, locale := range locales {
		if err := t.parseLocale(files, locale); err != nil {
			return nil, err
		}
	}
	for kind := range t.kinds {
		if t.choices[kind], err = t.choiceOf(kind); err != nil {
			return nil, err
		}
	}
	return t, t.try()
}

// parseLocale parses the kinds that a locale has files for.
func (t *Templates) parseLocale(files templateFiles, locale string) error {
	var spoken *words // read for the first kind
	for kind, parsed := range t.kinds {
		name := locale + "/" + string(kind)
		if locale != English && !files.has(name+".txt") && !files.has(name+".html") {
			continue
		}
		var err error
		if spoken == nil {
			if spoken, err = parseWords(files, locale); err != nil {
				return err
			}
		}
		if parsed[locale], err = parseKind(files, spoken, name); err != nil {
			return err
		}
	}
	return nil
}

func (t *Templates) choiceOf(kind Kind) (choice, error) {
	c := choice{locales: slices.Sorted(maps.Keys(t.kinds[kind]))}
	i := slices.Index(c.locales, English)
	c.locales = slices.Concat([]string{English}, c.locales[:i], c.locales[i+1:])
	tags := make([]language.Tag, len(c.locales))
	for i, locale := range c.locales {
		tag, err := language.Parse(locale)
		if err != nil {
			return choice{}, fmt.Errorf("notify: template: %q: %w", locale, err)
		}
		tags[i] = tag
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

// try renders every sample in every locale.
func (t *Templates) try() error {
	for _, sample := range t.samples {
		for _, locale := range t.choices[sample.Kind].locales {
			name := locale + "/" + string(sample.Kind)
			m, err := t.Render(sample.Kind, locale, Brand{}, sample.Data(locale))
			if err != nil {
				return fmt.Errorf("notify: template %s: %w", name, err)
			}
			m.MessageID, m.To = "sample", "sample@example.com"
			if err := m.Check(); err != nil {
				return fmt.Errorf("notify: template %s: a sample can't be sent: %w", name, err)
			}
		}
	}
	return nil
}

// Speak reports whether a kind is written in a language that a reader of a locale, a BCP 47 tag, understands.
func (t *Templates) Speak(kind Kind, locale string) bool {
	_, ok := t.choices[kind].of(locale)
	return ok
}

// Locales returns the locales that a kind of mail is written in: English, and the others in their order. There are
// none for a kind that wasn't parsed. The caller may change the slice.
func (t *Templates) Locales(kind Kind) []string { return slices.Clone(t.choices[kind].locales) }

// Match returns the locale of a kind's templates that is best for a reader: for the first of what they prefer, BCP 47
// tags, that any of the locales is understood by, as RFC 4647 and the Unicode CLDR have it, so that "de-AT" finds
// "de". What isn't a tag is passed over. Without any it is English.
func (t *Templates) Match(kind Kind, preferred ...string) string {
	for _, locale := range preferred {
		if found, ok := t.choices[kind].of(locale); ok {
			return found
		}
	}
	return English
}

// of returns the locale that a reader of another one understands best, and whether there is one.
func (c choice) of(locale string) (string, bool) {
	tag, err := language.Parse(locale)
	if err != nil || c.matcher == nil {
		return "", false
	}
	_, i, confidence := c.matcher.Match(tag)
	return c.locales[i], confidence > language.No
}

// Render returns the mail of a kind, in a locale that Match has returned, under a brand: Subject, Text and HTML are
// set, and the sender by the brand; the rest is the caller's. A subject that would be too long is cut. It returns an
// error for a kind or locale that wasn't parsed, and for data that lacks what the templates name.
func (t *Templates) Render(kind Kind, locale string, brand Brand, data any) (Mail, error) {
	parsed, found := t.kinds[kind][locale]
	if !found {
		return Mail{}, fmt.Errorf("notify: no templates for kind %q in locale %q", kind, locale)
	}
	var subject, text, html bytes.Buffer
	err := errors.Join(
		parsed.subject.Execute(&subject, data),
		parsed.text.Execute(&text, data),
		parsed.html.Execute(&html, data),
	)
	if err != nil {
		return Mail{}, fmt.Errorf("notify: %w", err)
	}
	m := Mail{From: brand.From, FromName: brand.FromName, ReplyTo: brand.ReplyTo,
		Subject: clip(strings.TrimSpace(oneLine(subject.String())), MaxSubjectRunes)}

	var textPart, htmlPart bytes.Buffer
	err = errors.Join(
		parsed.textLayout.Execute(&textPart, struct{ Subject, Locale, Brand, Content string }{m.Subject, locale, brand.Name, tidy(text.String())}),
		parsed.htmlLayout.Execute(&htmlPart, layoutData{m.Subject, locale, brand.Name, htmltemplate.HTML(tidy(html.String()))}),
	)
	if err != nil {
		return Mail{}, fmt.Errorf("notify: %w", err)
	}
	m.Text, m.HTML = textPart.String(), htmlPart.String()
	return m, nil
}

// Preview returns the mails of all samples of a kind, in the locale that is best for the given one, under a brand. It
// returns an error for a kind that wasn't parsed, and for a locale that isn't a BCP 47 tag or that no templates are
// understood by.
func (t *Templates) Preview(kind Kind, locale string, brand Brand) ([]Mail, error) {
	c, parsed := t.choices[kind]
	if !parsed {
		return nil, fmt.Errorf("notify: no templates for kind %q", kind)
	}
	found, ok := c.of(locale)
	if !ok {
		return nil, fmt.Errorf("notify: no templates for kind %q in locale %q", kind, clip(oneLine(locale), 35))
	}
	var mails []Mail
	for _, sample := range t.samples {
		if sample.Kind != kind {
			continue
		}
		m, err := t.Render(kind, found, brand, sample.Data(found))
		if err != nil {
			return nil, err
		}
		mails = append(mails, m)
	}
	return mails, nil
}

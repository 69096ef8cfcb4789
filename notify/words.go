package notify

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"math"
	"strconv"
	"strings"
	texttemplate "text/template"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// words are what a locale has beside its mails: templates that these can call, dates and numbers, and the layouts in
// that language.
type words struct {
	tag              language.Tag
	text, textLayout *texttemplate.Template
	html, htmlLayout *htmltemplate.Template
	months, weekdays []string
}

// A moment is what the definition "date" is given.
type moment struct {
	Weekday, Month          string
	Year, Day, Hour, Minute int
	Clock                   string // "18:05"
	Zone                    string // "CET"
	Place                   string // "Europe/Vienna"; empty for UTC
}

func parseWords(files templateFiles, locale string) (*words, error) {
	tag, err := language.Parse(locale)
	if err != nil {
		return nil, fmt.Errorf("notify: template: locale %q: %w", locale, err)
	}
	w := &words{tag: tag}
	// "oneLine" is added to everything that templates print.
	functions := map[string]any{"date": w.date, "number": w.number, "oneLine": printOneLine}
	w.text = texttemplate.New("words").Option("missingkey=error").Funcs(functions)
	w.html = htmltemplate.New("words").Option("missingkey=error").Funcs(functions)
	for _, each := range parentsOf(locale) {
		contents, err := files.readAll(wordsFile(each))
		if err != nil {
			return nil, err
		}
		for _, content := range contents {
			if _, err := w.text.New(wordsFile(each)).Parse(content); err != nil {
				return nil, fmt.Errorf("notify: %w", err)
			}
			if _, err := w.html.New(wordsFile(each)).Parse(content); err != nil {
				return nil, fmt.Errorf("notify: %w", err)
			}
		}
	}
	for _, each := range w.text.Templates() {
		putOnOneLine(each.Tree, each.Root)
	}
	for _, each := range w.html.Templates() {
		if each.Tree != nil {
			putOnOneLine(each.Tree, each.Tree.Root)
		}
	}
	if w.months, err = w.list(locale, "months", 12); err != nil {
		return nil, err
	}
	if w.weekdays, err = w.list(locale, "weekdays", 7); err != nil {
		return nil, err
	}
	if err := w.tryDates(locale); err != nil {
		return nil, err
	}
	return w, w.parseLayouts(files)
}

// list returns the words that a definition names, separated by commas.
func (w *words) list(locale, name string, n int) ([]string, error) {
	var text strings.Builder
	if err := w.text.ExecuteTemplate(&text, name, nil); err != nil {
		return nil, fmt.Errorf("notify: %s: %w", wordsFile(locale), err)
	}
	list := strings.Split(text.String(), ",")
	for i, word := range list {
		list[i] = strings.TrimSpace(word)
	}
	if len(list) != n {
		return nil, fmt.Errorf("notify: %s: %q are not %d words with commas between them", wordsFile(locale), name, n)
	}
	return list, nil
}

// tryDates writes a date in UTC and one elsewhere.
func (w *words) tryDates(locale string) error {
	for _, zone := range []string{"", "Europe/Vienna"} {
		if _, err := w.date(time.Date(2026, time.May, 1, 17, 5, 0, 0, time.UTC), zone); err != nil {
			return fmt.Errorf("notify: %s: %w", wordsFile(locale), err)
		}
	}
	return nil
}

// parseLayouts parses what is around every mail. What the layouts print is not put on one line: it has been.
func (w *words) parseLayouts(files templateFiles) error {
	text, err := files.read("layout.txt")
	if err != nil {
		return err
	}
	if w.textLayout, err = texttemplate.Must(w.text.Clone()).New("layout.txt").Parse(text); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	html, err := files.read("layout.html")
	if err != nil {
		return err
	}
	if w.htmlLayout, err = htmltemplate.Must(w.html.Clone()).New("layout.html").Parse(html); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}

// date writes a time in a zone, as the definition "date" has it. The time may be the text that JSON has for it.
func (w *words) date(value any, zone string) (string, error) {
	t, isTime := value.(time.Time)
	if text, isText := value.(string); isText {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return "", errors.New("date of a text that isn't a time of RFC 3339")
		}
		t = parsed
	} else if !isTime {
		return "", fmt.Errorf("date of a %T", value)
	}
	location, err := time.LoadLocation(zone)
	if err != nil || location == time.Local {
		location = time.UTC
	}
	t = t.In(location)
	abbreviation, _ := t.Zone()
	m := moment{Weekday: w.weekdays[t.Weekday()], Month: w.months[t.Month()-1], Year: t.Year(), Day: t.Day(), Hour: t.Hour(),
		Minute: t.Minute(), Clock: t.Format("15:04"), Zone: abbreviation}
	if location != time.UTC {
		m.Place = location.String()
	}
	var text strings.Builder
	err = w.text.ExecuteTemplate(&text, "date", m)
	return text.String(), err
}

// number writes a number, with the digits after the point that it has, and what the language puts there and between
// thousands. It may be any of Go's numbers, or a json.Number.
func (w *words) number(value any) (string, error) {
	text := fmt.Sprint(value)
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return "", fmt.Errorf("number of a %T that is none", value)
	}
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		return message.NewPrinter(w.tag).Sprint(number.Decimal(whole)), nil
	}
	if strings.ContainsAny(text, "eE") {
		text = strconv.FormatFloat(n, 'f', -1, 64)
	}
	_, fraction, _ := strings.Cut(text, ".")
	return message.NewPrinter(w.tag).Sprint(number.Decimal(n, number.Scale(len(fraction)))), nil
}

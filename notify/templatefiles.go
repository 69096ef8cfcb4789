package notify

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
	texttemplate "text/template"

	"golang.org/x/text/language"
)

// templateFiles are files in layers, of which each hides those of the same name in the next.
type templateFiles struct{ layers []fs.FS }

func newTemplateFiles(layers []fs.FS) templateFiles {
	return templateFiles{slices.DeleteFunc(layers, func(layer fs.FS) bool { return layer == nil })}
}

// read returns a file of the first layer that has it, with lines that end with \n.
func (f templateFiles) read(name string) (string, error) {
	err := error(&fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist})
	for _, layer := range f.layers {
		var content []byte
		if content, err = fs.ReadFile(layer, name); err == nil {
			return withoutReturns(content), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return "", fmt.Errorf("notify: template: %w", err)
}

// readAll returns the files of a name of all layers, those that are hidden first.
func (f templateFiles) readAll(name string) ([]string, error) {
	var all []string
	for _, layer := range slices.Backward(f.layers) {
		content, err := fs.ReadFile(layer, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("notify: template: %w", err)
		}
		all = append(all, withoutReturns(content))
	}
	return all, nil
}

// has reports whether a layer has a file, or can't say.
func (f templateFiles) has(name string) bool {
	return slices.ContainsFunc(f.layers, func(layer fs.FS) bool {
		_, err := fs.Stat(layer, name)
		return !errors.Is(err, fs.ErrNotExist)
	})
}

// locales returns the names of the folders, sorted. It returns an error for one that is no locale in the form that
// BCP 47 recommends, and for a template outside of them: nobody would ever get its mails.
func (f templateFiles) locales() ([]string, error) {
	locales := []string{English}
	for _, layer := range f.layers {
		entries, err := fs.ReadDir(layer, ".")
		if err != nil {
			return nil, fmt.Errorf("notify: template: %w", err)
		}
		for _, entry := range entries {
			if !entry.IsDir() {
				if err := checkOutside(entry.Name()); err != nil {
					return nil, err
				}
				continue
			}
			if tag, err := language.Parse(entry.Name()); err != nil || tag.String() != entry.Name() {
				return nil, fmt.Errorf("notify: the templates' folder %q is not named by a locale such as de or pt-BR", entry.Name())
			}
			locales = append(locales, entry.Name())
		}
	}
	slices.Sort(locales)
	return slices.Compact(locales), nil
}

// checkOutside returns an error for the name of a template that is in no folder: nobody would ever see it.
func checkOutside(name string) error {
	if ending := path.Ext(name); (ending == ".txt" || ending == ".html") && name != "layout"+ending {
		return fmt.Errorf("notify: the template %q is not in the folder of a locale", name)
	}
	return nil
}

func withoutReturns(content []byte) string {
	return strings.ReplaceAll(string(content), "\r\n", "\n")
}

// parseKind parses the templates of a kind in a locale, by their name without an ending.
func parseKind(files templateFiles, w *words, name string) (kindTemplates, error) {
	parsed := kindTemplates{textLayout: w.textLayout, htmlLayout: w.htmlLayout}
	file, err := files.read(name + ".txt")
	if err != nil {
		return parsed, err
	}
	firstLine, text, _ := strings.Cut(file, "\n")
	subject, found := strings.CutPrefix(firstLine, "Subject: ")
	if !found {
		return parsed, fmt.Errorf("notify: the first line of %s.txt is not \"Subject: \" and a subject", name)
	}
	html, err := files.read(name + ".html")
	if err != nil {
		return parsed, err
	}
	if parsed.subject, err = w.parseText(name+".txt (subject)", subject); err != nil {
		return parsed, err
	}
	if parsed.text, err = w.parseText(name+".txt", text); err != nil {
		return parsed, err
	}
	parsed.html, err = w.parseHTML(name+".html", html)
	return parsed, err
}

// parseText parses a template that can call the words of its language.
func (w *words) parseText(name, content string) (*texttemplate.Template, error) {
	t, err := texttemplate.Must(w.text.Clone()).New(name).Parse(content)
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	for _, each := range t.Templates() {
		putOnOneLine(each.Tree, each.Root)
	}
	return t, nil
}

// parseHTML parses a template that can call the words of its language.
func (w *words) parseHTML(name, content string) (*htmltemplate.Template, error) {
	t, err := htmltemplate.Must(w.html.Clone()).New(name).Parse(content)
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	for _, each := range t.Templates() {
		if each.Tree != nil {
			putOnOneLine(each.Tree, each.Tree.Root)
		}
	}
	return t, nil
}

// parentsOf returns the locales whose words a locale knows, the most general first, itself last: "de", "de-AT".
func parentsOf(locale string) []string {
	var parents []string
	for i, r := range locale {
		if r == '-' {
			parents = append(parents, locale[:i])
		}
	}
	return append(parents, locale)
}

func wordsFile(locale string) string { return path.Join(locale, "words.txt") }

// IsLocale reports whether a text is a BCP 47 language tag whose parts are registered.
func IsLocale(text string) bool {
	_, err := language.Parse(text)
	return err == nil && !strings.Contains(text, "_")
}

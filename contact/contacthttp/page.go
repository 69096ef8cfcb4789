package contacthttp

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"

	"golang.org/x/text/language"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

//go:embed pages
var files embed.FS

// languages are those of our own pages; the first is for readers of all others.
var languages = []language.Tag{language.English, language.German, language.French}

// pages are our own pages, by their place in languages.
var pages = parsePages()

func parsePages() []*template.Template {
	var parsed []*template.Template
	for _, tag := range languages {
		page := template.New("page.html").Funcs(template.FuncMap{"label": label})
		parsed = append(parsed, template.Must(page.ParseFS(files, "pages/page.html", "pages/"+tag.String()+".html")))
	}
	return parsed
}

// label is what a category is called in a language.
func label(locale string, d contact.CategoryDefinition) string {
	return access.LabelIn(locale, d.Label, d.Labels)
}

// pageStyle is the style of our own pages, which contentSecurityPolicy names by its hash.
var pageStyle = readStyle()

func readStyle() string {
	text, err := files.ReadFile("pages/page.css")
	if err != nil {
		panic("contacthttp: " + err.Error()) // it is embedded
	}
	return string(text)
}

// contentSecurityPolicy allows our style, and a form that is sent to where the page is from.
var contentSecurityPolicy = "default-src 'none'; style-src 'sha256-" + hashOf(pageStyle) +
	"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Words are what a page says.
type Words struct {
	Language string        // that it is said in: "en", "de" or "fr"
	Title    string        // plain text, without names
	Body     template.HTML // paragraphs and, on pages that ask, the form with its button; without style
}

// Words returns what our own page says, in the language of those that there are which is the nearest to the Locale: for
// a Render that puts it into the host's own look.
func (p Page) Words() (Words, error) {
	_, i := language.MatchStrings(language.NewMatcher(languages), p.Locale)
	data := struct {
		Page
		Language                 string
		ButtonField, ButtonValue string
	}{p, languages[i].String(), buttonField, buttonValue}
	words := Words{Language: data.Language}
	var title, body bytes.Buffer
	if err := pages[i].ExecuteTemplate(&title, "title", data); err != nil {
		return Words{}, err
	}
	if err := pages[i].ExecuteTemplate(&body, "body", data); err != nil {
		return Words{}, err
	}
	words.Title, words.Body = title.String(), template.HTML(body.String())
	return words, nil
}

// renderPage writes our own page.
func renderPage(w http.ResponseWriter, r *http.Request, p Page) {
	words, err := p.Words()
	var page bytes.Buffer
	if err == nil {
		err = pages[0].Execute(&page, struct {
			Words
			Style template.CSS
		}{words, template.CSS(pageStyle)})
	}
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", words.Language)
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		w.Write(page.Bytes())
	}
}

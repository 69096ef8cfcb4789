package contacthttp

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// page is our own page. It is a constant: it can't fail to parse.
var page = template.Must(template.New("page.html").Parse(pageText))

// contentSecurityPolicy allows our style, which it names by its hash, and a form that is sent to where the page is from.
var contentSecurityPolicy = "default-src 'none'; style-src 'sha256-" + hashOf(pageStyle) +
	"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// renderPage writes our own page, in English.
func renderPage(w http.ResponseWriter, r *http.Request, p Page) {
	var body bytes.Buffer
	if err := page.Execute(&body, struct {
		Page
		Style                    template.CSS
		ButtonField, ButtonValue string
	}{p, template.CSS(pageStyle), buttonField, buttonValue}); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		w.Write(body.Bytes())
	}
}

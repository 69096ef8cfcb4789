package main

import (
	"database/sql"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"
)

// brand is the company whose portal this is.
const (
	brand          = "Harbour Hosting"
	supportAddress = "support@harbour.example"
)

// A portal is everything that a request may need.
type portal struct {
	baseURL  *url.URL
	people   people
	resets   resets
	attempts attempts
	sessions *scs.SessionManager
	mailbox  *mailbox
	pages    *pages
	log      *slog.Logger
	now      func() time.Time
}

// newPortal puts the portal together on an open database.
func newPortal(db *sql.DB, baseURL *url.URL, logger *slog.Logger) (*portal, error) {
	pages, err := parsePages()
	if err != nil {
		return nil, err
	}
	p := &portal{
		baseURL:  baseURL,
		people:   people{db},
		resets:   resets{db},
		attempts: attempts{db},
		sessions: newSessions(db, baseURL.Scheme == "https"),
		mailbox:  newMailbox(),
		pages:    pages,
		log:      logger,
		now:      time.Now,
	}
	p.sessions.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, err error) { p.showProblem(w, page{}, err) }
	return p, nil
}

// routes maps every method and path to its page.
func (p *portal) routes() *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(pattern string, page pageFunc) { mux.Handle(pattern, p.page(page)) }

	mux.Handle("GET /static/", staticFiles())
	handle("GET /{$}", p.showHome)
	handle("GET /sign-in", p.showSignIn)
	handle("POST /sign-in", p.signIn)
	handle("POST /sign-out", p.signOut)
	handle("GET /forgotten-password", p.showForgottenPassword)
	handle("POST /forgotten-password", p.sendReset)
	handle("GET /new-password/{token}", secretPath(p.showNewPassword))
	handle("POST /new-password/{token}", secretPath(p.setNewPassword))
	handle("GET /mailbox", p.showMailbox)
	handle("GET /mailbox/{mail}", p.showMail)
	handle("GET /mailbox/{mail}/html", p.showMailHTML)
	handle("/", p.notFound)
	return mux
}

package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesshttp"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// brand is the company whose portal this is.
const (
	brand          = "Harbour Hosting"
	supportAddress = "support@harbour.example"
)

// config is what a portal is put together from.
type config struct {
	database *database
	key      []byte        // For the links of invites, and in mails to contacts.
	baseURL  *url.URL      // What links in mails start with.
	mailer   notify.Mailer // Carries all mail; nil for the development mailbox.
	log      *slog.Logger
	now      func() time.Time
}

// services are the library's.
type services struct {
	members  *access.Service
	cache    *access.Cache // asked before the pages of an account
	invites  *invite.Service
	contacts *contact.Service
	tests    testMails // the host's own, beside what the library prepares
	worker   *notify.Worker
}

// A portal is everything that a request may need: the library's services, and what the host has
// beside them.
type portal struct {
	services
	store    *sqlstore.DB
	database *database // the host's own tables, in the same one
	guard    *accesshttp.Guard
	links    http.Handler // of the links in mails to contacts

	people   people
	resets   resets
	attempts attempts
	products products
	seeding  seeding
	sessions *scs.SessionManager
	mailbox  *notify.Mailbox // For development; nil where mail leaves.
	courier  *courier        // For the portal's own mail; nil where none leaves.
	pages    *pages

	baseURL *url.URL
	log     *slog.Logger
	now     func() time.Time
}

// newPortal puts the portal together, on an open database with the host's tables in it.
func newPortal(ctx context.Context, c config) (*portal, error) {
	store := sqlstore.New(c.database.handle, c.database.engine.dialect, sqlstore.Config{})
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	pages, err := parsePages(c.mailer == nil)
	if err != nil {
		return nil, err
	}
	p := &portal{
		store: store, database: c.database, pages: pages,
		people: people{c.database}, resets: resets{c.database}, attempts: attempts{c.database}, products: products{c.database},
		seeding:  seeding{c.database},
		sessions: newSessions(c.database, c.baseURL.Scheme == "https"),
		baseURL:  c.baseURL, log: c.log, now: c.now,
	}
	p.sessions.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, err error) { p.showProblem(w, page{}, err) }
	mailer := c.mailer
	if mailer == nil {
		p.mailbox = notify.NewMailbox(mailboxSize)
		mailer = p.mailbox
	} else {
		p.courier = newCourier(mailer, c.log)
	}
	p.services, err = newServices(store, mailer, c)
	if err != nil {
		return nil, err
	}
	if p.links, err = p.linkPages(); err != nil {
		return nil, err
	}
	p.guard, err = p.newGuard()
	return p, err
}

// newServices returns the library's services on a store, with the worker that sends their mail.
func newServices(store *sqlstore.DB, mailer notify.Mailer, c config) (services, error) {
	members := access.New(store, access.Config{
		Now:        c.now,
		AccountURL: func(id access.AccountID) string { return c.baseURL.String() + accountPath(id) },
	})
	invites, err := invite.New(store, members, []invite.Key{{ID: "portal", Secret: c.key}}, invite.Config{
		LinkBase:   c.baseURL.String() + "/invites/",
		MembersURL: func(id access.AccountID) string { return c.baseURL.String() + accountPath(id) + "/users" },
	})
	if err != nil {
		return services{}, err
	}
	links, err := newContactLinks(c)
	if err != nil {
		return services{}, err
	}
	contacts := contact.New(store, members, contact.Config{Links: links, Templates: mailTemplates(), Notices: notices()})
	tests, err := newTestMails(members, contacts)
	if err != nil {
		return services{}, err
	}
	worker, err := notify.NewWorker(store, mailer, notify.WorkerConfig{Now: c.now, Log: c.log}, members, invites, contacts, tests)
	// What is sensitive is answered from memory too: whoever is removed is removed in all portals when the page says so.
	cache := access.NewCache(members, access.CacheConfig{SensitiveToo: true, Log: c.log})
	return services{members, cache, invites, contacts, tests, worker}, err
}

// close releases what the portal holds, but not the database.
func (p *portal) close() error { return p.store.Close() }

// accountPath is where the pages of an account begin.
func accountPath(id access.AccountID) string { return "/accounts/" + url.PathEscape(string(id)) }

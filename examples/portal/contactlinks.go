package main

import (
	"net/http"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/contact/contacthttp"
)

// linksPath is where the links in mails to contacts lead.
const linksPath = "/contacts/"

// newContactLinks returns the links in mails to contacts, made with the portal's key.
func newContactLinks(c config) (*contact.Links, error) {
	return contact.NewLinks([]access.Key{{ID: "portal", Secret: c.key}}, "", c.baseURL.String()+linksPath)
}

// linkPages answers the links in mails to contacts, in the portal's look. Nobody is signed in there, and mail programs post
// to a link to unsubscribe by themselves: no cookie is read, and no form is refused because of where it came from. What
// counts is the secret in the path, and it is good for one thing.
func (p *portal) linkPages() (http.Handler, error) {
	pages, err := contacthttp.New(p.contacts, contacthttp.Config{
		Actor: func(r *http.Request) access.Actor {
			actor := access.AsSystem("contact link")
			actor.IP = remoteIP(r)
			return actor
		},
		Render: p.renderLink,
		Log:    p.log,
	})
	if err != nil {
		return nil, err
	}
	return http.StripPrefix("/contacts", pages), nil
}

func (p *portal) renderLink(w http.ResponseWriter, r *http.Request, answer contacthttp.Page) {
	words, err := answer.Words()
	if err != nil {
		p.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Security-Policy", contentPolicy)
	if err := p.pages.write(w, answer.Status, "contact-link", page{Title: words.Title, Content: words}); err != nil {
		p.fail(w, r, err)
	}
}

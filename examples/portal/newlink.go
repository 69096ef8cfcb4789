package main

import (
	"errors"
	"net"
	"net/http"

	"github.com/rosterkit/roster/access"
)

// askForLink mails whoever can send the invite of a dead link again. The answer is the same
// whether it did or not: somebody may have asked a moment ago.
func (p *portal) askForLink(w http.ResponseWriter, r *http.Request) error {
	token := r.PathValue("token")
	err := p.invites.AskAgain(r.Context(), asker(r), token)
	if errors.Is(err, access.ErrNotFound) {
		return errInviteLink
	}
	if err != nil {
		return err
	}
	p.say(r, "success", "Your request is passed on, unless that was done before. "+
		"A new link, if there is to be one, comes by mail to the invited address.")
	return redirect(w, r, "/invites/"+token)
}

// asker is who asks, with where the request came from: the portal itself for somebody who isn't
// signed in.
func asker(r *http.Request) access.Actor {
	if who, err := visitor(r); err == nil {
		return who.actor(r)
	}
	actor := access.AsSystem("links")
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		actor.IP = host
	}
	return actor
}

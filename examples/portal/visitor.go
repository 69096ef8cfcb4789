package main

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesshttp"
	"github.com/rosterkit/roster/invite"
)

type visitorKey struct{}

// identified puts the person of the session into the request's context, so that it is read once.
func (p *portal) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := p.sessionPerson(r)
		switch {
		case err == nil:
			r = r.WithContext(context.WithValue(r.Context(), visitorKey{}, who))
		case !errors.Is(err, errSignedOut):
			p.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// sessionPerson is who the session belongs to, or errSignedOut. A session from before the last
// new password counts as signed out.
func (p *portal) sessionPerson(r *http.Request) (person, error) {
	id := p.sessions.GetString(r.Context(), sessionPerson)
	if id == "" {
		return person{}, errSignedOut
	}
	who, err := p.people.byID(r.Context(), id)
	if errors.Is(err, errNoPerson) || err == nil && who.Generation != p.sessions.GetInt(r.Context(), sessionGeneration) {
		return person{}, errSignedOut
	}
	return who, err
}

// visitor is who asked for a page, or errSignedOut.
func visitor(r *http.Request) (person, error) {
	who, ok := r.Context().Value(visitorKey{}).(person)
	if !ok {
		return person{}, errSignedOut
	}
	return who, nil
}

// newGuard returns the middleware in front of the pages of an account.
func (p *portal) newGuard() (*accesshttp.Guard, error) {
	return accesshttp.New(p.cache, accesshttp.Config{
		Principal: func(r *http.Request) (accesshttp.Principal, error) {
			who, err := visitor(r)
			if err != nil {
				return accesshttp.Principal{}, accesshttp.ErrAnonymous
			}
			return accesshttp.Principal{User: who.user(), Address: who.Address, Verified: who.Verified}, nil
		},
		Refuse: func(w http.ResponseWriter, r *http.Request, _ int, err error) { p.fail(w, r, err) },
		Seen: func(ctx context.Context, principal accesshttp.Principal, account access.AccountID, grant access.Grant) {
			if err := p.members.RecordSeen(ctx, principal.User, account, grant); err != nil {
				p.log.Warn("recording that a member was seen", "error", err)
			}
		},
		Now: p.now,
	})
}

// holds lets in who holds a permission, whether the account is active or suspended: pages on which
// something can be narrowed work meanwhile. What else they do there the library refuses.
func (p *portal) holds(permission access.Permission) middleware {
	return func(next http.Handler) http.Handler {
		return p.guard.Member(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if grant, _ := accesshttp.GrantFrom(r.Context()); !grant.Held(p.now()).Has(permission) {
				p.fail(w, r, access.Denied("denies.held", "the permission is missing"))
				return
			}
			next.ServeHTTP(w, r)
		}))
	}
}

// actor is the person as the library's actor, with where the request came from.
func (who person) actor(r *http.Request) access.Actor {
	actor := access.As(who.user())
	actor.IP = remoteIP(r)
	return actor
}

// remoteIP is where a request came from, empty if that isn't known.
func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}

// identity is the person as somebody whom an invite may be for.
func (who person) identity(r *http.Request) invite.Identity {
	return invite.Identity{Actor: who.actor(r), Address: who.Address, Verified: who.Verified}
}

// user is the person's id in the library.
func (who person) user() access.UserID { return access.UserID(who.ID) }

// entry is the person as the library's directory knows them.
func (who person) entry() access.User {
	return access.User{ID: who.user(), Address: who.Address, Verified: who.Verified, Name: who.Name,
		SecondFactor: who.SecondFactor, LastSignIn: who.LastSignIn}
}

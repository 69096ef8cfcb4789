package main

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/rosterkit/roster/access"
)

// signInForm is what the sign-in page shows again after a mistake.
type signInForm struct {
	Address string
	Next    string
	Problem string
}

func (p *portal) showSignIn(w http.ResponseWriter, r *http.Request) error {
	if _, err := visitor(r); err == nil {
		return redirect(w, r, localPath(r.FormValue("next")))
	}
	return p.render(w, r, "sign-in", "Sign in", signInForm{Next: localPath(r.FormValue("next"))})
}

func (p *portal) signIn(w http.ResponseWriter, r *http.Request) error {
	form := signInForm{Address: r.PostFormValue("address"), Next: localPath(r.PostFormValue("next"))}
	who, err := p.authenticate(r.Context(), form.Address, r.PostFormValue("password"))
	if problem, ok := errors.AsType[statusError](err); ok {
		form.Problem = problem.message
		return p.renderStatus(w, r, problem.status, "sign-in", "Sign in", form)
	}
	if err != nil {
		return err
	}
	if err := p.startSession(r, who); err != nil {
		return err
	}
	return redirect(w, r, form.Next)
}

// authenticate finds who an address and a password belong to. An unknown address costs the same
// work and gets the same answer as a wrong password: a statusError.
func (p *portal) authenticate(ctx context.Context, typed, password string) (person, error) {
	address, err := access.ParseAddress(strings.TrimSpace(typed))
	if err != nil {
		return person{}, errWrongPassword
	}
	err = p.attempts.begin(ctx, attemptSignIn, address.Canonical(), p.now())
	if errors.Is(err, errTooManyAttempts) {
		return person{}, statusError{http.StatusTooManyRequests,
			"There were too many attempts for this address. Wait a quarter of an hour, or create a new password."}
	}
	if err != nil {
		return person{}, err
	}
	who, err := p.people.byAddress(ctx, address)
	if err != nil && !errors.Is(err, errNoPerson) {
		return person{}, err
	}
	same, err := samePassword(who.passwordHash, password)
	if err != nil {
		return person{}, err
	}
	if !same {
		return person{}, errWrongPassword
	}
	return who, p.attempts.forget(ctx, attemptSignIn, address.Canonical())
}

var errWrongPassword = statusError{http.StatusUnauthorized, "The e-mail address or the password is not right."}

// startSession signs a person in, under a new session token, and tells the library's directory.
func (p *portal) startSession(r *http.Request, who person) error {
	ctx := r.Context()
	if err := p.sessions.RenewToken(ctx); err != nil {
		return err
	}
	p.sessions.Put(ctx, sessionPerson, who.ID)
	p.sessions.Put(ctx, sessionGeneration, who.Generation)
	who.LastSignIn = p.now()
	if err := p.people.signedIn(ctx, who.ID, who.LastSignIn); err != nil {
		return err
	}
	return p.members.SyncUser(ctx, who.entry())
}

func (p *portal) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := p.endSession(r); err != nil {
		return err
	}
	p.say(r, "success", "You are signed out.")
	return redirect(w, r, "/sign-in")
}

// endSession forgets who was signed in; the browser continues as nobody.
func (p *portal) endSession(r *http.Request) error {
	return p.sessions.Destroy(r.Context())
}

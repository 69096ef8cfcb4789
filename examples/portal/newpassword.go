package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/rosterkit/roster/access"
)

// newPasswordForm is what the page for a new password shows.
type newPasswordForm struct {
	Address string
	Token   string
	Minimum int
	Problem *fieldProblem
}

func (p *portal) showForgottenPassword(w http.ResponseWriter, r *http.Request) error {
	return p.render(w, r, "forgotten-password", "Forgotten password", nil)
}

// sendReset mails a link if the address has a login. The answer is the same if it hasn't.
func (p *portal) sendReset(w http.ResponseWriter, r *http.Request) error {
	address, err := access.ParseAddress(strings.TrimSpace(r.PostFormValue("address")))
	if err != nil {
		return err
	}
	err = p.attempts.begin(r.Context(), attemptReset, address.Canonical(), p.now())
	if errors.Is(err, errTooManyAttempts) {
		return statusError{http.StatusTooManyRequests, "Too many mails were asked for. Wait a quarter of an hour and try again."}
	}
	if err != nil {
		return err
	}
	who, err := p.people.byAddress(r.Context(), address)
	if err == nil {
		err = p.mailReset(r.Context(), who)
	}
	if err != nil && !errors.Is(err, errNoPerson) {
		return err
	}
	return p.render(w, r, "forgotten-password-sent", "Check your mail", nil)
}

func (p *portal) mailReset(ctx context.Context, who person) error {
	token, err := p.resets.create(ctx, who.ID, p.now())
	if err != nil {
		return err
	}
	return p.mail(ctx, who.Address, who.Name, "Create a new password", fmt.Sprintf(
		"Hello %s,\n\nsomebody, hopefully you, asked for a new password at %s. Create it here:\n\n%s\n\n"+
			"The link works once, for one hour. If it wasn't you, ignore this mail: nothing has changed.\n",
		who.Name, brand, p.baseURL.JoinPath("new-password", token)))
}

func (p *portal) showNewPassword(w http.ResponseWriter, r *http.Request) error {
	return p.renderNewPassword(w, r, http.StatusOK, nil)
}

func (p *portal) renderNewPassword(w http.ResponseWriter, r *http.Request, status int, problem *fieldProblem) error {
	token := r.PathValue("token")
	id, err := p.resets.owner(r.Context(), token, p.now())
	if errors.Is(err, errResetLink) {
		return deadResetLink()
	}
	if err != nil {
		return err
	}
	who, err := p.people.byID(r.Context(), id)
	if err != nil {
		return err
	}
	form := newPasswordForm{Address: who.Address.Original(), Token: token, Minimum: passwordMinimum, Problem: problem}
	return p.renderStatus(w, r, status, "new-password", "Create a new password", form)
}

func (p *portal) setNewPassword(w http.ResponseWriter, r *http.Request) error {
	password := r.PostFormValue("password")
	if mistake, ok := errors.AsType[fieldError](checkPassword(password, r.PostFormValue("repeat"))); ok {
		return p.renderNewPassword(w, r, http.StatusUnprocessableEntity, &fieldProblem{mistake.field, mistake.message})
	}
	err := p.resets.use(r.Context(), r.PathValue("token"), password, p.now())
	if errors.Is(err, errResetLink) {
		return deadResetLink()
	}
	if err != nil {
		return err
	}
	if err := p.endSession(r); err != nil {
		return err
	}
	p.say(r, "success", "Your new password is set. Sign in with it.")
	return redirect(w, r, "/sign-in")
}

func deadResetLink() error {
	return statusError{http.StatusNotFound,
		"This link for a new password is used, replaced or expired. Ask for a new one on the page “Forgotten password”."}
}

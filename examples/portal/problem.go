package main

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/rosterkit/roster/access/accesshttp"
)

// errSignedOut is returned by pages that need somebody to be signed in.
var errSignedOut = errors.New("nobody is signed in")

// A statusError is a refusal with its HTTP status and words for the page.
type statusError struct {
	status  int
	message string
}

func (e statusError) Error() string { return e.message }

func forbidden(message string) error { return statusError{http.StatusForbidden, message} }

// A fieldError is a mistake in one field of a form, in words for the page.
type fieldError struct{ field, message string }

func (e fieldError) Error() string { return e.message }

// fieldProblem is a mistake at a field, for templates.
type fieldProblem struct{ Field, Message string }

var errNotFound = statusError{http.StatusNotFound,
	"There is nothing here, or it isn't yours to see. Check the address, or go back to your accounts."}

// notFound answers whatever no route knows.
func (p *portal) notFound(http.ResponseWriter, *http.Request) error { return errNotFound }

// problem is what the error page shows.
type problem struct {
	Status  int
	Heading string
	Message string
}

var problemHeadings = map[int]string{
	http.StatusBadRequest:            "That didn't work",
	http.StatusUnauthorized:          "Please sign in",
	http.StatusForbidden:             "You can't do that here",
	http.StatusNotFound:              "Page not found",
	http.StatusConflict:              "That can't be done right now",
	http.StatusGone:                  "This link is over",
	http.StatusRequestEntityTooLarge: "Too large",
	http.StatusUnprocessableEntity:   "That can't be saved",
	http.StatusTooManyRequests:       "Too many attempts",
}

// fail shows the page for an error, or the sign-in page where that helps.
func (p *portal) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errSignedOut) || errors.Is(err, accesshttp.ErrAnonymous) {
		p.askToSignIn(w, r)
		return
	}
	view := page{}
	if who, err := visitor(r); err == nil {
		view.Person = &who
	}
	p.showProblem(w, view, err)
}

// showProblem writes the error page. What the portal didn't expect is logged, and explained by
// nothing but its status.
func (p *portal) showProblem(w http.ResponseWriter, view page, err error) {
	shown := problem{http.StatusInternalServerError, "Something went wrong",
		"It is our fault, not yours, and it has been written down. Try again in a moment."}
	known, ok := errors.AsType[statusError](err)
	if !ok {
		known, ok = refusal(err)
	}
	if ok {
		shown = problem{known.status, problemHeadings[known.status], known.message}
	} else {
		p.log.Error("failed", slog.String("cause", err.Error()))
	}
	view.Title, view.Content = shown.Heading, shown
	if err := p.pages.write(w, shown.Status, "problem", view); err != nil {
		p.log.Error("can't show the error page", slog.String("cause", err.Error()))
		http.Error(w, shown.Heading, shown.Status)
	}
}

// askToSignIn sends a reader to the sign-in page and back afterwards. A form can't be sent again by
// itself, so that its sender is told.
func (p *portal) askToSignIn(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		http.Redirect(w, r, "/sign-in?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	p.fail(w, r, statusError{http.StatusUnauthorized,
		"Your session is over, so nothing was changed. Sign in and send the form again."})
}

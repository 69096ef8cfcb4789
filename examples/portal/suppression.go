package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// A suppression says why an address gets no mail. The zero value is none.
type suppression struct {
	Kind  notify.FeedbackKind
	Badge string // in two words
	Words string
	Since time.Time
	// Liftable says that people of the account may end it: mail that bounced may arrive by now. Who complained has to tell
	// our support that they want mail again.
	Liftable bool
}

func newSuppression(s notify.Suppression) suppression {
	shown := suppression{Kind: s.Kind, Since: s.Since, Liftable: true}
	switch s.Kind {
	case notify.HardBounce:
		shown.Badge, shown.Words = "mail bounces", "The address refused our mail for good, so we send it none. Correct the address, or let us try again once it takes mail."
	case notify.SoftBounce:
		shown.Badge, shown.Words = "mail bounces", "The address refused our mail again and again, so we send it none. Let us try again once it takes mail."
	case notify.Complaint:
		shown.Badge, shown.Liftable = "complained", false
		shown.Words = "Whoever reads this address marked our mail as unwanted, so we send it none. They can write to " + supportAddress + " to get mail again."
	}
	return shown
}

// suppressions returns why addresses get no mail, by the canonical address, of those that get none.
func (p *portal) suppressions(ctx context.Context, addresses ...access.Address) (map[string]suppression, error) {
	found, err := p.contacts.Suppressed(ctx, addresses...)
	if err != nil {
		return nil, err
	}
	shown := map[string]suppression{}
	for address, s := range found {
		shown[address] = newSuppression(s)
	}
	return shown, nil
}

// liftOfContact lets mail go to a contact's address again.
func (p *portal) liftOfContact(w http.ResponseWriter, r *http.Request, v *visit) error {
	found, err := p.findContact(r, v)
	if err != nil {
		return err
	}
	return p.lift(w, r, v, found.Address, v.Path("/contacts/"+string(found.ID)))
}

// liftOwn lets mail go to the visitor's own address again.
func (p *portal) liftOwn(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.lift(w, r, v, v.Person.Address, v.Path("/details"))
}

// lift ends a suppression that may be lifted here. The library leaves that to the host: the portal acts, and puts on the
// record of the address who asked for it.
func (p *portal) lift(w http.ResponseWriter, r *http.Request, v *visit, address access.Address, next string) error {
	suppressed, err := p.suppressions(r.Context(), address)
	if err != nil {
		return err
	}
	complained := suppressed[address.Canonical()].Kind == notify.Complaint
	if !complained {
		complained, err = p.complained(r.Context(), address)
	}
	if err != nil {
		return err
	}
	if complained {
		words := newSuppression(notify.Suppression{Kind: notify.Complaint}).Words
		return p.settle(w, r, next, fieldError{"address", words}, "")
	}
	err = p.attempts.begin(r.Context(), attemptLift, address.Canonical(), p.now())
	if errors.Is(err, errTooManyAttempts) {
		return p.settle(w, r, next, fieldError{"address", "We have tried this address too often. Wait a quarter of an hour."}, "")
	}
	if err != nil {
		return err
	}
	actor := access.AsSystem("portal")
	actor.Reason, actor.IP = "asked for by the user "+v.Person.ID, v.actor.IP
	err = p.contacts.Lift(r.Context(), actor, address)
	if errors.Is(err, access.ErrNotFound) { // Somebody else has done it.
		err = nil
	}
	return p.settle(w, r, next, err, "We send mail to "+address.Original()+" again.")
}

// complained reports whether somebody has complained about mail to an address since it was lifted last: the suppression
// tells of a bounce only, where there was one too.
func (p *portal) complained(ctx context.Context, address access.Address) (bool, error) {
	for f, err := range access.Walk(func(page access.Page) (access.List[notify.Feedback], error) {
		return p.contacts.Feedback(ctx, access.AsSystem("portal"), address, page)
	}) { // the newest first
		if err != nil || f.Kind == notify.Complaint {
			return err == nil, err
		}
		if f.Kind == notify.Lifted {
			break
		}
	}
	return false, nil
}

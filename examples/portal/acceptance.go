package main

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
)

// An acceptance is what the page behind an invite's link shows.
type acceptance struct {
	invite.Preview
	Token   string
	Zone    *time.Location
	Known   bool // The invited address has a login: sign in. Otherwise: sign up.
	Name    string
	Minimum int
	Problem *fieldProblem
}

// showAcceptance shows how the visitor stands to an invite. It changes nothing: mail scanners
// follow links, too.
func (p *portal) showAcceptance(w http.ResponseWriter, r *http.Request) error {
	return p.renderAcceptance(w, r, http.StatusOK, nil)
}

// renderAcceptance shows the page again with what was wrong in its form.
func (p *portal) renderAcceptance(w http.ResponseWriter, r *http.Request, status int, problem *fieldProblem) error {
	found, err := p.lookUp(r)
	if err != nil {
		return err
	}
	found.Problem = problem
	found.Name = strings.TrimSpace(r.PostFormValue("name"))
	switch found.Outcome {
	case invite.IsExpired, invite.IsRevoked, invite.IsDeclined, invite.IsUsed, invite.IsReplaced:
		status = http.StatusGone
	}
	return p.renderStatus(w, r, status, "acceptance", "Join "+found.AccountName, found)
}

// errInviteLink is the one answer to a link that isn't authentic.
var errInviteLink = statusError{http.StatusNotFound,
	"This invite link isn't valid. Copy it from the mail once more, all of it; or ask for a new invite."}

// lookUp reads the invite of the link in the path, for the visitor.
func (p *portal) lookUp(r *http.Request) (acceptance, error) {
	token := r.PathValue("token")
	var identity invite.Identity
	if who, err := visitor(r); err == nil {
		identity = who.identity(r)
	}
	preview, err := p.invites.Lookup(r.Context(), token, identity)
	if errors.Is(err, access.ErrNotFound) {
		return acceptance{}, errInviteLink
	}
	if err != nil {
		return acceptance{}, err
	}
	found := acceptance{Preview: preview, Token: token, Zone: zoneOf(preview.TimeZone), Minimum: passwordMinimum}
	if preview.Outcome == invite.NeedsSignUp {
		_, err := p.people.byAddress(r.Context(), preview.Address)
		found.Known = err == nil
		if err != nil && !errors.Is(err, errNoPerson) {
			return acceptance{}, err
		}
	}
	return found, nil
}

// accept makes the signed-in visitor a member.
func (p *portal) accept(w http.ResponseWriter, r *http.Request) error {
	who, err := visitor(r)
	if err != nil {
		return p.showAcceptance(w, r)
	}
	return p.acceptAs(w, r, who)
}

func (p *portal) acceptAs(w http.ResponseWriter, r *http.Request, who person) error {
	accepted, err := p.invites.Accept(r.Context(), r.PathValue("token"), who.identity(r))
	if words, ok := refusal(err); ok {
		return p.explainRefusal(w, r, err, words)
	}
	if err != nil {
		return err
	}
	// The link came by mail: whoever has it reads the mailbox. The directory learns that as well.
	if err := p.people.verified(r.Context(), who.ID); err != nil {
		return err
	}
	who.Verified = true
	if err := p.members.SyncUser(r.Context(), who.entry()); err != nil {
		return err
	}
	p.say(r, "success", "Welcome! You have access to this account now.")
	return redirect(w, r, accountPath(accepted.Account))
}

// explainRefusal goes back to the invite's page, which says itself what is the matter with the
// invite and the person; any other reason is said above it.
func (p *portal) explainRefusal(w http.ResponseWriter, r *http.Request, err error, words statusError) error {
	detail, _ := errors.AsType[*access.Error](err)
	switch invite.Outcome(detail.Code) {
	case invite.NeedsSignUp, invite.WrongUser, invite.NeedsVerified,
		invite.IsExpired, invite.IsRevoked, invite.IsDeclined, invite.IsUsed, invite.IsReplaced:
	default:
		p.say(r, "problem", words.message)
	}
	return redirect(w, r, "/invites/"+r.PathValue("token"))
}

// decline ends the invite for the signed-in visitor.
func (p *portal) decline(w http.ResponseWriter, r *http.Request) error {
	who, err := visitor(r)
	if err != nil {
		return p.showAcceptance(w, r)
	}
	_, err = p.invites.Decline(r.Context(), r.PathValue("token"), who.identity(r))
	if words, ok := refusal(err); ok {
		return p.explainRefusal(w, r, err, words)
	}
	return p.settle(w, r, "/accounts", err, "The invite is declined.")
}

// signInAndAccept signs the owner of the invited address in; the address is the invite's, whatever
// the form says.
func (p *portal) signInAndAccept(w http.ResponseWriter, r *http.Request) error {
	found, err := p.lookUp(r)
	if err != nil {
		return err
	}
	if found.Outcome != invite.NeedsSignUp || !found.Known {
		return p.showAcceptance(w, r)
	}
	who, err := p.authenticate(r.Context(), found.Address.Original(), r.PostFormValue("password"))
	if problem, ok := errors.AsType[statusError](err); ok {
		return p.renderAcceptance(w, r, problem.status, &fieldProblem{"password", problem.message})
	}
	if err != nil {
		return err
	}
	return p.enterAndAccept(w, r, who)
}

// signUpAndAccept creates a login with the invited address, which the link has proved.
func (p *portal) signUpAndAccept(w http.ResponseWriter, r *http.Request) error {
	found, err := p.lookUp(r)
	if err != nil {
		return err
	}
	if found.Outcome != invite.NeedsSignUp || found.Known {
		return p.showAcceptance(w, r)
	}
	name, password := strings.TrimSpace(r.PostFormValue("name")), r.PostFormValue("password")
	err = access.CheckName("name", name)
	if err == nil {
		err = checkPassword(password, r.PostFormValue("repeat"))
	}
	if problem := mistake(err); problem != nil {
		return p.renderAcceptance(w, r, http.StatusUnprocessableEntity, problem)
	}
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	who := person{ID: id.String(), Address: found.Address, Name: name, Verified: true}
	err = p.people.add(r.Context(), who, hashPassword(password))
	if errors.Is(err, errAddressTaken) {
		return p.showAcceptance(w, r)
	}
	if err != nil {
		return err
	}
	return p.enterAndAccept(w, r, who)
}

func (p *portal) enterAndAccept(w http.ResponseWriter, r *http.Request, who person) error {
	if err := p.startSession(r, who); err != nil {
		return err
	}
	return p.acceptAs(w, r, who)
}

// switchPerson signs the visitor out and comes back to the invite, which is as it was.
func (p *portal) switchPerson(w http.ResponseWriter, r *http.Request) error {
	if err := p.endSession(r); err != nil {
		return err
	}
	return redirect(w, r, "/invites/"+r.PathValue("token"))
}

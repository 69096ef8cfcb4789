package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
)

// An invitePage is the page to edit a pending invite.
type invitePage struct {
	*visit
	Invite inviteRow
	Form   inviteForm
}

// inviteForm is what the form Invite New User shows again after a mistake.
type inviteForm struct {
	Address     string
	Label       string
	Expires     string
	Permissions permissionForm
	Problem     *fieldProblem
}

// newInviteForm shows what was typed.
func newInviteForm(catalog *access.Catalog, fields url.Values, held access.Permission, problem *fieldProblem) inviteForm {
	ticked, _ := catalog.Parse(fields["permission"]...)
	form := inviteForm{
		Address: fields.Get("address"), Label: fields.Get("label"), Expires: fields.Get("expires"),
		Permissions: newPermissionForm(catalog, ticked, held), Problem: problem,
	}
	if fields.Get("mode") == modeAll {
		form.Permissions.Mode = modeAll
	}
	form.Permissions.Preset = fields.Get("preset")
	form.Permissions.Problem = problem
	return form
}

// offerOf reads the form Invite New User: the offer, and what was added to its permissions.
func offerOf(catalog *access.Catalog, fields url.Values, zone *time.Location) (
	offer invite.Offer, added access.Permission, err error) {
	offer.Address, err = access.ParseAddress(strings.TrimSpace(fields.Get("address")))
	if err != nil {
		return invite.Offer{}, 0, err
	}
	offer.Terms, added, err = termsOf(catalog, fields, zone)
	return offer, added, err
}

// termsOf reads the part of the form that says what somebody is offered.
func termsOf(catalog *access.Catalog, fields url.Values, zone *time.Location) (
	terms access.Terms, added access.Permission, err error) {
	terms.Permissions, added, err = chosenPermissions(catalog, fields)
	if err != nil {
		return access.Terms{}, 0, err
	}
	terms.Label = strings.TrimSpace(fields.Get("label"))
	terms.Expires, err = endOfDay(fields.Get("expires"), zone)
	return terms, added, err
}

func (p *portal) sendInvite(w http.ResponseWriter, r *http.Request, v *visit) error {
	catalog := p.members.Catalog()
	offer, added, err := offerOf(catalog, r.PostForm, v.Zone)
	var sent invite.Sent
	if err == nil {
		sent, err = p.invites.Send(r.Context(), v.actor, v.Account.ID, offer)
	}
	if problem := mistake(err); problem != nil {
		form := newInviteForm(catalog, r.PostForm, v.Grant.Held(v.Now), problem)
		return p.renderMembers(w, r, v, http.StatusUnprocessableEntity, form)
	}
	done := "The invite to " + offer.Address.Original() + " is on its way. It is valid for 72 hours."
	if sent.Resent {
		done = "There was an invite to " + offer.Address.Original() +
			" already. It is sent again with the permissions chosen now, and its old link is dead."
	}
	return p.settle(w, r, v.Path("/users"), err, done+addedWords(catalog, added))
}

// findInvite finds a pending invite by the id in the path.
func (p *portal) findInvite(r *http.Request, v *visit) (inviteRow, error) {
	pending, err := p.invites.Invite(r.Context(), v.actor, v.Account.ID, invite.ID(r.PathValue("invite")))
	if err != nil {
		return inviteRow{}, err
	}
	return p.inviteRow(v, pending), nil
}

func (p *portal) showInvite(w http.ResponseWriter, r *http.Request, v *visit) error {
	found, err := p.findInvite(r, v)
	if err != nil {
		return err
	}
	if !found.Editable {
		p.say(r, "problem", refusalWords["permissions.beyond"])
		return redirect(w, r, v.Path("/users"))
	}
	return p.show(w, r, v, "invite", "Edit Invite", invitePage{v, found, inviteForm{
		Label: found.Terms.Label, Expires: lastDay(found.Terms.Expires, v.Zone),
		Permissions: newPermissionForm(p.members.Catalog(), found.Terms.Permissions, v.Grant.Held(v.Now)),
	}})
}

func (p *portal) editInvite(w http.ResponseWriter, r *http.Request, v *visit) error {
	found, err := p.findInvite(r, v)
	if err != nil {
		return err
	}
	catalog := p.members.Catalog()
	terms, added, err := termsOf(catalog, r.PostForm, v.Zone)
	if err == nil {
		terms.Starts = found.Terms.Starts
		_, err = p.invites.Edit(r.Context(), v.actor, v.Account.ID, found.ID, terms)
	}
	if problem := mistake(err); problem != nil {
		form := newInviteForm(catalog, r.PostForm, v.Grant.Held(v.Now), problem)
		return p.showStatus(w, r, v, http.StatusUnprocessableEntity, "invite", "Edit Invite", invitePage{v, found, form})
	}
	return p.settle(w, r, v.Path("/users"), err,
		"The invite to "+found.Address.Original()+" is changed. Its link stays the same."+addedWords(catalog, added))
}

func (p *portal) resendInvite(w http.ResponseWriter, r *http.Request, v *visit) error {
	sent, err := p.invites.Resend(r.Context(), v.actor, v.Account.ID, invite.ID(r.PathValue("invite")))
	return p.settleInvite(w, r, v, err, "The invite to "+sent.Invite.Address.Original()+
		" is sent again, valid for another 72 hours. The old link is dead.")
}

func (p *portal) revokeInvite(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := p.invites.Revoke(r.Context(), v.actor, v.Account.ID, invite.ID(r.PathValue("invite")))
	return p.settleInvite(w, r, v, err, "The invite is revoked. Its link is dead.")
}

// settleInvite is settle for an invite that somebody may have answered while the page was open.
func (p *portal) settleInvite(w http.ResponseWriter, r *http.Request, v *visit, err error, done string) error {
	if errors.Is(err, access.ErrNotFound) {
		p.say(r, "problem", "This invite is no longer pending: it was answered or revoked meanwhile.")
		return redirect(w, r, v.Path("/users"))
	}
	return p.settle(w, r, v.Path("/users"), err, done)
}

package main

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
)

// chooserSize is how many accounts the chooser shows at once; search finds the others.
const chooserSize = 200

// chooser is what the page of a person's accounts shows.
type chooser struct {
	Search   string
	Accounts []access.UserAccount // Last used first.
	More     bool                 // There are more than are shown.
	Waiting  []invite.WaitingInvite
}

// showHome is where a sign-in leads: into the only account, or to the chooser.
func (p *portal) showHome(w http.ResponseWriter, r *http.Request) error {
	who, err := visitor(r)
	if err != nil {
		return err
	}
	choice, err := p.choice(r, who, "")
	if err != nil {
		return err
	}
	if len(choice.Accounts) == 1 && len(choice.Waiting) == 0 {
		return redirect(w, r, accountPath(choice.Accounts[0].Account.ID))
	}
	return redirect(w, r, "/accounts")
}

func (p *portal) showChooser(w http.ResponseWriter, r *http.Request) error {
	who, err := visitor(r)
	if err != nil {
		return err
	}
	choice, err := p.choice(r, who, strings.TrimSpace(r.FormValue("search")))
	if err != nil {
		return err
	}
	return p.render(w, r, "chooser", "Your accounts", choice)
}

// choice collects a person's accounts, last used first, and the invites that wait for them.
func (p *portal) choice(r *http.Request, who person, search string) (chooser, error) {
	found := chooser{Search: search}
	for account, err := range access.Walk(func(page access.Page) (access.List[access.UserAccount], error) {
		return p.members.Accounts(r.Context(), who.actor(r), who.user(), access.AccountFilter{Prefix: search}, page)
	}) {
		if err != nil {
			return chooser{}, err
		}
		if len(found.Accounts) == chooserSize {
			found.More = true
			break
		}
		found.Accounts = append(found.Accounts, account)
	}
	slices.SortStableFunc(found.Accounts, lastUsedFirst)
	waiting, err := p.invites.Waiting(r.Context(), who.identity(r), access.Page{})
	found.Waiting = waiting.Items
	return found, err
}

func (p *portal) acceptWaiting(w http.ResponseWriter, r *http.Request) error {
	who, err := visitor(r)
	if err != nil {
		return err
	}
	accepted, err := p.invites.AcceptPending(r.Context(), invite.ID(r.PathValue("invite")), who.identity(r))
	if errors.Is(err, access.ErrNotFound) {
		p.say(r, "problem", "This invite is no longer there.")
		return redirect(w, r, "/accounts")
	}
	next := "/accounts"
	if err == nil {
		next = accountPath(accepted.Account)
	}
	return p.settle(w, r, next, err, "Welcome! You have access to this account now.")
}

func (p *portal) declineWaiting(w http.ResponseWriter, r *http.Request) error {
	who, err := visitor(r)
	if err != nil {
		return err
	}
	_, err = p.invites.DeclinePending(r.Context(), invite.ID(r.PathValue("invite")), who.identity(r))
	return p.settle(w, r, "/accounts", err, "The invite is declined.")
}

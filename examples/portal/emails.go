package main

import (
	"net/http"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// An emailsPage is the account's e-mail history.
type emailsPage struct {
	*visit
	Messages []notify.Message
	Next     access.Cursor
}

func (p *portal) showEmails(w http.ResponseWriter, r *http.Request, v *visit) error {
	list, err := p.members.Messages(r.Context(), v.actor, v.Account.ID, access.MessageFilter{}, pageAsked(r))
	if err != nil {
		return err
	}
	return p.show(w, r, v, "emails", "E-mails", emailsPage{v, list.Items, list.Next})
}

// A delivery says in words what became of a mail.
type delivery struct{ Words, Badge, Reason string }

func newDelivery(state notify.State, reason string) delivery {
	switch state {
	case notify.Queued:
		return delivery{"waiting to be sent", "wait", reason}
	case notify.Sent:
		return delivery{"sent", "good", ""}
	case notify.Cancelled:
		return delivery{"not sent", "wait", reason}
	case notify.Dead, notify.Dropped:
		return delivery{"could not be delivered", "bad", reason}
	}
	return delivery{"no mail", "wait", ""}
}

package main

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// An emailsPage is the account's e-mail history.
type emailsPage struct {
	*visit
	Filter emailFilter
	States []emailState
	Kinds  []emailKind
	Emails []email
	Next   access.Cursor
}

// An emailFilter is what the page's form selects by.
type emailFilter struct {
	State, Kind  string
	Since, Until string // Days.
}

// An emailState is a choice of the filter: states of a mail under one name.
type emailState struct {
	Key, Label string
	states     []notify.State
}

var emailStates = []emailState{
	{"sent", "Sent", []notify.State{notify.Sent}},
	{"waiting", "Waiting to be sent", []notify.State{notify.Queued}},
	{"cancelled", "Not sent", []notify.State{notify.Cancelled}},
	{"dead", "Could not be delivered", []notify.State{notify.Dead, notify.Dropped}},
}

// An emailKind is a choice of the filter: what a mail is about.
type emailKind struct {
	Kind  notify.Kind
	Label string
}

// kindWords say what mails are about, by kind.
var kindWords = map[notify.Kind]string{
	"access.changed":      "Access given or changed",
	"access.removed":      "Access removed",
	"alternate.added":     "Alternate address of the owner",
	"contact.added":       "Contact added",
	"contact.moved":       "Contact's address changed",
	mailContactTest:       "Test mail to a contact",
	"contact.verify":      "Contact's address to be confirmed",
	"invite":              "Invite",
	"invite.accepted":     "Invite accepted",
	"invite.asked":        "New link for an invite wanted",
	mailInvoicePaid:       "Invoice paid",
	"owner.changed":       "Owner changed",
	"preferences.changed": "E-mail preferences changed",
	mailTicketOpened:      "Ticket opened",
}

// aboutOf says what mails of a kind are about.
func aboutOf(kind notify.Kind) string {
	if words, ok := kindWords[kind]; ok {
		return words
	}
	return string(kind)
}

// emailKinds are the kinds of mail that the services and the portal send for accounts.
func (p *portal) emailKinds() []emailKind {
	var kinds []emailKind
	for _, each := range p.previewers() {
		for _, kind := range each.Kinds() {
			kinds = append(kinds, emailKind{kind, aboutOf(kind)})
		}
	}
	return append(kinds, emailKind{mailContactTest, aboutOf(mailContactTest)})
}

var errEmailFilter = statusError{http.StatusBadRequest, "These e-mails can't be selected. Go back and choose from the lists."}

// emailFilterOf reads the form's fields. What the form doesn't offer is refused.
func (p *portal) emailFilterOf(fields url.Values, zone *time.Location) (emailFilter, access.MessageFilter, error) {
	typed := emailFilter{fields.Get("state"), fields.Get("kind"), fields.Get("since"), fields.Get("until")}
	var filter access.MessageFilter
	if typed.State != "" {
		index := slices.IndexFunc(emailStates, func(s emailState) bool { return s.Key == typed.State })
		if index < 0 {
			return typed, filter, errEmailFilter
		}
		filter.States = emailStates[index].states
	}
	if typed.Kind != "" {
		if !slices.ContainsFunc(p.emailKinds(), func(k emailKind) bool { return string(k.Kind) == typed.Kind }) {
			return typed, filter, errEmailFilter
		}
		filter.Kinds = []notify.Kind{notify.Kind(typed.Kind)}
	}
	var err error
	filter.Since, filter.Until, err = daysOf(typed.Since, typed.Until, zone)
	return typed, filter, err
}

// Query is the filter as the query of a link.
func (f emailFilter) Query() template.URL {
	fields := url.Values{}
	for name, value := range map[string]string{"state": f.State, "kind": f.Kind, "since": f.Since, "until": f.Until} {
		if value != "" {
			fields.Set(name, value)
		}
	}
	return template.URL(fields.Encode())
}

func (p *portal) showEmails(w http.ResponseWriter, r *http.Request, v *visit) error {
	typed, filter, err := p.emailFilterOf(r.Form, v.Zone)
	if err != nil {
		return err
	}
	list, err := p.members.Messages(r.Context(), v.actor, v.Account.ID, filter, pageAsked(r))
	if err != nil {
		return err
	}
	content := emailsPage{visit: v, Filter: typed, States: emailStates, Kinds: p.emailKinds(), Next: list.Next}
	for _, message := range list.Items {
		content.Emails = append(content.Emails, newEmail(message))
	}
	return p.show(w, r, v, "emails", "E-mails", content)
}

package main

import (
	"html/template"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/rosterkit/roster/access"
)

// An activityPage is the account's history in sentences.
type activityPage struct {
	*visit
	Filter activityFilter
	Groups []activityGroup
	Lines  []activityLine
	Next   access.Cursor
}

// An activityLine is one event.
type activityLine struct {
	access.Event
	Sentence string
	Changes  []string
}

// An activityFilter is what the page's form and the exports select by.
type activityFilter struct {
	Group        string
	Since, Until string // Days.
	Mine         bool   // Only what concerns the visitor.
}

// An activityGroup is a choice of the filter: kinds of event by what they are about.
type activityGroup struct{ Key, Label, prefix string }

var activityGroups = []activityGroup{
	{"users", "Users", "member."},
	{"invites", "Invites", "invite."},
	{"contacts", "Contacts and preferences", "contact."},
	{"account", "The account", "account."},
}

var eventKinds = []access.EventKind{
	access.EventAccountCreated, access.EventAccountUpdated, access.EventAccountPolicySet, access.EventAccountSuspended,
	access.EventAccountReactivated, access.EventAccountClosed, access.EventOwnerChanged, access.EventOwnerSteppedDown,
	access.EventMemberAdded, access.EventMemberPermissions, access.EventMemberExpiry, access.EventMemberLabel,
	access.EventMemberSuspended, access.EventMemberReinstated, access.EventMemberRemoved, access.EventMemberLeft,
	access.EventInviteSent, access.EventInviteResent, access.EventInviteEdited, access.EventInviteRevoked,
	access.EventInviteDeclined, access.EventInviteAccepted, access.EventInviteAsked,
	access.EventContactAdded, access.EventContactUpdated, access.EventContactRemoved,
	access.EventContactVerificationSent, access.EventContactVerified, access.EventContactUnsubscribed, access.EventPreferencesChanged,
}

// kindsOf are the kinds of event in a group; none selects them all.
func kindsOf(group string) []access.EventKind {
	var kinds []access.EventKind
	for _, choice := range activityGroups {
		if choice.Key != group {
			continue
		}
		for _, kind := range eventKinds {
			if strings.HasPrefix(string(kind), choice.prefix) {
				kinds = append(kinds, kind)
			}
		}
	}
	switch group {
	case "contacts":
		kinds = append(kinds, access.EventPreferencesChanged)
	case "account":
		kinds = append(kinds, access.EventOwnerChanged, access.EventOwnerSteppedDown)
	}
	return kinds
}

// activityFilterOf reads the form's fields. A day that can't be one is a statusError.
func activityFilterOf(v *visit, fields url.Values) (activityFilter, access.EventFilter, error) {
	typed := activityFilter{
		Group: fields.Get("group"), Since: fields.Get("since"), Until: fields.Get("until"), Mine: fields.Get("mine") != "",
	}
	filter := access.EventFilter{Kinds: kindsOf(typed.Group)}
	if typed.Mine {
		filter.Concerns = v.Person.user()
	}
	var err error
	filter.Since, filter.Until, err = daysOf(typed.Since, typed.Until, v.Zone)
	return typed, filter, err
}

// Query is the filter as the query of a link.
func (f activityFilter) Query() template.URL {
	fields := url.Values{}
	for name, value := range map[string]string{"group": f.Group, "since": f.Since, "until": f.Until} {
		if value != "" {
			fields.Set(name, value)
		}
	}
	if f.Mine {
		fields.Set("mine", "yes")
	}
	return template.URL(fields.Encode())
}

func (p *portal) showActivity(w http.ResponseWriter, r *http.Request, v *visit) error {
	typed, filter, err := activityFilterOf(v, r.Form)
	if err != nil {
		return err
	}
	list, err := p.members.History(r.Context(), v.actor, v.Account.ID, filter, pageAsked(r))
	if err != nil {
		return err
	}
	content := activityPage{visit: v, Filter: typed, Groups: activityGroups, Next: list.Next}
	tell := p.newTeller(r, v)
	for _, event := range list.Items {
		content.Lines = append(content.Lines, activityLine{event, tell.sentence(event), tell.changes(event)})
	}
	return p.show(w, r, v, "activity", "Activity", content)
}

// events are all events that a request's filter selects, newest first.
func (p *portal) events(r *http.Request, v *visit) (iter.Seq2[access.Event, error], error) {
	_, filter, err := activityFilterOf(v, r.Form)
	if err != nil {
		return nil, err
	}
	return access.Walk(func(page access.Page) (access.List[access.Event], error) {
		page.Limit = access.MaxPage
		return p.members.History(r.Context(), v.actor, v.Account.ID, filter, page)
	}), nil
}

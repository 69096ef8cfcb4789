package main

import (
	"net/http"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

// A teller puts events into sentences. It remembers the names that it looked up.
type teller struct {
	portal  *portal
	request *http.Request
	zone    *time.Location
	names   map[string]string
}

func (p *portal) newTeller(r *http.Request, v *visit) *teller {
	return &teller{portal: p, request: r, zone: v.Zone, names: map[string]string{}}
}

// eventWords are the sentences, with %a for who acted and %t for whom it happened to.
var eventWords = map[access.EventKind]string{
	access.EventAccountCreated:          "%a created the account for %t",
	access.EventAccountUpdated:          "%a changed the account's profile",
	access.EventAccountPolicySet:        "%a changed who may be invited",
	access.EventAccountSuspended:        "%a suspended the account",
	access.EventAccountReactivated:      "%a reactivated the account",
	access.EventAccountClosed:           "%a closed the account",
	access.EventOwnerChanged:            "%a made %t the owner",
	access.EventOwnerSteppedDown:        "%a ended the ownership of %t",
	access.EventMemberAdded:             "%a gave %t access",
	access.EventMemberPermissions:       "%a changed the permissions of %t",
	access.EventMemberExpiry:            "%a changed when the access of %t ends",
	access.EventMemberLabel:             "%a changed the label of %t",
	access.EventMemberSuspended:         "%a suspended %t",
	access.EventMemberReinstated:        "%a reinstated %t",
	access.EventMemberRemoved:           "%a removed the access of %t",
	access.EventMemberLeft:              "%a left the account",
	access.EventInviteSent:              "%a invited %t",
	access.EventInviteResent:            "%a sent the invite to %t again",
	access.EventInviteEdited:            "%a changed the invite to %t",
	access.EventInviteRevoked:           "%a revoked the invite to %t",
	access.EventInviteDeclined:          "%a declined the invite to %t",
	access.EventInviteAccepted:          "%a accepted the invite to %t",
	access.EventInviteAsked:             "%a asked for a new link of the invite to %t",
	access.EventContactAdded:            "%a added the contact %t",
	access.EventContactUpdated:          "%a changed the contact %t",
	access.EventContactRemoved:          "%a removed the contact %t",
	access.EventContactVerificationSent: "%a asked the contact %t to confirm its address",
	access.EventContactVerified:         "The contact %t confirmed its address",
	access.EventContactUnsubscribed:     "The contact %t switched off a kind of mail",
	access.EventPreferencesChanged:      "%a changed the e-mail preferences of %t",
}

// sentence says what happened.
func (t *teller) sentence(event access.Event) string {
	words, ok := eventWords[event.Kind]
	if !ok {
		words = "%a: " + string(event.Kind)
	}
	if event.Kind == access.EventMemberAdded && event.Target.ID == string(event.Actor.User()) {
		words = "%a joined"
	}
	return strings.NewReplacer("%a", t.actor(event), "%t", t.target(event)).Replace(words)
}

func (t *teller) actor(event access.Event) string {
	switch event.Actor.Kind {
	case access.ActorUser:
		return t.user(event.Actor.ID)
	case access.ActorStaff:
		return "Our support team"
	case access.ActorSystem:
		return brand
	}
	return "Somebody forgotten"
}

func (t *teller) target(event access.Event) string {
	switch {
	case event.Target.Kind == access.TargetUser:
		return t.user(event.Target.ID)
	case event.Target.Name != "":
		return event.Target.Name
	}
	return "somebody forgotten"
}

func (t *teller) user(id string) string {
	name, ok := t.names[id]
	if !ok {
		name = t.portal.nameOf(t.request, access.UserID(id))
		t.names[id] = name
	}
	return name
}

// changes lists what an event changed, in words.
func (t *teller) changes(event access.Event) []string {
	catalog := t.portal.members.Catalog()
	var changes []string
	before, after := event.Before, event.After
	if before.Permissions != after.Permissions && after.Permissions != 0 {
		changes = append(changes, "Permissions: "+summary(catalog, after.Permissions))
	}
	if lost := before.Permissions &^ after.Permissions; lost != 0 && before.Permissions != access.All {
		changes = append(changes, "Taken away: "+strings.Join(catalog.Labels(lost), ", "))
	}
	if !before.Expires.Equal(after.Expires) && !after.Expires.IsZero() {
		changes = append(changes, "Access ends: "+formatDateTime(after.Expires, t.zone))
	}
	if before.Categories != after.Categories {
		labels := t.portal.contacts.Categories().Labels(contact.Category(after.Categories))
		changes = append(changes, "Receives: "+joinWords(append(labels, noneIf(len(labels) == 0)...)))
	}
	if waiting := after.Waiting &^ before.Waiting; waiting != 0 {
		labels := t.portal.contacts.Categories().Labels(contact.Category(waiting))
		changes = append(changes, "Waits for the contact's yes: "+joinWords(labels))
	}
	for _, field := range after.Fields {
		changes = append(changes, fieldChange(field, event.Target.Before[field], event.Target.After[field]))
	}
	if event.Actor.Reason != "" {
		changes = append(changes, "Reason: "+event.Actor.Reason)
	}
	return changes
}

func fieldChange(field, before, after string) string {
	name := strings.ReplaceAll(strings.ReplaceAll(field, "_", " "), ".", " ")
	switch {
	case before == "" && after == "":
		return "Changed: " + name
	case before == "":
		return "New " + name + ": " + after
	case after == "":
		return "Removed " + name + ": " + before
	}
	return "Changed " + name + ": " + before + " → " + after
}

func noneIf(empty bool) []string {
	if empty {
		return []string{"nothing"}
	}
	return nil
}

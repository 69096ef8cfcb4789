package main

import (
	"errors"
	"net/http"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesshttp"
)

// refusalWords are this portal's own words for the library's refusals, by code. What isn't here
// has words by its kind.
var refusalWords = map[string]string{
	"denies.account_suspended": "The account is suspended. Nobody can be given more access until it is active again.",
	"denies.closed":            "The account is closed.",
	"address.empty":            "Type an e-mail address.",
	"address.long":             "An e-mail address has at most 254 characters.",
	"address.text":             "The e-mail address must not contain blanks or invisible characters.",
	"address.local":            "This is not an e-mail address: check the part before the @.",
	"address.domain":           "This is not an e-mail address: check the part after the @.",
	"category.beyond":          "You can switch on only e-mails about what you may see yourself.",
	"category.required": "At least one address must receive Domain Emails, as the registries demand. " +
		"Switch them on for a contact first, then switch them off here.",
	"contact.exists":        "There is a contact with this e-mail address already.",
	"contact.generations":   "This contact was mailed too many links.",
	"contact.per_account":   "The account has sent too many mails to contacts today. Try again tomorrow.",
	"contact.per_actor":     "You have sent too many mails to contacts today. Try again tomorrow.",
	"contact.per_recipient": "This contact has received too many such mails today. Try again tomorrow.",
	"contact.verified":      "This contact has confirmed its address already.",
	"contact.wait":          "This contact was mailed a link less than a minute ago. Wait a moment, then try again.",
	"country.text":          "Write the country as two capital letters, such as AT or GB.",
	"denies.self":           "You can't change your own access, except to leave the account.",
	"invite.declined":       "This invite was declined.",
	"invite.domain":         "This account invites addresses of certain domains only, and this is not one of them.",
	"invite.expired":        "This invite has expired. It can be sent again.",
	"invite.generations":    "This invite was sent too often. Revoke it and send a new one.",
	"invite.inviter":        "The person who sent this invite may no longer do so. Ask the account for a new one.",
	"invite.live":           "The account has too many open invites. Revoke some first.",
	"invite.per_account":    "The account has sent too many invites today. Try again tomorrow.",
	"invite.per_actor":      "You have sent too many invites today. Try again tomorrow.",
	"invite.per_recipient":  "This address has received too many invites today. Try again tomorrow.",
	"invite.replaced":       "This link was replaced by a newer mail.",
	"invite.revoked":        "This invite was revoked.",
	"invite.used":           "This invite was used already.",
	"invite.wait":           "This invite was sent less than a minute ago. Wait a moment, then send it again.",
	"locale.text":           "Write the language as a tag such as en-GB.",
	"locale.unknown":        "There is no such language. Write it as a tag such as en-GB.",
	"member.exists":         "This person has access to the account already.",
	"owner":                 "The owner can't be restricted or removed. To change the owner, contact support.",
	"permissions.beyond":    "This concerns permissions that you don't hold yourself. Ask the owner.",
	"permissions.empty":     "Choose at least one permission.",
	"permissions.unknown":   "One of the permissions isn't known here.",
	"phone.text":            "A phone number has digits, blanks and + - ( ) . / only.",
	"seats.used":            "All seats of the account are used. Remove somebody or revoke an invite first.",
	"text.control":          "The text contains characters that can't be shown.",
	"text.empty":            "Fill in this field.",
	"text.long":             "The text is too long.",
	"time.order":            "The end must come after the start.",
	"time.past":             "Choose a day in the future.",
	"time_zone.unknown":     "This time zone isn't known. Write it like Europe/Vienna.",
}

// formFields are the names of form fields for the library's names of inputs, where they differ.
var formFields = map[string]string{
	"categories": "category", "permissions": "permission", "time_zone": "time-zone",
	"billing.country": "billing-country", "postal.country": "postal-country",
}

// refusal returns the library's refusal in an error as this portal says it: status and words.
// Errors that aren't refusals have none.
func refusal(err error) (statusError, bool) {
	if errors.Is(err, accesshttp.ErrAnonymous) {
		return statusError{}, false
	}
	if own, ok := errors.AsType[fieldError](err); ok {
		return statusError{http.StatusUnprocessableEntity, own.message}, true
	}
	status, words := 0, ""
	switch {
	case errors.Is(err, access.ErrNotFound):
		return errNotFound, true
	case errors.Is(err, access.ErrDenied):
		status = http.StatusForbidden
		words = "You don't have the permission for this in this account. If you need it, ask the owner of the account."
	case errors.Is(err, access.ErrInvalid):
		status, words = http.StatusUnprocessableEntity, "Something in the form isn't right."
	case errors.Is(err, access.ErrExists), errors.Is(err, access.ErrOwner), errors.Is(err, access.ErrLimit):
		status, words = http.StatusConflict, "This can't be done right now."
	default:
		return statusError{}, false
	}
	if detail, ok := errors.AsType[*access.Error](err); ok && refusalWords[detail.Code] != "" {
		words = refusalWords[detail.Code]
	}
	return statusError{status, words}, true
}

// mistake returns the refusal of a form's content, at its field. Refusals that have nothing to do
// with the form's content are none.
func mistake(err error) *fieldProblem {
	if own, ok := errors.AsType[fieldError](err); ok {
		return &fieldProblem{own.field, own.message}
	}
	detail, ok := errors.AsType[*access.Error](err)
	if !ok || errors.Is(err, access.ErrNotFound) || refusalWords[detail.Code] == "" && !errors.Is(err, access.ErrInvalid) {
		return nil
	}
	words, _ := refusal(err)
	field := detail.Field
	if name, ok := formFields[field]; ok {
		field = name
	}
	return &fieldProblem{field, words.message}
}

// settle ends an action: it says what happened and shows the next page. What is refused with an
// explanation, for example until tomorrow, is said there as well; everything else is the error's page.
func (p *portal) settle(w http.ResponseWriter, r *http.Request, next string, err error, done string) error {
	if err == nil {
		p.say(r, "success", done)
		return redirect(w, r, next)
	}
	words, ok := refusal(err)
	if !ok || words.status == http.StatusNotFound || words.status == http.StatusForbidden && mistake(err) == nil {
		return err
	}
	p.say(r, "problem", words.message)
	return redirect(w, r, next)
}

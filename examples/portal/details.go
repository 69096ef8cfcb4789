package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

// A detailsPage is Account Details: the account's profile and e-mail preferences.
type detailsPage struct {
	*visit
	Profile     access.Profile
	Owner       string // Their name.
	Preferences []preferenceForm
	Problem     *fieldProblem
}

// A preferenceForm is which e-mails one user of the account receives.
type preferenceForm struct {
	User       access.UserID
	Owner      bool // It is the owner's.
	Own        bool // It is the visitor's.
	Categories []categoryChoice
	Problem    *fieldProblem
	// Suppression says why the visitor's own address gets no mail.
	Suppression suppression
}

// MayProfile reports whether the visitor may change the profile.
func (v *visit) MayProfile() bool { return v.Can(access.ModifyProfile) }

func (p *portal) showDetails(w http.ResponseWriter, r *http.Request, v *visit) error {
	content, err := p.detailsPage(r, v)
	if err != nil {
		return err
	}
	return p.show(w, r, v, "details", "Account Details", content)
}

func (p *portal) detailsPage(r *http.Request, v *visit) (detailsPage, error) {
	content := detailsPage{visit: v, Profile: v.Account.Profile, Owner: p.nameOf(r, v.Account.Owner)}
	users := []access.UserID{v.Person.user()}
	if v.Account.Status == access.AccountClosed {
		users = nil
	}
	if !v.Grant.Owner && v.Can(access.ModifyProfile) {
		users = append(users, v.Account.Owner)
	}
	for _, user := range users {
		form, err := p.preferenceForm(r, v, user)
		if err != nil {
			return detailsPage{}, err
		}
		content.Preferences = append(content.Preferences, form)
	}
	return content, nil
}

func (p *portal) preferenceForm(r *http.Request, v *visit, user access.UserID) (preferenceForm, error) {
	chosen, err := p.contacts.Preferences(r.Context(), v.actor, v.Account.ID, user)
	if err != nil {
		return preferenceForm{}, err
	}
	form := preferenceForm{User: user, Owner: user == v.Account.Owner, Own: user == v.Person.user()}
	form.Categories = p.preferenceChoices(v, user, chosen)
	if form.Own {
		suppressed, err := p.suppressions(r.Context(), v.Person.Address)
		if err != nil {
			return preferenceForm{}, err
		}
		form.Suppression = suppressed[v.Person.Address.Canonical()]
	}
	return form, nil
}

func (p *portal) preferenceChoices(v *visit, user access.UserID, chosen contact.Category) []categoryChoice {
	choices := categoryChoices(p.contacts.Categories(), chosen, func(reveals access.Permission) bool {
		return user == v.Account.Owner || v.Can(reveals)
	})
	for i, choice := range choices {
		if choice.Chosen && choice.Note != "" {
			choices[i].Note = "You receive them while you may see this in the portal, which you may not now."
		}
	}
	return choices
}

// nameOf is how pages call a user: by name, else by address, else by id.
func (p *portal) nameOf(r *http.Request, user access.UserID) string {
	known, err := p.members.User(r.Context(), user)
	switch {
	case err != nil || known.Name == "" && known.Address.IsZero():
		return string(user)
	case known.Name == "":
		return known.Address.Original()
	}
	return known.Name
}

func (p *portal) saveProfile(w http.ResponseWriter, r *http.Request, v *visit) error {
	profile := profileOf(r.PostForm)
	_, err := p.members.UpdateAccount(r.Context(), v.actor, v.Account.ID, profile)
	if problem := mistake(err); problem != nil {
		content, err := p.detailsPage(r, v)
		if err != nil {
			return err
		}
		content.Profile, content.Problem = profile, problem
		return p.showStatus(w, r, v, http.StatusUnprocessableEntity, "details", "Account Details", content)
	}
	return p.settle(w, r, v.Path("/details"), err, "The profile is saved.")
}

func (p *portal) savePreferences(w http.ResponseWriter, r *http.Request, v *visit) error {
	user := access.UserID(r.PathValue("user"))
	chosen, err := p.contacts.Categories().Parse(r.PostForm["category"]...)
	if user == v.Account.Owner && chosen == p.contacts.Categories().Known() {
		chosen = contact.All // An owner with every box ticked receives the categories of tomorrow, too.
	}
	if err == nil {
		_, err = p.contacts.SetPreferences(r.Context(), v.actor, v.Account.ID, user, chosen)
	}
	if problem := mistake(err); problem != nil {
		return p.refusePreferences(w, r, v, user, chosen, problem, err)
	}
	return p.settle(w, r, v.Path("/details"), err, "The e-mail preferences are saved.")
}

// refusePreferences shows the page again with what was chosen, and says next to a category why it was refused.
func (p *portal) refusePreferences(w http.ResponseWriter, r *http.Request, v *visit, user access.UserID, chosen contact.Category,
	problem *fieldProblem, refused error) error {
	content, err := p.detailsPage(r, v)
	if err != nil {
		return err
	}
	for i, form := range content.Preferences {
		if form.User == user {
			choices := p.preferenceChoices(v, user, chosen)
			content.Preferences[i].Categories = choices
			content.Preferences[i].Problem = refuseChoice(choices, problem, refused)
		}
	}
	return p.showStatus(w, r, v, http.StatusUnprocessableEntity, "details", "Account Details", content)
}

// profileOf reads the profile's form.
func profileOf(fields url.Values) access.Profile {
	text := func(name string) string { return strings.TrimSpace(fields.Get(name)) }
	return access.Profile{
		Name: text("name"), Company: text("company"), Phone: text("phone"), Locale: text("locale"), TimeZone: text("time-zone"),
		Billing: postalAddress(fields, "billing"), Postal: postalAddress(fields, "postal"),
	}
}

// postalAddress reads the lines of an address whose field names begin with a prefix.
func postalAddress(fields url.Values, prefix string) access.PostalAddress {
	line := func(name string) string { return strings.TrimSpace(fields.Get(prefix + "-" + name)) }
	return access.PostalAddress{Street: line("street"), City: line("city"), Region: line("region"),
		PostalCode: line("postal-code"), Country: strings.ToUpper(line("country"))}
}

// notThere makes an id that can't be one look like one that isn't there.
func notThere(err error) error {
	if errors.Is(err, access.ErrInvalid) {
		return errNotFound
	}
	return err
}

package main

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

// A contactsPage lists an account's contacts and has the form for a new one.
type contactsPage struct {
	*visit
	Search   string
	Contacts []contactRow
	Next     access.Cursor
	Form     contactForm
}

// A contactPage is about one contact, or asks before removing it.
type contactPage struct {
	*visit
	Contact contactRow
	Form    contactForm
}

// A contactForm is what is typed about a contact.
type contactForm struct {
	Name, Address, Company, Phone, Label, Locale string
	Postal                                       access.PostalAddress
	Categories                                   []categoryChoice
	Problem                                      *fieldProblem
}

// Unfolded reports whether all fields are shown, as one of those that are folded away may be what is wrong.
func (f contactForm) Unfolded() bool {
	return f.Problem != nil && !strings.HasPrefix(f.Problem.Field, "category-")
}

// MayEdit reports whether the visitor may add and change contacts, and have them mailed: in a suspended account, where
// they may still be seen and removed, nobody can.
func (v *visit) MayEdit() bool { return v.Can(access.ManageContacts) }

func (p *portal) showContacts(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.renderContacts(w, r, v, http.StatusOK, contactForm{Categories: p.contactChoices(v, contact.Contact{}, 0)})
}

func (p *portal) renderContacts(w http.ResponseWriter, r *http.Request, v *visit, status int, form contactForm) error {
	search := strings.TrimSpace(r.FormValue("search"))
	list, err := p.contacts.Contacts(r.Context(), v.actor, v.Account.ID, contact.Filter{Prefix: search}, pageAsked(r))
	if err != nil {
		return err
	}
	content := contactsPage{visit: v, Search: search, Next: list.Next, Form: form}
	if content.Contacts, err = p.contactRows(r.Context(), v, list.Items...); err != nil {
		return err
	}
	return p.showStatus(w, r, v, status, "contacts", "Contacts", content)
}

// contactChoices are the boxes of a contact's categories, the zero Contact for a new one. What it receives already may be
// chosen by everybody.
func (p *portal) contactChoices(v *visit, before contact.Contact, chosen contact.Category) []categoryChoice {
	categories := p.contacts.Categories()
	choices := categoryChoices(categories, chosen, func(reveals access.Permission) bool {
		return v.Can(reveals) || categories.Reveals(before.Details().Categories).Has(reveals)
	})
	for i, choice := range choices {
		if before.Unsubscribed.Has(choice.Category) {
			choices[i].Note = "The contact has switched this off. Tick it to ask for it by mail: it begins when the contact says yes."
		}
		if before.Waiting.Has(choice.Category) {
			choices[i].Note = "The contact was asked by mail: it begins when the contact says yes."
		}
	}
	return choices
}

// typedContact shows what was typed, and why it was refused.
func (p *portal) typedContact(v *visit, fields url.Values, before contact.Contact, problem *fieldProblem, refused error) contactForm {
	chosen, _ := p.contacts.Categories().Parse(fields["category"]...)
	form := contactForm{
		Name: fields.Get("name"), Address: fields.Get("address"), Company: fields.Get("company"),
		Phone: fields.Get("phone"), Label: fields.Get("label"), Locale: fields.Get("locale"), Postal: postalAddress(fields, "postal"),
		Categories: p.contactChoices(v, before, chosen),
	}
	form.Problem = refuseChoice(form.Categories, problem, refused)
	return form
}

// detailsOf reads the form of a contact.
func (p *portal) detailsOf(fields url.Values) (contact.Details, error) {
	address, err := access.ParseAddress(strings.TrimSpace(fields.Get("address")))
	if err != nil {
		return contact.Details{}, err
	}
	categories, err := p.contacts.Categories().Parse(fields["category"]...)
	if err != nil {
		return contact.Details{}, err
	}
	return contact.Details{
		Name: strings.TrimSpace(fields.Get("name")), Address: address, Company: strings.TrimSpace(fields.Get("company")),
		Postal: postalAddress(fields, "postal"), Phone: strings.TrimSpace(fields.Get("phone")),
		Label: strings.TrimSpace(fields.Get("label")), Categories: categories, Locale: strings.TrimSpace(fields.Get("locale")),
	}, nil
}

func (p *portal) addContact(w http.ResponseWriter, r *http.Request, v *visit) error {
	details, err := p.detailsOf(r.PostForm)
	if err == nil {
		_, _, err = p.contacts.Add(r.Context(), v.actor, v.Account.ID, details)
	}
	if problem := mistake(err); problem != nil {
		form := p.typedContact(v, r.PostForm, contact.Contact{}, problem, err)
		return p.renderContacts(w, r, v, http.StatusUnprocessableEntity, form)
	}
	return p.settle(w, r, v.Path("/contacts"), err, details.Name+" is a contact now, and is asked by mail to confirm the address.")
}

func (p *portal) findContact(r *http.Request, v *visit) (contactRow, error) {
	found, err := p.contacts.Contact(r.Context(), v.actor, v.Account.ID, contact.ID(r.PathValue("contact")))
	if err != nil {
		return contactRow{}, notThere(err)
	}
	rows, err := p.contactRows(r.Context(), v, found)
	if err != nil {
		return contactRow{}, err
	}
	return rows[0], nil
}

func (p *portal) showContact(w http.ResponseWriter, r *http.Request, v *visit) error {
	found, err := p.findContact(r, v)
	if err != nil {
		return err
	}
	return p.show(w, r, v, "contact", found.Name, contactPage{v, found, contactForm{
		Name: found.Name, Address: found.Address.Original(), Company: found.Company, Phone: found.Phone, Label: found.Label,
		Locale: found.Locale, Postal: found.Postal, Categories: p.contactChoices(v, found.Contact, found.Details().Categories),
	}})
}

func (p *portal) updateContact(w http.ResponseWriter, r *http.Request, v *visit) error {
	found, err := p.findContact(r, v)
	if err != nil {
		return err
	}
	details, err := p.detailsOf(r.PostForm)
	if err == nil {
		_, err = p.contacts.Update(r.Context(), v.actor, v.Account.ID, found.ID, details)
	}
	if problem := mistake(err); problem != nil {
		content := contactPage{v, found, p.typedContact(v, r.PostForm, found.Contact, problem, err)}
		return p.showStatus(w, r, v, http.StatusUnprocessableEntity, "contact", found.Name, content)
	}
	return p.settle(w, r, v.Path("/contacts"), err, "The contact "+details.Name+" is saved.")
}

// sendVerification asks a contact by mail to confirm its address, and what waits for its word.
func (p *portal) sendVerification(w http.ResponseWriter, r *http.Request, v *visit) error {
	found, err := p.findContact(r, v)
	if err != nil {
		return err
	}
	if found.Suppression.Kind != 0 { // The mail would be cancelled.
		err = fieldError{"address", found.Suppression.Words}
	} else {
		_, err = p.contacts.SendVerification(r.Context(), v.actor, v.Account.ID, found.ID)
	}
	return p.settle(w, r, v.Path("/contacts/"+string(found.ID)), err,
		found.Address.Original()+" is asked by mail, with a link that is valid for 72 hours. Links in earlier mails no longer work.")
}

func (p *portal) confirmRemoveContact(w http.ResponseWriter, r *http.Request, v *visit) error {
	found, err := p.findContact(r, v)
	if err != nil {
		return err
	}
	return p.show(w, r, v, "contact-remove", "Remove Contact", contactPage{visit: v, Contact: found})
}

func (p *portal) removeContact(w http.ResponseWriter, r *http.Request, v *visit) error {
	found, err := p.findContact(r, v)
	if err != nil {
		return err
	}
	_, err = p.contacts.Remove(r.Context(), v.actor, v.Account.ID, found.ID)
	return p.settle(w, r, v.Path("/contacts"), err, found.Name+" is no longer a contact and receives no more mail.")
}

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

type contactRow struct {
	contact.Contact
	Labels []string // Of its categories.
}

// A contactPage edits one contact, or asks before removing it.
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

type categoryChoice struct {
	contact.CategoryDefinition
	Chosen  bool
	Allowed bool
}

// categoryChoices lists the categories with what is chosen. Who lacks what a category reveals
// can't switch it on, and leaves it as it is.
func categoryChoices(categories *contact.Categories, chosen contact.Category,
	allowed func(access.Permission) bool) []categoryChoice {
	var choices []categoryChoice
	for _, definition := range categories.Definitions() {
		has := chosen.Has(definition.Category)
		choices = append(choices, categoryChoice{definition, has, has || definition.Reveals == 0 || allowed(definition.Reveals)})
	}
	return choices
}

func (p *portal) contactRow(found contact.Contact) contactRow {
	return contactRow{found, p.contacts.Categories().Labels(found.Categories)}
}

func (p *portal) showContacts(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.renderContacts(w, r, v, http.StatusOK, contactForm{Categories: categoryChoices(p.contacts.Categories(), 0, v.Can)})
}

func (p *portal) renderContacts(w http.ResponseWriter, r *http.Request, v *visit, status int, form contactForm) error {
	search := strings.TrimSpace(r.FormValue("search"))
	list, err := p.contacts.Contacts(r.Context(), v.actor, v.Account.ID, contact.Filter{Prefix: search}, pageAsked(r))
	if err != nil {
		return err
	}
	content := contactsPage{visit: v, Search: search, Next: list.Next, Form: form}
	for _, found := range list.Items {
		content.Contacts = append(content.Contacts, p.contactRow(found))
	}
	return p.showStatus(w, r, v, status, "contacts", "Contacts", content)
}

// typedContact shows what was typed.
func (p *portal) typedContact(v *visit, fields url.Values, before contact.Category, problem *fieldProblem) contactForm {
	chosen, _ := p.contacts.Categories().Parse(fields["category"]...)
	form := contactForm{
		Name: fields.Get("name"), Address: fields.Get("address"), Company: fields.Get("company"),
		Phone: fields.Get("phone"), Label: fields.Get("label"), Locale: fields.Get("locale"), Postal: postalAddress(fields, "postal"), Problem: problem,
	}
	form.Categories = categoryChoices(p.contacts.Categories(), chosen, func(reveals access.Permission) bool {
		return v.Can(reveals) || p.contacts.Categories().Reveals(before).Has(reveals)
	})
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
		return p.renderContacts(w, r, v, http.StatusUnprocessableEntity, p.typedContact(v, r.PostForm, 0, problem))
	}
	return p.settle(w, r, v.Path("/contacts"), err, details.Name+" is a contact now, and is told so by mail.")
}

func (p *portal) findContact(r *http.Request, v *visit) (contactRow, error) {
	found, err := p.contacts.Contact(r.Context(), v.actor, v.Account.ID, contact.ID(r.PathValue("contact")))
	if err != nil {
		return contactRow{}, notThere(err)
	}
	return p.contactRow(found), nil
}

func (p *portal) showContact(w http.ResponseWriter, r *http.Request, v *visit) error {
	found, err := p.findContact(r, v)
	if err != nil {
		return err
	}
	return p.show(w, r, v, "contact", "Edit Contact", contactPage{v, found, contactForm{
		Name: found.Name, Address: found.Address.Original(), Company: found.Company, Phone: found.Phone, Label: found.Label,
		Locale: found.Locale, Postal: found.Postal, Categories: categoryChoices(p.contacts.Categories(), found.Categories, v.Can),
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
		content := contactPage{v, found, p.typedContact(v, r.PostForm, found.Categories, problem)}
		return p.showStatus(w, r, v, http.StatusUnprocessableEntity, "contact", "Edit Contact", content)
	}
	return p.settle(w, r, v.Path("/contacts"), err, "The contact "+details.Name+" is saved.")
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

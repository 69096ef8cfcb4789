package main

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesshttp"
)

// A visit is a person in an account: what every page of an account begins with.
type visit struct {
	Person  person
	Account access.Account
	Grant   access.Grant
	Zone    *time.Location // The account's.
	Now     time.Time
	actor   access.Actor
}

// A visitFunc is a page of an account. Its guard has let the person in.
type visitFunc func(w http.ResponseWriter, r *http.Request, v *visit) error

// visit turns a page of an account into a handler; it belongs behind a guard.
func (p *portal) visit(fn visitFunc) http.Handler {
	return p.page(func(w http.ResponseWriter, r *http.Request) error {
		who, err := visitor(r)
		if err != nil {
			return err
		}
		id, _ := accesshttp.AccountFrom(r.Context())
		grant, _ := accesshttp.GrantFrom(r.Context())
		actor := who.actor(r)
		account, err := p.members.Account(r.Context(), actor, id)
		if err != nil {
			return err
		}
		return fn(w, r, &visit{Person: who, Account: account, Grant: grant, Zone: zoneOf(account.Profile.TimeZone),
			Now: p.now(), actor: actor})
	})
}

// Can reports whether the person may use a permission now.
func (v *visit) Can(p access.Permission) bool { return v.Grant.Can(p, v.Now) }

// Holds reports whether the person holds a permission, even if it can't be used while the account
// is suspended.
func (v *visit) Holds(p access.Permission) bool { return v.Grant.Held(v.Now).Has(p) }

// Manages reports whether the person manages the account's members.
func (v *visit) Manages() bool { return v.Holds(access.ManageUsers) }

// Path is where a page of the account is.
func (v *visit) Path(rest string) string { return accountPath(v.Account.ID) + rest }

// pageAsked is the page of a list that a link "more" asks for.
func pageAsked(r *http.Request) access.Page {
	return access.Page{After: access.Cursor(r.FormValue("after"))}
}

// zoneOf is a time zone by its name; UTC if it has none or isn't known.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// show renders a page of the account, with the bar and the sidebar around it.
func (p *portal) show(w http.ResponseWriter, r *http.Request, v *visit, name, title string, content any) error {
	return p.showStatus(w, r, v, http.StatusOK, name, title, content)
}

// showStatus is show with a status of its own.
func (p *portal) showStatus(w http.ResponseWriter, r *http.Request, v *visit, status int, name, title string, content any) error {
	others, err := p.otherAccounts(r, v)
	if err != nil {
		return err
	}
	return p.pages.write(w, status, name, page{
		Title: title, Person: &v.Person, Flash: p.popFlash(r), Content: content,
		Account: &accountTab{ID: string(v.Account.ID), Name: v.Account.Profile.Name,
			Suspended: v.Account.Status == access.AccountSuspended, Closed: v.Account.Status == access.AccountClosed},
		Others: others, Sections: v.sections(r.URL.Path),
	})
}

const switcherSize = 5

// otherAccounts are the person's accounts that they used last, for the switcher.
func (p *portal) otherAccounts(r *http.Request, v *visit) ([]link, error) {
	list, err := p.members.Accounts(r.Context(), v.actor, v.Person.user(), access.AccountFilter{}, access.Page{})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list.Items, lastUsedFirst)
	var others []link
	for _, other := range list.Items {
		if other.Account.ID != v.Account.ID && len(others) < switcherSize {
			others = append(others, link{Path: accountPath(other.Account.ID), Label: other.Account.Profile.Name})
		}
	}
	return others, nil
}

func lastUsedFirst(a, b access.UserAccount) int {
	return cmp.Or(b.Membership.LastSeen.Compare(a.Membership.LastSeen), cmp.Compare(a.Account.Profile.Name, b.Account.Profile.Name))
}

// sections is the sidebar: the pages that the person may see.
func (v *visit) sections(current string) []section {
	everybody := func(access.Permission) bool { return true }
	var sections []section
	for _, group := range []struct {
		heading string
		pages   []sidebarPage
	}{
		{"", []sidebarPage{{"", "Overview", 0, everybody}}},
		{"Account", []sidebarPage{
			{"/details", "Account Details", 0, everybody},
			{"/users", "User Management", access.ManageUsers, v.Holds},
			{"/contacts", "Contacts", access.ManageContacts, v.Holds},
			{"/activity", "Activity", 0, everybody},
			{"/emails", "E-mails", access.ViewEmails, v.Can},
		}},
		{"Services", []sidebarPage{
			{"/services", "Services", access.ViewProducts, v.Can},
			{"/orders", "Order", access.PlaceOrders, v.Can},
			{"/domains", "Domains", access.ViewDomains, v.Can},
		}},
		{"Billing and support", []sidebarPage{
			{"/invoices", "Invoices", access.PayInvoices, v.Can},
			{"/quotes", "Quotes", access.AcceptQuotes, v.Can},
			{"/tickets", "Support Tickets", access.OpenTickets, v.Can},
			{"/affiliates", "Affiliates", access.ManageAffiliates, v.Can},
		}},
	} {
		shown := section{Heading: group.heading}
		for _, page := range group.pages {
			if page.open(page.permission) {
				shown.Links = append(shown.Links, v.link(page, current))
			}
		}
		if shown.Links != nil {
			sections = append(sections, shown)
		}
	}
	return sections
}

// A sidebarPage is a page that the sidebar lists if it is open to the person.
type sidebarPage struct {
	path, label string
	permission  access.Permission
	open        func(access.Permission) bool
}

func (v *visit) link(page sidebarPage, current string) link {
	path := v.Path(page.path)
	within := page.path != "" && strings.HasPrefix(current, path+"/")
	return link{Path: path, Label: page.label, Current: current == path || within}
}

package main

import (
	"net/http"
	"strings"

	"github.com/rosterkit/roster/access"
)

// A productPage shows things of one kind, or one thing.
type productPage struct {
	*visit
	Products []product
	Product  product
	Problem  *fieldProblem
}

func (p *portal) listPage(w http.ResponseWriter, r *http.Request, v *visit, kind, name, title string) error {
	found, err := p.products.list(r.Context(), v.Account.ID, kind)
	if err != nil {
		return err
	}
	return p.show(w, r, v, name, title, productPage{visit: v, Products: found})
}

// MayManage reports whether the visitor may see and change passwords of services.
func (v *visit) MayManage() bool { return v.Can(access.ManageProducts) }

// MaySignOn reports whether the visitor may log in to control panels from here.
func (v *visit) MaySignOn() bool { return v.Can(access.ProductSSO) }

// MaySetDomains reports whether the visitor may change domains.
func (v *visit) MaySetDomains() bool { return v.Can(access.ManageDomains) }

// MayOrder reports whether the visitor may order.
func (v *visit) MayOrder() bool { return v.Can(access.PlaceOrders) }

func (p *portal) showServices(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.listPage(w, r, v, kindService, "services", "Services")
}

func (p *portal) showPasswords(w http.ResponseWriter, r *http.Request, v *visit) error {
	service, err := p.products.find(r.Context(), v.Account.ID, kindService, r.PathValue("service"))
	if err != nil {
		return err
	}
	return p.show(w, r, v, "passwords", "Passwords", productPage{visit: v, Product: service})
}

// changePassword is a demonstration: it changes nothing anywhere and keeps no password.
func (p *portal) changePassword(w http.ResponseWriter, r *http.Request, v *visit) error {
	service, err := p.products.find(r.Context(), v.Account.ID, kindService, r.PathValue("service"))
	if err != nil {
		return err
	}
	password := r.PostFormValue("password")
	if err := checkPassword(password, password); err != nil {
		return p.settle(w, r, v.Path("/services/"+service.ID+"/passwords"), err, "")
	}
	p.say(r, "success", "The FTP password of "+service.Name+" is changed.")
	return redirect(w, r, v.Path("/services"))
}

func (p *portal) logInToPlesk(w http.ResponseWriter, r *http.Request, v *visit) error {
	service, err := p.products.find(r.Context(), v.Account.ID, kindService, r.PathValue("service"))
	if err != nil {
		return err
	}
	return p.show(w, r, v, "plesk", "Plesk", productPage{visit: v, Product: service})
}

func (p *portal) showOrders(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.listPage(w, r, v, kindOrder, "orders", "Order")
}

func (p *portal) placeOrder(w http.ResponseWriter, r *http.Request, v *visit) error {
	plan := r.PostFormValue("plan")
	if plan != "Web hosting Starter" && plan != "Web hosting Business" && plan != "Managed WordPress" {
		return fieldError{"plan", "Choose one of the plans."}
	}
	order := product{Name: plan, State: "received", Detail: "ordered by " + v.Person.Name}
	err := p.products.add(r.Context(), v.Account.ID, kindOrder, order)
	return p.settle(w, r, v.Path("/orders"), err, "Thank you! Your order of "+plan+" is received.")
}

func (p *portal) showDomains(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.listPage(w, r, v, kindDomain, "domains", "Domains")
}

func (p *portal) showDomainSettings(w http.ResponseWriter, r *http.Request, v *visit) error {
	domain, err := p.products.find(r.Context(), v.Account.ID, kindDomain, r.PathValue("domain"))
	if err != nil {
		return err
	}
	return p.show(w, r, v, "domain", "Domain Settings", productPage{visit: v, Product: domain})
}

func (p *portal) saveDomainSettings(w http.ResponseWriter, r *http.Request, v *visit) error {
	domain, err := p.products.find(r.Context(), v.Account.ID, kindDomain, r.PathValue("domain"))
	if err != nil {
		return err
	}
	server, err := access.ParseDomain(strings.TrimSpace(r.PostFormValue("name-server")))
	if err != nil {
		problem := &fieldProblem{"name-server", "This is not the name of a name server."}
		content := productPage{visit: v, Product: domain, Problem: problem}
		return p.showStatus(w, r, v, http.StatusUnprocessableEntity, "domain", "Domain Settings", content)
	}
	err = p.products.change(r.Context(), v.Account.ID, kindDomain, domain.ID, domain.State, server)
	return p.settle(w, r, v.Path("/domains"), err, "The settings of "+domain.Name+" are saved.")
}

package main

import (
	"net/http"
	"strings"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

func (p *portal) showInvoices(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.listPage(w, r, v, kindInvoice, "invoices", "Invoices")
}

func (p *portal) payInvoice(w http.ResponseWriter, r *http.Request, v *visit) error {
	invoice, err := p.products.find(r.Context(), v.Account.ID, kindInvoice, r.PathValue("invoice"))
	if err != nil {
		return err
	}
	notice := contact.Notice{ID: "invoice/" + invoice.ID + "/paid", Kind: mailInvoicePaid, Data: paidData(invoice.Name, invoice.Detail)}
	err = p.tell(r.Context(), v.Account.ID, contact.Invoice, notice, func(shelf products) error {
		return shelf.change(r.Context(), v.Account.ID, kindInvoice, invoice.ID, "paid", invoice.Detail)
	})
	return p.settle(w, r, v.Path("/invoices"), err, "Invoice "+invoice.ID+" is paid.")
}

func (p *portal) showQuotes(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.listPage(w, r, v, kindQuote, "quotes", "Quotes")
}

func (p *portal) acceptQuote(w http.ResponseWriter, r *http.Request, v *visit) error {
	quote, err := p.products.find(r.Context(), v.Account.ID, kindQuote, r.PathValue("quote"))
	if err != nil {
		return err
	}
	err = p.products.change(r.Context(), v.Account.ID, kindQuote, quote.ID, "accepted", quote.Detail)
	return p.settle(w, r, v.Path("/quotes"), err, "Quote "+quote.ID+" is accepted.")
}

func (p *portal) showTickets(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.listPage(w, r, v, kindTicket, "tickets", "Support Tickets")
}

func (p *portal) openTicket(w http.ResponseWriter, r *http.Request, v *visit) error {
	subject := strings.TrimSpace(r.PostFormValue("subject"))
	if err := access.CheckName("subject", subject); err != nil {
		return p.settle(w, r, v.Path("/tickets"), err, "")
	}
	ticket := product{Name: subject, State: "open", Detail: "opened by " + v.Person.Name}
	notice := contact.Notice{Kind: mailTicketOpened, Data: ticketData(subject, v.Person.Name)}
	err := numbered(func() error {
		return p.tell(r.Context(), v.Account.ID, contact.Support, notice, func(shelf products) error {
			return shelf.insert(r.Context(), v.Account.ID, kindTicket, ticket)
		}, v.Person.user())
	})
	return p.settle(w, r, v.Path("/tickets"), err, "Your ticket is open. We answer as soon as we can.")
}

func (p *portal) showAffiliate(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.listPage(w, r, v, kindWithdrawal, "affiliate", "Affiliates")
}

func (p *portal) requestWithdrawal(w http.ResponseWriter, r *http.Request, v *visit) error {
	withdrawal := product{Name: "Withdrawal", State: "requested", Detail: "by " + v.Person.Name}
	err := p.products.add(r.Context(), v.Account.ID, kindWithdrawal, withdrawal)
	return p.settle(w, r, v.Path("/affiliates"), err, "Your withdrawal is requested.")
}

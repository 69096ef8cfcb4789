package contact

import "github.com/rosterkit/roster/access"

// The categories of Portal. The bits are stored: none is ever renumbered or reused.
const (
	General   Category = 1 << 0
	Product   Category = 1 << 1
	Domain    Category = 1 << 2
	Invoice   Category = 1 << 3
	Support   Category = 1 << 4
	Affiliate Category = 1 << 5
)

// Portal returns the categories of a hosting company's client portal. They reveal permissions of access.Portal. Only Domain
// is required, so that an account may have nobody who receives its invoices. A host that wants more sets Required in what
// Definitions returns, and gives that to NewCategories.
func Portal() *Categories {
	s, err := NewCategories([]CategoryDefinition{{
		Category: General, Key: "general", Label: "General Emails",
		Labels: map[string]string{"de": "Allgemeine E-Mails", "fr": "E-mails généraux"},
		Help:   "Mail about the account itself: announcements, and changes that concern all of it.",
	}, {
		Category: Product, Key: "product", Label: "Product Emails",
		Labels:  map[string]string{"de": "E-Mails zu Produkten", "fr": "E-mails sur les produits"},
		Help:    "The life of services: welcome mails, suspensions, upgrades and cancellations.",
		Reveals: access.ViewProducts,
	}, {
		Category: Domain, Key: "domain", Label: "Domain Emails",
		Labels:   map[string]string{"de": "E-Mails zu Domains", "fr": "E-mails sur les domaines"},
		Help:     "Confirmations of domain registrations and transfers, and renewal notices. Registries demand that somebody receives them.",
		Reveals:  access.ViewDomains,
		Required: true,
	}, {
		Category: Invoice, Key: "invoice", Label: "Invoice Emails",
		Labels:  map[string]string{"de": "E-Mails zu Rechnungen", "fr": "E-mails de facturation"},
		Help:    "New invoices, payment confirmations, reminders and overdue notices.",
		Reveals: access.PayInvoices,
	}, {
		Category: Support, Key: "support", Label: "Support Emails",
		Labels:  map[string]string{"de": "E-Mails vom Support", "fr": "E-mails de l’assistance"},
		Help:    "A copy of every support ticket of the account and of each reply, whoever opened it.",
		Reveals: access.OpenTickets,
	}, {
		Category: Affiliate, Key: "affiliate", Label: "Affiliate Emails",
		Labels:  map[string]string{"de": "E-Mails zum Partnerprogramm", "fr": "E-mails d’affiliation"},
		Help:    "The affiliate account: referrals, commissions and withdrawals.",
		Reveals: access.ManageAffiliates,
	}})
	if err != nil {
		panic("contact: Portal: " + err.Error())
	}
	return s
}

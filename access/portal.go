package access

// The permissions of Portal. The bits are stored and sent: none is ever renumbered or reused.
const (
	ModifyProfile    Permission = 1 << 0
	ManageContacts   Permission = 1 << 1
	ViewProducts     Permission = 1 << 2
	ManageProducts   Permission = 1 << 3
	ProductSSO       Permission = 1 << 4
	ViewDomains      Permission = 1 << 5
	ManageDomains    Permission = 1 << 6
	PayInvoices      Permission = 1 << 7
	AcceptQuotes     Permission = 1 << 8
	OpenTickets      Permission = 1 << 9
	ManageAffiliates Permission = 1 << 10
	ViewEmails       Permission = 1 << 11
	PlaceOrders      Permission = 1 << 12
	ManageUsers      Permission = 1 << 13
)

// Portal returns the catalog of a hosting company's client portal: its fourteen permissions and the presets
// "developer", "accounting", "domains", "manager" and "all".
func Portal() *Catalog {
	c, err := NewCatalog(portalDefinitions(), portalPresets())
	if err != nil {
		panic("access: Portal: " + err.Error())
	}
	return c
}

func portalDefinitions() []Definition {
	return []Definition{{
		Permission: ModifyProfile, Key: "profile", Label: "Modify Master Account Profile", Group: "Account",
		Labels:    map[string]string{"de": "Stammdaten des Kontos ändern", "fr": "Modifier le profil principal du compte"},
		Help:      "Change the name, company, addresses and other details of the account holder.",
		Sensitive: true,
	}, {
		Permission: ManageContacts, Key: "contacts", Label: "View & Manage Contacts", Group: "People",
		Labels: map[string]string{"de": "Kontakte ansehen und verwalten", "fr": "Consulter et gérer les contacts"},
		Help:   "Add, edit and remove contacts, who receive e-mail and have no login.",
	}, {
		Permission: ViewProducts, Key: "products", Label: "View Products & Services", Group: "Services",
		Labels: map[string]string{"de": "Produkte und Dienste ansehen", "fr": "Consulter les produits et services"},
		Help:   "See hosting plans, services and add-ons, and their status.",
	}, {
		Permission: ManageProducts, Key: "manageproducts", Label: "View & Modify Product Passwords", Group: "Services",
		Labels:    map[string]string{"de": "Passwörter der Produkte ansehen und ändern", "fr": "Consulter et modifier les mots de passe des produits"},
		Help:      "See and change the passwords of the services on the account.",
		Warning:   "Can see and change your FTP, database, e-mail and control panel passwords.",
		Needs:     ViewProducts,
		Sensitive: true,
	}, {
		Permission: ProductSSO, Key: "productsso", Label: "Perform Single Sign-On", Group: "Services",
		Labels:    map[string]string{"de": "Single Sign-On verwenden", "fr": "Utiliser l’authentification unique"},
		Help:      "Log in to the control panel or WordPress admin from the portal, without a separate password.",
		Warning:   "Logs in to the control panel with your level of access, without seeing your passwords.",
		Needs:     ViewProducts,
		Sensitive: true,
	}, {
		Permission: ViewDomains, Key: "domains", Label: "View Domains", Group: "Domains",
		Labels: map[string]string{"de": "Domains ansehen", "fr": "Consulter les domaines"},
		Help:   "See the domains that are registered with us or were transferred to us.",
	}, {
		Permission: ManageDomains, Key: "managedomains", Label: "Manage Domain Settings", Group: "Domains",
		Labels: map[string]string{"de": "Domain-Einstellungen verwalten", "fr": "Gérer les paramètres des domaines"},
		Help:   "Change domains: name servers, WHOIS details, transfers.",
		Needs:  ViewDomains,
	}, {
		Permission: PayInvoices, Key: "invoices", Label: "View & Pay Invoices", Group: "Billing",
		Labels:         map[string]string{"de": "Rechnungen ansehen und bezahlen", "fr": "Consulter et payer les factures"},
		Help:           "See the billing history and pay outstanding invoices.",
		WhileSuspended: true,
	}, {
		Permission: AcceptQuotes, Key: "quotes", Label: "View & Accept Quotes", Group: "Billing",
		Labels: map[string]string{"de": "Angebote ansehen und annehmen", "fr": "Consulter et accepter les devis"},
		Help:   "See quotes and accept them.",
	}, {
		Permission: OpenTickets, Key: "tickets", Label: "View & Open Support Tickets", Group: "Support",
		Labels:         map[string]string{"de": "Support-Tickets ansehen und eröffnen", "fr": "Consulter et ouvrir des tickets d’assistance"},
		Help:           "Open new tickets, read existing conversations and reply to them.",
		WhileSuspended: true,
	}, {
		Permission: ManageAffiliates, Key: "affiliates", Label: "View & Manage Affiliate Account", Group: "Account",
		Labels: map[string]string{"de": "Partnerkonto ansehen und verwalten", "fr": "Consulter et gérer le compte d’affiliation"},
		Help:   "See the affiliate account and request withdrawals from it.",
	}, {
		Permission: ViewEmails, Key: "emails", Label: "View Emails", Group: "Account",
		Labels: map[string]string{"de": "E-Mails ansehen", "fr": "Consulter les e-mails"},
		Help:   "See the history of e-mail that was sent to the account.",
	}, {
		Permission: PlaceOrders, Key: "orders", Label: "Place New Orders/Upgrades/Cancellations", Group: "Services",
		Labels: map[string]string{"de": "Bestellungen, Upgrades und Kündigungen vornehmen", "fr": "Passer commande, demander des mises à niveau et des résiliations"},
		Help:   "Order new services, upgrade existing ones, and request their cancellation.",
	}, {
		Permission: ManageUsers, Key: "users", Label: "View & Manage Users", Group: "People",
		Labels:    map[string]string{"de": "Benutzer ansehen und verwalten", "fr": "Consulter et gérer les utilisateurs"},
		Help:      "Invite people, and change or remove their access, within the permissions that one holds oneself.",
		Warning:   "Like a co-owner for people: decides who else gets into the account.",
		Sensitive: true,
	}}
}

func portalPresets() []Preset {
	return []Preset{{
		Key: "developer", Label: "Developer",
		Help:        "Technical work without billing or orders. Recommended for agencies and developers.",
		Permissions: ViewProducts | ManageProducts | ProductSSO | OpenTickets,
	}, {
		Key: "accounting", Label: "Accounting",
		Help:        "Sees and pays invoices, and nothing else.",
		Permissions: PayInvoices,
	}, {
		Key: "domains", Label: "Domain manager",
		Help:        "Sees and changes everything that pertains to domains.",
		Permissions: ViewDomains | ManageDomains,
	}, {
		Key: "manager", Label: "Trusted manager",
		Help: "Every permission of today but changing the account's profile. Permissions that come later are not included.",
		Permissions: ManageContacts | ViewProducts | ManageProducts | ProductSSO | ViewDomains | ManageDomains |
			PayInvoices | AcceptQuotes | OpenTickets | ManageAffiliates | ViewEmails | PlaceOrders | ManageUsers,
	}, {
		Key: KeyAll, Label: "All permissions",
		Help:        "Full access to the account, like a co-owner: every permission of today and every one that comes later.",
		Permissions: All,
	}}
}

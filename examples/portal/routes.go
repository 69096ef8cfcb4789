package main

import (
	"net/http"

	"github.com/rosterkit/roster/access"
)

// routes maps every method and path to its page. Pages of an account name who is let in.
func (p *portal) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /static/", staticFiles())
	p.routeEverybody(func(pattern string, page pageFunc) { mux.Handle(pattern, p.page(page)) })
	p.routeAccount(func(pattern string, let middleware, page visitFunc) { mux.Handle(pattern, let(p.visit(page))) })
	return mux
}

type middleware = func(http.Handler) http.Handler

// routeEverybody lists the pages outside of accounts.
func (p *portal) routeEverybody(handle func(string, pageFunc)) {
	handle("/", p.notFound)
	handle("GET /{$}", p.showHome)
	handle("GET /sign-in", p.showSignIn)
	handle("POST /sign-in", p.signIn)
	handle("POST /sign-out", p.signOut)
	handle("GET /forgotten-password", p.showForgottenPassword)
	handle("POST /forgotten-password", p.sendReset)
	handle("GET /new-password/{token}", secretPath(p.showNewPassword))
	handle("POST /new-password/{token}", secretPath(p.setNewPassword))
	handle("GET /memory", p.showMemory)
	if p.mailbox != nil {
		handle("GET /mailbox", p.showMailbox)
		handle("GET /mailbox/{mail}", p.showMail)
		handle("GET /mailbox/{mail}/html", p.showMailHTML)
	}
	handle("GET /previews", p.showPreviews)
	handle("GET /previews/{kind}/{locale}", p.showPreview)
	handle("GET /previews/{kind}/{locale}/{number}/html", p.showPreviewHTML)

	handle("GET /accounts", p.showChooser)
	handle("POST /waiting/{invite}/accept", p.acceptWaiting)
	handle("POST /waiting/{invite}/decline", p.declineWaiting)
	handle("GET /invites/{token}", secretPath(p.showAcceptance))
	handle("POST /invites/{token}/accept", secretPath(p.accept))
	handle("POST /invites/{token}/decline", secretPath(p.decline))
	handle("POST /invites/{token}/sign-in", secretPath(p.signInAndAccept))
	handle("POST /invites/{token}/sign-up", secretPath(p.signUpAndAccept))
	handle("POST /invites/{token}/switch", secretPath(p.switchPerson))
	handle("POST /invites/{token}/ask", secretPath(p.askForLink))
}

// routeAccount lists the pages of an account.
func (p *portal) routeAccount(handle func(pattern string, let middleware, page visitFunc)) {
	const in = "/accounts/{account}"
	member, needs := p.guard.Member, p.guard.Require
	managers, contacts := p.holds(access.ManageUsers), p.holds(access.ManageContacts)

	handle("GET "+in, member, p.showOverview)
	handle("GET "+in+"/details", member, p.showDetails)
	handle("POST "+in+"/details", needs(access.ModifyProfile), p.saveProfile)
	handle("POST "+in+"/preferences/{user}", member, p.savePreferences)
	handle("POST "+in+"/send-again", member, p.liftOwn)
	handle("GET "+in+"/activity", member, p.showActivity)
	handle("GET "+in+"/activity.csv", member, p.exportCSV)
	handle("GET "+in+"/activity.json", member, p.exportJSON)
	handle("GET "+in+"/leave", member, p.confirmLeave)
	handle("POST "+in+"/leave", member, p.leave)

	handle("GET "+in+"/users", managers, p.showMembers)
	handle("GET "+in+"/users/{user}", managers, p.showMember)
	handle("POST "+in+"/users/{user}/permissions", managers, p.setPermissions)
	handle("POST "+in+"/users/{user}/label", managers, p.setLabel)
	handle("POST "+in+"/users/{user}/expiry", managers, p.setExpiry)
	handle("POST "+in+"/users/{user}/suspend", managers, p.suspendMember)
	handle("POST "+in+"/users/{user}/reinstate", managers, p.reinstateMember)
	handle("GET "+in+"/users/{user}/remove", managers, p.confirmRemoveMember)
	handle("POST "+in+"/users/{user}/remove", managers, p.removeMember)
	handle("POST "+in+"/invites", managers, p.sendInvite)
	handle("GET "+in+"/invites/{invite}", managers, p.showInvite)
	handle("POST "+in+"/invites/{invite}", managers, p.editInvite)
	handle("POST "+in+"/invites/{invite}/resend", managers, p.resendInvite)
	handle("POST "+in+"/invites/{invite}/revoke", managers, p.revokeInvite)

	handle("GET "+in+"/contacts", contacts, p.showContacts)
	handle("POST "+in+"/contacts", needs(access.ManageContacts), p.addContact)
	handle("GET "+in+"/contacts/{contact}", contacts, p.showContact)
	handle("POST "+in+"/contacts/{contact}", needs(access.ManageContacts), p.updateContact)
	handle("GET "+in+"/contacts/{contact}/remove", contacts, p.confirmRemoveContact)
	handle("POST "+in+"/contacts/{contact}/remove", contacts, p.removeContact)
	handle("POST "+in+"/contacts/{contact}/verification", needs(access.ManageContacts), p.sendVerification)
	handle("POST "+in+"/contacts/{contact}/test-mail", needs(access.ManageContacts), p.sendTestMail)
	handle("POST "+in+"/contacts/{contact}/send-again", needs(access.ManageContacts), p.liftOfContact)

	handle("GET "+in+"/services", needs(access.ViewProducts), p.showServices)
	handle("GET "+in+"/services/{service}/passwords", needs(access.ManageProducts), p.showPasswords)
	handle("POST "+in+"/services/{service}/passwords", needs(access.ManageProducts), p.changePassword)
	handle("POST "+in+"/services/{service}/log-in", needs(access.ProductSSO), p.logInToPlesk)
	handle("GET "+in+"/orders", needs(access.PlaceOrders), p.showOrders)
	handle("POST "+in+"/orders", needs(access.PlaceOrders), p.placeOrder)
	handle("GET "+in+"/domains", needs(access.ViewDomains), p.showDomains)
	handle("GET "+in+"/domains/{domain}/settings", needs(access.ManageDomains), p.showDomainSettings)
	handle("POST "+in+"/domains/{domain}/settings", needs(access.ManageDomains), p.saveDomainSettings)
	handle("GET "+in+"/invoices", needs(access.PayInvoices), p.showInvoices)
	handle("POST "+in+"/invoices/{invoice}/pay", needs(access.PayInvoices), p.payInvoice)
	handle("GET "+in+"/quotes", needs(access.AcceptQuotes), p.showQuotes)
	handle("POST "+in+"/quotes/{quote}/accept", needs(access.AcceptQuotes), p.acceptQuote)
	handle("GET "+in+"/tickets", needs(access.OpenTickets), p.showTickets)
	handle("POST "+in+"/tickets", needs(access.OpenTickets), p.openTicket)
	handle("GET "+in+"/affiliates", needs(access.ManageAffiliates), p.showAffiliate)
	handle("POST "+in+"/affiliates", needs(access.ManageAffiliates), p.requestWithdrawal)
	handle("GET "+in+"/emails", needs(access.ViewEmails), p.showEmails)
	handle("GET "+in+"/emails/{message}", needs(access.ViewEmails), p.showEmail)
	handle("GET "+in+"/emails/{message}/html", needs(access.ViewEmails), p.showEmailHTML)
}

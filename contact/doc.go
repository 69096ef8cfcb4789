// Package contact says who hears about what: people without a login who receive an account's mail, the mails that
// owners and members choose, and the addresses that a mail of some category goes to.
//
// Most hosts need one Service, made with New beside the access.Service of the same store, and three of its verbs:
//
//   - Contacts, Add, Update and Remove, behind a page for people with the permission "contacts".
//   - Preferences and SetPreferences, behind a page of each user, and of the owner's account.
//   - Notify, wherever the host has something to say about an account: it mails everybody who is to hear of it, in the
//     host's own unit of work. Recipients tells who that is, each with the reason why they are among them.
//
// Give the Service to the outbox's worker too: it prepares the mail that tells a new contact what it will receive.
//
// # What a contact is not
//
// A contact is a name and an address. It never has a login, a link that gives access, or a permission, and may not
// request changes: not even one with the owner's name. Somebody who has to do something is invited as a user.
//
// # Categories
//
// Every mail of an account that can be switched off is of one category. A category names the permission whose matters
// it reveals, which keeps mail from becoming a way around permissions: nobody directs mail to a contact that they may
// not see themselves, and a member's choice takes effect only while their permissions cover it. An owner receives all
// categories until they choose, a member and a new contact none.
//
// A required category always has a receiver: a change that would take the last one away is refused, and if the last
// one is lost in another way, such as by the end of a membership, the owner receives the mail.
//
// Security mail, such as that about a change of owner, is of no category. It goes to those concerned, at their login
// address.
//
// # Mail of your own
//
// A mail that the host has to send, such as that there is an invoice, has a kind, a text in Config.Templates and a sample in
// Config.Notices:
//
//	contacts := contact.New(db, members, contact.Config{
//		Links:     links,
//		Templates: mails, // an fs.FS with en/invoice.created.txt and en/invoice.created.html
//		Notices: []notify.Sample{{Kind: "invoice.created", Data: func(string) any {
//			return map[string]any{"number": "2026-7"}
//		}}},
//		Attachment: invoices.PDF, // what "2026-7" stands for below, as a notify.Attachment
//	})
//
// Its text is given a NoticeMail, of which .Data is the host's:
//
//	Subject: Invoice {{.Data.number}} of “{{.Account}}”
//	Hello{{with .Name}} {{.}}{{end}},
//
//	your invoice is attached.
//	{{with .Unsubscribe}}
//	No more of these: {{.}}
//	{{end}}
//
// Where the invoice is made, in its unit of work:
//
//	_, err = contacts.Within(tx).Notify(ctx, account, contact.Invoice, "", contact.Notice{
//		ID: "invoice/2026-7/created", Kind: "invoice.created",
//		Data: map[string]any{"number": "2026-7"}, Attachments: []string{"2026-7"},
//	})
//
// There has to be an English text. One in another language is sent to those who read that.
//
// # Addresses that get no mail
//
// Give TakeFeedback what the mail provider reports about addresses, once it is certain that the provider does: the mail
// that an address refuses, and that its holder complains of, harms the sender's name with all receivers. An address that
// refuses mail for good, or again and again, and one whose holder complained, is suppressed: it receives no mail of any
// category and no invite. The worker reports by itself what the mailer's AddressError says. Suppressions lists them,
// Feedback tells what was heard about an address, and Lift ends a suppression, each for staff and system. A host that
// writes mail of its own asks Suppressed.
//
// # Links
//
// With Config.Links, contacts verify their address by a link that is mailed to it, and every mail of a category can have a
// link to unsubscribe (UnsubscribeURL). Package contacthttp serves the pages of both. Looking changes nothing; a POST acts.
// A contact that hasn't verified its address receives mail and is marked, unless Config.RequireVerified says otherwise.
// Who unsubscribed stays so: what somebody else switches on again waits until the contact says yes by a mailed link, also
// when it was removed and added again.
//
// # What to watch for
//
// Who may add contacts can make the host mail an address of their choice, once for each contact. A host whose accounts
// are open to everybody limits how often.
//
// SetAlternate gives the owner's word at the support desk to whoever reads an address: put it behind a fresh sign-in.
//
// The answer of Requester is about an address, not about a mail: ask only for senders that the mail system has
// authenticated.
package contact

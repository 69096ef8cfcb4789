package main

import (
	"context"
	"embed"
	"io/fs"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// The portal's own mails. Kinds are stored and never renamed.
const (
	mailInvoicePaid  notify.Kind = "invoice.paid"
	mailTicketOpened notify.Kind = "ticket.opened"
	mailContactTest  notify.Kind = "contact.test" // to one contact, whatever it receives
)

//go:embed mails
var mailFiles embed.FS

// mailTemplates are the portal's own mails, a folder for each language.
func mailTemplates() fs.FS {
	files, _ := fs.Sub(mailFiles, "mails") // can't fail: the folder is embedded
	return files
}

// notices are samples of what the portal tells all recipients of a category.
func notices() []notify.Sample {
	return []notify.Sample{
		{Kind: mailInvoicePaid, Data: func(string) any { return paidData("Web hosting, yearly", "€ 228.00") }},
		{Kind: mailTicketOpened, Data: func(string) any { return ticketData("Certificate for the shop", "Ann Example") }},
	}
}

func paidData(invoice, amount string) map[string]any {
	return map[string]any{"invoice": invoice, "amount": amount}
}

func ticketData(subject, by string) map[string]any {
	return map[string]any{"subject": subject, "by": by}
}

// tell changes something of the host's and mails a notice about it to everybody who is to hear: the library says who, and
// asks again just before each mail is sent. It is one transaction of the host, in which the library takes part: the mails
// leave if and only if what they tell of has happened.
func (p *portal) tell(ctx context.Context, account access.AccountID, category contact.Category, notice contact.Notice,
	change func(products) error, involved ...access.UserID) error {
	return p.database.transaction(ctx, func(tx statements) error {
		if err := change(products{tx}); err != nil {
			return err
		}
		return p.store.Join(ctx, tx.session, func(ctx context.Context, unit storage.Tx) error {
			_, err := p.contacts.Within(unit).Notify(ctx, account, category, "", notice, involved...)
			return err
		})
	})
}

package main

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
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

// tell mails a notice to everybody who is to hear of it: the library says who, and asks again just before each mail is
// sent. What has happened stands, even if nobody can be told.
func (p *portal) tell(ctx context.Context, account access.AccountID, category contact.Category, notice contact.Notice, involved ...access.UserID) {
	if _, err := p.contacts.Notify(ctx, account, category, "", notice, involved...); err != nil {
		p.log.Error("nobody could be told", slog.String("cause", err.Error()))
	}
}

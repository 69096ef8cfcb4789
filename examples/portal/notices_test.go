package main

import (
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
)

// TestMailLeavesIfItIsTrue: what can't be told of didn't happen, and what didn't happen isn't told of.
func TestMailLeavesIfItIsTrue(t *testing.T) {
	s, ann := acme(t)
	s.deliver(t)
	other := contact.Notice{ID: "invoice/I-1003/paid", Kind: mailInvoicePaid, Data: paidData("Another one", "€ 1.00")}
	undone := errors.New("undone")
	require.ErrorIs(t, s.tell(t.Context(), "acme", contact.Invoice, other, func(products) error { return undone }), undone)
	s.deliver(t)
	require.Empty(t, s.mailbox.Mails())

	require.NoError(t, s.tell(t.Context(), "acme", contact.Invoice, other, func(products) error { return nil }))
	page := ann.get("/accounts/acme/invoices").submit("Pay", nil)
	require.Contains(t, page.text(), "This can't be done right now.", "there is another notice with its name")
	require.True(t, page.has("Pay"))
	s.deliver(t)
	require.Len(t, s.mailbox.Mails(), 1)
}

// TestTicketsAreTold has many of them opened at once, each with its mail in one transaction.
func TestTicketsAreTold(t *testing.T) {
	onEachEngine(t, func(t *testing.T, source string) {
		s := newSiteOn(t, source)
		s.addAccount(t, "acme", "Acme", s.addPerson(t, "ann@example.com", "Ann Archer"))
		s.deliver(t)
		before, err := s.products.list(t.Context(), "acme", kindTicket)
		require.NoError(t, err)
		var want []string
		for number := range 10 {
			want = append(want, "Ticket: "+strconv.Itoa(number))
		}
		for _, err := range together(len(want), func(number int) error {
			subject := strconv.Itoa(number)
			return numbered(func() error {
				notice := contact.Notice{Kind: mailTicketOpened, Data: ticketData(subject, "Ann Archer")}
				return s.tell(t.Context(), "acme", contact.Support, notice, func(shelf products) error {
					return shelf.insert(t.Context(), "acme", kindTicket, product{Name: subject, State: "open"})
				})
			})
		}) {
			require.NoError(t, err)
		}
		tickets, err := s.products.list(t.Context(), "acme", kindTicket)
		require.NoError(t, err)
		require.Len(t, tickets, len(before)+len(want))
		s.deliver(t)
		var got []string
		for _, mail := range s.mailbox.Mails() {
			got = append(got, mail.Subject)
		}
		require.ElementsMatch(t, want, got)
	})
}

// TestOwnMailsAreInAllLanguages: one that is missing would be sent in English.
func TestOwnMailsAreInAllLanguages(t *testing.T) {
	s := newSite(t)
	for kind, from := range map[notify.Kind]interface{ Locales(notify.Kind) []string }{
		mailInvoicePaid: s.contacts, mailTicketOpened: s.contacts, mailContactTest: s.tests.mails,
	} {
		require.Equal(t, []string{"en", "de", "fr"}, from.Locales(kind), kind)
	}
}

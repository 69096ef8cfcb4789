package smtpmail_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/smtpmail/smtptest"
)

// TestRefusalsEndToEnd has a server refuse addresses of members whose access changes: for good, which suppresses them so
// that later mails are cancelled, and for now, after which the mail is sent.
func TestRefusalsEndToEnd(t *testing.T) {
	refusals := map[string]error{
		"gone@example.com": smtptest.Refusal(550, "5.1.1", "nobody is here"),
		"busy@example.com": smtptest.Refusal(450, "4.2.1", "come back later"),
	}
	server, mailer := unprotected(t, smtptest.Options{Answer: func(_ context.Context, step smtptest.Step, address string) error {
		if step == smtptest.Receiver {
			return refusals[address]
		}
		return nil
	}})
	w := accesstest.New(t)
	w.As("olive").Creates("acme")
	for _, user := range []access.UserID{"gone", "busy"} {
		w.As(user).Exists()
		w.AsStaff("s-7").Adds("acme", user, access.PayInvoices)
	}
	w.Deliver() // to the recorder
	worker, err := notify.NewWorker(w.DB, mailer, notify.WorkerConfig{Now: w.Clock.Now, Log: slog.New(slog.DiscardHandler)}, w.Members, w.Invites, w.Contacts)
	require.NoError(t, err)
	change := func(p access.Permission) map[string]notify.Message {
		w.Clock.Advance(time.Second) // mails are listed by age
		w.As("olive").Sets("acme", "gone", p).Sets("acme", "busy", p)
		_, err = worker.Deliver(t.Context())
		require.NoError(t, err)
		list, err := w.Members.Messages(t.Context(), access.As("olive"), "acme", access.MessageFilter{}, access.Page{Limit: 2})
		require.NoError(t, err)
		return map[string]notify.Message{list.Items[0].To: list.Items[0], list.Items[1].To: list.Items[1]}
	}

	first := change(access.OpenTickets)
	require.Equal(t, notify.Dead, first["gone"].State)
	require.Equal(t, notify.Queued, first["busy"].State)
	require.Empty(t, server.Deliveries())

	delete(refusals, "gone@example.com")
	delete(refusals, "busy@example.com")
	second := change(access.ViewDomains)
	require.Equal(t, notify.Cancelled, second["gone"].State)
	require.Equal(t, "the address is suppressed: hard bounce", second["gone"].Reason)
	require.Equal(t, notify.Sent, second["busy"].State)
	require.Len(t, server.Deliveries(), 1)
}

package invite_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
	"github.com/stretchr/testify/require"
)

const day = 24 * time.Hour

// guest returns the n-th of many users to invite.
func guest(n int) access.UserID { return access.UserID(fmt.Sprintf("guest%d", n)) }

// limited requires that a send is refused by a limit.
func (w *world) limited(code, max string, actor access.Actor, account access.AccountID, to access.UserID) {
	w.T.Helper()
	w.refused(access.ErrLimit, code, func() error {
		_, err := w.Invites.Send(ctx, actor, account, offer(to, access.PayInvoices))
		var limit *access.Error
		require.ErrorAs(w.T, err, &limit)
		require.Equal(w.T, max, limit.Params["max"])
		return err
	})
}

func TestLiveLimit(t *testing.T) {
	w := newWorld(t, invite.Config{})
	first := w.send(guest(0), access.PayInvoices)
	w.Clock.Advance(time.Minute)
	for n := 1; n < 50; n++ {
		w.send(guest(n), access.PayInvoices)
	}
	w.limited("invite.live", "50", access.As(ann), acme, guest(50))
	w.limited("invite.live", "50", system, acme, guest(50))
	again := w.send(guest(0), access.PayInvoices) // a live one isn't one more
	require.True(t, again.Resent)

	_, err := w.Invites.Revoke(ctx, access.As(ann), acme, first.Invite.ID)
	require.NoError(t, err)
	w.send(guest(50), access.PayInvoices)
	w.limited("invite.live", "50", access.As(ann), acme, guest(51))

	w.join(guest(50)) // what is accepted is not live
	w.send(guest(51), access.PayInvoices)
	w.limited("invite.live", "50", access.As(ann), acme, guest(52))

	w.sendAs(access.As(bea), beta, bob, access.PayInvoices) // beta has its own fifty
	w.Clock.Advance(first.Invite.Expires.Add(time.Minute).Sub(w.Clock.Now()))
	w.send(guest(52), access.PayInvoices) // what has expired isn't live, and is one more when it comes back
	list, err := w.Invites.Pending(ctx, access.As(ann), acme, invite.Filter{Prefix: "guest1@"}, access.Page{})
	require.NoError(t, err)
	require.False(t, list.Items[0].Live(w.Clock.Now()))
	for n := 1; n < 48; n++ {
		w.send(guest(n), access.PayInvoices)
	}
	w.limited("invite.live", "50", access.As(ann), acme, guest(48))
}

func TestAccountLimit(t *testing.T) {
	w := newWorld(t, invite.Config{Limits: invite.Limits{Live: 1000, PerActor: 1000}})
	w.manager()
	start := w.Clock.Now().Add(time.Millisecond)
	for n := range 250 {
		actor := []access.Actor{access.As(ann), access.As(max), staff}[n%3]
		w.sendAs(actor, acme, guest(n), access.PayInvoices)
	}
	w.limited("invite.per_account", "250", access.As(ann), acme, guest(250))
	w.Clock.Advance(time.Hour)
	w.limited("invite.per_account", "250", system, acme, guest(0)) // a resend counts
	w.sendAs(access.As(bea), beta, guest(250), access.PayInvoices)

	// Exactly a day after the first there is room for one.
	w.Clock.Advance(start.Add(day - time.Microsecond).Sub(w.Clock.Now()))
	w.limited("invite.per_account", "250", access.As(ann), acme, guest(250))
	w.Clock.Advance(time.Microsecond)
	_, err := w.Invites.Send(ctx, access.As(ann), acme, offer(guest(250), access.PayInvoices))
	require.NoError(t, err, "what was refused wasn't counted")
	w.limited("invite.per_account", "250", access.As(ann), acme, guest(251))
}

func TestActorLimit(t *testing.T) {
	w := newWorld(t, invite.Config{})
	for _, account := range []access.AccountID{"gamma", "delta"} {
		w.As(ann).Creates(account)
	}
	start := w.Clock.Now().Add(time.Millisecond)
	for n := range 100 {
		w.sendAs(access.As(ann), []access.AccountID{acme, "gamma"}[n%2], guest(n), access.PayInvoices)
	}
	w.limited("invite.per_actor", "100", access.As(ann), "delta", guest(0))
	w.sendAs(staff, "delta", guest(0), access.PayInvoices)
	w.sendAs(access.AsStaff("ann", "the id of a user"), "delta", guest(1), access.PayInvoices)
	w.sendAs(access.As(bea), beta, guest(0), access.PayInvoices)

	w.Clock.Advance(start.Add(day - time.Microsecond).Sub(w.Clock.Now()))
	w.limited("invite.per_actor", "100", access.As(ann), "delta", guest(2))
	w.Clock.Advance(time.Microsecond)
	_, err := w.Invites.Send(ctx, access.As(ann), "delta", offer(guest(2), access.PayInvoices))
	require.NoError(t, err)
	w.limited("invite.per_actor", "100", access.As(ann), "delta", guest(3))
}

func TestRecipientLimit(t *testing.T) {
	w := newWorld(t, invite.Config{})
	start := w.Clock.Now().Add(time.Millisecond)
	for n := range 5 {
		sent := w.send(bob, access.PayInvoices)
		if n%2 == 0 { // a new one and a resend count alike
			_, err := w.Invites.Revoke(ctx, access.As(ann), acme, sent.Invite.ID)
			require.NoError(t, err)
		}
		w.Clock.Advance(time.Minute)
	}
	w.limited("invite.per_recipient", "5", access.As(ann), acme, bob)
	w.limited("invite.per_recipient", "5", staff, acme, bob)
	w.refused(access.ErrLimit, "invite.per_recipient", func() error {
		_, err := w.Invites.Send(ctx, access.As(ann), acme, invite.Offer{Address: address(t, "BOB@EXAMPLE.COM"), Terms: access.Terms{Permissions: access.PayInvoices}})
		return err
	})
	w.send(eve, access.PayInvoices)
	w.sendAs(access.As(bea), beta, bob, access.PayInvoices)

	w.Clock.Advance(start.Add(day - time.Microsecond).Sub(w.Clock.Now()))
	w.limited("invite.per_recipient", "5", access.As(ann), acme, bob)
	w.Clock.Advance(time.Microsecond)
	_, err := w.Invites.Send(ctx, access.As(ann), acme, offer(bob, access.PayInvoices))
	require.NoError(t, err)
	w.Clock.Advance(time.Minute)
	w.limited("invite.per_recipient", "5", access.As(ann), acme, "BOB")
}

func TestWaitBetweenSends(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	again := map[string]func() error{
		"Send": func() error {
			_, err := w.Invites.Send(ctx, access.As(ann), acme, offer(bob, access.PayInvoices))
			return err
		},
		"Resend": func() error {
			_, err := w.Invites.Resend(ctx, access.As(ann), acme, sent.Invite.ID)
			return err
		},
	}
	for name, verb := range again {
		w.refused(access.ErrLimit, "invite.wait", verb)
		w.Clock.Advance(time.Minute - time.Microsecond)
		w.refused(access.ErrLimit, "invite.wait", func() error {
			err := verb()
			require.Equal(t, map[string]string{"max": "1", "wait": "1µs"}, err.(*access.Error).Params)
			return err
		})
		w.Clock.Advance(time.Microsecond)
		require.NoError(t, verb(), name)
	}
}

// Every limit can be set, and is asked at its own number.
func TestLimitsCanBeSet(t *testing.T) {
	for code, limits := range map[string]invite.Limits{
		"invite.live":        {Live: 3},
		"invite.per_account": {PerAccount: 3},
		"invite.per_actor":   {PerActor: 3},
	} {
		w := newWorld(t, invite.Config{Limits: limits})
		for n := range 3 {
			w.send(guest(n), access.PayInvoices)
		}
		w.limited(code, "3", access.As(ann), acme, guest(3))
	}
	w := newWorld(t, invite.Config{Limits: invite.Limits{PerRecipient: 3, Between: time.Second}})
	for range 3 {
		w.send(bob, access.PayInvoices)
		w.Clock.Advance(time.Second)
	}
	w.limited("invite.per_recipient", "3", access.As(ann), acme, bob)
}

// A link's generation is two bytes of it: the last is not followed by the first.
func TestGenerationsEnd(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	set := func(generation uint16) {
		w.write(func(ctx context.Context, tx storage.Tx) error {
			r, err := tx.Invite(ctx, sent.Invite.Account, sent.Invite.ID)
			require.NoError(t, err)
			before := r.Generation
			r.Generation = generation
			return tx.UpdateInvite(ctx, r, before)
		})
		w.Clock.Advance(time.Minute)
	}
	set(1<<16 - 2)
	again := w.send(bob, access.PayInvoices)
	require.EqualValues(t, 1<<16-1, again.Invite.Generation)
	w.Clock.Advance(time.Minute)
	w.limited("invite.generations", "65535", access.As(ann), acme, bob)
	w.join(bob)
}

package invite_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/invite"
	"github.com/stretchr/testify/require"
)

// Every verb that changes something leaves one event; accepting leaves one of the member and one of the invite.
func TestHistory(t *testing.T) {
	w := newWorld(t, invite.Config{})
	manager := w.manager()
	manager.Request, manager.IP = "request-1", "192.0.2.1"
	starts, ends := w.Clock.Now().Add(time.Hour), w.Clock.Now().Add(1000*time.Hour)
	count := len(w.events(acme))
	// happened requires the one event since the last call.
	index := 0
	happened := func(kind access.EventKind, actor access.Actor, target access.Target, before, after access.Facts) {
		t.Helper()
		events := w.events(acme)
		require.Len(t, events, count+1)
		count++
		account, err := w.Members.Account(ctx, system, acme)
		require.NoError(t, err)
		got := events[count-1]
		want := access.Event{ID: got.ID, Account: acme, Version: account.Version, Index: index, Time: w.Clock.Now(), Kind: kind, Actor: actor,
			Target: target, Before: before, After: after, Hash: got.Hash}
		require.Equal(t, want, got)
		text, err := json.Marshal(got)
		require.NoError(t, err)
		require.NotContains(t, string(text), "bob@example.com")
		w.Clock.Advance(time.Minute)
	}
	facts := func(p access.Permission, state string, generation uint16) access.Facts {
		return access.Facts{Permissions: p, Status: state, Generation: generation}
	}
	unchanged := func() {
		t.Helper()
		require.Len(t, w.events(acme), count)
	}

	sent, err := w.Invites.Send(ctx, manager, acme, offer(bob, access.PayInvoices))
	require.NoError(t, err)
	toBob := access.Target{Kind: access.TargetInvite, ID: string(sent.Invite.ID), Name: "b...@example.com"}
	happened(access.EventInviteSent, manager, toBob, access.Facts{}, facts(access.PayInvoices, "pending", 1))

	_, err = w.Invites.Send(ctx, manager, acme, offer(bob, access.ManageUsers))
	require.NoError(t, err)
	happened(access.EventInviteResent, manager, toBob, facts(access.PayInvoices, "pending", 1), facts(access.ManageUsers, "pending", 2))

	_, err = w.Invites.Resend(ctx, staff, acme, sent.Invite.ID)
	require.NoError(t, err)
	happened(access.EventInviteResent, staff, toBob, facts(access.ManageUsers, "pending", 2), facts(access.ManageUsers, "pending", 3))

	_, err = w.Invites.Edit(ctx, system, acme, sent.Invite.ID, access.Terms{Permissions: access.PayInvoices, Starts: starts, Expires: ends, Label: "Books"})
	require.NoError(t, err)
	edited := access.Facts{Permissions: access.PayInvoices, Status: "pending", Starts: starts, Expires: ends, Generation: 3}
	relabelled := toBob
	relabelled.Before, relabelled.After = map[string]string{"label": ""}, map[string]string{"label": "Books"}
	happened(access.EventInviteEdited, system, relabelled, facts(access.ManageUsers, "pending", 3), edited)

	token := w.Token(bob)
	_, err = w.Invites.Lookup(ctx, token, verified(bob))
	require.NoError(t, err)
	unchanged()
	who := verified(bob)
	who.Actor.Request, who.Actor.IP = "request-2", "192.0.2.2"
	_, err = w.Invites.Accept(ctx, token, who)
	require.NoError(t, err)
	accepted := edited
	accepted.Status = "accepted"
	// The way into the account is on the record for itself, as it is without an invite.
	added := w.events(acme)[count]
	require.Equal(t, access.EventMemberAdded, added.Kind)
	require.Equal(t, who.Actor, added.Actor)
	require.Equal(t, access.Target{Kind: access.TargetUser, ID: "bob", Before: map[string]string{"label": ""}, After: map[string]string{"label": "Books"}}, added.Target)
	require.Equal(t, access.Facts{Permissions: access.PayInvoices, Status: "active", Starts: starts, Expires: ends}, added.After)
	require.Zero(t, added.Before)
	count++
	index = 1
	happened(access.EventInviteAccepted, who.Actor, toBob, edited, accepted)
	index = 0
	_, err = w.Invites.Accept(ctx, token, who)
	require.NoError(t, err)
	unchanged()

	sent = w.send(eve, access.OpenTickets)
	count++
	toEve := access.Target{Kind: access.TargetInvite, ID: string(sent.Invite.ID), Name: "e...@example.com"}
	require.NoError(t, only(w.Invites.DeclinePending(ctx, sent.Invite.ID, verified(eve))))
	happened(access.EventInviteDeclined, access.As(eve), toEve, facts(access.OpenTickets, "pending", 1), facts(access.OpenTickets, "declined", 1))

	sent = w.send(eve, access.OpenTickets)
	count++
	toEve.ID = string(sent.Invite.ID)
	_, err = w.Invites.Revoke(ctx, access.As(ann), acme, sent.Invite.ID)
	require.NoError(t, err)
	happened(access.EventInviteRevoked, access.As(ann), toEve, facts(access.OpenTickets, "pending", 1), facts(access.OpenTickets, "revoked", 1))

	_, err = w.Invites.Pending(ctx, access.As(ann), acme, invite.Filter{}, access.Page{})
	require.NoError(t, err)
	_, err = w.Invites.Waiting(ctx, verified(bob), access.Page{})
	require.NoError(t, err)
	w.Deliver()
	unchanged()

	verified, err := w.Members.VerifyHistory(ctx, system, acme, access.Head{})
	require.NoError(t, err)
	require.EqualValues(t, count, verified.Events)
	require.Empty(t, w.events(beta)[1:], "beta's history has nothing of this")
}

// What an invite of a year that JSON can't write would leave is refused before.
func TestHistoryCanBeWritten(t *testing.T) {
	w := newWorld(t, invite.Config{})
	far := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, terms := range []access.Terms{{Permissions: access.PayInvoices, Starts: far}, {Permissions: access.PayInvoices, Expires: far}} {
		w.refused(access.ErrInvalid, "time.range", func() error {
			_, err := w.Invites.Send(ctx, access.As(ann), acme, invite.Offer{Address: accesstest.AddressOf(bob), Terms: terms})
			return err
		})
	}
}

package invite_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/notifytest"
	"github.com/stretchr/testify/require"
)

// managing returns a manager's verbs on one invite.
func (w *world) managing(actor access.Actor, account access.AccountID, id invite.ID) map[string]func() error {
	return map[string]func() error{
		"Resend": func() error {
			sent, err := w.Invites.Resend(ctx, actor, account, id)
			if err != nil {
				require.Zero(w.T, sent)
			}
			return err
		},
		"Edit": func() error {
			revision, err := w.Invites.Edit(ctx, actor, account, id, access.Terms{Permissions: access.PayInvoices, Label: "Edited"})
			if err != nil {
				require.Zero(w.T, revision)
			}
			return err
		},
		"Revoke": func() error {
			revision, err := w.Invites.Revoke(ctx, actor, account, id)
			if err != nil {
				require.Zero(w.T, revision)
			}
			return err
		},
	}
}

func TestResend(t *testing.T) {
	for name, wait := range map[string]time.Duration{"live": time.Hour, "expired": 72 * time.Hour, "long expired": 10000 * time.Hour} {
		w := newWorld(t, invite.Config{})
		w.manager()
		sent := w.send(bob, access.PayInvoices)
		old := w.Token(bob)
		w.Clock.Advance(wait)
		again, err := w.Invites.Resend(ctx, access.As(max), acme, sent.Invite.ID)
		require.NoError(t, err, name)
		want := sent.Invite
		want.By = invite.Inviter{Kind: access.ActorUser, ID: "max"}
		want.Generation, want.Sent, want.Expires = 2, w.Clock.Now(), w.Clock.Now().Add(72*time.Hour)
		account, err := w.Members.Account(ctx, system, acme)
		require.NoError(t, err)
		require.Equal(t, invite.Sent{Invite: want, Resent: true, Revision: access.Revision{Account: acme, Version: account.Version}}, again)
		require.Equal(t, want, w.record(sent.Invite.ID).Invite)
		_, err = w.Invites.Accept(ctx, old, verified(bob))
		refusedAs(t, invite.IsReplaced, err)
		w.join(bob)
	}
}

func TestResendByHostReturnsTheToken(t *testing.T) {
	w := newWorld(t, invite.Config{Delivery: invite.ByHost})
	sent := w.send(bob, access.PayInvoices)
	w.Clock.Advance(time.Hour)
	again, err := w.Invites.Resend(ctx, access.As(ann), acme, sent.Invite.ID)
	require.NoError(t, err)
	require.NotEqual(t, sent.Token.Secret(), again.Token.Secret())
	require.Zero(t, w.messages(acme))
	_, err = w.Invites.Accept(ctx, again.Token.Secret(), verified(bob))
	require.NoError(t, err)
}

func TestEdit(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.manager()
	sent := w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	mails := w.messages(acme)
	w.Clock.Advance(time.Hour)
	terms := access.Terms{Permissions: access.ManageUsers, Starts: w.Clock.Now().Add(time.Minute + time.Nanosecond),
		Expires: w.Clock.Now().Add(time.Hour).In(time.FixedZone("odd", 3600)), Label: "Later"}
	revision, err := w.Invites.Edit(ctx, access.As(max), acme, sent.Invite.ID, terms)
	require.NoError(t, err)
	account, err := w.Members.Account(ctx, system, acme)
	require.NoError(t, err)
	require.Equal(t, access.Revision{Account: acme, Version: account.Version}, revision)
	want := sent.Invite
	want.By = invite.Inviter{Kind: access.ActorUser, ID: "max"}
	want.Terms = access.Terms{Permissions: access.ManageUsers, Starts: w.Clock.Now().Add(time.Minute), Expires: w.Clock.Now().Add(time.Hour), Label: "Later"}
	require.Equal(t, want, w.record(sent.Invite.ID).Invite, "link and time stay")
	require.Equal(t, mails, w.messages(acme))

	events := len(w.events(acme))
	_, err = w.Invites.Edit(ctx, access.As(max), acme, sent.Invite.ID, terms)
	require.NoError(t, err)
	require.Len(t, w.events(acme), events, "nothing was changed")

	accepted, err := w.Invites.Accept(ctx, token, verified(bob))
	require.NoError(t, err)
	require.Equal(t, invite.Joined, accepted.Outcome)
	require.Equal(t, access.ManageUsers, w.membership(acme, bob).Permissions)
}

// Edit doesn't bring an expired invite back.
func TestEditOfAnExpiredInvite(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	w.Clock.Advance(72 * time.Hour)
	_, err := w.Invites.Edit(ctx, access.As(ann), acme, sent.Invite.ID, access.Terms{Permissions: access.OpenTickets})
	require.NoError(t, err)
	_, err = w.Invites.Accept(ctx, token, verified(bob))
	refusedAs(t, invite.IsExpired, err)
}

func TestEditRefusesTerms(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	for code, terms := range map[string]access.Terms{
		"permissions.empty":   {},
		"permissions.unknown": {Permissions: 1 << 62},
		"permissions.needs":   {Permissions: access.ProductSSO},
		"time.past":           {Permissions: access.PayInvoices, Expires: w.Clock.Now()},
		"text.long":           {Permissions: access.PayInvoices, Label: strings.Repeat("x", 201)},
	} {
		w.refused(access.ErrInvalid, code, func() error {
			_, err := w.Invites.Edit(ctx, access.As(ann), acme, sent.Invite.ID, terms)
			return err
		})
	}
}

func TestRevoke(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	w.Clock.Advance(time.Hour)
	revision, err := w.Invites.Revoke(ctx, access.As(ann), acme, sent.Invite.ID)
	require.NoError(t, err)
	account, err := w.Members.Account(ctx, system, acme)
	require.NoError(t, err)
	require.Equal(t, access.Revision{Account: acme, Version: account.Version}, revision)
	want := sent.Invite
	want.State, want.Closed = invite.Revoked, w.Clock.Now()
	require.Equal(t, want, w.record(sent.Invite.ID).Invite)
	_, err = w.Invites.Accept(ctx, token, verified(bob))
	refusedAs(t, invite.IsRevoked, err)
	require.False(t, w.send(bob, access.PayInvoices).Resent, "the next is a new one")
}

func TestManagersOfASuspendedAccount(t *testing.T) {
	w := newWorld(t, invite.Config{})
	manager := w.manager()
	sent := w.send(bob, access.PayInvoices|access.ManageUsers)
	w.send(eve, access.PayInvoices)
	token := w.Token(eve)
	w.Clock.Advance(time.Hour)
	_, err := w.Members.SuspendAccount(ctx, system, acme)
	require.NoError(t, err)
	for _, actor := range []access.Actor{access.As(ann), manager, staff} {
		verbs := w.managing(actor, acme, sent.Invite.ID)
		w.refused(access.ErrDenied, "denies.account_suspended", verbs["Resend"])
		edit := func(terms access.Terms) func() error {
			return func() error { return only(w.Invites.Edit(ctx, actor, acme, sent.Invite.ID, terms)) }
		}
		ends := w.Clock.Now().Add(time.Hour)
		require.NoError(t, edit(access.Terms{Permissions: access.PayInvoices, Expires: ends})(), "it narrows")
		w.refused(access.ErrDenied, "denies.account_suspended", edit(access.Terms{Permissions: access.PayInvoices, Expires: ends.Add(time.Minute)}))
		w.refused(access.ErrDenied, "denies.account_suspended", edit(access.Terms{Permissions: access.PayInvoices}))
		w.refused(access.ErrDenied, "denies.account_suspended", edit(access.Terms{Permissions: access.PayInvoices | access.ManageUsers, Expires: ends}))
		list, err := w.Invites.Pending(ctx, actor, acme, invite.Filter{}, access.Page{})
		require.NoError(t, err)
		require.Len(t, list.Items, 2)
	}
	require.NoError(t, w.managing(manager, acme, sent.Invite.ID)["Revoke"](), "it narrows")
	require.Equal(t, invite.Revoked, w.record(sent.Invite.ID).State)
	require.NoError(t, only(w.Invites.Decline(ctx, token, verified(eve))), "so does this")

	_, err = w.Members.CloseAccount(ctx, system, acme)
	require.NoError(t, err)
	for _, verb := range w.managing(access.As(ann), acme, sent.Invite.ID) {
		w.refused(access.ErrDenied, "denies.closed", verb)
	}
	_, err = w.Invites.Pending(ctx, access.As(ann), acme, invite.Filter{}, access.Page{})
	require.NoError(t, err, "what there was can still be seen")
}

func TestManagersKeepToTheirBits(t *testing.T) {
	w := newWorld(t, invite.Config{})
	manager := w.manager()
	w.AsStaff("sam").Adds(acme, eve, access.PayInvoices)
	beyond := w.send(bob, access.PayInvoices|access.OpenTickets)
	all := w.send("zoe", access.All)
	equal := w.send("rob", access.PayInvoices|access.ManageUsers)
	w.Clock.Advance(time.Hour)
	for _, sent := range []invite.Sent{beyond, all} {
		for _, verb := range w.managing(manager, acme, sent.Invite.ID) {
			w.refused(access.ErrDenied, "permissions.beyond", verb)
		}
	}
	w.refused(access.ErrDenied, "permissions.beyond", func() error {
		_, err := w.Invites.Edit(ctx, manager, acme, equal.Invite.ID, access.Terms{Permissions: access.OpenTickets})
		return err
	})
	for _, verb := range w.managing(access.As(eve), acme, equal.Invite.ID) {
		w.refused(access.ErrDenied, "denies.manage", verb)
	}
	w.refused(access.ErrDenied, "denies.manage", func() error {
		_, err := w.Invites.Pending(ctx, access.As(eve), acme, invite.Filter{}, access.Page{})
		return err
	})
	for _, name := range []string{"Resend", "Edit", "Revoke"} {
		require.NoError(t, w.managing(manager, acme, equal.Invite.ID)[name](), name)
	}
	// A manager of a suspended membership manages nothing.
	w.As(ann).Suspends(acme, max)
	for _, verb := range w.managing(manager, acme, beyond.Invite.ID) {
		w.refused(access.ErrDenied, "denies.manage", verb)
	}
}

func TestForeignAndAbsentInvitesLookTheSame(t *testing.T) {
	w := newWorld(t, invite.Config{})
	theirs := w.sendAs(access.As(bea), beta, bob, access.PayInvoices)
	revoked := w.send(eve, access.PayInvoices)
	_, err := w.Invites.Revoke(ctx, access.As(ann), acme, revoked.Invite.ID)
	require.NoError(t, err)
	w.Clock.Advance(time.Hour)
	var traces [][]string
	for _, id := range []invite.ID{theirs.Invite.ID, "0190a6e2-7c10-7abc-8def-0123456789ab", revoked.Invite.ID} {
		for _, name := range []string{"Edit", "Resend", "Revoke"} {
			before := w.dump()
			verb := w.managing(access.As(ann), acme, id)[name]
			traces = append(traces, w.db.trace(func() { require.Equal(t, access.NotFound("invite"), verb(), "%s %q", name, id) }))
			require.Equal(t, before, w.dump())
		}
	}
	for _, trace := range traces {
		require.Equal(t, traces[0], trace)
	}
}

func TestInviteIDsAreChecked(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	w.Clock.Advance(time.Hour)
	good := string(sent.Invite.ID)
	require.NoError(t, sent.Invite.ID.Check())
	for _, id := range []string{"", "nonsense", strings.ToUpper(good), "{" + good + "}", "urn:uuid:" + good, strings.ReplaceAll(good, "-", ""), good + " ", good + "\x00", strings.Repeat("x", 1<<20)} {
		for _, verb := range w.managing(access.As(ann), acme, invite.ID(id)) {
			w.refused(access.ErrInvalid, "id.uuid", verb)
		}
		w.refused(access.ErrInvalid, "id.uuid", func() error {
			_, err := w.Invites.AcceptPending(ctx, invite.ID(id), verified(bob))
			return err
		})
		w.refused(access.ErrInvalid, "id.uuid", func() error {
			_, err := w.Invites.DeclinePending(ctx, invite.ID(id), verified(bob))
			return err
		})
		for _, verb := range w.managing(access.As(eve), acme, invite.ID(id)) {
			require.Equal(t, access.NotFound("account"), verb(), "a stranger hears nothing of it")
		}
	}
}

func TestVerbsCheckTheirActor(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	w.Clock.Advance(time.Hour)
	for code, actor := range map[string]access.Actor{"actor.zero": {}, "actor.reason": {Kind: access.ActorStaff, ID: "sam"}, "id.empty": {Kind: access.ActorUser}} {
		for _, verb := range w.managing(actor, acme, sent.Invite.ID) {
			w.refused(access.ErrInvalid, code, verb)
		}
		w.refused(access.ErrInvalid, code, func() error {
			_, err := w.Invites.Pending(ctx, actor, acme, invite.Filter{}, access.Page{})
			return err
		})
	}
	for _, verb := range w.managing(access.As(ann), "", sent.Invite.ID) {
		w.refused(access.ErrInvalid, "id.empty", verb)
	}
}

// Whoever touched an invite last answers for it.
func TestTheLastToTouchIsTheInviter(t *testing.T) {
	for _, name := range []string{"Resend", "Edit"} {
		w := newWorld(t, invite.Config{})
		manager := w.manager()
		sent := w.sendAs(manager, acme, bob, access.PayInvoices)
		token := w.Token(bob)
		w.Clock.Advance(time.Hour)
		require.NoError(t, w.managing(access.As(ann), acme, sent.Invite.ID)[name]())
		require.Equal(t, ann, w.record(sent.Invite.ID).By.User())
		w.As(ann).Removes(acme, max) // which revokes what max has sent, and this is ann's now
		require.Equal(t, invite.Pending, w.record(sent.Invite.ID).State)
		if name == "Resend" {
			token = w.Token(bob)
		}
		_, err := w.Invites.Accept(ctx, token, verified(bob))
		require.NoError(t, err)

		w = newWorld(t, invite.Config{})
		manager = w.manager()
		sent = w.send(bob, access.PayInvoices)
		w.Clock.Advance(time.Hour)
		require.NoError(t, w.managing(manager, acme, sent.Invite.ID)[name]())
		w.As(ann).Removes(acme, max)
		require.Equal(t, invite.Revoked, w.record(sent.Invite.ID).State, "it was max's after %s", name)
	}
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	w.Clock.Advance(time.Hour)
	require.NoError(t, w.managing(staff, acme, sent.Invite.ID)["Edit"]())
	require.Equal(t, invite.Inviter{Kind: access.ActorStaff, ID: "sam"}, w.record(sent.Invite.ID).By)
	require.Empty(t, w.record(sent.Invite.ID).By.User())
}

func TestPending(t *testing.T) {
	w := newWorld(t, invite.Config{})
	require.NoError(t, w.Members.SyncUser(ctx, access.User{ID: ann, Name: "Ann Onym", Address: accesstest.AddressOf(ann)}))
	w.manager()
	pending := func(f invite.Filter) []invite.PendingInvite {
		t.Helper()
		before := w.dump()
		list, err := w.Invites.Pending(ctx, access.As(max), acme, f, access.Page{})
		require.NoError(t, err)
		require.Equal(t, before, w.dump())
		return list.Items
	}
	require.Empty(t, pending(invite.Filter{}))
	first := w.send(bob, access.PayInvoices|access.ManageUsers)
	second := w.sendAs(staff, acme, eve, access.PayInvoices)
	third := w.sendAs(access.As(max), acme, "zoe", access.PayInvoices)
	gone := w.send("rob", access.PayInvoices)
	_, err := w.Invites.Revoke(ctx, access.As(ann), acme, gone.Invite.ID)
	require.NoError(t, err)
	w.sendAs(access.As(bea), beta, bob, access.PayInvoices)

	want := []invite.PendingInvite{
		{Invite: third.Invite, InviterName: "max", Delivery: notify.Queued},
		{Invite: second.Invite, InviterName: "our support team", Delivery: notify.Queued},
		{Invite: first.Invite, InviterName: "Ann Onym", Delivery: notify.Queued},
	}
	require.Equal(t, want, pending(invite.Filter{}))
	require.Equal(t, want, pending(invite.Filter{State: invite.Pending}))
	require.Equal(t, want[2:], pending(invite.Filter{Prefix: "BOB@"}))
	require.Empty(t, pending(invite.Filter{Prefix: "ob"}))
	w.Deliver()
	for i := range want {
		want[i].Delivery = notify.Sent
	}
	require.Equal(t, want, pending(invite.Filter{}))
	revoked := pending(invite.Filter{State: invite.Revoked})
	require.Len(t, revoked, 1)
	require.Equal(t, "the invite was revoked", revoked[0].DeliveryReason)
	require.Equal(t, notify.Cancelled, revoked[0].Delivery)

	// Expired ones stay on the list, and the mail of the latest link counts.
	w.Clock.Advance(100 * time.Hour)
	require.Equal(t, want, pending(invite.Filter{}))
	w.worker(&notifytest.Failing{Times: -1, Permanent: true})
	again, err := w.Invites.Resend(ctx, access.As(ann), acme, first.Invite.ID)
	require.NoError(t, err)
	want[2] = invite.PendingInvite{Invite: again.Invite, InviterName: "Ann Onym", Delivery: notify.Queued}
	require.Equal(t, want, pending(invite.Filter{}))
	w.Deliver()
	want[2].Delivery, want[2].DeliveryReason = notify.Dead, "notifytest: refused"
	require.Equal(t, want, pending(invite.Filter{}))

	w.Clock.Advance(time.Hour)
	again, err = w.service(keys, invite.Config{Delivery: invite.ByHost}).Resend(ctx, staff, acme, first.Invite.ID)
	require.NoError(t, err)
	again.Invite.Delivery = invite.ByHost
	require.Equal(t, invite.PendingInvite{Invite: again.Invite, InviterName: "our support team"}, pending(invite.Filter{})[2],
		"the dead mail was about the link before")
	w.failing("Pending", func() error {
		_, err := w.Invites.Pending(ctx, access.As(max), acme, invite.Filter{}, access.Page{})
		return err
	})
}

// An inviter without a name is called by their masked address, or else by their id.
func TestPendingNamesInviters(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.AsStaff("sam").Adds(acme, "u1", access.All)
	w.sendAs(access.As("u1"), acme, bob, access.PayInvoices)
	name := func() string {
		list, err := w.Invites.Pending(ctx, access.As(ann), acme, invite.Filter{}, access.Page{})
		require.NoError(t, err)
		return list.Items[0].InviterName
	}
	require.Equal(t, "u1", name())
	require.NoError(t, w.Members.SyncUser(ctx, access.User{ID: "u1", Address: accesstest.AddressOf("ursula")}))
	require.Equal(t, "u...@example.com", name())
}

func TestPendingPages(t *testing.T) {
	w := newWorld(t, invite.Config{})
	var all []invite.ID
	for n := range 7 {
		all = append([]invite.ID{w.send(guest(n), access.PayInvoices).Invite.ID}, all...)
	}
	for limit := 1; limit <= 8; limit++ {
		var got []invite.ID
		for page := (access.Page{Limit: limit}); ; {
			list, err := w.Invites.Pending(ctx, access.As(ann), acme, invite.Filter{}, page)
			require.NoError(t, err)
			require.LessOrEqual(t, len(list.Items), limit)
			for _, i := range list.Items {
				got = append(got, i.ID)
			}
			if list.Next == "" {
				break
			}
			page.After = list.Next
		}
		require.Equal(t, all, got, "pages of %d", limit)
	}
	list, err := w.Invites.Pending(ctx, access.As(ann), acme, invite.Filter{}, access.Page{Limit: 2})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		account access.AccountID
		actor   access.UserID
		filter  invite.Filter
		page    access.Page
		code    string
	}{
		"a cursor of another account": {beta, bea, invite.Filter{}, access.Page{After: list.Next}, "page.cursor"},
		"a made-up cursor":            {acme, ann, invite.Filter{}, access.Page{After: list.Next + "A"}, "page.cursor"},
		"too many":                    {acme, ann, invite.Filter{}, access.Page{Limit: access.MaxPage + 1}, "page.limit"},
		"less than one":               {acme, ann, invite.Filter{}, access.Page{Limit: -1}, "page.limit"},
		"a long prefix":               {acme, ann, invite.Filter{Prefix: strings.Repeat("x", 201)}, access.Page{}, "text.long"},
		"a prefix with a NUL":         {acme, ann, invite.Filter{Prefix: "\x00"}, access.Page{}, "text.control"},
	} {
		_, err := w.Invites.Pending(ctx, access.As(test.actor), test.account, test.filter, test.page)
		require.ErrorIs(t, err, access.ErrInvalid, name)
		require.Equal(t, test.code, codeOf(err), name)
	}
	// Each page is authorised anew.
	_, err = w.Invites.Pending(ctx, access.As(eve), acme, invite.Filter{}, access.Page{After: list.Next})
	require.Equal(t, access.NotFound("account"), err)
}

func TestManagingIsAllOrNothing(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.OpenTickets)
	w.Clock.Advance(time.Hour)
	for _, name := range []string{"Resend", "Edit", "Revoke"} {
		w.failing(name, w.managing(access.As(ann), acme, sent.Invite.ID)[name])
	}
}

// A host's veto ends the verb, which then changes nothing.
func TestVeto(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.OpenTickets)
	token := w.Token(bob)
	w.Clock.Advance(time.Hour)
	veto := &access.Error{Kind: access.ErrDenied, Code: "host.veto"}
	w.members(access.Config{Before: func(_ context.Context, _ access.Tx, e access.Event) error {
		if strings.HasPrefix(string(e.Kind), "invite.") {
			return fmt.Errorf("not today: %w", veto)
		}
		return nil
	}})
	verbs := w.managing(access.As(ann), acme, sent.Invite.ID)
	verbs["Send"] = func() error {
		_, err := w.Invites.Send(ctx, access.As(ann), acme, offer(eve, access.PayInvoices))
		return err
	}
	verbs["Accept"] = func() error {
		_, err := w.Invites.Accept(ctx, token, verified(bob))
		return err
	}
	verbs["Decline"] = func() error { return only(w.Invites.Decline(ctx, token, verified(bob))) }
	for _, verb := range verbs {
		w.refused(access.ErrDenied, "host.veto", verb)
	}
}

// TestInvite is one line of Pending, for the same readers.
func TestInvite(t *testing.T) {
	w := newWorld(t, invite.Config{})
	manager := w.manager()
	sent := w.send(bob, access.PayInvoices)
	list, err := w.Invites.Pending(ctx, manager, acme, invite.Filter{}, access.Page{})
	require.NoError(t, err)
	one, err := w.Invites.Invite(ctx, manager, acme, sent.Invite.ID)
	require.NoError(t, err)
	require.Equal(t, list.Items, []invite.PendingInvite{one})

	read := func(actor access.Actor, account access.AccountID, id invite.ID) func() error {
		return func() error {
			one, err := w.Invites.Invite(ctx, actor, account, id)
			require.Zero(w.T, one)
			return err
		}
	}
	w.AsStaff("sam").Adds(acme, eve, access.PayInvoices)
	w.refused(access.ErrDenied, "denies.manage", read(access.As(eve), acme, sent.Invite.ID))
	w.refused(access.ErrNotFound, "not_found", read(access.As("zoe"), acme, sent.Invite.ID))
	w.refused(access.ErrNotFound, "not_found", read(manager, acme, "01900000-0000-7000-8000-000000000000"))
	w.refused(access.ErrInvalid, "id.uuid", read(manager, acme, "x"))
	require.NoError(t, w.managing(manager, acme, sent.Invite.ID)["Revoke"]())
	w.refused(access.ErrNotFound, "not_found", read(manager, acme, sent.Invite.ID))
}

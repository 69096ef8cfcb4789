package invite_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
	"github.com/stretchr/testify/require"
)

// acceptance returns the ways in which bob can accept an invite to acme.
func (w *world) acceptance(sent invite.Sent) map[string]func() error {
	token := w.Token(bob)
	return map[string]func() error{
		"by token": func() error {
			_, err := w.Invites.Accept(ctx, token, verified(bob))
			return err
		},
		"without a token": func() error {
			_, err := w.Invites.AcceptPending(ctx, sent.Invite.ID, verified(bob))
			return err
		},
	}
}

// What is accepted is what the row says: the terms of the invite, in its account, and nothing of anybody else's.
func TestTermsComeFromTheInvite(t *testing.T) {
	w := newWorld(t, invite.Config{})
	terms := access.Terms{Permissions: access.PayInvoices | access.ViewProducts, Starts: w.Clock.Now().Add(time.Hour),
		Expires: w.Clock.Now().Add(1000 * time.Hour), Label: "Books"}
	_, err := w.Invites.Send(ctx, access.As(ann), acme, invite.Offer{Address: accesstest.AddressOf(bob), Terms: terms})
	require.NoError(t, err)
	w.sendAs(access.As(bea), beta, bob, access.All)
	list, err := w.Invites.Waiting(ctx, verified(bob), access.Page{})
	require.NoError(t, err)
	require.Len(t, list.Items, 2)
	require.Equal(t, acme, list.Items[1].Account)
	accepted, err := w.Invites.AcceptPending(ctx, list.Items[1].ID, verified(bob))
	require.NoError(t, err)
	require.Equal(t, acme, accepted.Account)
	require.Equal(t, access.Membership{Account: acme, User: bob, Permissions: terms.Permissions, Status: access.Active,
		Starts: terms.Starts, Expires: terms.Expires, Label: "Books", Created: w.Clock.Now()}, w.membership(acme, bob))
	require.Zero(t, w.membership(beta, bob))

	r := w.record(list.Items[1].ID)
	require.Equal(t, invite.Accepted, r.State)
	require.Equal(t, bob, r.AcceptedBy)
	require.Equal(t, w.Clock.Now(), r.Closed)
	list, err = w.Invites.Waiting(ctx, verified(bob), access.Page{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
}

// What the wrong person tries costs the right one nothing.
func TestWrongUserConsumesNothing(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	for _, who := range []invite.Identity{verified(eve), unverified(eve), verified(ann), {}, {Actor: access.As(bob)}} {
		for verb, do := range w.byToken() {
			before := w.dump()
			if err := do(token, who); verb != "Lookup" {
				require.ErrorIs(t, err, access.ErrDenied, verb)
			}
			require.Equal(t, before, w.dump(), verb)
		}
	}
	accepted, err := w.Invites.Accept(ctx, token, verified(bob))
	require.NoError(t, err)
	require.Equal(t, invite.Joined, accepted.Outcome)
}

// The inviter is asked again: what they may no longer give isn't given, and is when they may again.
func TestInviterMustStillBeAllowed(t *testing.T) {
	// A manager who is reduced or removed loses their invites at once. These are the ways that leave them.
	for _, test := range []struct {
		name       string
		take, back func(w *world)
	}{
		{"suspended", func(w *world) { w.As(ann).Suspends(acme, max) }, func(w *world) { w.As(ann).Reinstates(acme, max) }},
		{"expired", func(w *world) {
			_, err := w.Members.SetExpiry(ctx, system, acme, max, w.Clock.Now().Add(time.Hour))
			require.NoError(w.T, err)
			w.Clock.Advance(time.Hour)
		}, func(w *world) {
			_, err := w.Members.SetExpiry(ctx, system, acme, max, time.Time{})
			require.NoError(w.T, err)
		}},
		{"only the owner manages", func(w *world) { w.members(access.Config{OnlyOwnerManages: true}) }, func(w *world) { w.members(access.Config{}) }},
		{"bits gone", func(w *world) { w.setMember(max, access.ManageUsers) }, func(w *world) { w.setMember(max, access.ManageUsers|access.PayInvoices) }},
		{"users gone", func(w *world) { w.setMember(max, access.PayInvoices) }, func(w *world) { w.setMember(max, access.All) }},
		{"no member any more", func(w *world) {
			w.write(func(ctx context.Context, tx storage.Tx) error { return tx.DeleteMembership(ctx, acme, max) })
		}, func(w *world) { w.setMember(max, access.All) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, invite.Config{})
			sent := w.sendAs(w.manager(), acme, bob, access.PayInvoices)
			ways := w.acceptance(sent)
			test.take(w)
			for name, accept := range ways {
				w.refused(access.ErrDenied, "invite.inviter", accept)
				require.Equal(t, invite.Pending, w.record(sent.Invite.ID).State, name)
			}
			p, err := w.Invites.Lookup(ctx, w.Token(bob), verified(bob))
			require.NoError(t, err)
			require.Equal(t, invite.Ready, p.Outcome, "as far as the invite and the person go")
			test.back(w)
			w.join(bob)
		})
	}
}

// setMember writes a member's bits to storage, without what a verb would do besides.
func (w *world) setMember(user access.UserID, p access.Permission) {
	w.T.Helper()
	w.write(func(ctx context.Context, tx storage.Tx) error {
		return tx.PutMembership(ctx, access.Membership{Account: acme, User: user, Permissions: p, Status: access.Active, Created: w.Clock.Now()})
	})
}

func TestReducedOrRemovedInviterRevokes(t *testing.T) {
	for name, take := range map[string]func(w *world){
		"reduced":         func(w *world) { w.As(ann).Sets(acme, max, access.ManageUsers) },
		"removed":         func(w *world) { w.As(ann).Removes(acme, max) },
		"left":            func(w *world) { w.As(max).Leaves(acme) },
		"no longer owner": nil,
	} {
		w := newWorld(t, invite.Config{})
		actor := w.manager()
		if take == nil {
			actor = access.As(ann)
			take = func(w *world) {
				_, err := w.Members.TransferByStaff(ctx, staff, acme, max, 0)
				require.NoError(t, err)
			}
		}
		sent := w.sendAs(actor, acme, bob, access.PayInvoices)
		ways := w.acceptance(sent)
		take(w)
		for way, accept := range ways {
			w.refused(access.ErrDenied, string(invite.IsRevoked), accept)
			require.Equal(t, invite.Revoked, w.record(sent.Invite.ID).State, "%s, %s", name, way)
		}
	}
}

// Staff and jobs have no membership that could be asked again.
func TestInvitesOfStaffStay(t *testing.T) {
	for _, actor := range []access.Actor{staff, system} {
		w := newWorld(t, invite.Config{})
		w.sendAs(actor, acme, bob, access.All)
		w.members(access.Config{OnlyOwnerManages: true})
		w.join(bob)
		w.As(bob).Can(acme, access.PayInvoices)
	}
}

func TestAcceptNeedsAnActiveAccount(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	ways := w.acceptance(sent)
	_, err := w.Members.SuspendAccount(ctx, system, acme)
	require.NoError(t, err)
	for _, accept := range ways {
		w.refused(access.ErrDenied, "denies.account_suspended", accept)
	}
	_, err = w.Members.ReactivateAccount(ctx, system, acme)
	require.NoError(t, err)
	w.join(bob)
	w.As(ann).Removes(acme, bob)

	ways = w.acceptance(w.send(bob, access.PayInvoices))
	_, err = w.Members.CloseAccount(ctx, system, acme)
	require.NoError(t, err)
	for _, accept := range ways {
		w.refused(access.ErrDenied, "denies.closed", accept)
	}
}

func TestAcceptNeedsASeat(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	w.AsStaff("sam").Adds(acme, eve, access.PayInvoices)
	seats := func(n int) {
		_, err := w.Members.SetPolicy(ctx, system, acme, access.Policy{Seats: n})
		require.NoError(t, err)
	}
	seats(1)
	for _, accept := range w.acceptance(sent) {
		w.refused(access.ErrLimit, "seats.used", accept)
	}
	seats(2) // its own invite's seat is enough
	w.join(bob)
}

func TestAcceptNeedsTermsOfToday(t *testing.T) {
	w := newWorld(t, invite.Config{})
	ends := w.Clock.Now().Add(time.Hour)
	sent, err := w.Invites.Send(ctx, access.As(ann), acme,
		invite.Offer{Address: accesstest.AddressOf(bob), Terms: access.Terms{Permissions: access.PayInvoices, Expires: ends}})
	require.NoError(t, err)
	ways := w.acceptance(sent)
	w.Clock.Advance(time.Hour)
	for _, accept := range ways {
		w.refused(access.ErrInvalid, "time.past", accept)
	}
	w.refused(access.ErrInvalid, "time.past", func() error {
		_, err := w.Invites.Resend(ctx, access.As(ann), acme, sent.Invite.ID)
		return err
	})

	// A permission that the catalog has no more is granted to nobody.
	w = newWorld(t, invite.Config{})
	ways = w.acceptance(w.send(bob, access.PayInvoices))
	smaller, err := access.NewCatalog([]access.Definition{{Permission: access.OpenTickets, Key: "tickets", Label: "Tickets", Group: "Support"}}, nil)
	require.NoError(t, err)
	w.members(access.Config{Catalog: smaller})
	for _, accept := range ways {
		w.refused(access.ErrInvalid, "permissions.unknown", accept)
	}
}

func TestMembersDontAccept(t *testing.T) {
	w := newWorld(t, invite.Config{Holder: invite.AnyHolder})
	w.AsStaff("sam").Adds(acme, eve, access.PayInvoices)
	w.AsStaff("sam").Adds(acme, "zoe", access.PayInvoices)
	w.As(ann).Suspends(acme, "zoe")
	w.send(bob, access.OpenTickets)
	token := w.Token(bob)
	for _, user := range []access.UserID{ann, eve, "zoe"} {
		w.refused(access.ErrExists, "member.exists", func() error {
			_, err := w.Invites.Accept(ctx, token, verified(user))
			return err
		})
	}
	w.join(bob)
}

func TestExpiredMembershipIsRenewed(t *testing.T) {
	for _, suspended := range []bool{false, true} {
		w := newWorld(t, invite.Config{})
		w.As(bob).Exists()
		created := w.Clock.Now()
		_, err := w.Members.AddMember(ctx, system, acme, bob, access.Terms{Permissions: access.All, Expires: created.Add(time.Hour), Label: "Old"})
		require.NoError(t, err)
		if suspended {
			w.As(ann).Suspends(acme, bob)
		}
		w.Clock.Advance(time.Hour)
		ends := w.Clock.Now().Add(100 * time.Hour)
		_, err = w.Invites.Send(ctx, access.As(ann), acme,
			invite.Offer{Address: accesstest.AddressOf(bob), Terms: access.Terms{Permissions: access.PayInvoices, Expires: ends, Label: "New"}})
		require.NoError(t, err)
		w.join(bob)
		want := access.Membership{Account: acme, User: bob, Permissions: access.PayInvoices, Status: access.Active,
			Expires: ends, Label: "New", Created: created}
		if suspended {
			want.Status = access.Suspended
			w.As(bob).Cannot(acme, access.PayInvoices)
		} else {
			w.As(bob).Can(acme, access.PayInvoices).Cannot(acme, access.OpenTickets)
		}
		require.Equal(t, want, w.membership(acme, bob))
	}
}

func TestReplaysAreDead(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	w.join(bob)
	before := w.dump()
	for _, who := range []invite.Identity{verified(eve), twin(), verified(ann), unverified("zoe"), impostor(eve, bob)} {
		_, err := w.Invites.Accept(ctx, token, who)
		refusedAs(t, invite.IsUsed, err)
		require.Error(t, only(w.Invites.Decline(ctx, token, who)))
		_, err = w.Invites.AcceptPending(ctx, sent.Invite.ID, who)
		require.Error(t, err)
		require.Error(t, only(w.Invites.DeclinePending(ctx, sent.Invite.ID, who)))
	}
	require.Equal(t, before, w.dump())

	// A membership that is over isn't brought back by its old link.
	w.As(ann).Sets(acme, bob, access.OpenTickets)
	w.As(ann).Removes(acme, bob)
	w.refused(access.ErrDenied, string(invite.IsUsed), func() error {
		_, err := w.Invites.Accept(ctx, token, verified(bob))
		return err
	})
	w.As(bob).Cannot(acme, access.PayInvoices)
}

// What a link proves depends on how it was delivered, whatever the service is told since.
func TestDeliveryStaysWithTheLink(t *testing.T) {
	w := newWorld(t, invite.Config{Delivery: invite.ByHost})
	byHost := w.send(bob, access.PayInvoices)
	require.Equal(t, invite.ByHost, byHost.Invite.Delivery)
	w.Invites = w.service(keys, invite.Config{})
	w.worker(w.Mail)
	_, err := w.Invites.Accept(ctx, byHost.Token.Secret(), unverified(bob))
	refusedAs(t, invite.NeedsVerified, err)

	w.Clock.Advance(time.Hour)
	require.Equal(t, invite.ByMail, w.send(bob, access.PayInvoices).Invite.Delivery)
	token := w.Token(bob)
	w.Invites = w.service(keys, invite.Config{Delivery: invite.ByHost})
	_, err = w.Invites.Accept(ctx, token, unverified(bob))
	require.NoError(t, err, "it was mailed")
}

// The account's domains hold for who comes in, and as they are then.
func TestDomainsAreAskedAgain(t *testing.T) {
	domains := func(w *world, names ...string) {
		w.T.Helper()
		_, err := w.Members.SetPolicy(ctx, system, acme, access.Policy{Domains: names})
		require.NoError(w.T, err)
	}
	w := newWorld(t, invite.Config{})
	ways := w.acceptance(w.send(bob, access.PayInvoices))
	domains(w, "example.net")
	for _, accept := range ways {
		w.refused(access.ErrDenied, "invite.domain", accept)
	}
	domains(w, "example.net", "example.com")
	_, err := w.Invites.Accept(ctx, w.Token(bob), unverified(bob))
	require.NoError(t, err)

	// Where anybody with the link may accept, their own address counts, and has to be verified.
	w = newWorld(t, invite.Config{Holder: invite.AnyHolder})
	w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	domains(w, "example.com")
	elsewhere := invite.Identity{Actor: access.As(eve), Address: mustParse("eve@example.net"), Verified: true}
	for _, test := range []struct {
		who  invite.Identity
		code string
	}{
		{elsewhere, "invite.domain"},
		{unverified(eve), string(invite.NeedsVerified)},
		{invite.Identity{Actor: access.As(eve)}, string(invite.NeedsVerified)},
		{invite.Identity{Actor: access.As(eve), Verified: true}, string(invite.NeedsVerified)},
	} {
		w.refused(access.ErrDenied, test.code, func() error {
			_, err := w.Invites.Accept(ctx, token, test.who)
			return err
		})
	}
	_, err = w.Invites.Accept(ctx, token, verified(eve))
	require.NoError(t, err)
}

// A token of one account does nothing to another.
func TestTokensKeepToTheirAccount(t *testing.T) {
	w := newWorld(t, invite.Config{})
	ours := w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	theirs := w.sendAs(access.As(bea), beta, bob, access.All)
	before := func() string {
		lines := []string{}
		for line := range strings.Lines(w.dump()) {
			if strings.Contains(line, `"beta"`) && !strings.HasPrefix(line, "account of") {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "")
	}
	beta := before()
	require.NotEmpty(t, beta)
	_, err := w.Invites.Accept(ctx, token, verified(bob))
	require.NoError(t, err)
	require.Equal(t, beta, before())
	require.Equal(t, invite.Accepted, w.record(ours.Invite.ID).State)
	require.Equal(t, invite.Pending, w.record(theirs.Invite.ID).State)
	w.As(bob).Cannot("beta", access.PayInvoices)
}

func TestLookingChangesNothing(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	before := w.dump()
	for range 1000 {
		_, err := w.Invites.Lookup(ctx, token, verified(bob))
		require.NoError(t, err)
	}
	require.Equal(t, before, w.dump())
	calls := w.db.trace(func() { _, _ = w.Invites.Lookup(ctx, token, verified(bob)) })
	require.Equal(t, []string{"FindInvite", "Account", "User"}, calls)
	w.join(bob)
}

func TestConcurrentAccepts(t *testing.T) {
	for name, who := range map[string]func(n int) invite.Identity{
		"one user":   func(int) invite.Identity { return verified(bob) },
		"many users": func(n int) invite.Identity { return verified(guest(n)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, invite.Config{Holder: invite.AnyHolder})
			w.send(bob, access.PayInvoices)
			token := w.Token(bob)
			events, mails := len(w.events(acme)), w.messages(acme)
			outcomes := make([]invite.Outcome, 100)
			var all sync.WaitGroup
			for n := range outcomes {
				all.Go(func() {
					accepted, err := w.Invites.Accept(ctx, token, who(n))
					outcomes[n] = accepted.Outcome
					if err != nil {
						outcomes[n] = invite.Outcome(codeOf(err))
					}
				})
			}
			all.Wait()
			count := map[invite.Outcome]int{}
			for _, o := range outcomes {
				count[o]++
			}
			rest := invite.Already
			if name == "many users" {
				rest = invite.IsUsed
			}
			require.Equal(t, map[invite.Outcome]int{invite.Joined: 1, rest: 99}, count)
			require.Len(t, w.events(acme), events+2, "one member, one acceptance")
			require.Equal(t, mails+1, w.messages(acme), "one mail, to the owner")
			list, err := w.Members.Members(ctx, access.As(ann), acme, access.MemberFilter{}, access.Page{})
			require.NoError(t, err)
			require.Len(t, list.Items, 2)
		})
	}
}

// messages counts the mails of an account, sent or not.
func (w *world) messages(account access.AccountID) int {
	w.T.Helper()
	list, err := w.Members.Messages(ctx, system, account, access.MessageFilter{}, access.Page{Limit: access.MaxPage})
	require.NoError(w.T, err)
	return len(list.Items)
}

// Between finding an invite and locking its account somebody else may have been there.
func TestWhatHappensBeforeTheLock(t *testing.T) {
	for name, test := range map[string]struct {
		change func(r *invite.Record)
		want   invite.Outcome
	}{
		"revoked":             {func(r *invite.Record) { r.State = invite.Revoked }, invite.IsRevoked},
		"declined":            {func(r *invite.Record) { r.State = invite.Declined }, invite.IsDeclined},
		"used by another":     {func(r *invite.Record) { r.State, r.AcceptedBy = invite.Accepted, eve }, invite.IsUsed},
		"used, and left":      {func(r *invite.Record) { r.State, r.AcceptedBy = invite.Accepted, bob }, invite.IsUsed},
		"replaced":            {func(r *invite.Record) { r.Generation++ }, invite.IsReplaced},
		"expired":             {func(r *invite.Record) { r.Expires = r.Sent }, invite.IsExpired},
		"accepted by oneself": {func(r *invite.Record) { r.State, r.AcceptedBy = invite.Accepted, bob }, invite.Already},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, invite.Config{})
			sent := w.send(bob, access.PayInvoices)
			token := w.Token(bob)
			ways := w.acceptance(sent)
			ways["declining"] = func() error { return only(w.Invites.Decline(ctx, token, verified(bob))) }
			meanwhile := func(ctx context.Context, tx storage.Tx) error {
				r, err := tx.Invite(ctx, sent.Invite.Account, sent.Invite.ID)
				require.NoError(t, err)
				generation := r.Generation
				test.change(&r)
				if test.want == invite.Already {
					require.NoError(t, tx.PutMembership(ctx, access.Membership{Account: acme, User: bob, Permissions: access.PayInvoices, Status: access.Active}))
				}
				return tx.UpdateInvite(ctx, r, generation)
			}
			for _, way := range []string{"declining", "by token", "without a token"} {
				w.db.locked = meanwhile
				if way != "declining" && test.want == invite.Already {
					require.NoError(t, ways[way]())
					w.db.locked = nil
					accepted, err := w.Invites.Accept(ctx, token, verified(bob))
					require.NoError(t, err)
					require.Equal(t, invite.Acceptance{Outcome: invite.Already, Account: acme}, accepted)
					continue
				}
				want := test.want
				if want == invite.Already {
					want = invite.IsUsed
				}
				if way == "without a token" && want == invite.IsReplaced {
					require.NoError(t, ways[way](), "who needs no link doesn't mind a newer one")
					continue
				}
				before := w.dump()
				refusedAs(t, want, ways[way]())
				require.Equal(t, before, w.dump(), way)
			}
		})
	}
}

// A failing call to storage, whichever, leaves everything as it was.
func TestAnswersAreAllOrNothing(t *testing.T) {
	for _, way := range []string{"by token", "without a token"} {
		w := newWorld(t, invite.Config{})
		w.failing(way, w.acceptance(w.sendAs(w.manager(), acme, bob, access.PayInvoices))[way])
		w.As(bob).Can(acme, access.PayInvoices)
	}
	w := newWorld(t, invite.Config{})
	w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	w.failing("Lookup", func() error {
		_, err := w.Invites.Lookup(ctx, token, verified(bob))
		return err
	})
	w.failing("Waiting", func() error {
		_, err := w.Invites.Waiting(ctx, verified(bob), access.Page{})
		return err
	})
	w.failing("Decline", func() error { return only(w.Invites.Decline(ctx, token, verified(bob))) })
	w.Clock.Advance(time.Hour)
	w.send(bob, access.PayInvoices)
	w.join(bob)
	token = w.Token(bob)
	w.failing("looking at one's own", func() error {
		_, err := w.Invites.Lookup(ctx, token, verified(bob))
		return err
	})
	w.failing("accepting again", func() error {
		_, err := w.Invites.Accept(ctx, token, verified(bob))
		return err
	})
}

// Who merely says that the victim's address is theirs gets nothing without the mail.
func TestImpostorsGetNothing(t *testing.T) {
	for _, config := range []invite.Config{{}, {Delivery: invite.ByHost}, {Holder: invite.AnyHolder}} {
		w := newWorld(t, config)
		sent := w.send(bob, access.PayInvoices)
		w.Deliver()
		thief := impostor(eve, bob)
		before := w.dump()

		list, err := w.Invites.Waiting(ctx, thief, access.Page{})
		require.NoError(t, err)
		require.Zero(t, list)
		accepted, err := w.Invites.AcceptPending(ctx, sent.Invite.ID, thief)
		require.Equal(t, access.NotFound("invite"), err)
		require.Zero(t, accepted)
		require.Equal(t, access.NotFound("invite"), only(w.Invites.DeclinePending(ctx, sent.Invite.ID, thief)))
		for verb, do := range w.byToken() {
			require.Equal(t, invalid(), do(strings.Repeat("A", 64), thief), verb)
			require.Equal(t, invalid(), do(string(sent.Invite.ID), thief), verb)
		}
		absent, err := w.Invites.AcceptPending(ctx, "0190a6e2-7c10-7abc-8def-0123456789ab", thief)
		require.Equal(t, access.NotFound("invite"), err)
		require.Equal(t, accepted, absent)
		require.Equal(t, before, w.dump())

		if config.Delivery == invite.ByHost && config.Holder == invite.InvitedAddress {
			// The host's own delivery proves nothing: even the token doesn't help.
			_, err = w.Invites.Accept(ctx, sent.Token.Secret(), thief)
			refusedAs(t, invite.NeedsVerified, err)
			refusedAs(t, invite.NeedsVerified, only(w.Invites.Decline(ctx, sent.Token.Secret(), thief)))
			require.Equal(t, before, w.dump())
		}
	}
}

// Identities that can't be are refused, whatever else is right.
func TestIdentitiesAreChecked(t *testing.T) {
	w := newWorld(t, invite.Config{Holder: invite.AnyHolder})
	sent := w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	for name, test := range map[string]struct {
		actor access.Actor
		code  string
	}{
		"staff":     {staff, "identity.user"},
		"system":    {system, "identity.user"},
		"no id":     {access.Actor{Kind: access.ActorUser}, "id.empty"},
		"long id":   {access.As(access.UserID(strings.Repeat("x", 129))), "id.long"},
		"on behalf": {access.Actor{Kind: access.ActorUser, ID: "bob", OnBehalf: "ann"}, "actor.staff"},
		"no kind":   {access.Actor{ID: "bob"}, "actor.zero"},
	} {
		who := invite.Identity{Actor: test.actor, Address: accesstest.AddressOf(bob), Verified: true}
		for verb, do := range w.byToken() {
			w.refused(access.ErrInvalid, test.code, func() error { return do(token, who) })
			require.NotEmpty(t, verb)
		}
		w.refused(access.ErrInvalid, test.code, func() error {
			_, err := w.Invites.AcceptPending(ctx, sent.Invite.ID, who)
			return err
		})
		w.refused(access.ErrInvalid, test.code, func() error { return only(w.Invites.DeclinePending(ctx, sent.Invite.ID, who)) })
		w.refused(access.ErrInvalid, test.code, func() error {
			_, err := w.Invites.Waiting(ctx, who, access.Page{})
			return err
		})
		require.NotEmpty(t, name)
	}
	w.refused(access.ErrInvalid, "actor.zero", func() error {
		_, err := w.Invites.Waiting(ctx, invite.Identity{Address: accesstest.AddressOf(bob), Verified: true}, access.Page{})
		return err
	})
}

func TestWaiting(t *testing.T) {
	w := newWorld(t, invite.Config{})
	ours := w.send(bob, access.PayInvoices)
	theirs := w.sendAs(access.As(bea), beta, bob, access.All)
	w.send(eve, access.PayInvoices)
	first := invite.WaitingInvite{ID: theirs.Invite.ID, Account: beta, AccountName: "beta", InviterName: "bea",
		Terms: access.Terms{Permissions: access.All}, Until: theirs.Invite.Expires}
	second := invite.WaitingInvite{ID: ours.Invite.ID, Account: acme, AccountName: "acme", InviterName: "ann",
		Terms: access.Terms{Permissions: access.PayInvoices}, Until: ours.Invite.Expires}
	waiting := func(who invite.Identity, page access.Page) access.List[invite.WaitingInvite] {
		t.Helper()
		before := w.dump()
		list, err := w.Invites.Waiting(ctx, who, page)
		require.NoError(t, err)
		require.Equal(t, before, w.dump())
		return list
	}
	require.Equal(t, []invite.WaitingInvite{first, second}, waiting(verified(bob), access.Page{}).Items)
	require.Equal(t, []invite.WaitingInvite{first, second}, waiting(twin(), access.Page{}).Items)
	require.Len(t, waiting(verified(eve), access.Page{}).Items, 1)
	require.Empty(t, waiting(verified("zoe"), access.Page{}).Items)
	require.Zero(t, waiting(unverified(bob), access.Page{}))
	require.Zero(t, waiting(invite.Identity{Actor: access.As(bob), Verified: true}, access.Page{}), "an empty address is nobody's")

	page := waiting(verified(bob), access.Page{Limit: 1})
	require.Equal(t, []invite.WaitingInvite{first}, page.Items)
	next := waiting(verified(bob), access.Page{Limit: 1, After: page.Next})
	require.Equal(t, access.List[invite.WaitingInvite]{Items: []invite.WaitingInvite{second}}, next)
	for name, test := range map[string]struct {
		page access.Page
		code string
	}{
		"another's cursor": {access.Page{After: page.Next}, "page.cursor"},
		"a made-up cursor": {access.Page{After: "x"}, "page.cursor"},
		"too many":         {access.Page{Limit: access.MaxPage + 1}, "page.limit"},
		"less than one":    {access.Page{Limit: -1}, "page.limit"},
	} {
		w.refused(access.ErrInvalid, test.code, func() error {
			_, err := w.Invites.Waiting(ctx, verified(eve), test.page)
			return err
		})
		require.NotEmpty(t, name)
	}

	w.Clock.Advance(first.Until.Add(-time.Millisecond).Sub(w.Clock.Now()))
	require.Equal(t, []invite.WaitingInvite{first}, waiting(verified(bob), access.Page{}).Items, "the other has expired")
	require.NoError(t, only(w.Invites.DeclinePending(ctx, first.ID, verified(bob))))
	require.Empty(t, waiting(verified(bob), access.Page{}).Items)
}

package invite_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
	"github.com/stretchr/testify/require"
)

func TestSend(t *testing.T) {
	w := newWorld(t, invite.Config{})
	starts := w.Clock.Now().Add(24*time.Hour + 1500*time.Nanosecond).In(time.FixedZone("odd", 5*3600+1800))
	terms := access.Terms{Permissions: access.PayInvoices | access.OpenTickets, Starts: starts, Expires: starts.Add(time.Hour), Label: "Books"}
	sent, err := w.Invites.Send(ctx, access.As(ann), acme, invite.Offer{Address: address(t, "Bob@Example.COM"), Terms: terms})
	require.NoError(t, err)

	account, err := w.Members.Account(ctx, system, acme)
	require.NoError(t, err)
	stored := terms
	stored.Starts = terms.Starts.UTC().Truncate(time.Microsecond)
	stored.Expires = terms.Expires.UTC().Truncate(time.Microsecond)
	require.Equal(t, invite.Sent{
		Invite: invite.Invite{ID: sent.Invite.ID, Account: acme, Address: address(t, "Bob@Example.COM"), Terms: stored,
			By: invite.Inviter{Kind: access.ActorUser, ID: "ann"}, Generation: 1, State: invite.Pending,
			Created: w.Clock.Now(), Sent: w.Clock.Now(), Expires: w.Clock.Now().Add(72 * time.Hour)},
		Revision: access.Revision{Account: acme, Version: account.Version},
	}, sent)
	require.Equal(t, byte('7'), sent.Invite.ID[14], "a UUIDv7")

	r := w.record(sent.Invite.ID)
	require.Equal(t, sent.Invite, r.Invite)
	require.Equal(t, "2026", r.Key)
	require.NotZero(t, r.Secret)
	w.As(bob).Cannot(acme, access.PayInvoices)

	next := w.send(eve, access.PayInvoices)
	require.NotEqual(t, r.Secret, w.record(next.Invite.ID).Secret)
	require.NotEqual(t, r.ID, next.Invite.ID)
}

func TestSendRefusesOffers(t *testing.T) {
	now := accesstest.Epoch
	good := offer(bob, access.PayInvoices)
	for _, test := range []struct {
		name   string
		change func(*invite.Offer)
		code   string
	}{
		{"no address", func(o *invite.Offer) { o.Address = access.Address{} }, "address.empty"},
		{"no permission", func(o *invite.Offer) { o.Terms.Permissions = 0 }, "permissions.empty"},
		{"a permission that isn't there", func(o *invite.Offer) { o.Terms.Permissions = 1 << 40 }, "permissions.unknown"},
		{"bit 63", func(o *invite.Offer) { o.Terms.Permissions = 1<<63 | access.PayInvoices }, "permissions.unknown"},
		{"without what it needs", func(o *invite.Offer) { o.Terms.Permissions = access.ManageDomains }, "permissions.needs"},
		{"expires now", func(o *invite.Offer) { o.Terms.Expires = now }, "time.past"},
		{"expired", func(o *invite.Offer) { o.Terms.Expires = now.Add(-time.Hour) }, "time.past"},
		{"ends before it starts", func(o *invite.Offer) { o.Terms.Starts, o.Terms.Expires = now.Add(2*time.Hour), now.Add(time.Hour) }, "time.order"},
		{"a long label", func(o *invite.Offer) { o.Terms.Label = strings.Repeat("x", 201) }, "text.long"},
		{"a label with a line break", func(o *invite.Offer) { o.Terms.Label = "a\nb" }, "text.control"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, invite.Config{})
			bad := good
			test.change(&bad)
			w.refused(access.ErrInvalid, test.code, func() error {
				_, err := w.Invites.Send(ctx, access.As(ann), acme, bad)
				return err
			})
		})
	}
}

func TestSendNeedsTheRight(t *testing.T) {
	w := newWorld(t, invite.Config{})
	manager := w.manager()
	w.AsStaff("sam").Adds(acme, eve, access.PayInvoices)
	for _, test := range []struct {
		name    string
		actor   access.Actor
		account access.AccountID
		offer   invite.Offer
		kind    error
		code    string
	}{
		{"nobody", access.Actor{}, acme, offer(bob, access.PayInvoices), access.ErrInvalid, "actor.zero"},
		{"no account", access.As(ann), "nosuch", offer(bob, access.PayInvoices), access.ErrNotFound, "not_found"},
		{"a stranger", access.As(bea), acme, offer(bob, access.PayInvoices), access.ErrNotFound, "not_found"},
		{"a member who doesn't manage", access.As(eve), acme, offer(bob, access.PayInvoices), access.ErrDenied, "denies.manage"},
		{"beyond the manager", manager, acme, offer(bob, access.PayInvoices|access.OpenTickets), access.ErrDenied, "permissions.beyond"},
		{"All, by a manager", manager, acme, offer(bob, access.All), access.ErrDenied, "permissions.beyond"},
		{"All, in another account", access.As(ann), beta, offer(bob, access.All), access.ErrNotFound, "not_found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.refused(test.kind, test.code, func() error {
				_, err := w.Invites.Send(ctx, test.actor, test.account, test.offer)
				return err
			})
		})
	}
	w.sendAs(manager, acme, bob, access.PayInvoices|access.ManageUsers)
	w.sendAs(staff, acme, "zoe", access.All)
	w.sendAs(system, acme, "rob", access.All)

	w.members(access.Config{OnlyOwnerManages: true})
	w.refused(access.ErrDenied, "denies.manage", func() error {
		_, err := w.Invites.Send(ctx, manager, acme, offer("yve", access.PayInvoices))
		return err
	})
	w.refused(access.ErrDenied, "denies.staff", func() error {
		_, err := w.Invites.Send(ctx, staff, acme, offer("yve", access.PayInvoices))
		return err
	})
}

// To a stranger an account that is there looks like one that isn't, whatever they ask for.
func TestStrangersCantTellAccounts(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	past := access.Terms{Permissions: access.PayInvoices, Expires: w.Clock.Now().Add(-time.Hour)}
	long := access.Terms{Permissions: access.PayInvoices, Label: strings.Repeat("x", 201)}
	suspend := func() {
		_, err := w.Members.SuspendAccount(ctx, system, acme)
		require.NoError(t, err)
	}
	for name, verb := range map[string]func(account access.AccountID) error{
		"Send": func(account access.AccountID) error {
			_, err := w.Invites.Send(ctx, access.As(eve), account, offer("zoe", access.PayInvoices))
			return err
		},
		"Send to the invited": func(account access.AccountID) error {
			_, err := w.Invites.Send(ctx, access.As(eve), account, offer(bob, access.PayInvoices))
			return err
		},
		"Send to the owner": func(account access.AccountID) error {
			_, err := w.Invites.Send(ctx, access.As(eve), account, offer(ann, access.PayInvoices))
			return err
		},
		"Send, terms that are over": func(account access.AccountID) error {
			_, err := w.Invites.Send(ctx, access.As(eve), account, invite.Offer{Address: accesstest.AddressOf(bob), Terms: past})
			return err
		},
		"Send, a long label": func(account access.AccountID) error {
			_, err := w.Invites.Send(ctx, access.As(eve), account, invite.Offer{Address: accesstest.AddressOf(bob), Terms: long})
			return err
		},
		"Resend": func(account access.AccountID) error {
			_, err := w.Invites.Resend(ctx, access.As(eve), account, sent.Invite.ID)
			return err
		},
		"Edit": func(account access.AccountID) error {
			_, err := w.Invites.Edit(ctx, access.As(eve), account, sent.Invite.ID, access.Terms{Permissions: access.PayInvoices})
			return err
		},
		"Edit, terms that are over": func(account access.AccountID) error {
			_, err := w.Invites.Edit(ctx, access.As(eve), account, sent.Invite.ID, past)
			return err
		},
		"Revoke": func(account access.AccountID) error {
			_, err := w.Invites.Revoke(ctx, access.As(eve), account, sent.Invite.ID)
			return err
		},
		"Pending": func(account access.AccountID) error {
			_, err := w.Invites.Pending(ctx, access.As(eve), account, invite.Filter{}, access.Page{})
			return err
		},
	} {
		for _, change := range []func(){func() {}, suspend} {
			change()
			before := w.dump()
			there, absent := verb(acme), verb("nosuch")
			require.Equal(t, access.NotFound("account"), there, name)
			require.Equal(t, absent, there, name)
			require.Equal(t, before, w.dump(), name)
		}
	}
}

func TestSendToAMember(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.send(bob, access.PayInvoices)
	w.join(bob)
	w.As(bob).Exists()
	w.AsStaff("sam").Adds(acme, eve, access.PayInvoices)
	w.As(eve).Exists()
	w.As(ann).Suspends(acme, eve)
	for _, to := range []string{"ann@example.com", "ANN@EXAMPLE.com", "bob@example.com", "Bob@eXample.com", "eve@example.com"} {
		w.refused(access.ErrExists, "member.exists", func() error {
			_, err := w.Invites.Send(ctx, access.As(ann), acme, invite.Offer{Address: address(t, to), Terms: access.Terms{Permissions: access.PayInvoices}})
			return err
		})
	}
	// That an address is theirs has to be proven: nobody keeps another from being invited.
	require.NoError(t, w.Members.SyncUser(ctx, access.User{ID: eve, Address: address(t, "zoe@example.com")}))
	w.send("zoe", access.PayInvoices)
	// A member of another account is invited like everybody.
	w.send(bea, access.PayInvoices)
}

func TestSendToAnExpiredMember(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.As(bob).Exists()
	ends := w.Clock.Now().Add(time.Hour)
	_, err := w.Members.AddMember(ctx, system, acme, bob, access.Terms{Permissions: access.PayInvoices, Expires: ends})
	require.NoError(t, err)
	w.Clock.Advance(time.Hour - time.Microsecond)
	w.refused(access.ErrExists, "member.exists", func() error {
		_, err := w.Invites.Send(ctx, access.As(ann), acme, offer(bob, access.PayInvoices))
		return err
	})
	w.Clock.Advance(time.Microsecond)
	_, err = w.Invites.Send(ctx, access.As(ann), acme, offer(bob, access.PayInvoices))
	require.NoError(t, err)
}

func TestSendingAgainIsAResend(t *testing.T) {
	w := newWorld(t, invite.Config{})
	_, err := w.Members.SetPolicy(ctx, system, acme, access.Policy{Seats: 1})
	require.NoError(t, err)
	first := w.send(bob, access.PayInvoices)
	old := w.Token(bob)
	w.Clock.Advance(time.Hour)
	again, err := w.Invites.Send(ctx, access.As(ann), acme,
		invite.Offer{Address: address(t, "BOB@example.com"), Terms: access.Terms{Permissions: access.OpenTickets, Label: "Help"}})
	require.NoError(t, err, "the one seat is its own")
	require.True(t, again.Resent)
	want := first.Invite
	want.Generation, want.Sent, want.Expires = 2, w.Clock.Now(), w.Clock.Now().Add(72*time.Hour)
	want.Terms = access.Terms{Permissions: access.OpenTickets, Label: "Help"}
	require.Equal(t, want, again.Invite)
	require.Equal(t, want, w.record(first.Invite.ID).Invite)

	list, err := w.Invites.Pending(ctx, access.As(ann), acme, invite.Filter{}, access.Page{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.NoError(t, w.DB.View(ctx, func(ctx context.Context, tx storage.Tx) error {
		live, err := tx.LiveInvites(ctx, acme, w.Clock.Now())
		require.Equal(t, 1, live)
		return err
	}))

	p, err := w.Invites.Lookup(ctx, old, verified(bob))
	require.NoError(t, err)
	require.Equal(t, invite.IsReplaced, p.Outcome)
	require.Equal(t, w.Clock.Now(), p.Sent)
	renewed := w.Token(bob)
	require.NotEqual(t, old, renewed)
	w.join(bob)
	w.As(bob).Can(acme, access.OpenTickets).Cannot(acme, access.PayInvoices)
}

// Sending again revives an expired invite, with the full time and the place that it kept.
func TestSendingAgainRevives(t *testing.T) {
	w := newWorld(t, invite.Config{})
	first := w.send(bob, access.PayInvoices)
	w.Clock.Advance(100 * time.Hour)
	again := w.send(bob, access.PayInvoices)
	require.True(t, again.Resent)
	require.Equal(t, first.Invite.ID, again.Invite.ID)
	require.Equal(t, first.Invite.Created, again.Invite.Created)
	require.Equal(t, w.Clock.Now().Add(72*time.Hour), again.Invite.Expires)
	w.join(bob)

	// What was answered is over: the next is a new one.
	w.As(ann).Removes(acme, bob)
	next := w.send(bob, access.PayInvoices)
	require.False(t, next.Resent)
	require.NotEqual(t, first.Invite.ID, next.Invite.ID)
	require.EqualValues(t, 1, next.Invite.Generation)
}

func TestSendingAgainKeepsToDelegation(t *testing.T) {
	w := newWorld(t, invite.Config{})
	manager := w.manager()
	w.send(bob, access.PayInvoices|access.OpenTickets)
	w.Clock.Advance(time.Hour)
	w.refused(access.ErrDenied, "permissions.beyond", func() error {
		_, err := w.Invites.Send(ctx, manager, acme, offer(bob, access.PayInvoices))
		return err
	})
	w.send(bob, access.PayInvoices)
	w.Clock.Advance(time.Hour)
	again := w.sendAs(manager, acme, bob, access.PayInvoices|access.ManageUsers)
	require.Equal(t, invite.Inviter{Kind: access.ActorUser, ID: "max"}, again.Invite.By)
}

func TestAllowedDomains(t *testing.T) {
	w := newWorld(t, invite.Config{})
	_, err := w.Members.SetPolicy(ctx, system, acme, access.Policy{Domains: []string{"example.net", "xn--bcher-kva.example"}})
	require.NoError(t, err)
	for _, to := range []string{"bob@example.com", "bob@sub.example.net", "bob@notexample.net", "bob@example.net.example.com"} {
		w.refused(access.ErrDenied, "invite.domain", func() error {
			_, err := w.Invites.Send(ctx, access.As(ann), acme, invite.Offer{Address: address(t, to), Terms: access.Terms{Permissions: access.PayInvoices}})
			return err
		})
	}
	for _, to := range []string{"bob@example.net", "eve@EXAMPLE.NET", "zoe@bücher.example", "rob@xn--bcher-kva.example"} {
		_, err := w.Invites.Send(ctx, access.As(ann), acme, invite.Offer{Address: address(t, to), Terms: access.Terms{Permissions: access.PayInvoices}})
		require.NoError(t, err, to)
	}
	// Beta's own policy is another.
	w.sendAs(access.As(bea), beta, bob, access.PayInvoices)
	// A resend asks again.
	_, err = w.Members.SetPolicy(ctx, system, acme, access.Policy{Domains: []string{"example.org"}})
	require.NoError(t, err)
	w.Clock.Advance(time.Hour)
	list, err := w.Invites.Pending(ctx, access.As(ann), acme, invite.Filter{}, access.Page{})
	require.NoError(t, err)
	w.refused(access.ErrDenied, "invite.domain", func() error {
		_, err := w.Invites.Resend(ctx, access.As(ann), acme, list.Items[0].ID)
		return err
	})
}

func TestSendInAnAccountThatIsNotActive(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.send(bob, access.PayInvoices)
	w.Clock.Advance(time.Hour)
	for _, state := range []struct {
		set  func(context.Context, access.Actor, access.AccountID) (access.Revision, error)
		code string
	}{{w.Members.SuspendAccount, "denies.account_suspended"}, {w.Members.CloseAccount, "denies.closed"}} {
		_, err := state.set(ctx, system, acme)
		require.NoError(t, err)
		for _, actor := range []access.Actor{access.As(ann), staff, system} {
			for _, to := range []access.UserID{bob, eve} {
				w.refused(access.ErrDenied, state.code, func() error {
					_, err := w.Invites.Send(ctx, actor, acme, offer(to, access.PayInvoices))
					return err
				})
			}
		}
	}
}

func TestSeats(t *testing.T) {
	w := newWorld(t, invite.Config{})
	_, err := w.Members.SetPolicy(ctx, system, acme, access.Policy{Seats: 2})
	require.NoError(t, err)
	full := func() {
		t.Helper()
		w.refused(access.ErrLimit, "seats.used", func() error {
			_, err := w.Invites.Send(ctx, access.As(ann), acme, offer("zoe", access.PayInvoices))
			return err
		})
	}
	w.send(bob, access.PayInvoices)
	sent := w.send(eve, access.PayInvoices)
	full()
	w.join(bob) // with the seat of the invite
	full()
	_, err = w.Invites.Revoke(ctx, access.As(ann), acme, sent.Invite.ID)
	require.NoError(t, err)
	sent = w.send("zoe", access.PayInvoices)
	w.Clock.Advance(72 * time.Hour) // an expired invite has no seat
	w.send("rob", access.PayInvoices)
	w.refused(access.ErrLimit, "seats.used", func() error { // and needs one to come back
		_, err := w.Invites.Resend(ctx, access.As(ann), acme, sent.Invite.ID)
		return err
	})
	w.As(ann).Removes(acme, bob)
	_, err = w.Invites.Resend(ctx, access.As(ann), acme, sent.Invite.ID)
	require.NoError(t, err)
}

// Whether an address belongs to somebody is not for the inviter to know: not from the result, nor from what it costs.
func TestKnownAndUnknownAddressesLookTheSame(t *testing.T) {
	for _, delivery := range []invite.Delivery{invite.ByMail, invite.ByHost} {
		w := newWorld(t, invite.Config{Delivery: delivery})
		w.As(bob).Exists()
		w.As(bob).Creates("gamma")
		w.AsStaff("sam").Adds(beta, bob, access.PayInvoices)
		send := func(to string) (sent invite.Sent, again invite.Sent, calls []string) {
			at := w.Clock.Now()
			o := invite.Offer{Address: address(t, to), Terms: access.Terms{Permissions: access.PayInvoices}}
			calls = w.db.trace(func() {
				var err error
				sent, err = w.Invites.Send(ctx, access.As(ann), acme, o)
				require.NoError(t, err)
				w.Clock.Advance(time.Minute)
				again, err = w.Invites.Send(ctx, access.As(ann), acme, o)
				require.NoError(t, err)
			})
			w.Clock.Advance(at.Sub(w.Clock.Now()))
			return sent, again, calls
		}
		known, knownAgain, knownCalls := send("bob@example.com")
		unknown, unknownAgain, unknownCalls := send("nob@example.com")
		apart := cmp.Options{
			cmpopts.IgnoreFields(invite.Invite{}, "ID", "Address"), cmpopts.IgnoreFields(access.Revision{}, "Version"),
			cmp.Comparer(func(a, b invite.Token) bool { return a.IsZero() == b.IsZero() }),
		}
		require.Empty(t, cmp.Diff(known, unknown, apart))
		require.Empty(t, cmp.Diff(knownAgain, unknownAgain, apart))
		require.Equal(t, knownCalls, unknownCalls)

		list := func(prefix string) invite.PendingInvite {
			w.Deliver()
			list, err := w.Invites.Pending(ctx, access.As(ann), acme, invite.Filter{Prefix: prefix}, access.Page{})
			require.NoError(t, err)
			require.Len(t, list.Items, 1)
			return list.Items[0]
		}
		require.Empty(t, cmp.Diff(list("bob@"), list("nob@"), apart))
	}
}

func TestSilentStaff(t *testing.T) {
	w := newWorld(t, invite.Config{Delivery: invite.ByHost})
	silent := staff
	silent.Silent = true
	sent := w.sendAs(silent, acme, bob, access.PayInvoices)
	require.False(t, sent.Token.IsZero())

	event := w.events(acme)[len(w.events(acme))-1]
	require.Equal(t, silent, event.Actor)
	_, err := w.Invites.Accept(ctx, sent.Token.Secret(), verified(bob))
	require.NoError(t, err)

	// By mail nobody would ever get the link.
	w = newWorld(t, invite.Config{})
	w.refused(access.ErrInvalid, "actor.silent", func() error {
		_, err := w.Invites.Send(ctx, silent, acme, offer(bob, access.PayInvoices))
		return err
	})
	sent = w.sendAs(staff, acme, bob, access.PayInvoices)
	w.Clock.Advance(time.Hour)
	w.refused(access.ErrInvalid, "actor.silent", func() error {
		_, err := w.Invites.Resend(ctx, silent, acme, sent.Invite.ID)
		return err
	})
	_, err = w.Invites.Revoke(ctx, silent, acme, sent.Invite.ID)
	require.NoError(t, err)
}

func TestSendMany(t *testing.T) {
	w := newWorld(t, invite.Config{})
	manager := w.manager()
	offers := []invite.Offer{
		offer(bob, access.PayInvoices),
		offer(ann, access.PayInvoices),
		offer(eve, access.OpenTickets),
		{Terms: access.Terms{Permissions: access.PayInvoices}},
		offer("zoe", 0),
		offer(bob, access.PayInvoices),
		offer("rob", access.ManageUsers),
	}
	results, err := w.Invites.SendMany(ctx, manager, acme, offers)
	require.NoError(t, err)
	require.Len(t, results, len(offers))
	codes := []string{"", "member.exists", "permissions.beyond", "address.empty", "permissions.empty", "invite.wait", ""}
	for i, r := range results {
		require.Equal(t, offers[i].Address, r.Address)
		require.Equal(t, codes[i], codeOf(r.Err), "offer %d", i)
		if codes[i] == "" {
			require.NoError(t, r.Err)
			require.Equal(t, offers[i].Address, r.Sent.Invite.Address)
			require.Equal(t, r.Sent.Invite, w.record(r.Sent.Invite.ID).Invite)
		} else {
			require.Error(t, r.Err)
			require.Zero(t, r.Sent)
		}
	}
	w.Deliver()
	require.Len(t, w.Mail.Mails(), 2)

	for name, offers := range map[string][]invite.Offer{"none": nil, "too many": make([]invite.Offer, invite.MaxMany+1)} {
		w.refused(access.ErrInvalid, "offers.number", func() error {
			results, err := w.Invites.SendMany(ctx, manager, acme, offers)
			require.Nil(t, results, name)
			return err
		})
	}
	results, err = w.Invites.SendMany(ctx, manager, acme, make([]invite.Offer, invite.MaxMany))
	require.NoError(t, err)
	require.Len(t, results, invite.MaxMany)
}

// A failing write or read, whichever, sends nothing.
func TestSendIsAllOrNothing(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.send(bob, access.PayInvoices)
	w.Clock.Advance(time.Hour)
	for name, verb := range map[string]func() error{
		"a new one": func() error {
			_, err := w.Invites.Send(ctx, access.As(ann), acme, offer(eve, access.PayInvoices))
			return err
		},
		"an old one": func() error {
			_, err := w.Invites.Send(ctx, access.As(ann), acme, offer(bob, access.OpenTickets))
			return err
		},
	} {
		w.failing(name, verb)
	}
}

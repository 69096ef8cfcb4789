package invite_test

import (
	"testing"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/invite"
	"github.com/stretchr/testify/require"
)

// A situation is how an invite of bob's to acme stands to somebody.
type situation struct {
	name   string
	config invite.Config
	before func(w *world, sent invite.Sent) // what has happened since it was sent
	who    invite.Identity
	token  invite.Outcome // to them with the token
	byID   invite.Outcome // to them without; there is no such invite if it is empty
}

func verified(user access.UserID) invite.Identity {
	return invite.Identity{Actor: access.As(user), Address: accesstest.AddressOf(user), Verified: true}
}

// twin is another user with bob's verified address: addresses aren't unique.
func twin() invite.Identity {
	return invite.Identity{Actor: access.As("rob"), Address: accesstest.AddressOf(bob), Verified: true}
}

func situations() []situation {
	joined := func(w *world, _ invite.Sent) { w.join(bob) }
	revoked := func(w *world, sent invite.Sent) {
		_, err := w.Invites.Revoke(ctx, access.As(ann), acme, sent.Invite.ID)
		require.NoError(w.T, err)
	}
	declined := func(w *world, _ invite.Sent) {
		require.NoError(w.T, only(w.Invites.Decline(ctx, w.Token(bob), verified(bob))))
	}
	after := func(d time.Duration) func(*world, invite.Sent) {
		return func(w *world, _ invite.Sent) { w.Clock.Advance(d) }
	}
	resent := func(w *world, sent invite.Sent) {
		w.Clock.Advance(time.Hour)
		_, err := w.Invites.Resend(ctx, access.As(ann), acme, sent.Invite.ID)
		require.NoError(w.T, err)
	}
	host := invite.Config{Delivery: invite.ByHost}
	anybody := invite.Config{Holder: invite.AnyHolder}
	return []situation{
		{name: "verified", who: verified(bob), token: invite.Ready, byID: invite.Ready},
		{name: "the address in another case", token: invite.Ready, byID: invite.Ready,
			who: invite.Identity{Actor: access.As(bob), Address: mustParse("BOB@Example.COM"), Verified: true}},
		{name: "not verified, but the mailed token proves it", who: unverified(bob), token: invite.Ready},
		{name: "delivered by the host, verified", config: host, who: verified(bob), token: invite.Ready, byID: invite.Ready},
		{name: "delivered by the host, not verified", config: host, who: unverified(bob), token: invite.NeedsVerified},
		{name: "nobody signed in", token: invite.NeedsSignUp},
		{name: "nobody signed in, with an address", token: invite.NeedsSignUp, byID: invite.NeedsSignUp,
			who: invite.Identity{Address: accesstest.AddressOf(bob), Verified: true}},
		{name: "somebody else", who: verified(eve), token: invite.WrongUser},
		{name: "the same user with another address", token: invite.WrongUser,
			who: invite.Identity{Actor: access.As(bob), Address: mustParse("bob@example.net"), Verified: true}},
		{name: "a user without an address", who: invite.Identity{Actor: access.As(bob)}, token: invite.WrongUser},
		{name: "a user without an address that is verified", token: invite.WrongUser,
			who: invite.Identity{Actor: access.As(bob), Verified: true}},
		{name: "any holder", config: anybody, who: verified(eve), token: invite.Ready},
		{name: "any holder, not verified, delivered by the host", who: unverified(eve), token: invite.Ready,
			config: invite.Config{Holder: invite.AnyHolder, Delivery: invite.ByHost}},
		{name: "any holder, without an address", config: anybody, who: invite.Identity{Actor: access.As(eve)}, token: invite.Ready},
		{name: "any holder, nobody signed in", config: anybody, token: invite.NeedsSignUp},
		{name: "a microsecond before it expires", before: after(72*time.Hour - time.Microsecond), who: verified(bob),
			token: invite.Ready, byID: invite.Ready},
		{name: "at exactly 72 hours", before: after(72 * time.Hour), who: verified(bob), token: invite.IsExpired, byID: invite.IsExpired},
		{name: "long after", before: after(1000 * time.Hour), token: invite.IsExpired},
		{name: "a lifetime of the host's, before", config: invite.Config{Lifetime: time.Hour}, before: after(time.Hour - time.Microsecond),
			who: verified(bob), token: invite.Ready, byID: invite.Ready},
		{name: "a lifetime of the host's, after", config: invite.Config{Lifetime: time.Hour}, before: after(time.Hour),
			who: verified(bob), token: invite.IsExpired, byID: invite.IsExpired},
		{name: "revoked", before: revoked, who: verified(bob), token: invite.IsRevoked, byID: invite.IsRevoked},
		{name: "revoked, somebody else", before: revoked, who: verified(eve), token: invite.IsRevoked},
		{name: "declined", before: declined, who: verified(bob), token: invite.IsDeclined, byID: invite.IsDeclined},
		{name: "accepted before", before: joined, who: verified(bob), token: invite.Already, byID: invite.Already},
		{name: "accepted before, and long ago", who: verified(bob), token: invite.Already, byID: invite.Already,
			before: func(w *world, sent invite.Sent) { joined(w, sent); w.Clock.Advance(1000 * time.Hour) }},
		{name: "accepted before, the address changed since", before: joined, token: invite.Already,
			who: invite.Identity{Actor: access.As(bob), Address: mustParse("bob@example.net")}},
		{name: "accepted before, nobody signed in", before: joined, token: invite.IsUsed},
		{name: "used by another with the address", before: joined, who: twin(), token: invite.IsUsed, byID: invite.IsUsed},
		{name: "used by another", before: joined, who: verified(eve), token: invite.IsUsed},
		{name: "used by any holder", config: anybody, who: verified(bob), token: invite.IsUsed, byID: invite.IsUsed,
			before: func(w *world, _ invite.Sent) {
				_, err := w.Invites.Accept(ctx, w.Token(bob), verified(eve))
				require.NoError(w.T, err)
			}},
		{name: "used, and removed since", who: verified(bob), token: invite.IsUsed, byID: invite.IsUsed,
			before: func(w *world, sent invite.Sent) { joined(w, sent); w.As(ann).Removes(acme, bob) }},
		{name: "used, and left since", who: verified(bob), token: invite.IsUsed, byID: invite.IsUsed,
			before: func(w *world, sent invite.Sent) { joined(w, sent); w.As(bob).Leaves(acme) }},
		{name: "replaced", before: resent, who: verified(bob), token: invite.IsReplaced, byID: invite.Ready},
		{name: "replaced, nobody signed in", before: resent, token: invite.IsReplaced},
		{name: "replaced, and the newer one revoked", who: verified(bob), token: invite.IsRevoked, byID: invite.IsRevoked,
			before: func(w *world, sent invite.Sent) { resent(w, sent); revoked(w, sent) }},
		{name: "replaced, and expired", who: verified(bob), token: invite.IsReplaced, byID: invite.IsExpired,
			before: func(w *world, sent invite.Sent) { resent(w, sent); w.Clock.Advance(72 * time.Hour) }},
	}
}

func mustParse(text string) access.Address {
	a, err := access.ParseAddress(text)
	if err != nil {
		panic(err)
	}
	return a
}

// play sends bob's invite and lets happen what has happened; it returns the token of that sending.
func (s situation) play(t *testing.T) (*world, invite.Sent, string) {
	w := newWorld(t, s.config)
	sent := w.send(bob, access.PayInvoices)
	token := sent.Token.Secret()
	if s.config.Delivery == invite.ByMail {
		token = w.Token(bob)
	}
	if s.before != nil {
		s.before(w, sent)
	}
	w.Deliver()
	return w, sent, token
}

// refusedAs requires the refusal of an outcome: nothing is for those for whom there is no invite.
func refusedAs(t *testing.T, want invite.Outcome, err error) {
	t.Helper()
	if want == "" {
		require.Equal(t, access.NotFound("invite"), err)
		return
	}
	require.ErrorIs(t, err, access.ErrDenied)
	require.Equal(t, string(want), codeOf(err))
	require.NotEmpty(t, err.(*access.Error).Reason)
}

func TestLookupSaysHowItStands(t *testing.T) {
	for _, s := range situations() {
		t.Run(s.name, func(t *testing.T) {
			w, sent, token := s.play(t)
			before := w.dump()
			p, err := w.Invites.Lookup(ctx, token, s.who)
			require.NoError(t, err)
			require.Equal(t, before, w.dump())
			stored := w.record(sent.Invite.ID)
			want := invite.Preview{Outcome: s.token, Account: acme, AccountName: "acme", InviterName: "ann",
				Masked: "b...@example.com", Sent: stored.Sent, Until: stored.Expires}
			if s.token == invite.NeedsSignUp {
				want.Address = accesstest.AddressOf(bob)
			}
			require.Equal(t, want, p)
		})
	}
}

func TestAcceptByToken(t *testing.T) {
	for _, s := range situations() {
		t.Run(s.name, func(t *testing.T) {
			w, _, token := s.play(t)
			w.accepts(s.token, s.who, func() (invite.Acceptance, error) { return w.Invites.Accept(ctx, token, s.who) })
		})
	}
}

func TestAcceptWithoutToken(t *testing.T) {
	for _, s := range situations() {
		t.Run(s.name, func(t *testing.T) {
			w, sent, _ := s.play(t)
			w.accepts(s.byID, s.who, func() (invite.Acceptance, error) { return w.Invites.AcceptPending(ctx, sent.Invite.ID, s.who) })
		})
	}
}

// accepts requires that accepting goes as an outcome says.
func (w *world) accepts(want invite.Outcome, who invite.Identity, accept func() (invite.Acceptance, error)) {
	t := w.T.(*testing.T)
	t.Helper()
	before, events := w.dump(), len(w.events(acme))
	accepted, err := accept()
	switch want {
	case invite.Ready:
		require.NoError(t, err)
		revision, err := w.Members.Account(ctx, system, acme)
		require.NoError(t, err)
		require.Equal(t, invite.Acceptance{Outcome: invite.Joined, Account: acme,
			Revision: access.Revision{Account: acme, Version: revision.Version}}, accepted)
		w.As(who.Actor.User()).Can(acme, access.PayInvoices).Cannot(acme, access.OpenTickets).Cannot(beta, access.PayInvoices)
		require.Len(t, w.events(acme), events+2, "one member, one acceptance")

		before = w.dump()
		accepted, err = accept()
		require.NoError(t, err)
		require.Equal(t, invite.Acceptance{Outcome: invite.Already, Account: acme}, accepted, "a replay")
		require.Equal(t, before, w.dump())
	case invite.Already:
		require.NoError(t, err)
		require.Equal(t, invite.Acceptance{Outcome: invite.Already, Account: acme}, accepted)
		require.Equal(t, before, w.dump())
	default:
		refusedAs(t, want, err)
		require.Zero(t, accepted)
		require.Equal(t, before, w.dump(), "a refusal changes nothing")
	}
}

func TestDeclineByToken(t *testing.T) {
	for _, s := range situations() {
		t.Run(s.name, func(t *testing.T) {
			w, sent, token := s.play(t)
			w.declines(s.token, sent, func() error { return only(w.Invites.Decline(ctx, token, s.who)) })
		})
	}
}

func TestDeclineWithoutToken(t *testing.T) {
	for _, s := range situations() {
		t.Run(s.name, func(t *testing.T) {
			w, sent, _ := s.play(t)
			w.declines(s.byID, sent, func() error { return only(w.Invites.DeclinePending(ctx, sent.Invite.ID, s.who)) })
		})
	}
}

// declines requires that declining goes as an outcome says. What was accepted can't be declined any more.
func (w *world) declines(want invite.Outcome, sent invite.Sent, decline func() error) {
	t := w.T.(*testing.T)
	t.Helper()
	before, events := w.dump(), len(w.events(acme))
	err := decline()
	switch want {
	case invite.Ready:
		require.NoError(t, err)
		r := w.record(sent.Invite.ID)
		require.Equal(t, invite.Declined, r.State)
		require.Equal(t, w.Clock.Now(), r.Closed)
		require.Len(t, w.events(acme), events+1)
		refusedAs(t, invite.IsDeclined, decline())
	case invite.Already:
		refusedAs(t, invite.IsUsed, err)
		require.Equal(t, before, w.dump())
	default:
		refusedAs(t, want, err)
		require.Equal(t, before, w.dump(), "a refusal changes nothing")
	}
}

// The refusals that have a value in their text have it as a parameter too.
func TestRefusalsHaveParameters(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	token := w.Token(bob)

	_, err := w.Invites.Accept(ctx, token, verified(eve))
	require.Equal(t, map[string]string{"address": "b...@example.com"}, err.(*access.Error).Params)
	require.Contains(t, err.Error(), "b...@example.com")

	w.Clock.Advance(72 * time.Hour)
	_, err = w.Invites.Accept(ctx, token, verified(bob))
	require.Equal(t, map[string]string{"at": "2026-11-05T12:00:00Z"}, err.(*access.Error).Params)

	_, err = w.Invites.Resend(ctx, access.As(ann), acme, sent.Invite.ID)
	require.NoError(t, err)
	_, err = w.Invites.Accept(ctx, token, verified(bob))
	require.Equal(t, map[string]string{"at": "2026-11-05T12:00:00Z"}, err.(*access.Error).Params, "the date of the newer mail")
}

package invite_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/stretchr/testify/require"
)

var links = access.AsSystem("links")

// asked returns the mails to ask for a new link that wait or were sent, the newest first.
func (w *world) asked() []notify.Message {
	w.T.Helper()
	list, err := w.Members.Messages(ctx, system, acme, access.MessageFilter{Kinds: []notify.Kind{invite.MailAsked}}, access.Page{})
	require.NoError(w.T, err)
	return list.Items
}

// ask asks by a token, and requires how many mails there are then.
func (w *world) ask(token string, mails int, because string) {
	w.T.Helper()
	require.NoError(w.T, w.Invites.AskAgain(ctx, links, token), because)
	require.Len(w.T, w.asked(), mails, because)
}

// resend has ann send an invite again.
func (w *world) resend(id invite.ID) {
	w.T.Helper()
	_, err := w.Invites.Resend(ctx, access.As(ann), acme, id)
	require.NoError(w.T, err)
}

func TestWhoseLinkIsOverAsksForANewOne(t *testing.T) {
	w := newWorld(t, invite.Config{MembersURL: func(id access.AccountID) string { return "https://portal.example/" + string(id) }})
	manager := w.manager()
	sent := w.sendAs(manager, acme, bob, access.PayInvoices)
	token := w.Token(bob)
	w.Clock.Advance(invite.DefaultLifetime)
	before := w.record(sent.Invite.ID)
	actor := links
	actor.IP = "192.0.2.1"
	require.NoError(t, w.Invites.AskAgain(ctx, actor, token))
	require.Equal(t, before, w.record(sent.Invite.ID), "the invite stays as it is")

	events := w.events(acme)
	last := events[len(events)-1]
	require.Equal(t, access.EventInviteAsked, last.Kind)
	require.Equal(t, actor, last.Actor)
	require.Equal(t, access.Target{Kind: access.TargetInvite, ID: string(sent.Invite.ID), Name: "b...@example.com"}, last.Target)
	require.Equal(t, access.Facts{Permissions: access.PayInvoices, Status: "pending", Generation: 1}, last.After)
	require.Equal(t, last.After, last.Before)

	mail := w.mailTo("max@example.com")
	require.Equal(t, "A new link for the invitation to “acme” is wanted", mail.Subject)
	require.Contains(t, mail.Text, "the invitation for bob@example.com to the account “acme”")
	require.Contains(t, mail.Text, "The invitation by max expired on ")
	require.Contains(t, mail.Text, "\nhttps://portal.example/acme\n")
	require.NotContains(t, mail.Text+mail.HTML, token)

	_, err := w.Invites.Resend(ctx, manager, acme, sent.Invite.ID)
	require.NoError(t, err)
	w.join(bob)
}

// For one invite once an hour, whoever asks, and however the invite became what it is.
func TestAskingIsLimited(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	w.send(eve, access.PayInvoices)
	toBob, toEve := w.Token(bob), w.Token(eve)
	w.Clock.Advance(invite.DefaultLifetime)
	w.ask(toBob, 1, "the first")
	w.ask(toEve, 2, "another invite")
	before := w.dump()
	for range 3 {
		require.NoError(t, w.Invites.AskAgain(ctx, access.As(eve), toBob))
		w.Clock.Advance(time.Hour/3 - time.Microsecond)
	}
	require.Equal(t, before, w.dump(), "who asks in vain changes nothing, and makes nobody wait longer")
	w.Clock.Advance(3 * time.Microsecond)
	w.ask(toBob, 3, "an hour later")
	_, err := w.Invites.Revoke(ctx, access.As(ann), acme, sent.Invite.ID)
	require.NoError(t, err)
	w.ask(toBob, 3, "revoked meanwhile")
	_, err = w.Invites.Send(ctx, access.As(ann), acme, offer(eve, access.PayInvoices))
	require.NoError(t, err)
	w.Clock.Advance(time.Hour)
	w.ask(toEve, 4, "sent again meanwhile")
	w.ask(toEve, 4, "the new generation counts too")

	w = newWorld(t, invite.Config{Limits: invite.Limits{BetweenAsks: time.Minute}})
	w.send(bob, access.PayInvoices)
	toBob = w.Token(bob)
	w.Clock.Advance(invite.DefaultLifetime)
	w.ask(toBob, 1, "the first")
	w.Clock.Advance(time.Minute)
	w.ask(toBob, 2, "the limit can be set")
}

// Who said no hears of it once more, and then not again.
func TestClosedInvitesAreAskedForOnce(t *testing.T) {
	for name, end := range map[string]func(w *world, id invite.ID, token string) error{
		"revoked": func(w *world, id invite.ID, _ string) error {
			return only(w.Invites.Revoke(ctx, access.As(ann), acme, id))
		},
		"declined": func(w *world, _ invite.ID, token string) error {
			return only(w.Invites.Decline(ctx, token, verified(bob)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, invite.Config{})
			sent := w.send(bob, access.PayInvoices)
			old := w.Token(bob)
			w.Clock.Advance(time.Hour)
			w.resend(sent.Invite.ID)
			token := w.Token(bob)
			w.ask(old, 1, "before")
			w.Clock.Advance(time.Minute)
			require.NoError(t, end(w, sent.Invite.ID, token))
			w.ask(token, 1, "an hour hasn't passed")
			w.Clock.Advance(time.Hour)
			w.ask(token, 2, "once more")
			w.Clock.Advance(1000 * time.Hour)
			w.ask(token, 2, "not again")
			w.ask(old, 2, "nor by the older link")
		})
	}
}

func TestWhatCanBeAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		become func(w *world, id invite.ID, token string)
		says   string // of the mail; empty for none
	}{
		"live":    {func(*world, invite.ID, string) {}, ""},
		"expired": {func(w *world, _ invite.ID, _ string) { w.Clock.Advance(invite.DefaultLifetime) }, "expired on"},
		"accepted": {func(w *world, _ invite.ID, _ string) {
			w.join(bob)
			w.Clock.Advance(invite.DefaultLifetime)
		}, ""},
		"revoked": {func(w *world, id invite.ID, _ string) {
			require.NoError(w.T, only(w.Invites.Revoke(ctx, access.As(ann), acme, id)))
		}, "was revoked on"},
		"declined": {func(w *world, id invite.ID, token string) {
			require.NoError(w.T, only(w.Invites.Decline(ctx, token, verified(bob))))
		}, "was declined on"},
		"replaced": {func(w *world, id invite.ID, _ string) {
			w.Clock.Advance(time.Minute)
			w.resend(id)
		}, "and still works"},
		"replaced and expired": {func(w *world, id invite.ID, _ string) {
			w.Clock.Advance(time.Minute)
			w.resend(id)
			w.Clock.Advance(invite.DefaultLifetime)
		}, "expired on"},
		"of a suspended account": {func(w *world, _ invite.ID, _ string) {
			w.Clock.Advance(invite.DefaultLifetime)
			require.NoError(w.T, only(w.Members.SuspendAccount(ctx, system, acme)))
		}, ""},
		"of a closed account": {func(w *world, _ invite.ID, _ string) {
			w.Clock.Advance(invite.DefaultLifetime)
			require.NoError(w.T, only(w.Members.CloseAccount(ctx, system, acme)))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, invite.Config{})
			sent := w.send(bob, access.PayInvoices)
			token := w.Token(bob)
			c.become(w, sent.Invite.ID, token)
			before := w.dump()
			require.NoError(t, w.Invites.AskAgain(ctx, links, token), "the answer is the same")
			if c.says == "" {
				require.Equal(t, before, w.dump())
				return
			}
			require.Contains(t, w.mailTo("ann@example.com").Text, c.says)
		})
	}
}

// Whoever can send the invite again hears of it.
func TestWhoIsAsked(t *testing.T) {
	for name, c := range map[string]struct {
		by     access.Actor
		become func(w *world)
		to     string
	}{
		"the inviter":              {access.As(max), func(*world) {}, "max"},
		"the owner for staff":      {staff, func(*world) {}, "ann"},
		"the owner for the system": {system, func(*world) {}, "ann"},
		"the owner for a former member": {access.As(max), func(w *world) {
			require.NoError(w.T, only(w.Members.Remove(ctx, access.As(ann), acme, max)))
		}, "ann"},
		"the owner for one who holds less": {access.As(max), func(w *world) {
			require.NoError(w.T, only(w.Members.SetPermissions(ctx, access.As(ann), acme, max, access.ManageUsers)))
		}, "ann"},
		"the owner for one who manages no more": {access.As(max), func(w *world) {
			require.NoError(w.T, only(w.Members.SetPermissions(ctx, access.As(ann), acme, max, access.PayInvoices)))
		}, "ann"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, invite.Config{})
			w.manager()
			w.sendAs(c.by, acme, bob, access.PayInvoices)
			token := w.Token(bob)
			w.Clock.Advance(invite.DefaultLifetime)
			c.become(w)
			w.ask(token, 1, name)
			require.Equal(t, c.to, w.asked()[0].To)
			require.NotEmpty(t, w.mailTo(accesstest.AddressOf(access.UserID(c.to)).Original()))
		})
	}
}

// What happened between asking and sending decides whether the mail still leaves.
func TestAskingThatIsNoLongerDue(t *testing.T) {
	for reason, then := range map[string]func(w *world, id invite.ID){
		"the invite was sent again": func(w *world, id invite.ID) {
			w.resend(id)
		},
		"the invite was accepted": func(w *world, id invite.ID) {
			w.write(func(ctx context.Context, tx storage.Tx) error {
				r, err := tx.Invite(ctx, acme, id)
				require.NoError(w.T, err)
				r.State, r.AcceptedBy, r.Closed = invite.Accepted, bob, w.Clock.Now()
				return tx.UpdateInvite(ctx, r, r.Generation)
			})
		},
		"the account isn't active": func(w *world, _ invite.ID) {
			require.NoError(w.T, only(w.Members.SuspendAccount(ctx, system, acme)))
		},
		"the receiver may no longer send the invite": func(w *world, _ invite.ID) {
			require.NoError(w.T, only(w.Members.SetPermissions(ctx, access.As(ann), acme, max, access.ManageUsers)))
		},
		"the directory has no address": func(w *world, _ invite.ID) {
			require.NoError(w.T, w.Members.SyncUser(ctx, access.User{ID: max, Name: "max"}))
		},
		"the address is suppressed: hard bounce": func(w *world, _ invite.ID) {
			require.NoError(w.T, w.Contacts.TakeFeedback(ctx, notify.Feedback{ID: "1", Kind: notify.HardBounce, Address: "max@example.com"}))
		},
		"the address is suppressed: complaint": func(w *world, _ invite.ID) { // it is no security mail
			require.NoError(w.T, w.Contacts.TakeFeedback(ctx, notify.Feedback{ID: "1", Kind: notify.Complaint, Address: "max@example.com"}))
		},
	} {
		t.Run(reason, func(t *testing.T) {
			w := newWorld(t, invite.Config{})
			manager := w.manager()
			sent := w.sendAs(manager, acme, bob, access.PayInvoices)
			token := w.Token(bob)
			w.Clock.Advance(invite.DefaultLifetime)
			w.ask(token, 1, "asked")
			then(w, sent.Invite.ID)
			w.Deliver()
			m := w.asked()[0]
			require.Equal(t, notify.Cancelled, m.State)
			require.Equal(t, reason, m.Reason)
		})
	}
}

// Tokens that aren't authentic have one answer, whatever the invite has become, and nobody hears of them.
func TestAskingWithAnythingElse(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	w.Clock.Advance(invite.DefaultLifetime)
	_, want := w.Invites.Lookup(ctx, "", invite.Identity{})
	for _, wrong := range []string{"", "x", token[:63], token + "A", strings.ToLower(token), token[:22] + strings.Repeat("A", 42), strings.Repeat("A", invite.TokenLength)} {
		w.refused(access.ErrNotFound, "invite.invalid", func() error {
			err := w.Invites.AskAgain(ctx, links, wrong)
			require.Equal(t, want, err)
			return err
		})
	}
	for code, actor := range map[string]access.Actor{"actor.zero": {}, "actor.staff": staff} {
		w.refused(access.ErrInvalid, code, func() error { return w.Invites.AskAgain(ctx, actor, token) })
	}
	w.failing("asking", func() error { return w.Invites.AskAgain(ctx, links, token) })
	require.Len(t, w.asked(), 1)
}

// Between finding the invite and locking its account somebody else may have been quicker.
func TestAskingTogether(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	token := w.Token(bob)
	w.Clock.Advance(invite.DefaultLifetime)
	w.db.locked = func(ctx context.Context, tx storage.Tx) error {
		return w.Invites.Within(tx).AskAgain(ctx, links, token)
	}
	w.ask(token, 1, "somebody else asked")
	w.Clock.Advance(time.Hour)
	w.db.locked = func(ctx context.Context, tx storage.Tx) error {
		r, err := tx.Invite(ctx, acme, sent.Invite.ID)
		require.NoError(t, err)
		r.Generation, r.Sent, r.Expires = 2, w.Clock.Now(), w.Clock.Now().Add(time.Hour)
		return tx.UpdateInvite(ctx, r, 1)
	}
	w.ask(token, 2, "it was sent again, and the link that asks is the old one")
	require.EqualValues(t, 2, w.asked()[0].Generation)
}

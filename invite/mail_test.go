package invite_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/notifytest"
	"github.com/rosterkit/roster/storage"
	"github.com/stretchr/testify/require"
)

// mailTo delivers what is due and returns the one mail that went to an address since the last call.
func (w *world) mailTo(to string) notify.Mail {
	w.T.Helper()
	w.Deliver()
	var found []notify.Mail
	for _, m := range w.Mail.Mails() {
		if m.To == to {
			found = append(found, m)
		}
	}
	require.Len(w.T, found, 1)
	w.Mail.Reset()
	return found[0]
}

// cancelled delivers what is due and requires that the newest mail about an invite was cancelled with a reason.
func (w *world) cancelled(reason string) {
	w.T.Helper()
	w.Mail.Reset()
	w.Deliver()
	for _, m := range w.Mail.Mails() {
		require.NotContains(w.T, m.Text, linkBase)
	}
	list, err := w.Members.Messages(ctx, system, acme, access.MessageFilter{}, access.Page{})
	require.NoError(w.T, err)
	for _, m := range list.Items {
		if m.Kind == invite.MailInvite || m.Kind == invite.MailAccepted {
			require.Equal(w.T, notify.Cancelled, m.State)
			require.Equal(w.T, reason, m.Reason)
			return
		}
	}
	require.Fail(w.T, "there is no mail")
}

func (w *world) profile(p access.Profile) {
	w.T.Helper()
	_, err := w.Members.UpdateAccount(ctx, system, acme, p)
	require.NoError(w.T, err)
}

func TestInviteMail(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.profile(access.Profile{Name: "Acme Ltd", TimeZone: "Europe/Vienna"})
	require.NoError(t, w.Members.SyncUser(ctx, access.User{ID: ann, Name: "Ann Onym", Address: accesstest.AddressOf(ann)}))
	_, err := w.Invites.Send(ctx, access.As(ann), acme, invite.Offer{Address: address(t, "Bob@Example.com"),
		Terms: access.Terms{Permissions: access.PayInvoices | access.OpenTickets}})
	require.NoError(t, err)
	mail := w.mailTo("Bob@Example.com")
	require.Equal(t, "Ann Onym invites you to “Acme Ltd”", mail.Subject)
	require.NoError(t, mail.Check())
	for _, part := range []string{words(mail.Text), words(mail.HTML)} {
		require.Contains(t, part, "Ann Onym")
		require.Contains(t, part, "Acme Ltd")
		require.Contains(t, part, "72 hours, until Thursday, 5 November 2026, 13:00 CET (Europe/Vienna).")
		require.Contains(t, strings.ReplaceAll(part, "&amp;", "&"), "View & Pay Invoices")
		require.Contains(t, strings.ReplaceAll(part, "&amp;", "&"), "View & Open Support Tickets")
		require.NotContains(t, part, "Orders")
		require.NotContains(t, part, "no longer work")
		require.NotContains(t, part, "everything")
	}
	link := notifytest.FirstURL(mail.Text)
	token, found := strings.CutPrefix(link, linkBase)
	require.True(t, found)
	require.Len(t, token, invite.TokenLength)
	require.Contains(t, mail.HTML, `href="`+link+`"`)
	_, err = w.Invites.Accept(ctx, token, verified(bob))
	require.NoError(t, err)
}

func TestInviteMailSaysWhatDiffers(t *testing.T) {
	w := newWorld(t, invite.Config{Lifetime: 48 * time.Hour, LinkBase: "http://localhost:8080/i/"})
	w.sendAs(staff, acme, bob, access.All)
	mail := w.mailTo("bob@example.com")
	require.Equal(t, "Our support team invites you to “acme”", mail.Subject)
	require.Contains(t, words(mail.Text), "everything the owner can, except what only the owner may")
	require.Contains(t, words(mail.Text), "48 hours, until Wednesday, 4 November 2026, 12:00 UTC.")
	require.Contains(t, mail.Text, "http://localhost:8080/i/")
	require.NotContains(t, mail.Text, "no longer work")

	w.Clock.Advance(time.Hour)
	w.send(bob, access.PayInvoices)
	mail = w.mailTo("bob@example.com")
	require.Contains(t, words(mail.Text), "Links in earlier mails no longer work.")
	require.Contains(t, words(mail.HTML), "Links in earlier mails no longer work.")
	require.Contains(t, words(mail.Text), "48 hours, until Wednesday, 4 November 2026, 13:00 UTC.")
}

// Hours are rounded up: a mail never says that a link is valid for none.
func TestInviteMailSaysHours(t *testing.T) {
	for lifetime, want := range map[time.Duration]string{30 * time.Minute: "1 hour", 90 * time.Minute: "2 hours", 72 * time.Hour: "72 hours"} {
		w := newWorld(t, invite.Config{Lifetime: lifetime})
		w.send(bob, access.PayInvoices)
		require.Contains(t, words(w.mailTo("bob@example.com").Text), "valid for "+want+", until")
	}
}

// The mail says what holds when it leaves, also if that was edited since.
func TestInviteMailIsOfNow(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.manager()
	sent := w.send(bob, access.PayInvoices)
	_, err := w.Invites.Edit(ctx, access.As(max), acme, sent.Invite.ID, access.Terms{Permissions: access.ManageUsers})
	require.NoError(t, err)
	w.Clock.Advance(time.Hour)
	mail := w.mailTo("bob@example.com")
	require.Contains(t, mail.Text, "max invites you")
	require.Contains(t, mail.Text, "View & Manage Users")
	require.NotContains(t, mail.Text, "Invoices")
	require.Contains(t, mail.Text, "12:00 UTC", "the time is from the sending, not from the mail")
}

func TestInviteMailIsCancelled(t *testing.T) {
	for reason, change := range map[string]func(w *world, sent invite.Sent){
		"the invite was revoked": func(w *world, sent invite.Sent) {
			_, err := w.Invites.Revoke(ctx, access.As(ann), acme, sent.Invite.ID)
			require.NoError(w.T, err)
		},
		"the invite was declined": func(w *world, sent invite.Sent) {
			require.NoError(w.T, only(w.Invites.DeclinePending(ctx, sent.Invite.ID, verified(bob))))
		},
		"the invite has expired": func(w *world, sent invite.Sent) { w.Clock.Advance(72 * time.Hour) },
		"the account isn't active": func(w *world, sent invite.Sent) {
			_, err := w.Members.SuspendAccount(ctx, system, acme)
			require.NoError(w.T, err)
		},
		"the address is suppressed: hard bounce": func(w *world, sent invite.Sent) { w.suppress(bob, notify.HardBounce) },
		"the address is suppressed: complaint":   func(w *world, sent invite.Sent) { w.suppress(bob, notify.Complaint) },
		"the invite is gone": func(w *world, sent invite.Sent) {
			w.write(func(ctx context.Context, tx storage.Tx) error {
				return tx.Enqueue(ctx, notify.Message{ID: "ffffffff-7c10-7abc-8def-0123456789ab", Kind: invite.MailInvite, Group: string(acme),
					Ref: "0190a6e2-7c10-7abc-8def-0123456789ab", Generation: 1, State: notify.Queued, Created: w.Clock.Now(), Due: w.Clock.Now()})
			})
			_, err := w.Invites.Revoke(ctx, access.As(ann), acme, sent.Invite.ID)
			require.NoError(w.T, err)
		},
	} {
		t.Run(reason, func(t *testing.T) {
			w := newWorld(t, invite.Config{})
			change(w, w.send(bob, access.PayInvoices))
			w.cancelled(reason)
		})
	}
}

// suppress suppresses the address of a user.
func (w *world) suppress(user access.UserID, kind notify.FeedbackKind) {
	w.T.Helper()
	w.write(func(ctx context.Context, tx storage.Tx) error {
		return tx.PutSuppression(ctx, notify.Suppression{Address: accesstest.AddressOf(user).Canonical(), Kind: kind, Since: w.Clock.Now()})
	})
}

// The mail that somebody joined is about security: who complained of mail gets it.
func TestAcceptedMailGoesToThoseWhoComplained(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.sendAs(access.As(ann), acme, bob, access.PayInvoices)
	w.join(bob)
	w.suppress(ann, notify.Complaint)
	require.Contains(t, w.mailTo("ann@example.com").Subject, "now a member")
}

// A mail that is late because it was sent again is not sent twice.
func TestInviteMailIsReplaced(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.send(bob, access.PayInvoices)
	w.Clock.Advance(time.Minute)
	w.send(bob, access.PayInvoices)
	w.mailTo("bob@example.com")
	list, err := w.Members.Messages(ctx, system, acme, access.MessageFilter{}, access.Page{})
	require.NoError(t, err)
	require.Len(t, list.Items, 2)
	require.Equal(t, notify.Sent, list.Items[0].State)
	require.Equal(t, notify.Cancelled, list.Items[1].State)
	require.Equal(t, "the invite was sent again", list.Items[1].Reason)
}

// Accepting without a link cancels the mail with the link; the reason names what happened.
func TestInviteMailAfterAcceptance(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	_, err := w.Invites.AcceptPending(ctx, sent.Invite.ID, verified(bob))
	require.NoError(t, err)
	w.Deliver()
	for _, m := range w.Mail.Mails() {
		require.NotEqual(t, "bob@example.com", m.To)
	}
	list, err := w.Invites.Pending(ctx, access.As(ann), acme, invite.Filter{State: invite.Accepted}, access.Page{})
	require.NoError(t, err)
	require.Equal(t, notify.Cancelled, list.Items[0].Delivery)
	require.Equal(t, "the invite was accepted", list.Items[0].DeliveryReason)
}

// A mail that fails is written again for each attempt, with the same link.
func TestRetriedMailHasTheSameToken(t *testing.T) {
	w := newWorld(t, invite.Config{})
	attempts := &notifytest.Recorder{}
	w.worker(forgetful{attempts, &notifytest.Failing{Times: 3, Mailer: w.Mail}})
	w.send(bob, access.PayInvoices)
	for range 4 {
		w.Deliver()
		w.Clock.Advance(time.Hour)
	}
	mails := attempts.Mails()
	require.Len(t, mails, 4)
	for _, m := range mails {
		require.Equal(t, mails[0], m)
	}
	w.join(bob)
}

// A forgetful mailer records a mail before another takes or refuses it.
type forgetful struct {
	record *notifytest.Recorder
	notify.Mailer
}

func (f forgetful) Send(ctx context.Context, m notify.Mail) error {
	_ = f.record.Send(ctx, m)
	return f.Mailer.Send(ctx, m)
}

func TestAcceptedMail(t *testing.T) {
	w := newWorld(t, invite.Config{MembersURL: func(id access.AccountID) string { return "https://portal.example/" + string(id) + "/users" }})
	w.profile(access.Profile{Name: "Acme Ltd"})
	require.NoError(t, w.Members.SyncUser(ctx, access.User{ID: bob, Name: "Bob Onym", Address: accesstest.AddressOf(bob)}))
	manager := w.manager()
	w.sendAs(manager, acme, bob, access.PayInvoices)
	w.join(bob)
	w.Mail.Reset()
	w.Deliver()
	mails := w.Mail.Mails()
	require.Len(t, mails, 2)
	require.ElementsMatch(t, []string{"ann@example.com", "max@example.com"}, []string{mails[0].To, mails[1].To})
	for _, m := range mails {
		require.Equal(t, strings.TrimSuffix(m.To, "@example.com"), m.ToName)
		require.Equal(t, "Bob Onym is now a member of “Acme Ltd”", m.Subject)
		for _, part := range []string{m.Text, m.HTML} {
			require.Contains(t, part, "Bob Onym")
			require.Contains(t, part, "Acme Ltd")
			require.Contains(t, part, "max")
			require.Contains(t, strings.ReplaceAll(part, "&amp;", "&"), "View & Pay Invoices")
			require.Contains(t, part, "https://portal.example/acme/users")
			require.NotContains(t, part, linkBase)
		}
	}
}

func TestAcceptedMailGoesToTheOwnerOnce(t *testing.T) {
	for _, actor := range []access.Actor{access.As(ann), staff, system} {
		w := newWorld(t, invite.Config{})
		w.sendAs(actor, acme, bob, access.All)
		w.join(bob)
		w.Mail.Reset()
		mail := w.mailTo("ann@example.com")
		require.Contains(t, mail.Text, "bob can do everything the owner can")
		require.NotContains(t, mail.Text, "https://")
		require.Empty(t, w.Mail.Mails())
	}
}

func TestAcceptedMailIsCancelled(t *testing.T) {
	for reason, change := range map[string]func(w *world){
		"the directory has no address": func(w *world) {
			require.NoError(w.T, w.Members.SyncUser(ctx, access.User{ID: max, Name: "max"}))
		},
		"the address is suppressed: soft bounce": func(w *world) { w.suppress(max, notify.SoftBounce) },
		"the receiver is no member any more":     func(w *world) { w.As(ann).Suspends(acme, max) },
		"the new member is no member any more":   func(w *world) { w.As(ann).Removes(acme, bob) },
	} {
		t.Run(reason, func(t *testing.T) {
			w := newWorld(t, invite.Config{})
			w.sendAs(w.manager(), acme, bob, access.PayInvoices)
			w.join(bob)
			change(w)
			w.Mail.Reset()
			w.Deliver()
			list, err := w.Members.Messages(ctx, system, acme, access.MessageFilter{}, access.Page{})
			require.NoError(t, err)
			for _, m := range list.Items {
				if m.Kind == invite.MailAccepted && m.To == string(max) {
					require.Equal(t, notify.Cancelled, m.State)
					require.Equal(t, reason, m.Reason)
				}
			}
			for _, m := range w.Mail.Mails() {
				require.False(t, m.To == "max@example.com" && strings.Contains(m.Subject, "now a member"))
			}
		})
	}
	w := newWorld(t, invite.Config{})
	w.sendAs(access.As(ann), acme, bob, access.PayInvoices)
	w.write(func(ctx context.Context, tx storage.Tx) error {
		return tx.PutUsers(ctx, access.User{ID: ann, Name: "ann"})
	})
	w.Deliver()
	w.Clock.Advance(time.Minute)
	w.join(bob)
	w.cancelled("the directory has no address")
}

// The mail says what the new member may do when it leaves.
func TestAcceptedMailIsOfNow(t *testing.T) {
	w := newWorld(t, invite.Config{})
	w.send(bob, access.PayInvoices|access.OpenTickets)
	w.join(bob)
	w.As(ann).Sets(acme, bob, access.PayInvoices)
	w.Mail.Reset()
	mail := w.mailTo("ann@example.com")
	require.Contains(t, mail.Text, "View & Pay Invoices")
	require.NotContains(t, mail.Text, "Tickets")
}

// Names are the users' own: they can't make links, markup, headers or templates of a mail.
func TestAwkwardNames(t *testing.T) {
	for _, name := range []string{
		`<a href="//evil.example">Click</a>`, `"quotes" & 'more'`, "{{.Link}} {{template \"x\"}}", "%s %d %!v(MISSING)", "</p></body>", `javascript:alert(1)`,
		"名前 محمد 🧑‍💻", strings.Repeat("W", 200), "Subject: x", ".", "“ ”",
	} {
		w := newWorld(t, invite.Config{})
		w.profile(access.Profile{Name: name, TimeZone: "UTC"})
		require.NoError(t, w.Members.SyncUser(ctx, access.User{ID: ann, Name: name, Address: accesstest.AddressOf(ann)}))
		require.NoError(t, w.Members.SyncUser(ctx, access.User{ID: bob, Name: name, Address: accesstest.AddressOf(bob)}))
		w.send(bob, access.PayInvoices)
		mail := w.mailTo("bob@example.com")
		require.NoError(t, mail.Check(), name)
		require.Contains(t, mail.Text, name, "the text is as it is")
		_, token, _ := strings.Cut(mail.Text, linkBase)
		accepted, err := w.Invites.Accept(ctx, token[:invite.TokenLength], verified(bob))
		require.NoError(t, err)
		require.Equal(t, acme, accepted.Account)
		notice := w.mailTo("ann@example.com")
		require.NoError(t, notice.Check(), name)
		for _, m := range []notify.Mail{mail, notice} {
			require.NotContains(t, m.HTML, "<a href=\"//evil")
			require.Equal(t, 1, strings.Count(m.HTML, "</body>"), name)
			require.NotContains(t, m.Subject, "\n")
		}
	}
}

// Several messages get their answers in their order, each on its own.
func TestPrepareAnswersInOrder(t *testing.T) {
	w := newWorld(t, invite.Config{})
	sent := w.send(bob, access.PayInvoices)
	other := w.send(eve, access.PayInvoices)
	message := func(id invite.ID, generation uint64) notify.Message {
		return notify.Message{Kind: invite.MailInvite, Group: string(acme), Ref: string(id), Generation: generation}
	}
	before := w.dump()
	prepared := w.Invites.Prepare(ctx, []notify.Message{message(sent.Invite.ID, 1), message("x", 1), message(other.Invite.ID, 1), message(other.Invite.ID, 2)})
	require.Len(t, prepared, 4)
	require.Equal(t, "bob@example.com", prepared[0].Mail.To)
	require.Equal(t, notify.Prepared{Cancel: "the invite is gone"}, prepared[1])
	require.Equal(t, "eve@example.com", prepared[2].Mail.To)
	require.Equal(t, notify.Prepared{Cancel: "the invite was sent again"}, prepared[3])
	require.Equal(t, before, w.dump())
	require.Equal(t, []notify.Kind{invite.MailInvite, invite.MailAccepted, invite.MailAsked}, w.Invites.Kinds())

	failed := func(name string, m notify.Message) {
		w.failing(name, func() error {
			prepared := w.Invites.Prepare(ctx, []notify.Message{m})
			if prepared[0].Err != nil {
				require.Equal(t, notify.Prepared{Err: prepared[0].Err}, prepared[0])
			}
			return prepared[0].Err
		})
	}
	failed("an invite", message(sent.Invite.ID, 1))
	failed("a request for a new link", notify.Message{Kind: invite.MailAsked, Group: string(acme), Ref: string(sent.Invite.ID), Generation: 1, To: "ann"})
	w.join(bob)
	failed("an acceptance", notify.Message{Kind: invite.MailAccepted, Group: string(acme), Ref: string(sent.Invite.ID), Generation: 1, To: "ann"})
}

// A host's own templates are used, beside ours.
func TestTemplatesCanBeReplaced(t *testing.T) {
	own := fstest.MapFS{
		"en/invite.txt":           {Data: []byte("Subject: Komm zu {{.Account}}\n{{.Link}} {{.Hours}} {{range .Labels}}{{.}}{{end}}")},
		"en/invite.html":          {Data: []byte("<p>{{.Link}}</p>")},
		"en/invite.accepted.html": {Data: []byte("<p>{{.Member}} by {{.Inviter}}</p>")},
	}
	w := newWorld(t, invite.Config{Templates: own})
	w.send(bob, access.PayInvoices)
	mail := w.mailTo("bob@example.com")
	require.Equal(t, "Komm zu acme", mail.Subject)
	require.Contains(t, mail.Text, linkBase)
	require.Contains(t, mail.Text, "72 View & Pay Invoices")
	_, err := w.Invites.Accept(ctx, strings.TrimPrefix(notifytest.FirstURL(mail.Text), linkBase), verified(bob))
	require.NoError(t, err)
	mail = w.mailTo("ann@example.com")
	require.Contains(t, mail.HTML, "<p>bob by ann</p>")
	require.Contains(t, mail.Text, "bob has accepted the invitation by ann")
}

// The brand's links lead to its own site, with the token that works there too; a brand that fails keeps the mail back.
func TestInviteMailUnderABrand(t *testing.T) {
	w := newWorld(t, invite.Config{})
	brand, failure := notify.Brand{From: "mail@reseller.example", BaseURL: "https://panel.reseller.example", Locale: "fr"}, error(nil)
	w.Members = access.New(w.DB, access.Config{
		Now:      w.Clock.Now,
		Staff:    func(context.Context, access.Actor, access.EventKind, access.AccountID) error { return nil },
		BaseURLs: []string{brand.BaseURL},
		Brand:    func(context.Context, access.Account) (notify.Brand, error) { return brand, failure },
	})
	w.Invites = w.service(keys, invite.Config{MembersURL: func(id access.AccountID) string { return "https://portal.example/" + string(id) }})
	w.worker(w.Mail)
	w.send(bob, access.PayInvoices)

	failure = errors.New("the brands are away")
	w.Deliver()
	require.Empty(t, w.Mail.Mails())
	failure = nil
	w.Clock.Advance(time.Hour)

	mail := w.mailTo("bob@example.com")
	require.Equal(t, brand.From, mail.From)
	require.Equal(t, "ann vous invite à rejoindre «\u00a0acme\u00a0»", mail.Subject)
	require.NotContains(t, mail.Text+mail.HTML, "portal.example")
	token, found := strings.CutPrefix(notifytest.FirstURL(mail.Text), "https://panel.reseller.example/invites/")
	require.True(t, found)
	_, err := w.Invites.Accept(ctx, token, verified(bob))
	require.NoError(t, err)
	require.Contains(t, w.mailTo("ann@example.com").Text, "https://panel.reseller.example/acme\n")

	mails, err := w.Invites.Preview(invite.MailInvite, "de", notify.Brand{})
	require.NoError(t, err)
	require.Len(t, mails, 2)
	require.Contains(t, mails[0].Subject, "lädt Sie")
}

package contact_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

func TestVerify(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", contact.Invoice)
	require.Zero(t, carl.Verified)
	token := w.verifyToken("carl@contacts.example")
	require.Len(t, token, access.TokenLength)

	before := w.state()
	preview, err := w.contacts.LookupVerification(ctx, token)
	require.NoError(t, err)
	require.Equal(t, contact.VerificationPreview{Account: acme, AccountName: "Acme & Sons", ContactName: "carl",
		Masked: "c...@contacts.example", Until: carl.Created.Add(72 * time.Hour)}, preview)
	requireSame(t, before, w.state(), "looking changes nothing")

	w.now = w.now.Add(time.Hour)
	revision, err := w.contacts.Verify(ctx, clicked, token)
	require.NoError(t, err)
	require.Equal(t, before.Account.Version+1, revision.Version)
	require.Equal(t, w.now, w.get(carl.ID).Verified)
	event := w.last()
	require.Equal(t, access.EventContactVerified, event.Kind)
	require.Equal(t, clicked, event.Actor)
	require.Equal(t, access.Target{Kind: access.TargetContact, ID: string(carl.ID), Name: "carl"}, event.Target)
	require.Equal(t, access.Facts{Categories: access.Permission(contact.Invoice)}, event.After)

	after := w.state()
	w.now = w.now.Add(time.Hour)
	revision, err = w.contacts.Verify(ctx, clicked, token)
	require.NoError(t, err, "again")
	require.Zero(t, revision)
	requireSame(t, after, w.state())
	preview, err = w.contacts.LookupVerification(ctx, token)
	require.NoError(t, err)
	require.True(t, preview.Used)
}

// TestVerificationMails checks what pages tell of the newest link.
func TestVerificationMails(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl, dora := w.contact("carl", 0), w.contact("dora", 0)
	ask := func(actor access.Actor) (map[contact.ID]contact.VerificationMail, error) {
		return w.contacts.VerificationMails(ctx, actor, acme, carl.ID, dora.ID)
	}
	queued := func(at time.Time) contact.VerificationMail {
		return contact.VerificationMail{Sent: at, State: notify.Queued}
	}
	got, err := ask(access.As(olive))
	require.NoError(t, err)
	require.Equal(t, map[contact.ID]contact.VerificationMail{carl.ID: queued(carl.Created), dora.ID: queued(dora.Created)}, got)

	w.now = w.now.Add(time.Minute)
	_, err = w.contacts.SendVerification(ctx, access.As(olive), acme, carl.ID)
	require.NoError(t, err)
	asked := w.now
	w.heard(notify.HardBounce, "dora@contacts.example")
	w.deliver()
	got, err = ask(access.As(olive))
	require.NoError(t, err)
	require.Equal(t, contact.VerificationMail{Sent: asked, State: notify.Sent}, got[carl.ID])
	require.Equal(t, contact.VerificationMail{Sent: dora.Created, State: notify.Cancelled,
		Reason: "the address is suppressed: hard bounce"}, got[dora.ID])

	w.user("mia")
	_, err = ask(access.As("mia"))
	require.ErrorIs(t, err, access.ErrNotFound)
	w.member("ina", access.PayInvoices)
	_, err = ask(access.As("ina"))
	require.ErrorIs(t, err, access.ErrDenied)
	got, err = w.contacts.VerificationMails(ctx, access.As(olive), acme)
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = w.contacts.VerificationMails(ctx, access.As(olive), acme, "x")
	requireRefused(t, err, access.ErrInvalid, "id.text", "contact")
	_, err = w.contacts.VerificationMails(ctx, access.As(olive), acme, make([]contact.ID, access.MaxPage+1)...)
	requireRefused(t, err, access.ErrInvalid, "contacts.many", "contacts")
	got, err = contact.New(w.db, w.members, contact.Config{}).VerificationMails(ctx, access.As(olive), acme, carl.ID)
	require.NoError(t, err)
	require.Empty(t, got, "without links")
}

// TestVerificationIsOver has one answer for every link that can't be used.
func TestVerificationIsOver(t *testing.T) {
	for name, spoil := range map[string]func(w *world, carl contact.Contact){
		"expired":         func(w *world, _ contact.Contact) { w.now = w.now.Add(72 * time.Hour) },
		"of the removed":  func(w *world, c contact.Contact) { remove(w, c.ID) },
		"closed account":  func(w *world, _ contact.Contact) { w.close() },
		"another address": func(w *world, c contact.Contact) { move(w, c.ID, "other@contacts.example") },
		"there and back again": func(w *world, c contact.Contact) {
			move(w, c.ID, "other@contacts.example")
			move(w, c.ID, "carl@contacts.example")
		},
		"there and back again, silently": func(w *world, c contact.Contact) {
			moveSilently(w, c.ID, "other@contacts.example")
			moveSilently(w, c.ID, "carl@contacts.example")
		},
		"a newer link": func(w *world, c contact.Contact) {
			w.now = w.now.Add(time.Minute)
			_, err := w.contacts.SendVerification(ctx, access.As(olive), acme, c.ID)
			require.NoError(w.t, err)
		},
		"added again": func(w *world, c contact.Contact) {
			remove(w, c.ID)
			w.contact("carl", 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newLinkedWorld(t, contact.Config{})
			carl := w.contact("carl", contact.Invoice)
			token := w.verifyToken("carl@contacts.example")
			spoil(w, carl)
			before := w.state()
			_, err := w.contacts.LookupVerification(ctx, token)
			requireRefused(t, err, access.ErrNotFound, "contact.invalid", "contact")
			_, err = w.contacts.Verify(ctx, clicked, token)
			requireRefused(t, err, access.ErrNotFound, "contact.invalid", "contact")
			requireSame(t, before, w.state())
		})
	}
}

// TestUsedLinksAreOver: a link that was used doesn't say that an address is verified which has to be verified again.
func TestUsedLinksAreOver(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", contact.Invoice)
	token := w.verifyToken("carl@contacts.example")
	w.verify(carl)
	moveSilently(w, carl.ID, "other@contacts.example")
	moveSilently(w, carl.ID, "carl@contacts.example")
	require.Zero(t, w.get(carl.ID).Verified)
	_, err := w.contacts.LookupVerification(ctx, token)
	requireRefused(t, err, access.ErrNotFound, "contact.invalid", "contact")
	_, err = w.contacts.Verify(ctx, clicked, token)
	requireRefused(t, err, access.ErrNotFound, "contact.invalid", "contact")
}

// TestVerificationLasts until the last instant before its end, through what concerns other things.
func TestVerificationLasts(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{Lifetime: time.Hour})
	carl := w.contact("carl", contact.Invoice)
	token := w.verifyToken("carl@contacts.example")
	require.NoError(t, w.update(carl.ID, func(d *contact.Details) {
		d.Name, d.Categories, d.Address = "Carl", contact.Support, address(t, "Carl@Contacts.example")
	}))
	w.suspend()
	w.now = carl.Created.Add(time.Hour - time.Microsecond)
	_, err := w.contacts.Verify(ctx, clicked, token)
	require.NoError(t, err)
	require.Equal(t, w.now, w.get(carl.ID).Verified)
}

func TestWhoHandsOnTheWord(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", contact.Invoice)
	verify, unsubscribe := w.verifyToken("carl@contacts.example"), w.unsubscribeToken(carl.ID, contact.Invoice)
	before := w.state()
	for _, test := range []struct {
		actor access.Actor
		code  string
	}{{access.Actor{}, "actor.zero"}, {access.As(olive), "actor.system"}, {staff, "actor.system"}} {
		_, err := w.contacts.Verify(ctx, test.actor, verify)
		requireRefused(t, err, access.ErrInvalid, test.code, "actor")
		_, err = w.contacts.Unsubscribe(ctx, test.actor, unsubscribe)
		requireRefused(t, err, access.ErrInvalid, test.code, "actor")
	}
	requireSame(t, before, w.state())
}

func TestSendVerification(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	w.member("mia", access.ManageContacts)
	w.member("max", access.PayInvoices)
	carl := w.contact("carl", contact.Invoice)
	first := w.verifyToken("carl@contacts.example")
	send := func(actor access.Actor) error {
		_, err := w.contacts.SendVerification(ctx, actor, acme, carl.ID)
		return err
	}
	requireRefused(t, send(access.As("mia")), access.ErrLimit, "contact.wait", "contact")
	w.now = w.now.Add(time.Minute)
	requireRefused(t, send(access.As("max")), access.ErrDenied, "denies.missing", "")
	requireRefused(t, send(access.As("nobody")), access.ErrNotFound, "not_found", "account")
	silent := staff
	silent.Silent = true
	requireRefused(t, send(silent), access.ErrInvalid, "actor.silent", "actor")
	_, err := w.contacts.SendVerification(ctx, system, acme, "0190c3a0-0000-7000-8000-000000000001")
	requireRefused(t, err, access.ErrNotFound, "not_found", "contact")
	_, err = w.contacts.SendVerification(ctx, system, acme, "x")
	requireRefused(t, err, access.ErrInvalid, "id.text", "contact")

	require.NoError(t, send(access.As("mia")))
	require.Equal(t, access.EventContactVerificationSent, w.last().Kind)
	prepared := w.prepare()
	mail := prepared[len(prepared)-1].Mail
	require.Equal(t, "carl@contacts.example", mail.To)
	require.Equal(t, "Please confirm your address for “Acme & Sons”", mail.Subject)
	require.Contains(t, mail.Text, "Name of mia asks you")
	require.Contains(t, mail.Text, "valid for 72 hours, until Thursday, 5 November 2026, 12:01 UTC")
	token := w.verifyToken("carl@contacts.example")
	require.NotEqual(t, first, token)
	require.Contains(t, mail.HTML, linkBase+"verify/"+token)
	w.verify(carl)
	w.now = w.now.Add(time.Minute)
	requireRefused(t, send(access.As("mia")), access.ErrExists, "contact.verified", "address")
	w.suspend()
	requireRefused(t, send(access.As("mia")), access.ErrDenied, "denies.account_suspended", "")

	w = newWorld(t)
	carl = w.contact("carl", 0)
	requireRefused(t, send(access.As(olive)), access.ErrInvalid, "links.missing", "links")
}

func TestVerificationsAreLimited(t *testing.T) {
	for code, limits := range map[string]contact.Limits{
		"contact.per_account": {PerAccount: 3}, "contact.per_actor": {PerActor: 3}, "contact.per_recipient": {PerRecipient: 3},
	} {
		w := newLinkedWorld(t, contact.Config{Limits: limits})
		carl := w.contact("carl", 0)
		var err error
		for range 3 {
			w.now = w.now.Add(time.Minute)
			_, err = w.contacts.SendVerification(ctx, system, acme, carl.ID)
			if err != nil {
				break
			}
		}
		before := w.state()
		requireRefused(t, err, access.ErrLimit, code, "limit")
		requireSame(t, before, w.state())
		w.now = w.now.Add(day)
		_, err = w.contacts.SendVerification(ctx, system, acme, carl.ID)
		require.NoError(t, err)
	}
	w := newLinkedWorld(t, contact.Config{Limits: contact.Limits{Between: time.Hour}})
	carl := w.contact("carl", 0)
	w.now = w.now.Add(time.Hour - time.Microsecond)
	_, err := w.contacts.SendVerification(ctx, system, acme, carl.ID)
	requireRefused(t, err, access.ErrLimit, "contact.wait", "contact")
	require.Equal(t, map[string]string{"wait": "1µs"}, err.(*access.Error).Params)
	w.now = w.now.Add(time.Microsecond)
	_, err = w.contacts.SendVerification(ctx, system, acme, carl.ID)
	require.NoError(t, err)
}

// TestGenerationsEnd: a link that would have the number of an old one is never made.
func TestGenerationsEnd(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", 0)
	w.write(func(tx storage.Tx) error {
		return tx.PutVerification(ctx, contact.Verification{Account: acme, Contact: carl.ID, Generation: 1<<16 - 1})
	})
	_, err := w.contacts.SendVerification(ctx, system, acme, carl.ID)
	requireRefused(t, err, access.ErrLimit, "contact.generations", "contact")
	move(w, carl.ID, "other@contacts.example")
	require.Empty(t, w.verifyToken("other@contacts.example"))
}

func TestMovedContact(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", contact.Invoice)
	w.verify(carl)
	require.NotZero(t, w.get(carl.ID).Verified)
	move(w, carl.ID, "Other@contacts.example")
	require.Zero(t, w.get(carl.ID).Verified, "at another address it is another mailbox")

	var moved []notify.Mail
	for _, prepared := range w.prepare() {
		if prepared.Mail.To == "carl@contacts.example" {
			moved = append(moved, prepared.Mail)
		}
	}
	require.Len(t, moved, 1, "the mail of Add is replaced")
	require.Equal(t, "Mail about “Acme & Sons” goes to another address now", moved[0].Subject)
	require.Contains(t, moved[0].Text, "Name of olive has changed it to o...@contacts.example")
	require.NotContains(t, moved[0].Text, "http")
	require.Empty(t, moved[0].ToName)

	w.verify(w.get(carl.ID))
	require.NotZero(t, w.get(carl.ID).Verified)
	respelled := func(d *contact.Details) { d.Address = address(t, "other@CONTACTS.example") }
	require.NoError(t, w.update(carl.ID, respelled))
	require.NotZero(t, w.get(carl.ID).Verified, "it is the same mailbox")

	move(w, carl.ID, "carl@contacts.example")
	reasons := map[string]int{}
	for _, prepared := range w.prepare() {
		require.NoError(t, prepared.Err)
		reasons[prepared.Cancel]++
	}
	require.Equal(t, map[string]int{"": 2, "the contact's address was changed again": 2, "the contact's address was changed back": 1}, reasons)
	remove(w, carl.ID)
	reasons = map[string]int{}
	for _, prepared := range w.prepare() {
		reasons[prepared.Cancel]++
		if prepared.Cancel == "" {
			require.Contains(t, prepared.Mail.Text, "has changed it: mail")
		}
	}
	require.Equal(t, map[string]int{"": 2, "the contact was removed": 3}, reasons, "who had the addresses hears all the same")
}

// TestOneLinkAtATime: a mail with a link alone isn't sent beside a newer one that has the link too.
func TestOneLinkAtATime(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", contact.Invoice)
	w.forget()
	w.now = w.now.Add(time.Hour)
	_, err := w.contacts.SendVerification(ctx, system, acme, carl.ID)
	require.NoError(t, err)
	move(w, carl.ID, "other@contacts.example")
	sent, cancelled := w.deliver()
	require.Len(t, sent, 2)
	require.Subset(t, sent, []string{"other@contacts.example: You are now a contact of “Acme & Sons”"})
	require.Equal(t, []string{"the contact was mailed a newer link"}, cancelled)
}

// TestLinksInMails: a mail that is late has the link that works, or none.
func TestLinksInMails(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", contact.Invoice)
	first := w.verifyToken("carl@contacts.example")
	require.Equal(t, first, w.verifyToken("carl@contacts.example"), "a repeat has the same link")
	w.now = w.now.Add(time.Minute)
	_, err := w.contacts.SendVerification(ctx, system, acme, carl.ID)
	require.NoError(t, err)
	for _, prepared := range w.prepare() {
		require.Empty(t, prepared.Cancel)
		require.NotContains(t, prepared.Mail.Text, first)
		require.Regexp(t, verifyLink, prepared.Mail.Text)
	}
	w.now = w.now.Add(time.Minute)
	_, err = w.contacts.SendVerification(ctx, system, acme, carl.ID)
	require.NoError(t, err)
	require.Equal(t, "the contact was mailed a newer link", w.prepare()[1].Cancel)

	w.verify(carl)
	prepared := w.prepare()
	require.Equal(t, "the link was used or has expired", prepared[2].Cancel)
	require.Empty(t, prepared[0].Cancel)
	require.NotRegexp(t, verifyLink, prepared[0].Mail.Text)
	require.NotContains(t, prepared[0].Mail.Text, "confirm")
}

func TestUnverifiedContacts(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{VerifyAgain: 10 * day})
	carl := w.contact("carl", contact.Invoice)
	unverified := func() bool {
		list, err := w.contacts.Recipients(ctx, acme, contact.Invoice, "")
		require.NoError(t, err)
		require.Len(t, list, 2, "they receive all the same")
		require.False(t, list[0].Unverified)
		page, err := w.contacts.Contacts(ctx, system, acme, contact.Filter{}, access.Page{})
		require.NoError(t, err)
		require.Equal(t, list[1].Unverified, page.Items[0].Verified.IsZero())
		require.Equal(t, list[1].Unverified, w.get(carl.ID).Verified.IsZero())
		return list[1].Unverified
	}
	require.True(t, unverified())
	w.verify(carl)
	require.False(t, unverified())

	send := func() error {
		_, err := w.contacts.SendVerification(ctx, system, acme, carl.ID)
		return err
	}
	due := func() int { // those who have to verify it again within the lifetime of a link, and a microsecond
		page, err := w.contacts.Contacts(ctx, system, acme, contact.Filter{VerifiedBefore: w.now.Add(3*day - 10*day + time.Microsecond)}, access.Page{})
		require.NoError(t, err)
		return len(page.Items)
	}
	w.now = w.now.Add(7*day - time.Microsecond)
	requireRefused(t, send(), access.ErrExists, "contact.verified", "address")
	require.Zero(t, due())
	w.now = w.now.Add(time.Microsecond)
	require.NoError(t, send(), "soon it has to verify it again")
	require.Equal(t, 1, due())
	w.now = w.now.Add(3*day - time.Microsecond)
	require.False(t, unverified())
	w.now = w.now.Add(time.Microsecond)
	require.True(t, unverified(), "it has to again")
	require.NoError(t, send())
	w.verify(carl)
	require.False(t, unverified())
}

// TestRequireVerified: a contact that hasn't verified its address hears nothing, and doesn't count for the safeguard.
func TestRequireVerified(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{RequireVerified: true, VerifyAgain: 10 * day})
	w.prefer(olive, contact.Portal().Known()&^contact.Invoice)
	carl := w.contact("carl", contact.Invoice|contact.Domain)
	require.Empty(t, w.hear(contact.Invoice))
	const promise = "You will receive these kinds of mail about it, once you have confirmed this address:"
	added := func() notify.Mail { return w.prepare()[1].Mail } // behind that about the owner's preferences
	require.Contains(t, added().Text, promise)
	require.Contains(t, added().HTML, promise)
	_, err := w.contacts.SetPreferences(ctx, access.As(olive), acme, olive, 0)
	requireRefused(t, err, access.ErrDenied, "category.required", "")

	w.verify(carl)
	require.NotContains(t, added().Text, "once you have confirmed")
	require.Equal(t, []string{"contact carl@contacts.example"}, w.hear(contact.Invoice))
	w.prefer(olive, 0)
	require.Equal(t, []string{"contact carl@contacts.example"}, w.hear(contact.Domain))
	other := func(d *contact.Details) { d.Address = address(t, "other@contacts.example") }
	requireRefused(t, w.update(carl.ID, other), access.ErrDenied, "category.required", "")
	w.contact("zoe", contact.Domain)
	requireRefused(t, w.update(carl.ID, other), access.ErrDenied, "category.required", "")
	zoe := w.contact("zora", contact.Domain)
	w.verify(zoe)
	require.NoError(t, w.update(carl.ID, other))
	require.Equal(t, []string{"contact zora@contacts.example"}, w.hear(contact.Domain))

	w.now = w.now.Add(10 * day)
	require.Equal(t, []string{"fallback olive@example.com"}, w.hear(contact.Domain))
	remove(w, zoe.ID) // who receives nothing any more
}

func remove(w *world, id contact.ID) {
	w.t.Helper()
	_, err := w.contacts.Remove(ctx, system, acme, id)
	require.NoError(w.t, err)
}

// moveSilently has staff change an address without a mail.
func moveSilently(w *world, id contact.ID, to string) {
	w.t.Helper()
	silent := staff
	silent.Silent = true
	d := w.get(id).Details()
	d.Address = address(w.t, to)
	_, err := w.contacts.Update(ctx, silent, acme, id, d)
	require.NoError(w.t, err)
}

func move(w *world, id contact.ID, to string) {
	w.t.Helper()
	w.now = w.now.Add(time.Millisecond)
	require.NoError(w.t, w.update(id, func(d *contact.Details) { d.Address = address(w.t, to) }))
}

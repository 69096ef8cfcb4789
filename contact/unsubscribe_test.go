package contact_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/storage"
)

func TestUnsubscribe(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", contact.Invoice|contact.Support)
	token := w.unsubscribeToken(carl.ID, contact.Invoice)

	before := w.state()
	preview, err := w.contacts.LookupUnsubscribe(ctx, token)
	require.NoError(t, err)
	require.Equal(t, "invoice", preview.Category.Key)
	preview.Category = contact.CategoryDefinition{}
	require.Equal(t, contact.UnsubscribePreview{Account: acme, AccountName: "Acme & Sons", ContactName: "carl", Masked: "c...@contacts.example"}, preview)
	requireSame(t, before, w.state(), "looking changes nothing")

	w.now = w.now.Add(1000 * day) // the link is never over
	revision, err := w.contacts.Unsubscribe(ctx, clicked, token)
	require.NoError(t, err)
	require.Equal(t, before.Account.Version+1, revision.Version)
	got := w.get(carl.ID)
	require.Equal(t, contact.Support, got.Categories)
	require.Equal(t, contact.Invoice, got.Unsubscribed)
	require.Equal(t, w.now, got.Updated)
	require.NotContains(t, w.hear(contact.Invoice), "contact carl@contacts.example")
	require.Contains(t, w.hear(contact.Support), "contact carl@contacts.example")
	event := w.last()
	require.Equal(t, access.EventContactUnsubscribed, event.Kind)
	require.Equal(t, clicked, event.Actor)
	require.Equal(t, access.Target{Kind: access.TargetContact, ID: string(carl.ID), Name: "carl"}, event.Target)
	require.Equal(t, access.Facts{Categories: access.Permission(contact.Invoice | contact.Support)}, event.Before)
	require.Equal(t, access.Facts{Categories: access.Permission(contact.Support)}, event.After)

	after := w.state()
	revision, err = w.contacts.Unsubscribe(ctx, clicked, token)
	require.NoError(t, err, "again")
	require.Zero(t, revision)
	requireSame(t, after, w.state())
	preview, err = w.contacts.LookupUnsubscribe(ctx, token)
	require.NoError(t, err)
	require.True(t, preview.Done)
}

func TestUnsubscribeWorksInEveryState(t *testing.T) {
	for name, set := range map[string]func(*world){"suspended": (*world).suspend, "closed": (*world).close} {
		w := newLinkedWorld(t, contact.Config{})
		carl := w.contact("carl", contact.Domain)
		w.write(func(tx storage.Tx) error { return tx.PutPreference(ctx, acme, olive, 0) })
		set(w)
		_, err := w.contacts.Unsubscribe(ctx, clicked, w.unsubscribeToken(carl.ID, contact.Domain))
		if name == "closed" {
			require.NoError(t, err, "nobody hears of it anyway")
		} else {
			requireRefused(t, err, access.ErrDenied, "category.required", "")
		}
		w.unsubscribe(carl.ID, contact.Invoice)
		require.Equal(t, contact.Invoice, w.get(carl.ID).Unsubscribed&contact.Invoice, "that it never had")
	}
}

func TestUnsubscribeLinks(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl, zoe := w.contact("carl", contact.All), w.contact("zoe", contact.All)
	token := w.unsubscribeToken(carl.ID, contact.Invoice)
	require.NotEqual(t, token, w.unsubscribeToken(carl.ID, contact.Support))
	require.NotEqual(t, token, w.unsubscribeToken(zoe.ID, contact.Invoice))
	require.Equal(t, token, w.unsubscribeToken(carl.ID, contact.Invoice), "every time the same")

	invalid := func(text string) {
		t.Helper()
		before := w.state()
		_, err := w.contacts.LookupUnsubscribe(ctx, text)
		requireRefused(t, err, access.ErrNotFound, "contact.invalid", "contact")
		_, err = w.contacts.Unsubscribe(ctx, clicked, text)
		requireRefused(t, err, access.ErrNotFound, "contact.invalid", "contact")
		requireSame(t, before, w.state())
	}
	other := w.unsubscribeToken(carl.ID, contact.Support)
	for _, text := range []string{"", token[:63], token + "A", token[:22] + other[22:24] + token[24:], "\n" + token[1:]} {
		invalid(text)
	}
	move(w, carl.ID, "other@contacts.example")
	invalid(token)
	move(w, carl.ID, "carl@contacts.example")
	w.unsubscribe(carl.ID, contact.Invoice)
	require.Equal(t, token, w.unsubscribeToken(carl.ID, contact.Invoice), "it is bound to the address")
	remove(w, carl.ID)
	invalid(token)

	for _, test := range []struct {
		to       contact.Recipient
		category contact.Category
		code     string
	}{
		{contact.Recipient{User: olive, Address: addressOf(t, olive)}, contact.Invoice, ""},
		{contact.Recipient{Contact: zoe.ID, Address: zoe.Address}, contact.Invoice | contact.Support, "category.unknown"},
		{contact.Recipient{Contact: zoe.ID, Address: zoe.Address}, 1 << 20, "category.unknown"},
	} {
		link, err := w.contacts.UnsubscribeURL(acme, test.to, test.category)
		requireRefused(t, err, access.ErrInvalid, test.code, "category")
		require.Empty(t, link)
	}
	w.configured(contact.Config{})
	link, err := w.contacts.UnsubscribeURL(acme, contact.Recipient{Contact: zoe.ID, Address: zoe.Address}, contact.Invoice)
	require.NoError(t, err)
	require.Empty(t, link)
}

// TestCategoriesThatGo: a link for a category that the host has dropped is invalid.
func TestCategoriesThatGo(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", contact.All)
	token := w.unsubscribeToken(carl.ID, contact.Affiliate)
	categories, err := contact.NewCategories(contact.Portal().Definitions()[:5])
	require.NoError(t, err)
	w.configured(contact.Config{Links: linksOf(t, "", keyOf("2026")), Categories: categories})
	_, err = w.contacts.Unsubscribe(ctx, clicked, token)
	requireRefused(t, err, access.ErrNotFound, "contact.invalid", "contact")
}

// TestUnsubscribeFromAll: all but one is all of today but one, and can be edited as it is.
func TestUnsubscribeFromAll(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", contact.All)
	w.unsubscribe(carl.ID, contact.Invoice)
	require.Equal(t, contact.Portal().Known()&^contact.Invoice, w.get(carl.ID).Categories)
	require.NoError(t, w.update(carl.ID, func(d *contact.Details) { d.Label = "x" }))

	w.now = w.now.Add(time.Minute)
	require.NoError(t, w.update(carl.ID, func(d *contact.Details) { d.Categories = contact.All }))
	require.Equal(t, contact.All&^contact.Invoice, w.get(carl.ID).Categories)
	require.Equal(t, contact.Invoice, w.get(carl.ID).Waiting)
	require.NoError(t, w.update(carl.ID, func(d *contact.Details) { d.Label = "y" }))
	w.verify(carl)
	require.Equal(t, contact.All, w.get(carl.ID).Categories)

	w.unsubscribe(carl.ID, contact.Invoice)
	w.now = w.now.Add(time.Minute)
	require.NoError(t, w.update(carl.ID, func(d *contact.Details) { d.Categories = contact.All }))
	w.unsubscribe(carl.ID, contact.Support)
	got := w.get(carl.ID)
	require.Equal(t, contact.Portal().Known()&^contact.Invoice&^contact.Support, got.Categories)
	require.Equal(t, contact.Invoice, got.Waiting)
	require.NoError(t, w.update(carl.ID, func(d *contact.Details) { d.Label = "z" }))
}

func TestUnsubscribeIsRefusedForTheLast(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", contact.Domain|contact.Invoice)
	w.prefer(olive, 0)
	before := w.state()
	_, err := w.contacts.Unsubscribe(ctx, clicked, w.unsubscribeToken(carl.ID, contact.Domain))
	requireRefused(t, err, access.ErrDenied, "category.required", "")
	requireSame(t, before, w.state())
	w.unsubscribe(carl.ID, contact.Invoice)
	w.prefer(olive, contact.Domain)
	w.unsubscribe(carl.ID, contact.Domain)
	require.Zero(t, w.get(carl.ID).Categories)
}

// TestResubscribing needs the contact's own word, however somebody tries.
func TestResubscribing(t *testing.T) {
	unsubscribed := func() (*world, contact.Contact) {
		w := newLinkedWorld(t, contact.Config{})
		carl := w.contact("carl", contact.Invoice|contact.Support)
		w.verify(carl)
		w.unsubscribe(carl.ID, contact.Invoice)
		w.now = w.now.Add(time.Minute)
		return w, carl
	}
	invoice := func(d *contact.Details) { d.Categories |= contact.Invoice }
	waits := func(w *world, id contact.ID) {
		t.Helper()
		got := w.get(id)
		require.Equal(t, []contact.Category{contact.Support, contact.Invoice, contact.Invoice}, []contact.Category{got.Categories, got.Unsubscribed, got.Waiting})
		require.NotContains(t, w.hear(contact.Invoice), "contact carl@contacts.example")
		require.Equal(t, access.Facts{Categories: access.Permission(contact.Support), Waiting: access.Permission(contact.Invoice), Fields: w.last().After.Fields}, w.last().After)
	}
	agrees := func(w *world, c contact.Contact) {
		t.Helper()
		token := w.verifyToken("carl@contacts.example")
		preview, err := w.contacts.LookupVerification(ctx, token)
		require.NoError(t, err)
		require.Len(t, preview.Waiting, 1)
		require.Equal(t, "invoice", preview.Waiting[0].Key)
		w.verify(c)
		got := w.get(c.ID)
		require.Equal(t, []contact.Category{contact.Support | contact.Invoice, 0, 0}, []contact.Category{got.Categories, got.Unsubscribed, got.Waiting})
		require.Contains(t, w.hear(contact.Invoice), "contact carl@contacts.example")
	}
	t.Run("by an update", func(t *testing.T) {
		w, carl := unsubscribed()
		require.NoError(t, w.update(carl.ID, invoice))
		waits(w, carl.ID)
		prepared := w.prepare()
		mail := prepared[len(prepared)-1].Mail
		require.Contains(t, mail.Text, "By confirming you will receive them again:\n\n- Invoice Emails\n")
		before := w.state()
		require.NoError(t, w.update(carl.ID, invoice))
		require.NoError(t, w.update(carl.ID, func(*contact.Details) {}))
		require.Equal(t, before.Messages, w.state().Messages, "one mail asks")
		require.NoError(t, w.update(carl.ID, func(d *contact.Details) { d.Label = "x" }))
		waits(w, carl.ID)
		agrees(w, carl)
	})
	t.Run("not too often", func(t *testing.T) {
		w, carl := unsubscribed()
		require.NoError(t, w.update(carl.ID, invoice))
		require.NoError(t, w.update(carl.ID, func(d *contact.Details) { d.Categories = contact.Support }))
		before := w.state()
		requireRefused(t, w.update(carl.ID, invoice), access.ErrLimit, "contact.wait", "contact")
		requireSame(t, before, w.state())
	})
	t.Run("and nobody asks any more", func(t *testing.T) {
		w, carl := unsubscribed()
		require.NoError(t, w.update(carl.ID, invoice))
		require.NoError(t, w.update(carl.ID, func(d *contact.Details) { d.Categories = contact.Support }))
		w.verify(carl)
		require.Equal(t, contact.Support, w.get(carl.ID).Categories)
		require.Equal(t, contact.Invoice, w.get(carl.ID).Unsubscribed)
	})
	t.Run("and the contact says no again", func(t *testing.T) {
		w, carl := unsubscribed()
		require.NoError(t, w.update(carl.ID, invoice))
		w.unsubscribe(carl.ID, contact.Invoice)
		require.Zero(t, w.get(carl.ID).Waiting)
		w.verify(carl)
		require.Equal(t, contact.Support, w.get(carl.ID).Categories)
	})
	t.Run("by removing and adding it", func(t *testing.T) {
		w, carl := unsubscribed()
		remove(w, carl.ID)
		again := w.contact("carl", contact.Support|contact.Invoice)
		require.Equal(t, contact.Support, again.Categories)
		waits(w, again.ID)
		prepared := w.prepare()
		require.Contains(t, prepared[len(prepared)-1].Mail.Text, "only if you say yes:\n\n- Invoice Emails\n")
		agrees(w, again)
		remove(w, again.ID)
		require.Equal(t, contact.Invoice, w.contact("carl", contact.Invoice).Categories, "what it agreed to isn't kept for ever")
	})
	t.Run("by moving it there and back", func(t *testing.T) {
		w, carl := unsubscribed()
		move(w, carl.ID, "other@contacts.example")
		require.Equal(t, contact.Support, w.get(carl.ID).Categories)
		require.Zero(t, w.get(carl.ID).Unsubscribed, "another mailbox didn't")
		require.NoError(t, w.update(carl.ID, invoice))
		require.Equal(t, contact.Support|contact.Invoice, w.get(carl.ID).Categories)
		move(w, carl.ID, "carl@contacts.example")
		waits(w, carl.ID)
		agrees(w, carl)
	})
	t.Run("by silent staff", func(t *testing.T) {
		w, carl := unsubscribed()
		silent := staff
		silent.Silent = true
		d := w.get(carl.ID).Details()
		invoice(&d)
		used := w.verifyToken("carl@contacts.example")
		require.Empty(t, used, "it was used")
		_, err := w.contacts.Update(ctx, silent, acme, carl.ID, d)
		require.NoError(t, err)
		waits(w, carl.ID)
		_, err = w.contacts.SendVerification(ctx, access.As(olive), acme, carl.ID)
		require.NoError(t, err)
		agrees(w, carl)
	})
	t.Run("where there are no links any more", func(t *testing.T) {
		w, carl := unsubscribed()
		w.configured(contact.Config{})
		requireRefused(t, w.update(carl.ID, invoice), access.ErrInvalid, "links.missing", "links")
	})
	t.Run("without the permission", func(t *testing.T) {
		w, carl := unsubscribed()
		w.member("mia", access.ManageContacts|access.OpenTickets)
		d := w.get(carl.ID).Details()
		invoice(&d)
		_, err := w.contacts.Update(ctx, access.As("mia"), acme, carl.ID, d)
		requireRefused(t, err, access.ErrDenied, "category.beyond", "categories")
	})
}

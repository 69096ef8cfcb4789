package contact_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
)

// TestSafeguard checks which changes are refused because nobody would receive domain mail any more.
func TestSafeguard(t *testing.T) {
	withoutDomain := contact.Portal().Known() &^ contact.Domain
	ownerOff := func(w *world) error {
		_, err := w.contacts.SetPreferences(ctx, access.As(olive), acme, olive, withoutDomain)
		return err
	}
	removeCarl := func(w *world) error {
		_, err := w.contacts.Remove(ctx, access.As(olive), acme, w.state().Contacts[0].ID)
		return err
	}
	changeCarl := func(change func(*contact.Details)) func(*world) error {
		return func(w *world) error {
			d := w.state().Contacts[0].Details()
			change(&d)
			_, err := w.contacts.Update(ctx, access.As(olive), acme, w.state().Contacts[0].ID, d)
			return err
		}
	}
	miaOff := func(w *world) error {
		_, err := w.contacts.SetPreferences(ctx, access.As("mia"), acme, "mia", contact.General)
		return err
	}
	onlyCarl := func(w *world) { w.contact("carl", contact.Domain); w.prefer(olive, withoutDomain) }
	onlyMia := func(w *world) {
		w.member("mia", access.ViewDomains)
		w.prefer("mia", contact.Domain)
		w.prefer(olive, withoutDomain)
	}
	for name, test := range map[string]struct {
		before  func(*world)
		change  func(*world) error
		refused bool
	}{
		"the owner alone":                                      {func(*world) {}, ownerOff, true},
		"the owner, with a contact for other mail":             {func(w *world) { w.contact("carl", contact.Invoice) }, ownerOff, true},
		"the owner, with a contact for it":                     {func(w *world) { w.contact("carl", contact.Domain) }, ownerOff, false},
		"the owner, with a contact for it at the same address": {func(w *world) { ownersContact(w) }, ownerOff, false},
		"the owner, with a member who asked for it": {func(w *world) {
			w.member("mia", access.ViewDomains)
			w.prefer("mia", contact.Domain)
		}, ownerOff, false},
		"the owner, with a member who didn't ask": {func(w *world) { w.member("mia", access.ViewDomains) }, ownerOff, true},
		"the owner, with a member who asked and lost the permission": {func(w *world) {
			w.member("mia", access.ViewDomains)
			w.prefer("mia", contact.Domain)
			_, err := w.members.SetPermissions(ctx, system, acme, "mia", access.PayInvoices)
			require.NoError(w.t, err)
		}, ownerOff, true},
		"the owner, with a member without an address": {func(w *world) {
			_, err := w.members.AddMember(ctx, system, acme, "ghost", access.Terms{Permissions: access.ViewDomains})
			require.NoError(w.t, err)
			w.prefer("ghost", contact.Domain)
		}, ownerOff, true},
		"an owner without an address":          {forgetOlive, ownerOff, false},
		"the last contact":                     {onlyCarl, removeCarl, true},
		"the last contact, whose mail bounces": {func(w *world) { onlyCarl(w); w.heard(notify.HardBounce, carls) }, removeCarl, false},
		"the owner, with a contact whose mail bounces": {func(w *world) {
			w.contact("carl", contact.Domain)
			w.heard(notify.HardBounce, carls)
		}, ownerOff, true},
		"the owner, with a member whose mail bounces": {func(w *world) {
			w.member("mia", access.ViewDomains)
			w.prefer("mia", contact.Domain)
			w.heard(notify.Complaint, "mia@example.com")
		}, ownerOff, true},
		"the owner, whose mail bounces": {func(w *world) { w.heard(notify.HardBounce, "olive@example.com") }, ownerOff, false},
		"the last contact, with an owner whose mail bounces": {func(w *world) {
			w.contact("carl", contact.Domain)
			w.heard(notify.HardBounce, "olive@example.com")
		}, removeCarl, true},
		"the last contact's category":      {onlyCarl, changeCarl(func(d *contact.Details) { d.Categories = contact.Invoice }), true},
		"the last contact's other details": {onlyCarl, changeCarl(func(d *contact.Details) { d.Name = "Carla" }), false},
		"the last contact's address":       {onlyCarl, changeCarl(func(d *contact.Details) { d.Address = address(t, "carla@contacts.example") }), false},
		"the last contact's address, to one where mail bounces": {func(w *world) { onlyCarl(w); w.heard(notify.HardBounce, "carla@contacts.example") },
			changeCarl(func(d *contact.Details) { d.Address = address(t, "carla@contacts.example") }), true},
		"one of two contacts' addresses, to one where mail bounces": {func(w *world) {
			onlyCarl(w)
			w.contact("dora", contact.Domain)
			w.heard(notify.HardBounce, "carla@contacts.example")
		}, changeCarl(func(d *contact.Details) { d.Address = address(t, "carla@contacts.example") }), false},
		"one contact of two":                         {func(w *world) { onlyCarl(w); w.contact("dora", contact.All) }, removeCarl, false},
		"the last contact, with the owner":           {func(w *world) { w.contact("carl", contact.Domain) }, removeCarl, false},
		"the last contact, owner without an address": {func(w *world) { w.contact("carl", contact.Domain); forgetOlive(w) }, removeCarl, true},
		"the last contact, in a suspended account":   {func(w *world) { onlyCarl(w); w.suspend() }, removeCarl, true},
		"one contact of two, owner without an address": {func(w *world) {
			w.contact("carl", contact.Domain)
			w.contact("dora", contact.Domain)
			forgetOlive(w)
		}, removeCarl, false},
		"a contact for other mail, nobody for domain": {func(w *world) { w.contact("carl", contact.Invoice); forgetOlive(w) }, removeCarl, false},
		"the last member": {onlyMia, miaOff, true},
		"the last member, who heard nothing any more": {func(w *world) {
			onlyMia(w)
			_, err := w.members.SetPermissions(ctx, system, acme, "mia", access.PayInvoices)
			require.NoError(w.t, err)
		}, miaOff, false},
		"one member of two": {func(w *world) {
			w.member("ann", access.ViewDomains)
			w.prefer("ann", contact.Domain)
			onlyMia(w)
		}, miaOff, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.before(w)
			before := w.state("mia")
			err := test.change(w)
			if !test.refused {
				require.NoError(t, err)
				return
			}
			requireRefused(t, err, access.ErrDenied, "category.required", "")
			require.Equal(t, "roster: at least one address must receive domain mail", err.Error())
			var refusal *access.Error
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, map[string]string{"category": "domain"}, refusal.Params)
			requireSame(t, before, w.state("mia"))
		})
	}
}

// TestSafeguardOfSeveral checks that each required category is guarded, and which one is named.
func TestSafeguardOfSeveral(t *testing.T) {
	w := newWorld(t)
	definitions := contact.Portal().Definitions()
	for i := range definitions {
		definitions[i].Required = true
	}
	categories, err := contact.NewCategories(definitions)
	require.NoError(t, err)
	w.contacts = contact.New(w.db, w.members, contact.Config{Categories: categories})
	w.member("mia", access.PayInvoices|access.ViewProducts)
	w.prefer("mia", contact.General|contact.Product|contact.Invoice)
	w.prefer(olive, categories.Known()&^contact.General&^contact.Product&^contact.Invoice)
	setMia(access.PayInvoices)(w) // who hears of products no more

	_, err = w.contacts.SetPreferences(ctx, access.As("mia"), acme, "mia", contact.General)
	requireRefused(t, err, access.ErrDenied, "category.required", "")
	require.ErrorContains(t, err, "invoice")
	_, err = w.contacts.SetPreferences(ctx, access.As("mia"), acme, "mia", contact.General|contact.Invoice)
	require.NoError(t, err)
}

// ownersContact adds a contact for domain mail at the owner's own address.
func ownersContact(w *world) {
	w.t.Helper()
	d := details(w.t, "carl", contact.Domain)
	d.Address = addressOf(w.t, olive)
	_, _, err := w.contacts.Add(ctx, system, acme, d)
	require.NoError(w.t, err)
}

// forgetOlive takes the owner's address out of the directory.
func forgetOlive(w *world) {
	w.t.Helper()
	require.NoError(w.t, w.members.SyncUser(ctx, access.User{ID: olive}))
}

// TestSafeguardHolds checks, for random accounts and changes, that a change is refused exactly if domain mail had a
// receiver before and would have none, and that it is refused as a whole.
func TestSafeguardHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		m := drawModel(t)
		m.status = rapid.SampledFrom([]access.AccountStatus{access.AccountActive, access.AccountSuspended}).Draw(t, "status")
		m.store(w)
		hadReceiver := m.received(contact.Domain)

		change := m.drawNarrowing(t)
		before := w.state(m.users()...)
		err := change(w)
		if hadReceiver && !m.received(contact.Domain) {
			requireRefused(t, err, access.ErrDenied, "category.required", "")
			requireSame(t, before, w.state(m.users()...))
		} else {
			require.NoError(t, err)
		}
	})
}

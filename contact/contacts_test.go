package contact_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

// TestWhoMayAdd checks who may add a contact with these categories. The member mia holds p.
func TestWhoMayAdd(t *testing.T) {
	mia := access.As("mia")
	for name, test := range map[string]struct {
		actor      access.Actor
		p          access.Permission
		categories contact.Category
		before     func(*world)
		kind       error
		code       string
	}{
		"owner":                            {actor: access.As(olive), categories: contact.All},
		"staff":                            {actor: staff, categories: contact.Portal().Known()},
		"system":                           {actor: system, categories: contact.Invoice},
		"staff refused by the host":        {actor: staff, before: func(w *world) { w.policy = access.Denied("denies.night", "not at night") }, kind: access.ErrDenied, code: "denies.night"},
		"stranger":                         {actor: access.As("eve"), kind: access.ErrNotFound, code: "not_found"},
		"member with contacts":             {actor: mia, p: access.ManageContacts, categories: contact.General},
		"member without":                   {actor: mia, p: access.PayInvoices, kind: access.ErrDenied, code: "denies.missing"},
		"reveals what they hold":           {actor: mia, p: access.ManageContacts | access.PayInvoices, categories: contact.Invoice},
		"reveals what they don't hold":     {actor: mia, p: access.ManageContacts | access.OpenTickets, categories: contact.Support | contact.Invoice, kind: access.ErrDenied, code: "category.beyond"},
		"all by a member with all":         {actor: mia, p: access.All, categories: contact.All},
		"all by a member with today's":     {actor: mia, p: access.Portal().Known(), categories: contact.All, kind: access.ErrDenied, code: "category.beyond"},
		"today's by a member with today's": {actor: mia, p: access.Portal().Known(), categories: contact.Portal().Known()},
		"suspended member": {actor: mia, p: access.ManageContacts, before: func(w *world) {
			_, err := w.members.Suspend(ctx, system, acme, "mia")
			require.NoError(w.t, err)
		}, kind: access.ErrDenied, code: "denies.suspended"},
		"expired member": {actor: mia, p: access.ManageContacts, before: func(w *world) {
			_, err := w.members.SetExpiry(ctx, system, acme, "mia", w.now.Add(time.Hour))
			require.NoError(w.t, err)
			w.now = w.now.Add(time.Hour)
		}, kind: access.ErrDenied, code: "denies.expired"},
		"owner, suspended account":    {actor: access.As(olive), before: (*world).suspend, kind: access.ErrDenied, code: "denies.account_suspended"},
		"staff, suspended account":    {actor: staff, before: (*world).suspend, kind: access.ErrDenied, code: "denies.account_suspended"},
		"owner, closed account":       {actor: access.As(olive), before: (*world).close, kind: access.ErrDenied, code: "denies.closed"},
		"stranger, suspended account": {actor: access.As("eve"), before: (*world).suspend, kind: access.ErrNotFound, code: "not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.p != 0 {
				w.member("mia", test.p)
			}
			if test.before != nil {
				test.before(w)
			}
			before := w.state()
			added, revision, err := w.contacts.Add(ctx, test.actor, acme, details(t, "carl", test.categories))
			if test.code != "" {
				require.ErrorIs(t, err, test.kind)
				require.Equal(t, test.code, code(t, err))
				require.Zero(t, added)
				require.Zero(t, revision)
				requireSame(t, before, w.state())
				return
			}
			require.NoError(t, err)
			stored, err := w.contacts.Contact(ctx, system, acme, added.ID)
			require.NoError(t, err)
			require.Equal(t, added, stored)
			require.Equal(t, details(t, "carl", test.categories), stored.Details())
			require.Equal(t, access.Revision{Account: acme, Version: w.state().Account.Version}, revision)
		})
	}
}

func TestAddIsOnTheRecord(t *testing.T) {
	w := newWorld(t)
	d := details(t, "carl", contact.Invoice)
	d.Company, d.Phone, d.Label, d.Postal = "Books Ltd", "+43 1 234", "the bookkeeper", access.PostalAddress{City: "Vienna", Country: "AT"}
	added, revision, err := w.contacts.Add(ctx, access.As(olive), acme, d)
	require.NoError(t, err)

	e := w.last()
	require.Equal(t, access.EventContactAdded, e.Kind)
	require.Equal(t, revision.Version, e.Version)
	require.Equal(t, access.As(olive), e.Actor)
	require.Empty(t, cmp.Diff(access.Target{Kind: access.TargetContact, ID: string(added.ID), Name: "carl",
		After: map[string]string{"address": "c...@contacts.example", "company": "Books Ltd", "label": "the bookkeeper", "name": "carl",
			"phone": "+43 1 234", "postal.city": "Vienna", "postal.country": "AT"}}, e.Target))
	require.Empty(t, cmp.Diff(access.Facts{}, e.Before))
	require.Empty(t, cmp.Diff(access.Facts{Categories: access.Permission(contact.Invoice)}, e.After))
}

func TestOneContactPerAddress(t *testing.T) {
	w := newWorld(t)
	w.account("other", "otto")
	carl, dora := w.contact("carl", 0), w.contact("dora", 0)
	before := w.state()

	d := details(t, "charles", 0)
	d.Address = address(t, "CARL@Contacts.Example")
	_, _, err := w.contacts.Add(ctx, system, acme, d)
	requireRefused(t, err, access.ErrExists, "contact.exists", "address")
	_, err = w.contacts.Update(ctx, system, acme, dora.ID, d)
	requireRefused(t, err, access.ErrExists, "contact.exists", "address")
	require.NotContains(t, err.Error(), "carl")
	requireSame(t, before, w.state())

	_, err = w.contacts.Update(ctx, system, acme, carl.ID, d)
	require.NoError(t, err, "its own address in another spelling")
	_, _, err = w.contacts.Add(ctx, system, "other", d)
	require.NoError(t, err, "another account's contact doesn't count")
}

// TestWhatUpdateNeeds checks which changes to a contact with invoice and support mail a member may make who holds
// contacts and tickets only.
func TestWhatUpdateNeeds(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*contact.Details)
		code   string
	}{
		"the name, categories kept":     {change: func(d *contact.Details) { d.Name = "Carla" }},
		"the address, spelled anew":     {change: func(d *contact.Details) { d.Address = address(t, "Carl@CONTACTS.example") }},
		"one off":                       {change: func(d *contact.Details) { d.Categories = contact.Invoice }},
		"all off":                       {change: func(d *contact.Details) { d.Categories = 0 }},
		"one more that reveals nothing": {change: func(d *contact.Details) { d.Categories |= contact.General }},
		"one more that they can't see":  {change: func(d *contact.Details) { d.Categories |= contact.Product }, code: "category.beyond"},
		"the address counts as new":     {change: func(d *contact.Details) { d.Address = address(t, "new@contacts.example") }, code: "category.beyond"},
		"the address, without what they can't see": {change: func(d *contact.Details) {
			d.Address, d.Categories = address(t, "new@contacts.example"), contact.Support
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.member("mia", access.ManageContacts|access.OpenTickets)
			carl := w.contact("carl", contact.Invoice|contact.Support)
			w.now = w.now.Add(time.Minute)
			before := w.state()
			after := carl.Details()
			test.change(&after)
			_, err := w.contacts.Update(ctx, access.As("mia"), acme, carl.ID, after)
			require.Equal(t, test.code, code(t, err))
			if test.code != "" {
				require.ErrorIs(t, err, access.ErrDenied)
				requireSame(t, before, w.state())
				return
			}
			stored, err := w.contacts.Contact(ctx, system, acme, carl.ID)
			require.NoError(t, err)
			require.Equal(t, after, stored.Details())
			require.Equal(t, carl.Created, stored.Created)
			require.Equal(t, w.now, stored.Updated)
		})
	}
}

func TestUpdateIsOnTheRecord(t *testing.T) {
	w := newWorld(t)
	carl := w.contact("carl", contact.Invoice|contact.General)
	d := carl.Details()
	d.Name, d.Address, d.Phone, d.Categories = "carla", address(t, "carla@contacts.example"), "123", contact.General|contact.Support
	_, err := w.contacts.Update(ctx, access.As(olive), acme, carl.ID, d)
	require.NoError(t, err)

	e := w.last()
	require.Equal(t, access.EventContactUpdated, e.Kind)
	require.Empty(t, cmp.Diff(access.Target{Kind: access.TargetContact, ID: string(carl.ID), Name: "carla",
		Before: map[string]string{"name": "carl", "address": "c...@contacts.example"},
		After:  map[string]string{"name": "carla", "address": "c...@contacts.example", "phone": "123"}}, e.Target))
	require.Equal(t, access.Facts{Categories: access.Permission(contact.General | contact.Invoice)}, e.Before)
	require.Equal(t, access.Facts{Categories: access.Permission(contact.General | contact.Support),
		Fields: []string{"address", "name", "phone"}}, e.After, "the address changed, though its masked form didn't")

	head := w.state().Account.Head
	_, err = w.contacts.Update(ctx, access.As(olive), acme, carl.ID, d)
	require.NoError(t, err)
	require.Equal(t, head, w.state().Account.Head, "no change leaves no event")
}

func TestUpdateNeedsAnActiveAccount(t *testing.T) {
	w := newWorld(t)
	carl := w.contact("carl", contact.Invoice)
	d := carl.Details()
	d.Categories = 0
	for _, state := range []struct {
		enter func(*world)
		code  string
	}{{(*world).suspend, "denies.account_suspended"}, {(*world).close, "denies.closed"}} {
		state.enter(w)
		for _, actor := range []access.Actor{access.As(olive), staff, system} {
			_, err := w.contacts.Update(ctx, actor, acme, carl.ID, d)
			requireRefused(t, err, access.ErrDenied, state.code, "")
		}
	}
}

func TestWhoMayRemove(t *testing.T) {
	for name, test := range map[string]struct {
		actor  access.Actor
		p      access.Permission
		before func(*world)
		kind   error
		code   string
	}{
		"owner":                     {actor: access.As(olive)},
		"staff":                     {actor: staff},
		"stranger":                  {actor: access.As("eve"), kind: access.ErrNotFound, code: "not_found"},
		"member, whatever it hears": {actor: access.As("mia"), p: access.ManageContacts},
		"member without":            {actor: access.As("mia"), p: access.PayInvoices, kind: access.ErrDenied, code: "denies.missing"},
		"owner, suspended account":  {actor: access.As(olive), before: (*world).suspend},
		"member, suspended account": {actor: access.As("mia"), p: access.ManageContacts, before: (*world).suspend},
		"member without, suspended account": {actor: access.As("mia"), p: access.PayInvoices, before: (*world).suspend,
			kind: access.ErrDenied, code: "denies.missing"},
		"owner, closed account": {actor: access.As(olive), before: (*world).close, kind: access.ErrDenied, code: "denies.closed"},
		"staff, closed account": {actor: staff, before: (*world).close, kind: access.ErrDenied, code: "denies.closed"},
		"suspended member": {actor: access.As("mia"), p: access.ManageContacts, before: func(w *world) {
			_, err := w.members.Suspend(ctx, system, acme, "mia")
			require.NoError(w.t, err)
		}, kind: access.ErrDenied, code: "denies.suspended"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			carl := w.contact("carl", contact.Invoice|contact.Support)
			if test.p != 0 {
				w.member("mia", test.p)
			}
			if test.before != nil {
				test.before(w)
			}
			before := w.state()
			_, err := w.contacts.Remove(ctx, test.actor, acme, carl.ID)
			require.Equal(t, test.code, code(t, err))
			if test.code != "" {
				require.ErrorIs(t, err, test.kind)
				requireSame(t, before, w.state())
				return
			}
			require.Empty(t, w.state().Contacts)
			e := w.last()
			require.Equal(t, access.EventContactRemoved, e.Kind)
			require.Equal(t, access.Target{Kind: access.TargetContact, ID: string(carl.ID), Name: "carl",
				Before: map[string]string{"name": "carl", "address": "c...@contacts.example"}}, e.Target)
			require.Equal(t, access.Facts{Categories: access.Permission(carl.Categories)}, e.Before)
			require.Empty(t, cmp.Diff(access.Facts{}, e.After))
			_, err = w.contacts.Remove(ctx, system, acme, carl.ID)
			requireRefused(t, err, access.ErrNotFound, "not_found", "contact")
		})
	}
}

// TestContactsStayInTheirAccount checks that a contact is found by nobody under another account's id.
func TestContactsStayInTheirAccount(t *testing.T) {
	w := newWorld(t)
	w.account("other", "otto")
	carl := w.contact("carl", contact.Invoice)
	before := w.state()
	for _, actor := range []access.Actor{access.As("otto"), system} {
		_, err := w.contacts.Contact(ctx, actor, "other", carl.ID)
		requireRefused(t, err, access.ErrNotFound, "not_found", "contact")
		_, err = w.contacts.Update(ctx, actor, "other", carl.ID, carl.Details())
		requireRefused(t, err, access.ErrNotFound, "not_found", "contact")
		_, err = w.contacts.Remove(ctx, actor, "other", carl.ID)
		requireRefused(t, err, access.ErrNotFound, "not_found", "contact")
	}
	_, err := w.contacts.Contact(ctx, access.As("otto"), acme, carl.ID)
	requireRefused(t, err, access.ErrNotFound, "not_found", "account")
	_, err = w.contacts.Contacts(ctx, access.As("otto"), acme, contact.Filter{}, access.Page{})
	requireRefused(t, err, access.ErrNotFound, "not_found", "account")
	requireSame(t, before, w.state())
}

func TestContactsByPageAndFilter(t *testing.T) {
	w := newWorld(t)
	w.member("mia", access.ManageContacts)
	w.member("ben", access.PayInvoices)
	var all []string
	for i, name := range []string{"anna", "bert", "carl", "dora", "emil"} {
		c := []contact.Category{0, contact.Invoice, contact.Invoice | contact.Support, contact.All, contact.General}[i]
		all = append(all, w.contact(name, c).Name)
	}
	list := func(f contact.Filter, limit int) (names []string) {
		for c, err := range access.Walk(func(p access.Page) (access.List[contact.Contact], error) {
			p.Limit = limit
			return w.contacts.Contacts(ctx, access.As("mia"), acme, f, p)
		}) {
			require.NoError(t, err)
			names = append(names, c.Name)
		}
		return names
	}
	for limit := 1; limit <= 6; limit++ {
		require.Equal(t, all, list(contact.Filter{}, limit))
		require.Equal(t, []string{"bert", "carl", "dora"}, list(contact.Filter{Categories: contact.Invoice}, limit))
		require.Equal(t, []string{"carl", "dora"}, list(contact.Filter{Categories: contact.Invoice | contact.Support}, limit))
		require.Equal(t, []string{"dora"}, list(contact.Filter{Categories: contact.All}, limit))
		require.Equal(t, []string{"dora"}, list(contact.Filter{Prefix: "DO"}, limit))
		require.Equal(t, []string{"emil"}, list(contact.Filter{Prefix: "emil@CONTACTS"}, limit))
	}
	_, err := w.contacts.Contacts(ctx, access.As("ben"), acme, contact.Filter{}, access.Page{})
	requireRefused(t, err, access.ErrDenied, "denies.missing", "")
	_, err = w.contacts.Contact(ctx, access.As("ben"), acme, w.state().Contacts[0].ID)
	requireRefused(t, err, access.ErrDenied, "denies.missing", "")

	_, err = w.members.SuspendAccount(ctx, access.AsSystem("billing"), acme)
	require.NoError(t, err)
	require.Equal(t, all, list(contact.Filter{}, 2), "they can still be seen, and removed")
}

// TestCatalogWithoutContacts checks that in such a catalog only the owner and members with All manage contacts.
func TestCatalogWithoutContacts(t *testing.T) {
	w := newWorld(t)
	catalog, err := access.NewCatalog([]access.Definition{{Permission: 1, Key: "servers", Label: "Servers"}}, nil)
	require.NoError(t, err)
	categories, err := contact.NewCategories([]contact.CategoryDefinition{{Category: 1, Key: "servers", Label: "Servers", Help: "About servers.", Reveals: 1}})
	require.NoError(t, err)
	w.members = access.New(w.db, access.Config{Catalog: catalog, Now: func() time.Time { return w.now }})
	w.contacts = contact.New(w.db, w.members, contact.Config{Categories: categories})
	w.member("mia", 1)
	w.member("max", access.All)

	_, _, err = w.contacts.Add(ctx, access.As("mia"), acme, details(t, "anna", 1))
	requireRefused(t, err, access.ErrDenied, "denies.missing", "")
	_, _, err = w.contacts.Add(ctx, access.As("max"), acme, details(t, "anna", 1))
	require.NoError(t, err)
	_, _, err = w.contacts.Add(ctx, access.As(olive), acme, details(t, "bert", 1))
	require.NoError(t, err)
}

// TestMailsToContactsAreLimited: whoever adds and removes a contact can't have a stranger mailed without end.
func TestMailsToContactsAreLimited(t *testing.T) {
	w := newWorld(t)
	again := func() error {
		c, _, err := w.contacts.Add(ctx, access.As(olive), acme, details(t, "anna", contact.Invoice))
		if err != nil {
			return err
		}
		_, err = w.contacts.Remove(ctx, access.As(olive), acme, c.ID)
		return err
	}
	for range 5 {
		require.NoError(t, again())
	}
	before := w.state()
	err := again()
	require.ErrorIs(t, err, access.ErrLimit)
	require.Equal(t, "contact.per_recipient", code(t, err))
	require.Equal(t, before, w.state(), "a refusal changes nothing")
	_, _, err = w.contacts.Add(ctx, access.As(olive), acme, details(t, "bert", contact.Invoice))
	require.NoError(t, err, "another address")
	w.now = w.now.Add(24 * time.Hour)
	require.NoError(t, again())
}

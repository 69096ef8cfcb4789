package contact_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

func TestPreferencesBeforeAnybodyChose(t *testing.T) {
	w := newWorld(t)
	w.member("mia", access.All)
	for user, want := range map[access.UserID]contact.Category{olive: contact.All, "mia": 0} {
		for _, actor := range []access.Actor{access.As(user), system, staff} {
			chosen, err := w.contacts.Preferences(ctx, actor, acme, user)
			require.NoError(t, err)
			require.Equal(t, want, chosen)
		}
	}
}

// TestWhoMaySetPreferences checks who may set whose preferences, and read them. The member mia holds p, and ben holds
// invoices.
func TestWhoMaySetPreferences(t *testing.T) {
	mia := access.As("mia")
	for name, test := range map[string]struct {
		actor  access.Actor
		p      access.Permission
		user   access.UserID
		before func(*world)
		kind   error
		code   string
	}{
		"owner, their own":             {actor: access.As(olive), user: olive},
		"owner, a member's":            {actor: access.As(olive), user: "ben", kind: access.ErrDenied, code: "denies.other"},
		"member, their own":            {actor: mia, p: access.PayInvoices, user: "mia"},
		"member, another's":            {actor: mia, p: access.All, user: "ben", kind: access.ErrDenied, code: "denies.other"},
		"member, nobody's":             {actor: mia, p: access.All, user: "eve", kind: access.ErrDenied, code: "denies.other"},
		"with profile, the owner's":    {actor: mia, p: access.ModifyProfile, user: olive},
		"without profile, the owner's": {actor: mia, p: access.Portal().Known() &^ access.ModifyProfile, user: olive, kind: access.ErrDenied, code: "denies.other"},
		"with profile, suspended account": {actor: mia, p: access.ModifyProfile, user: olive, before: (*world).suspend,
			kind: access.ErrDenied, code: "denies.other"},
		"owner, suspended account":  {actor: access.As(olive), user: olive, before: (*world).suspend},
		"member, suspended account": {actor: mia, p: access.PayInvoices, user: "mia", before: (*world).suspend},
		"owner, closed account":     {actor: access.As(olive), user: olive, before: (*world).close, kind: access.ErrDenied, code: "denies.closed"},
		"system, closed account":    {actor: system, user: olive, before: (*world).close, kind: access.ErrDenied, code: "denies.closed"},
		"staff, a member's":         {actor: staff, user: "ben"},
		"staff, the owner's":        {actor: staff, user: olive},
		"staff, nobody's":           {actor: staff, user: "eve", kind: access.ErrNotFound, code: "not_found"},
		"stranger, their own":       {actor: access.As("eve"), user: "eve", kind: access.ErrNotFound, code: "not_found"},
		"stranger, the owner's":     {actor: access.As("eve"), user: olive, kind: access.ErrNotFound, code: "not_found"},
		"staff refused by the host": {actor: staff, user: olive, before: func(w *world) { w.policy = access.Denied("denies.night", "not at night") },
			kind: access.ErrDenied, code: "denies.night"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.member("ben", access.PayInvoices)
			w.contact("registry", contact.Domain)
			if test.p != 0 {
				w.member("mia", test.p)
			}
			if test.before != nil {
				test.before(w)
			}
			before := w.state("mia", "ben", "eve")
			_, readErr := w.contacts.Preferences(ctx, test.actor, acme, test.user)
			_, err := w.contacts.SetPreferences(ctx, test.actor, acme, test.user, contact.General)
			require.Equal(t, test.code, code(t, readErr))
			require.Equal(t, test.code, code(t, err))
			if test.code != "" {
				require.ErrorIs(t, err, test.kind)
				requireSame(t, before, w.state("mia", "ben", "eve"))
				return
			}
			chosen, err := w.contacts.Preferences(ctx, test.actor, acme, test.user)
			require.NoError(t, err)
			require.Equal(t, contact.General, chosen)
		})
	}
}

// TestMembersChooseWhatTheyMaySee checks what mia, who holds invoices and products, may switch on having invoice and
// domain mail on, of which her permissions reveal the first only.
func TestMembersChooseWhatTheyMaySee(t *testing.T) {
	for name, test := range map[string]struct {
		choice contact.Category
		before func(*world)
		code   string
	}{
		"what they hold":              {choice: contact.Invoice | contact.Domain | contact.Product},
		"what reveals nothing":        {choice: contact.Invoice | contact.Domain | contact.General},
		"what they don't hold":        {choice: contact.Invoice | contact.Domain | contact.Support, code: "category.beyond"},
		"what they have kept":         {choice: contact.Domain},
		"nothing":                     {choice: 0},
		"everything":                  {choice: contact.All, code: "category.beyond"},
		"what works while suspended":  {choice: contact.General | contact.Invoice, before: (*world).suspend},
		"what rests while suspended":  {choice: contact.Product, before: (*world).suspend, code: "category.beyond"},
		"as a suspended member":       {choice: contact.Product, before: suspendMia, code: "category.beyond"},
		"less, as a suspended member": {choice: contact.Domain, before: suspendMia},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.member("mia", access.PayInvoices|access.ViewProducts|access.ViewDomains)
			w.prefer("mia", contact.Invoice|contact.Domain)
			_, err := w.members.SetPermissions(ctx, system, acme, "mia", access.PayInvoices|access.ViewProducts)
			require.NoError(t, err)
			if test.before != nil {
				test.before(w)
			}
			before := w.state("mia")
			for _, actor := range []access.Actor{access.As("mia"), system} {
				_, err = w.contacts.SetPreferences(ctx, actor, acme, "mia", test.choice)
				require.Equal(t, test.code, code(t, err))
				if test.code != "" {
					require.ErrorIs(t, err, access.ErrDenied)
					requireSame(t, before, w.state("mia"))
				} else {
					require.Equal(t, test.choice, w.state("mia").Preferences["mia"])
				}
			}
		})
	}
}

func suspendMia(w *world) {
	w.t.Helper()
	_, err := w.members.Suspend(ctx, system, acme, "mia")
	require.NoError(w.t, err)
}

func TestPreferencesAreOnTheRecord(t *testing.T) {
	w := newWorld(t)
	w.contact("registry", contact.Domain)
	head := w.state().Account.Head
	_, err := w.contacts.SetPreferences(ctx, access.As(olive), acme, olive, contact.All)
	require.NoError(t, err)
	require.Equal(t, head, w.state().Account.Head, "what was chosen already changes nothing")
	require.Empty(t, w.state().Preferences, "the default isn't stored")

	revision, err := w.contacts.SetPreferences(ctx, access.As(olive), acme, olive, contact.Invoice)
	require.NoError(t, err)
	e := w.last()
	require.Equal(t, access.EventPreferencesChanged, e.Kind)
	require.Equal(t, revision.Version, e.Version)
	require.Equal(t, access.Target{Kind: access.TargetUser, ID: string(olive)}, e.Target)
	require.Equal(t, access.Facts{Categories: access.Permission(contact.All)}, e.Before)
	require.Equal(t, access.Facts{Categories: access.Permission(contact.Invoice)}, e.After)
}

// TestPreferencesEndWithTheRole checks that who becomes the owner receives everything, and who comes back nothing.
func TestPreferencesEndWithTheRole(t *testing.T) {
	w := newWorld(t)
	w.member("mia", access.PayInvoices)
	w.prefer("mia", contact.Invoice)
	w.contact("registry", contact.Domain)
	w.prefer(olive, contact.Invoice)
	_, err := w.members.TransferByStaff(ctx, staff, acme, "mia", access.PayInvoices)
	require.NoError(t, err)
	for user, want := range map[access.UserID]contact.Category{"mia": contact.All, olive: 0} {
		chosen, err := w.contacts.Preferences(ctx, system, acme, user)
		require.NoError(t, err)
		require.Equal(t, want, chosen)
	}

	w.prefer(olive, contact.Invoice)
	_, err = w.members.Leave(ctx, access.As(olive), acme)
	require.NoError(t, err)
	w.now = w.now.Add(time.Hour)
	w.member(olive, access.PayInvoices)
	chosen, err := w.contacts.Preferences(ctx, access.As(olive), acme, olive)
	require.NoError(t, err)
	require.Zero(t, chosen)
}

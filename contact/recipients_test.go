package contact_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/storage"
)

// hear returns who hears of a category, as "reason address" each.
func (w *world) hear(c contact.Category, also ...access.UserID) []string {
	w.t.Helper()
	list, err := w.contacts.Recipients(ctx, acme, c, "", also...)
	require.NoError(w.t, err)
	texts := []string{}
	for _, r := range list {
		texts = append(texts, string(r.Reason)+" "+r.Address.Original())
	}
	return texts
}

func TestRecipients(t *testing.T) {
	const ownerHears, ownerOnly, fallback = "owner olive@example.com", "owner", "fallback olive@example.com"
	asks := func(p access.Permission, c contact.Category) func(*world) {
		return func(w *world) { w.member("mia", p); w.prefer("mia", c) }
	}
	then := func(steps ...func(*world)) func(*world) {
		return func(w *world) {
			for _, step := range steps {
				step(w)
			}
		}
	}
	ownerHearsNothing := func(w *world) {
		w.write(func(tx storage.Tx) error { return tx.PutPreference(ctx, acme, olive, 0) })
	}
	for name, test := range map[string]struct {
		before   func(*world)
		category contact.Category
		also     []access.UserID
		want     []string
	}{
		"the owner, who never chose":      {func(*world) {}, contact.Support, nil, []string{ownerHears}},
		"the owner, who switched it off":  {func(w *world) { w.prefer(olive, contact.Domain) }, contact.Support, nil, []string{}},
		"an owner without an address":     {forgetOlive, contact.Domain, nil, []string{}},
		"a member who didn't ask":         {func(w *world) { w.member("mia", access.All) }, contact.Invoice, nil, []string{ownerHears}},
		"a member who asked":              {asks(access.PayInvoices, contact.Invoice), contact.Invoice, nil, []string{ownerHears, "member mia@example.com"}},
		"a member who asked for all":      {asks(access.All, contact.All), contact.Affiliate, nil, []string{ownerHears, "member mia@example.com"}},
		"a member who asked for other":    {asks(access.All, contact.Support), contact.Invoice, nil, []string{ownerHears}},
		"a member who lost it":            {then(asks(access.PayInvoices, contact.Invoice), setMia(access.OpenTickets)), contact.Invoice, nil, []string{ownerHears}},
		"a member who got it back":        {then(asks(access.PayInvoices, contact.Invoice), setMia(access.OpenTickets), setMia(access.PayInvoices)), contact.Invoice, nil, []string{ownerHears, "member mia@example.com"}},
		"a suspended member":              {then(asks(access.PayInvoices, contact.Invoice), suspendMia), contact.Invoice, nil, []string{ownerHears}},
		"an expired member":               {then(asks(access.PayInvoices, contact.Invoice), expireMia), contact.Invoice, nil, []string{ownerHears}},
		"an expired member, general mail": {then(asks(access.PayInvoices, contact.General), expireMia), contact.General, nil, []string{ownerHears}},
		"a member, general mail":          {asks(access.PayInvoices, contact.General), contact.General, nil, []string{ownerHears, "member mia@example.com"}},
		"contacts": {func(w *world) {
			w.contact("anna", contact.Invoice)
			w.contact("bert", contact.Support)
			w.contact("carl", contact.All)
		}, contact.Invoice, nil, []string{ownerHears, "contact anna@contacts.example", "contact carl@contacts.example"}},

		"involved, who didn't ask":           {func(w *world) { w.member("mia", access.OpenTickets) }, contact.Support, []access.UserID{"mia"}, []string{ownerHears, "involved mia@example.com"}},
		"involved, who may not see it":       {func(w *world) { w.member("mia", access.PayInvoices) }, contact.Support, []access.UserID{"mia"}, []string{ownerHears}},
		"involved, who asked too":            {asks(access.OpenTickets, contact.Support), contact.Support, []access.UserID{"mia", "mia"}, []string{ownerHears, "involved mia@example.com"}},
		"involved, suspended":                {then(asks(access.OpenTickets, contact.Support), suspendMia), contact.Support, []access.UserID{"mia"}, []string{ownerHears}},
		"involved, a stranger":               {func(w *world) { w.user("eve") }, contact.Support, []access.UserID{"eve"}, []string{ownerHears}},
		"involved, unknown":                  {func(*world) {}, contact.Support, []access.UserID{"nobody"}, []string{ownerHears}},
		"involved, the owner":                {func(*world) {}, contact.Support, []access.UserID{olive}, []string{ownerHears}},
		"involved, an owner who is silenced": {ownerHearsNothing, contact.Support, []access.UserID{olive}, []string{"involved olive@example.com"}},

		"the owner and a contact at one address":  {ownersContact, contact.Domain, nil, []string{ownerHears}},
		"a silenced owner's contact":              {then(ownersContact, ownerHearsNothing), contact.Domain, nil, []string{"contact olive@example.com"}},
		"a contact at a member's address":         {then(asks(access.PayInvoices, contact.Invoice), contactAtMias), contact.Invoice, nil, []string{ownerHears, "member mia@example.com"}},
		"a contact at a suspended member's":       {then(asks(access.PayInvoices, contact.Invoice), contactAtMias, suspendMia), contact.Invoice, nil, []string{ownerHears, "contact MIA@Example.com"}},
		"nobody, not required":                    {ownerHearsNothing, contact.Invoice, nil, []string{}},
		"nobody, required":                        {ownerHearsNothing, contact.Domain, nil, []string{fallback}},
		"nobody, required, no address":            {then(ownerHearsNothing, forgetOlive), contact.Domain, nil, []string{}},
		"required, the last member expired":       {then(asks(access.ViewDomains, contact.Domain), ownerHearsNothing, expireMia), contact.Domain, nil, []string{fallback}},
		"required, somebody else":                 {then(func(w *world) { w.contact("anna", contact.Domain) }, ownerHearsNothing), contact.Domain, nil, []string{"contact anna@contacts.example"}},
		"suspended account, what works meanwhile": {then(asks(access.PayInvoices, contact.Invoice), (*world).suspend), contact.Invoice, nil, []string{ownerHears, "member mia@example.com"}},
		"suspended account, what rests":           {then(asks(access.ViewProducts, contact.Product), func(w *world) { w.contact("anna", contact.Product) }, (*world).suspend), contact.Product, []access.UserID{"mia"}, []string{ownerHears, "contact anna@contacts.example"}},
		"suspended account, general mail":         {then(asks(access.ViewProducts, contact.General), (*world).suspend), contact.General, nil, []string{ownerHears, "member mia@example.com"}},
		"closed account":                          {then(asks(access.PayInvoices, contact.Invoice|contact.General), func(w *world) { w.contact("anna", contact.All) }, (*world).close), contact.General, []access.UserID{"mia"}, []string{ownerHears}},
		"closed account, required":                {then(ownerHearsNothing, func(w *world) { w.contact("anna", contact.All) }, (*world).close), contact.Domain, nil, []string{fallback}},
		"closed account, a silenced owner":        {then(ownerHearsNothing, (*world).close), contact.Invoice, []access.UserID{olive}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.before(w)
			require.Equal(t, test.want, w.hear(test.category, test.also...))
		})
	}
}

func setMia(p access.Permission) func(*world) {
	return func(w *world) {
		w.t.Helper()
		_, err := w.members.SetPermissions(ctx, system, acme, "mia", p)
		require.NoError(w.t, err)
	}
}

// expireMia ends mia's membership this very moment.
func expireMia(w *world) {
	w.t.Helper()
	_, err := w.members.SetExpiry(ctx, system, acme, "mia", w.now.Add(time.Hour))
	require.NoError(w.t, err)
	w.now = w.now.Add(time.Hour)
}

func contactAtMias(w *world) {
	w.t.Helper()
	d := details(w.t, "anna", contact.Invoice)
	d.Address = address(w.t, "MIA@Example.com")
	_, _, err := w.contacts.Add(ctx, system, acme, d)
	require.NoError(w.t, err)
}

// TestRecipientsEqualTheModel is the property behind the table: for random accounts the answer is the model's, holds
// no address twice and no suppressed one, tells no member what they may not see and no contact what it wasn't given, and
// a required category has a receiver if mail reaches the owner.
func TestRecipientsEqualTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		m := drawModel(t)
		m.store(w)
		also := rapid.SliceOfN(rapid.SampledFrom([]access.UserID{olive, "mia", "max", "zoe", "nobody"}), 0, 3).Draw(t, "also")
		for _, d := range contact.Portal().Definitions() {
			got, err := w.contacts.Recipients(ctx, acme, d.Category, "", also...)
			require.NoError(t, err)
			want := m.recipients(d.Category, also)
			requireSame(t, want, got, d.Key)

			seen := map[string]bool{}
			for _, r := range got {
				require.False(t, seen[strings.ToLower(r.Address.Original())], "twice: %s", r.Address)
				seen[strings.ToLower(r.Address.Original())] = true
				if r.Reason != contact.ReasonFallback {
					require.Zero(t, m.suppressed[r.Address.Canonical()], "suppressed: %s", r.Address)
				}
				if r.Contact != "" {
					told, err := w.contacts.Contact(ctx, system, acme, r.Contact)
					require.NoError(t, err)
					require.True(t, told.Categories.Has(d.Category), "%s hears of %s", r.Contact, d.Key)
				}
				if r.User != "" && r.User != olive && d.Reveals != 0 {
					can, err := w.members.Can(ctx, r.User, acme, d.Reveals)
					require.NoError(t, err)
					require.True(t, can, "%s hears of %s", r.User, d.Key)
				}
			}
			if d.Required && m.reachable(m.people[0]) {
				require.NotEmpty(t, got, d.Key)
			}
		}
	})
}

// TestRecipientsBeyondOnePage checks that nobody is lost or repeated where storage answers in pages.
func TestRecipientsBeyondOnePage(t *testing.T) {
	w := newWorld(t)
	const n = access.MaxPage + 1
	w.write(func(tx storage.Tx) error {
		for i := range n {
			user := access.UserID(fmt.Sprintf("user%04d", i))
			require.NoError(t, tx.PutUsers(ctx, access.User{ID: user, Address: addressOf(t, user)}))
			require.NoError(t, tx.PutMembership(ctx, access.Membership{Account: acme, User: user, Status: access.Active, Permissions: access.PayInvoices, Created: start}))
			require.NoError(t, tx.PutPreference(ctx, acme, user, contact.Invoice))
			require.NoError(t, tx.PutContact(ctx, contact.Contact{ID: contact.ID(fmt.Sprintf("0190c3a0-0000-7000-8000-%012d", i)), Account: acme,
				Name: "contact", Address: address(t, fmt.Sprintf("contact%04d@contacts.example", i)), Categories: contact.Invoice}))
		}
		return nil
	})
	got := w.hear(contact.Invoice)
	require.Len(t, got, 1+2*n)
	require.Equal(t, "member user0500@example.com", got[n])
	require.Equal(t, "contact contact0500@contacts.example", got[2*n])
}

func TestRecipientsNameThem(t *testing.T) {
	w := newWorld(t)
	carl := w.contact("carl", contact.Invoice)
	got, err := w.contacts.Recipients(ctx, acme, contact.Invoice, "service-7")
	require.NoError(t, err)
	require.Equal(t, []contact.Recipient{
		{Reason: contact.ReasonOwner, Address: addressOf(t, olive), Name: "Name of olive", User: olive},
		{Reason: contact.ReasonContact, Address: carl.Address, Name: "carl", Contact: carl.ID, Unverified: true},
	}, got)
}

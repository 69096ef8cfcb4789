package contact_test

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// A model is an account as this package sees it, without cleverness: what Recipients and the safeguard must agree with.
type model struct {
	status   access.AccountStatus
	people   []person // the owner first
	contacts []contact.Contact
	required bool          // contacts hear nothing before they have verified their address
	again    time.Duration // how long an address stays verified; zero for ever
	// suppressed are the suppressions, by the canonical address.
	suppressed map[string]notify.FeedbackKind
}

// A person is the owner or a member. Of the owner only address and choice matter.
type person struct {
	id       access.UserID
	address  string // empty if the directory has none
	chose    bool
	choice   contact.Category
	p        access.Permission
	status   access.Status
	starts   time.Time
	expires  time.Time
	stranger bool // neither owner nor member
}

// addresses are few, so that people and contacts share them, and some differ in spelling only.
var addresses = []string{"", "a@one.example", "A@one.example", "b@one.example", "c@two.example", "C@TWO.example", "d@two.example"}

func drawModel(t *rapid.T) *model {
	drawCategories := rapid.OneOf(
		rapid.SampledFrom([]contact.Category{0, contact.Domain, contact.All}),
		rapid.Map(rapid.Uint64Range(0, uint64(contact.Portal().Known())), func(c uint64) contact.Category { return contact.Category(c) }))
	drawPermissions := rapid.OneOf(
		rapid.SampledFrom([]access.Permission{access.All, access.ViewDomains, access.PayInvoices}),
		rapid.Map(rapid.Uint64Range(1, uint64(access.Portal().Known())), func(p uint64) access.Permission { return access.Permission(p) }))
	drawTime := rapid.SampledFrom([]time.Time{{}, start.Add(-time.Hour), start.Add(-time.Minute), start, start.Add(time.Hour)})

	m := &model{status: rapid.SampledFrom([]access.AccountStatus{access.AccountActive, access.AccountSuspended,
		access.AccountClosed}).Draw(t, "status")}
	for i, id := range []access.UserID{olive, "mia", "max", "zoe"} {
		m.people = append(m.people, person{
			id:       id,
			address:  rapid.SampledFrom(addresses).Draw(t, "address"),
			chose:    rapid.Bool().Draw(t, "chose"),
			choice:   drawCategories.Draw(t, "choice"),
			p:        drawPermissions.Draw(t, "permissions"),
			status:   rapid.SampledFrom([]access.Status{access.Active, access.Active, access.Suspended}).Draw(t, "membership"),
			starts:   drawTime.Draw(t, "starts"),
			expires:  drawTime.Draw(t, "expires"),
			stranger: i > 0 && rapid.IntRange(0, 3).Draw(t, "stranger") == 0,
		})
	}
	m.required = rapid.Bool().Draw(t, "required")
	m.again = rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(t, "again")
	ids := []contact.ID{"0190c3a0-0000-7000-8000-000000000001", "0190c3a0-0000-7000-8000-000000000002", "0190c3a0-0000-7000-8000-000000000003"}
	taken := map[string]bool{"": true}
	for _, id := range ids {
		text := rapid.SampledFrom(addresses).Draw(t, "contact")
		if taken[strings.ToLower(text)] {
			continue
		}
		taken[strings.ToLower(text)] = true
		wanted, switchedOff := drawCategories.Draw(t, "categories"), drawCategories.Draw(t, "unsubscribed")
		m.contacts = append(m.contacts, contact.Contact{ID: id, Account: acme, Name: "contact", Address: address(t, text),
			Categories: wanted &^ switchedOff, Waiting: wanted & switchedOff, Unsubscribed: switchedOff,
			Verified: drawTime.Draw(t, "verified"), Created: start, Updated: start})
	}
	m.suppressed = rapid.MapOfN(rapid.SampledFrom([]string{"a@one.example", "b@one.example", "c@two.example", "d@two.example"}),
		rapid.SampledFrom([]notify.FeedbackKind{notify.HardBounce, notify.SoftBounce, notify.Complaint}), 0, 3).Draw(t, "suppressed")
	return m
}

// store puts the account into storage as it is, past the rules: what verbs and time can lead to.
func (m *model) store(w *world) {
	w.t.Helper()
	w.configured(contact.Config{Links: linksOf(w.t, "", keyOf("2026")), RequireVerified: m.required, VerifyAgain: m.again})
	w.write(func(tx storage.Tx) error {
		a, err := tx.Account(ctx, acme)
		require.NoError(w.t, err)
		a.Status = m.status
		require.NoError(w.t, tx.UpdateAccount(ctx, a))
		for _, p := range m.people {
			user := access.User{ID: p.id, Name: string(p.id)}
			if p.address != "" {
				user.Address = address(w.t, p.address)
			}
			require.NoError(w.t, tx.PutUsers(ctx, user))
			if p.id != olive && !p.stranger {
				require.NoError(w.t, tx.PutMembership(ctx, access.Membership{Account: acme, User: p.id, Permissions: p.p,
					Status: p.status, Starts: p.starts, Expires: p.expires, Created: start}))
			}
			if p.chose && !p.stranger {
				require.NoError(w.t, tx.PutPreference(ctx, acme, p.id, p.choice))
			}
		}
		for _, c := range m.contacts {
			require.NoError(w.t, tx.PutContact(ctx, c))
		}
		for about, kind := range m.suppressed {
			require.NoError(w.t, tx.PutSuppression(ctx, notify.Suppression{Address: about, Kind: kind, Since: start}))
		}
		return nil
	})
}

func (m *model) users() (ids []access.UserID) {
	for _, p := range m.people {
		ids = append(ids, p.id)
	}
	return ids
}

// wants reports whether a person chose a category, or is the owner and didn't choose.
func (p person) wants(c contact.Category) bool {
	if p.id == olive && !p.chose {
		return true
	}
	return !p.stranger && p.chose && p.choice&c != 0
}

// sees reports whether a person may be told of a category now.
func (m *model) sees(p person, c contact.Category) bool {
	if p.id == olive {
		return true
	}
	inUse := !p.stranger && p.status == access.Active && !start.Before(p.starts) && (p.expires.IsZero() || start.Before(p.expires))
	needs := map[contact.Category]access.Permission{contact.Product: access.ViewProducts, contact.Domain: access.ViewDomains,
		contact.Invoice: access.PayInvoices, contact.Support: access.OpenTickets, contact.Affiliate: access.ManageAffiliates}[c]
	if needs == 0 {
		return inUse
	}
	rests := m.status == access.AccountSuspended && needs != access.PayInvoices && needs != access.OpenTickets
	return inUse && !rests && p.p&needs != 0
}

// recipients is what Recipients must return: reason, name and address of each, in order.
func (m *model) recipients(c contact.Category, also []access.UserID) (list []contact.Recipient) {
	var everybody []contact.Recipient
	user := func(reason contact.Reason, p person) {
		everybody = append(everybody, contact.Recipient{Reason: reason, Name: string(p.id), User: p.id, Address: parsed(p.address)})
	}
	owner := m.people[0]
	if owner.wants(c) {
		user(contact.ReasonOwner, owner)
	}
	if m.status != access.AccountClosed {
		for _, id := range also {
			for _, p := range m.people {
				if p.id == id && m.sees(p, c) {
					user(contact.ReasonInvolved, p)
				}
			}
		}
		for _, p := range slices.SortedFunc(slices.Values(m.people[1:]), func(p, q person) int { return strings.Compare(string(p.id), string(q.id)) }) {
			if p.wants(c) && m.sees(p, c) {
				user(contact.ReasonMember, p)
			}
		}
		for _, each := range m.contacts {
			if each.Categories&c != 0 && (m.verified(each) || !m.required) {
				everybody = append(everybody, contact.Recipient{Reason: contact.ReasonContact, Name: each.Name, Contact: each.ID,
					Address: each.Address, Unverified: !m.verified(each)})
			}
		}
	}
	seen := map[string]bool{"": true}
	for _, r := range everybody {
		if !seen[r.Address.Canonical()] && m.suppressed[r.Address.Canonical()] == 0 {
			seen[r.Address.Canonical()] = true
			list = append(list, r)
		}
	}
	if c == contact.Domain && len(list) == 0 && m.reachable(owner) {
		list = []contact.Recipient{{Reason: contact.ReasonFallback, Name: string(olive), User: olive, Address: parsed(owner.address)}}
	}
	return list
}

// reachable reports whether security mail reaches a person.
func (m *model) reachable(p person) bool {
	kind := m.suppressed[parsed(p.address).Canonical()]
	return p.address != "" && (kind == 0 || kind == notify.Complaint)
}

// verified reports whether a contact has verified its address, and not too long ago.
func (m *model) verified(c contact.Contact) bool {
	return !c.Verified.IsZero() && (m.again == 0 || start.Sub(c.Verified) < m.again)
}

// received reports whether a category has a receiver other than the fallback.
func (m *model) received(c contact.Category) bool {
	list := m.recipients(c, nil)
	return len(list) > 0 && list[0].Reason != contact.ReasonFallback
}

// drawNarrowing changes the model by which somebody may hear less, and returns the verb that does the same.
func (m *model) drawNarrowing(t *rapid.T) func(*world) error {
	left := contact.Category(rapid.Uint64Range(0, uint64(contact.Portal().Known())).Draw(t, "left"))
	n := rapid.IntRange(0, len(m.people)+len(m.contacts)-1).Draw(t, "who")
	if n < len(m.people) && !m.people[n].stranger {
		p := &m.people[n]
		switch {
		case p.chose:
			p.choice &= left
		case n == 0:
			p.choice = left
		default:
			p.choice = 0
		}
		p.chose = true
		return func(w *world) error {
			_, err := w.contacts.SetPreferences(ctx, system, acme, p.id, p.choice)
			return err
		}
	}
	if len(m.contacts) == 0 {
		return func(*world) error { return nil }
	}
	return m.drawContactNarrowing(t, n%len(m.contacts), left)
}

// drawContactNarrowing has the i-th contact removed, changed, moved to an address that nobody verified, or unsubscribe.
func (m *model) drawContactNarrowing(t *rapid.T, i int, left contact.Category) func(*world) error {
	c := &m.contacts[i]
	id := c.ID
	verbs := []string{"remove", "unsubscribe"}
	if m.status == access.AccountActive {
		verbs = append(verbs, "update", "move")
	}
	verb := rapid.SampledFrom(verbs).Draw(t, "verb")
	switch verb {
	case "remove":
		m.contacts = slices.Delete(m.contacts, i, i+1)
		return func(w *world) error {
			_, err := w.contacts.Remove(ctx, system, acme, id)
			return err
		}
	case "unsubscribe":
		one := contact.Portal().Definitions()[rapid.IntRange(0, 5).Draw(t, "category")].Category
		if c.Categories|c.Waiting == contact.All {
			c.Categories &= contact.Portal().Known()
		}
		c.Categories, c.Waiting, c.Unsubscribed = c.Categories&^one, c.Waiting&^one, c.Unsubscribed|one
		return func(w *world) error {
			_, err := w.contacts.Unsubscribe(ctx, clicked, w.unsubscribeToken(id, one))
			return err
		}
	case "move":
		c.Address, c.Verified = parsed("new@one.example"), time.Time{}
		c.Categories, c.Waiting, c.Unsubscribed = c.Categories|c.Waiting, 0, 0
	case "update":
		c.Categories, c.Waiting = c.Categories&left, c.Waiting&left
	}
	changed := c.Details()
	return func(w *world) error {
		_, err := w.contacts.Update(ctx, system, acme, id, changed)
		return err
	}
}

func parsed(text string) access.Address {
	a, _ := access.ParseAddress(text)
	return a
}

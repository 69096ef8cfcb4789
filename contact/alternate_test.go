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

// verified adds a contact to acme whose address is verified.
func (w *world) verified(name string) contact.Contact {
	w.t.Helper()
	c := w.contact(name, 0)
	c.Verified = w.now
	w.write(func(tx storage.Tx) error { return tx.PutContact(ctx, c) })
	return c
}

func (w *world) setAlternate(actor access.Actor, c contact.Contact, alternate bool) error {
	_, err := w.contacts.SetAlternate(ctx, actor, acme, c.ID, alternate)
	return err
}

func (w *world) requester(about string) contact.Requester {
	w.t.Helper()
	r, err := w.contacts.Requester(ctx, staff, acme, address(w.t, about))
	require.NoError(w.t, err)
	return r
}

func TestAlternateSpeaksForTheOwner(t *testing.T) {
	w := newWorld(t)
	carl := w.verified("carl")
	require.Equal(t, contact.RequesterContact, w.requester(carls).Kind)
	require.NoError(t, w.setAlternate(access.As(olive), carl, true))
	want := contact.Requester{Kind: contact.RequesterAlternate, Name: "carl", User: olive, Contact: carl.ID, Permissions: access.All}
	require.Equal(t, want, w.requester("CARL@Contacts.Example"))
	w.suspend()
	want.Permissions = access.Portal().WhileSuspended()
	require.Equal(t, want, w.requester(carls))
	require.NoError(t, w.setAlternate(access.As(olive), carl, false), "in a suspended account too")
	require.Equal(t, contact.RequesterContact, w.requester(carls).Kind)
}

// TestAlternateEnds checks what an alternate address doesn't outlive.
func TestAlternateEnds(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*world, contact.Contact)
		about  string
		want   contact.RequesterKind
	}{
		"another address": {func(w *world, c contact.Contact) {
			d := c.Details()
			d.Address = address(w.t, "other@contacts.example")
			_, err := w.contacts.Update(ctx, system, acme, c.ID, d)
			require.NoError(w.t, err)
			changed := w.state().Contacts[0]
			require.Empty(w.t, changed.AlternateOf)
			changed.Verified = w.now // which doesn't bring it back
			w.write(func(tx storage.Tx) error { return tx.PutContact(ctx, changed) })
		}, "other@contacts.example", contact.RequesterContact},
		"the same address in other letters": {func(w *world, c contact.Contact) {
			d := c.Details()
			d.Address, d.Name = address(w.t, "CARL@contacts.example"), "Carla"
			_, err := w.contacts.Update(ctx, system, acme, c.ID, d)
			require.NoError(w.t, err)
		}, carls, contact.RequesterAlternate},
		"another owner": {func(w *world, c contact.Contact) {
			w.member("mia", access.PayInvoices)
			_, err := w.members.TransferByStaff(ctx, staff, acme, "mia", access.PayInvoices)
			require.NoError(w.t, err)
		}, carls, contact.RequesterContact},
		"the verification is over": {func(w *world, c contact.Contact) {
			w.now = w.now.Add(time.Hour)
		}, carls, contact.RequesterContact},
		"the contact was removed": {func(w *world, c contact.Contact) {
			_, err := w.contacts.Remove(ctx, system, acme, c.ID)
			require.NoError(w.t, err)
		}, carls, contact.RequesterUnknown},
		"the account was closed": {func(w *world, c contact.Contact) { w.close() }, carls, contact.RequesterUnknown},
		"a user with the address": {func(w *world, c contact.Contact) {
			require.NoError(w.t, w.members.SyncUser(ctx, access.User{ID: "mia", Address: c.Address, Verified: true}))
			_, err := w.members.AddMember(ctx, system, acme, "mia", access.Terms{Permissions: access.PayInvoices})
			require.NoError(w.t, err)
		}, carls, contact.RequesterUser},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.contacts = contact.New(w.db, w.members, contact.Config{VerifyAgain: time.Hour})
			carl := w.verified("carl")
			require.NoError(t, w.setAlternate(access.As(olive), carl, true))
			require.Equal(t, contact.RequesterAlternate, w.requester(carls).Kind)
			test.change(w, carl)
			require.Equal(t, test.want, w.requester(test.about).Kind)
		})
	}
}

func TestWhoMaySetAlternates(t *testing.T) {
	for name, test := range map[string]struct {
		actor  access.Actor
		before func(*world)
		kind   error
		code   string
	}{
		"owner":                    {access.As(olive), nil, nil, ""},
		"member with everything":   {access.As("mia"), nil, access.ErrDenied, "denies.owner_only"},
		"staff":                    {staff, nil, access.ErrDenied, "denies.owner_only"},
		"staff on behalf":          {access.Actor{Kind: access.ActorStaff, ID: "sam", Reason: "asked", OnBehalf: olive}, nil, access.ErrDenied, "denies.owner_only"},
		"system":                   {system, nil, access.ErrDenied, "denies.owner_only"},
		"stranger":                 {access.As("eve"), nil, access.ErrNotFound, "not_found"},
		"owner, suspended account": {access.As(olive), (*world).suspend, access.ErrDenied, "denies.account_suspended"},
		"owner, closed account":    {access.As(olive), (*world).close, access.ErrDenied, "denies.closed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.member("mia", access.All)
			carl := w.verified("carl")
			if test.before != nil {
				test.before(w)
			}
			before := w.state("mia")
			err := w.setAlternate(test.actor, carl, true)
			if test.kind == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, test.kind)
			require.Equal(t, test.code, code(t, err))
			requireSame(t, before, w.state("mia"))
		})
	}
	w := newWorld(t)
	carl := w.contact("carl", 0)
	requireRefused(t, w.setAlternate(access.As(olive), carl, true), access.ErrDenied, "contact.unverified", "")
	require.NoError(t, w.setAlternate(access.As(olive), carl, false))
	carl.ID = "0190c3a0-0000-7000-8000-000000000001"
	requireRefused(t, w.setAlternate(access.As(olive), carl, true), access.ErrNotFound, "not_found", "contact")
	carl.ID = "no id"
	requireRefused(t, w.setAlternate(access.As(olive), carl, true), access.ErrInvalid, "id.text", "contact")
}

func TestAlternateIsOnTheRecordAndMailed(t *testing.T) {
	w := newWorld(t)
	carl := w.verified("carl")
	w.now = w.now.Add(time.Millisecond)
	require.NoError(t, w.setAlternate(access.As(olive), carl, true))
	e := w.last()
	require.Equal(t, access.EventContactUpdated, e.Kind)
	require.Equal(t, []string{"alternate_of"}, e.After.Fields)
	require.Equal(t, map[string]string{"alternate_of": "olive"}, e.Target.After)
	head := w.state().Account.Head
	require.NoError(t, w.setAlternate(access.As(olive), carl, true))
	require.Equal(t, head, w.state().Account.Head, "what is so already changes nothing")

	prepared := w.prepare()
	mail := prepared[len(prepared)-1].Mail
	require.Equal(t, "olive@example.com", mail.To)
	require.Contains(t, mail.Text, "c...@contacts.example")
	require.NoError(t, w.setAlternate(access.As(olive), carl, false))
	prepared = w.prepare()
	require.Len(t, prepared, 2, "giving it up is mailed to nobody")
	require.Equal(t, notify.Prepared{Cancel: "the alternate address was given up again"}, prepared[1])
}

// TestOwnersHearOfTheirPreferences checks whose change of whose preferences is mailed to the owner, and where.
func TestOwnersHearOfTheirPreferences(t *testing.T) {
	silent := staff
	silent.Silent = true
	for name, test := range map[string]struct {
		actor access.Actor
		user  access.UserID
		by    string // empty if nobody is mailed
	}{
		"staff":                    {staff, olive, "Our support team"},
		"system":                   {system, olive, "Our system"},
		"a member with profile":    {access.As("mia"), olive, "Name of mia"},
		"silent staff":             {silent, olive, ""},
		"the owner":                {access.As(olive), olive, ""},
		"a member, their own":      {access.As("mia"), "mia", ""},
		"staff, those of a member": {staff, "mia", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.member("mia", access.All)
			w.contact("registry", contact.Domain)
			w.forget()
			before := len(w.state().Messages)
			_, err := w.contacts.SetPreferences(ctx, test.actor, acme, test.user, contact.Invoice)
			require.NoError(t, err)
			w.heard(notify.Complaint, "olive@example.com") // which security mail doesn't heed
			messages := w.state().Messages
			if test.by == "" {
				require.Len(t, messages, before)
				return
			}
			require.Len(t, messages, before+1)
			mail := w.contacts.Prepare(ctx, messages[:1])[0].Mail
			require.Equal(t, "olive@example.com", mail.To)
			require.Equal(t, "Your e-mail preferences for “Acme & Sons” were changed", mail.Subject)
			require.Contains(t, mail.Text, test.by)
			require.Contains(t, mail.Text, "Invoice Emails")
			require.NotContains(t, mail.Text, "Domain Emails")
		})
	}
}

func TestOwnersMailIsCancelled(t *testing.T) {
	for reason, change := range map[string]func(*world){
		"the account was closed":                 (*world).close,
		"the directory has no address":           forgetOlive,
		"the address is suppressed: hard bounce": func(w *world) { w.heard(notify.HardBounce, "olive@example.com") },
		"the preferences were changed again":     func(w *world) { w.now = w.now.Add(time.Second); w.prefer(olive, contact.Invoice|contact.Domain) },
		"the account has another owner": func(w *world) {
			w.member("mia", access.PayInvoices)
			_, err := w.members.TransferByStaff(ctx, staff, acme, "mia", access.PayInvoices)
			require.NoError(w.t, err)
		},
	} {
		t.Run(reason, func(t *testing.T) {
			w := newWorld(t)
			w.prefer(olive, contact.Domain)
			change(w)
			for _, m := range w.state().Messages {
				if m.Kind == contact.MailPreferencesChanged && m.Generation == 2 {
					require.Equal(t, []notify.Prepared{{Cancel: reason}}, w.contacts.Prepare(ctx, []notify.Message{m}))
					return
				}
			}
			require.Fail(t, "there is no mail")
		})
	}
}

package contact_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/storage"
)

// TestWithin checks that verbs of both services commit together or not at all, and see each other's changes.
func TestWithin(t *testing.T) {
	w := newWorld(t)
	before := w.state("mia")
	both := func(end error) error {
		return w.db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
			if _, err := w.members.Within(tx).AddMember(ctx, system, acme, "mia", access.Terms{Permissions: access.PayInvoices}); err != nil {
				return err
			}
			contacts := w.contacts.Within(tx)
			if _, err := contacts.SetPreferences(ctx, access.As("mia"), acme, "mia", contact.Invoice); err != nil {
				return err
			}
			if _, _, err := contacts.Add(ctx, system, acme, details(t, "carl", contact.Invoice)); err != nil {
				return err
			}
			recipients, err := contacts.Recipients(ctx, acme, contact.Invoice, "")
			require.NoError(t, err)
			require.Len(t, recipients, 2, "the owner and the contact: the member has no address")
			return end
		})
	}
	stop := errors.New("stop")
	require.ErrorIs(t, both(stop), stop)
	requireSame(t, before, w.state("mia"))
	require.NoError(t, both(nil))
	after := w.state("mia")
	require.Len(t, after.Contacts, 1)
	require.Equal(t, contact.Invoice, after.Preferences["mia"])
	require.Equal(t, before.Account.Version+1, after.Account.Version, "one unit raises the version once")
}

// TestNested checks that the outer service refuses the context of a unit of work instead of waiting for it.
func TestNested(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.db.Update(ctx, func(ctx context.Context, _ storage.Tx) error {
		_, _, err := w.contacts.Add(ctx, system, acme, details(t, "carl", 0))
		require.ErrorIs(t, err, access.ErrNested)
		_, err = w.contacts.Recipients(ctx, acme, contact.Invoice, "")
		require.ErrorIs(t, err, access.ErrNested)
		return nil
	}))
}

// TestVeto checks that the host's observer sees each event of this package before it is stored, and can stop the verb.
func TestVeto(t *testing.T) {
	w := newWorld(t)
	carl := w.contact("carl", contact.Invoice)
	veto := errors.New("vetoed")
	var seen []access.EventKind
	w.members = access.New(w.db, access.Config{Now: w.members.Now, Before: func(_ context.Context, _ access.Tx, e access.Event) error {
		seen = append(seen, e.Kind)
		return veto
	}})
	w.contacts = contact.New(w.db, w.members, contact.Config{})
	before := w.state()

	changed := carl.Details()
	changed.Phone = "1"
	_, _, err := w.contacts.Add(ctx, system, acme, details(t, "dora", 0))
	require.ErrorIs(t, err, veto)
	_, err = w.contacts.Update(ctx, system, acme, carl.ID, changed)
	require.ErrorIs(t, err, veto)
	_, err = w.contacts.Remove(ctx, system, acme, carl.ID)
	require.ErrorIs(t, err, veto)
	_, err = w.contacts.SetPreferences(ctx, system, acme, olive, contact.Domain)
	require.ErrorIs(t, err, veto)
	require.Equal(t, []access.EventKind{access.EventContactAdded, access.EventContactUpdated, access.EventContactRemoved,
		access.EventPreferencesChanged}, seen)
	requireSame(t, before, w.state())
}

// TestHistoryHolds checks the chain of hashes over all events of this package.
func TestHistoryHolds(t *testing.T) {
	w := newWorld(t)
	carl := w.contact("carl", contact.All)
	changed := carl.Details()
	changed.Company = "Books Ltd"
	_, err := w.contacts.Update(ctx, access.As(olive), acme, carl.ID, changed)
	require.NoError(t, err)
	w.prefer(olive, contact.Domain)
	_, err = w.contacts.Remove(ctx, access.As(olive), acme, carl.ID)
	require.NoError(t, err)
	v, err := w.members.VerifyHistory(ctx, access.As(olive), acme, access.Head{})
	require.NoError(t, err)
	require.Equal(t, access.Verification{Events: 5}, v)
}

package storagetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// A write is one call of a method that writes, good in the state that prepare leaves, and told by a dump.
type write struct {
	name     string
	lockless bool // needs no lock of an account
	do       func(ctx context.Context, tx storage.Tx) error
}

// locks calls the two methods that lock.
func locks() []write {
	return []write{
		{"Lock", true, func(ctx context.Context, tx storage.Tx) error { return second(tx.Lock(ctx, acme)) }},
		{"InsertAccount", true, func(ctx context.Context, tx storage.Tx) error {
			return tx.InsertAccount(ctx, newAccount(initech))
		}},
	}
}

// writes calls every other method that changes something.
func writes(t *testing.T) []write {
	changed := newAccount(acme)
	changed.Profile.Name = "Changed"
	accepted := newInvite(t, 1, acme, "one@example.com")
	accepted.State = invite.Accepted
	return []write{
		{"UpdateAccount", false, func(ctx context.Context, tx storage.Tx) error { return tx.UpdateAccount(ctx, changed) }},
		{"PutMembership", false, func(ctx context.Context, tx storage.Tx) error {
			return tx.PutMembership(ctx, newMembership(acme, eve, 1))
		}},
		{"DeleteMembership", false, func(ctx context.Context, tx storage.Tx) error {
			return tx.DeleteMembership(ctx, acme, bob)
		}},
		{"Touch", true, func(ctx context.Context, tx storage.Tx) error { return tx.Touch(ctx, acme, ann, noon(), noon()) }},
		{"RevokeInvites", false, func(ctx context.Context, tx storage.Tx) error {
			return second(tx.RevokeInvites(ctx, acme, bob, 0, noon()))
		}},
		{"DeletePreferences", false, func(ctx context.Context, tx storage.Tx) error {
			return tx.DeletePreferences(ctx, acme, bob)
		}},
		{"PutUsers", true, func(ctx context.Context, tx storage.Tx) error {
			return tx.PutUsers(ctx, access.User{ID: eve, Name: "Eve"})
		}},
		{"SignedIn", true, func(ctx context.Context, tx storage.Tx) error { return tx.SignedIn(ctx, ann, noon()) }},
		{"Append", false, func(ctx context.Context, tx storage.Tx) error {
			return tx.Append(ctx, newRecord(10, acme, access.EventMemberAdded))
		}},
		{"Enqueue", true, func(ctx context.Context, tx storage.Tx) error { return tx.Enqueue(ctx, newMessage(10, acme)) }},
		{"InsertInvite", false, func(ctx context.Context, tx storage.Tx) error {
			return tx.InsertInvite(ctx, newInvite(t, 10, acme, "ten@example.com"))
		}},
		{"UpdateInvite", false, func(ctx context.Context, tx storage.Tx) error {
			return tx.UpdateInvite(ctx, accepted, 1)
		}},
		{"Hit", true, func(ctx context.Context, tx storage.Tx) error {
			return second(tx.Hit(ctx, [32]byte{1}, noon(), time.Hour))
		}},
		{"PutContact", false, func(ctx context.Context, tx storage.Tx) error {
			return tx.PutContact(ctx, newContact(t, 10, acme, "Ten", "ten@example.com"))
		}},
		{"DeleteContact", false, func(ctx context.Context, tx storage.Tx) error {
			return tx.DeleteContact(ctx, acme, contact.ID(uuid(1)))
		}},
		{"AddFeedback", true, func(ctx context.Context, tx storage.Tx) error {
			return second(tx.AddFeedback(ctx, newFeedback(10, "one@example.com")))
		}},
		{"PutSuppression", true, func(ctx context.Context, tx storage.Tx) error {
			return tx.PutSuppression(ctx, notify.Suppression{Address: "ten@example.com", Kind: notify.Complaint, Since: noon()})
		}},
		{"DeleteSuppression", true, func(ctx context.Context, tx storage.Tx) error {
			return second(tx.DeleteSuppression(ctx, "one@example.com"))
		}},
		{"InsertNotice", true, func(ctx context.Context, tx storage.Tx) error { return tx.InsertNotice(ctx, newNotice(2, acme)) }},
		{"PutVerification", false, func(ctx context.Context, tx storage.Tx) error {
			return tx.PutVerification(ctx, newVerification(3, acme))
		}},
		{"PutUnsubscribed", false, func(ctx context.Context, tx storage.Tx) error {
			return tx.PutUnsubscribed(ctx, acme, address(t, "gone@example.com"), 3)
		}},
		{"PutPreference", false, func(ctx context.Context, tx storage.Tx) error {
			return tx.PutPreference(ctx, acme, ann, 2)
		}},
	}
}

// prepare stores what writes needs: acme with members ann and bob, two invites, two contacts, a choice of bob, an event, a
// message and a suppression of a contact's address; and globex.
func prepare(d database) {
	d.insert(acme, globex)
	d.locked(acme, func(ctx context.Context, tx storage.Tx) {
		byBob := newInvite(d.t, 2, acme, "two@example.com")
		byBob.By.ID = string(bob)
		require.NoError(d.t, tx.PutMembership(ctx, newMembership(acme, ann, 1)))
		require.NoError(d.t, tx.PutMembership(ctx, newMembership(acme, bob, 1)))
		require.NoError(d.t, tx.InsertInvite(ctx, newInvite(d.t, 1, acme, "one@example.com")))
		require.NoError(d.t, tx.InsertInvite(ctx, byBob))
		require.NoError(d.t, tx.PutContact(ctx, newContact(d.t, 1, acme, "One", "one@example.com")))
		require.NoError(d.t, tx.PutContact(ctx, newContact(d.t, 3, acme, "Three", "three@example.com")))
		require.NoError(d.t, tx.PutPreference(ctx, acme, bob, 1))
		require.NoError(d.t, tx.Append(ctx, newRecord(1, acme, access.EventAccountCreated)))
		require.NoError(d.t, tx.Enqueue(ctx, newMessage(1, acme)))
		require.NoError(d.t, tx.PutSuppression(ctx, notify.Suppression{Address: "one@example.com", Kind: notify.HardBounce, Since: noon()}))
	})
}

// writeEverything locks acme and does every write.
func writeEverything(ctx context.Context, tx storage.Tx, t *testing.T) error {
	if _, err := tx.Lock(ctx, acme); err != nil {
		return err
	}
	for _, w := range writes(t) {
		if err := w.do(ctx, tx); err != nil {
			return err
		}
	}
	return tx.InsertAccount(ctx, newAccount(initech))
}

// claimable returns the ids of all messages that a worker could claim, ever. It claims them.
func (d database) claimable() []notify.MessageID {
	d.t.Helper()
	messages, err := d.Claim(d.ctx, noon().AddDate(100, 0, 0), time.Minute, 1000)
	require.NoError(d.t, err)
	var ids []notify.MessageID
	for _, m := range messages {
		ids = append(ids, m.ID)
	}
	return ids
}

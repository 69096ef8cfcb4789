package storagetest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

func feedbackCases() []testCase {
	return []testCase{
		{"record", "feedback about an address comes back newest first, by time and then by id, of one kind or all, by any page size",
			feedbackRecord},
		{"repeat", "feedback with an address and an id that are on the record changes nothing and is no error", feedbackRepeat},
		{"unfit", "feedback that can't be any is an error", feedbackUnfit},
		{"suppression", "the gravest suppression of an address counts, the first of those as grave, and can be deleted", suppression},
		{"list", "suppressions come by address byte for byte, by any page size", suppressionList},
		{"receivers", "receivers are the contacts with all that is asked, in byte order by any page size, and say if their address is suppressed",
			receivers},
	}
}

// newFeedback returns the n-th feedback about an address, at noon.
func newFeedback(n int, address string) notify.Feedback {
	return notify.Feedback{ID: uuid(n), Kind: notify.HardBounce, Address: address, At: noon()}
}

func addFeedback(ctx context.Context, t *testing.T, tx storage.Tx, f notify.Feedback) {
	t.Helper()
	added, err := tx.AddFeedback(ctx, f)
	require.NoError(t, err)
	require.True(t, added)
}

func feedbackRecord(t *testing.T, db database) {
	const about = "ann@example.com"
	var want []notify.Feedback
	for i, id := range []string{"B", "Z", "a", "b", "ä"} {
		f := notify.Feedback{ID: id, Kind: notify.FeedbackKind(1 + i%4), Address: about, Message: notify.MessageID(uuid(i)),
			Detail: "mailbox full % '", At: noon().Add(time.Duration(i/2) * time.Microsecond), By: "staff/sam"}
		want = append(want, f)
	}
	slices.Reverse(want)
	db.update(func(ctx context.Context, tx storage.Tx) {
		for _, i := range []int{2, 0, 4, 1, 3} {
			addFeedback(ctx, t, tx, want[i])
		}
		addFeedback(ctx, t, tx, newFeedback(1, "ann@example.co"))
		addFeedback(ctx, t, tx, newFeedback(1, "ann@example.comm"))
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		all, err := tx.Feedback(ctx, notify.FeedbackQuery{Address: about, Limit: 100})
		require.NoError(t, err)
		equal(t, want, all)
		for kind := notify.FeedbackKind(0); kind <= notify.Lifted; kind++ {
			var keys []notify.FeedbackKey
			for _, f := range want {
				if kind == 0 || f.Kind == kind {
					keys = append(keys, f.Key())
				}
			}
			pager[notify.FeedbackKey, notify.Feedback]{
				page: func(before notify.FeedbackKey, limit int) ([]notify.Feedback, error) {
					return tx.Feedback(ctx, notify.FeedbackQuery{Address: about, Kind: kind, Before: before, Limit: limit})
				},
				key: notify.Feedback.Key,
			}.check(t, keys)
		}
		none, err := tx.Feedback(ctx, notify.FeedbackQuery{Address: "nobody@example.com", Limit: 10})
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

func feedbackRepeat(t *testing.T, db database) {
	first, elsewhere := newFeedback(1, "ann@example.com"), newFeedback(1, "bob@example.com")
	again := first
	again.Kind, again.At = notify.Complaint, noon().Add(time.Hour)
	db.update(func(ctx context.Context, tx storage.Tx) {
		addFeedback(ctx, t, tx, first)
		addFeedback(ctx, t, tx, elsewhere)
		added, err := tx.AddFeedback(ctx, again)
		require.NoError(t, err)
		require.False(t, added)
	})
	db.update(func(ctx context.Context, tx storage.Tx) {
		added, err := tx.AddFeedback(ctx, again)
		require.NoError(t, err)
		require.False(t, added)
		addFeedback(ctx, t, tx, newFeedback(2, "bob@example.com")) // the unit goes on
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		got, err := tx.Feedback(ctx, notify.FeedbackQuery{Address: "ann@example.com", Limit: 10})
		require.NoError(t, err)
		equal(t, []notify.Feedback{first}, got)
		got, err = tx.Feedback(ctx, notify.FeedbackQuery{Address: "bob@example.com", Limit: 10})
		require.NoError(t, err)
		require.Len(t, got, 2)
	})
}

func feedbackUnfit(t *testing.T, db database) {
	for _, spoil := range []func(*notify.Feedback){
		func(f *notify.Feedback) { f.ID = "" },
		func(f *notify.Feedback) { f.Kind = 0 },
		func(f *notify.Feedback) { f.Address = "" },
		func(f *notify.Feedback) { f.ID = strings.Repeat("x", notify.MaxRefBytes+1) },
	} {
		unfit := newFeedback(1, "ann@example.com")
		spoil(&unfit)
		require.Error(t, db.Update(db.ctx, func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.AddFeedback(ctx, unfit)
			require.Error(t, err)
			return nil // the write failed, and nothing is committed
		}))
	}
}

func suppression(t *testing.T, db database) {
	since := func(kind notify.FeedbackKind, hours int) notify.Suppression {
		return notify.Suppression{Address: "ann@example.com", Kind: kind, Since: noon().Add(time.Duration(hours) * time.Hour)}
	}
	bounced := since(notify.HardBounce, 3)
	requireSuppressed := func(ctx context.Context, tx storage.Tx, want map[string]notify.Suppression, addresses ...string) {
		t.Helper()
		got, err := tx.Suppressed(ctx, addresses)
		require.NoError(t, err)
		equal(t, want, got)
	}
	db.update(func(ctx context.Context, tx storage.Tx) {
		deleted, err := tx.DeleteSuppression(ctx, bounced.Address)
		require.NoError(t, err)
		require.False(t, deleted)
		complained, refused := since(notify.Complaint, 0), since(notify.SoftBounce, 2)
		for _, step := range []struct{ put, want notify.Suppression }{
			{complained, complained}, {since(notify.Complaint, 1), complained}, {refused, refused}, {complained, refused},
			{bounced, bounced}, {since(notify.HardBounce, 4), bounced}, {refused, bounced}, {complained, bounced},
		} {
			require.NoError(t, tx.PutSuppression(ctx, step.put))
			requireSuppressed(ctx, tx, map[string]notify.Suppression{bounced.Address: step.want}, "bob@example.com", bounced.Address, bounced.Address)
		}
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		requireSuppressed(ctx, tx, map[string]notify.Suppression{bounced.Address: bounced}, bounced.Address)
		requireSuppressed(ctx, tx, nil, "bob@example.com", "ANN@example.com", "ann@example.co", "")
		requireSuppressed(ctx, tx, nil)
	})
	db.update(func(ctx context.Context, tx storage.Tx) {
		deleted, err := tx.DeleteSuppression(ctx, bounced.Address)
		require.NoError(t, err)
		require.True(t, deleted)
		requireSuppressed(ctx, tx, nil, bounced.Address)
	})
}

func suppressionList(t *testing.T, db database) {
	var want []string
	db.update(func(ctx context.Context, tx storage.Tx) {
		for _, id := range orderedIDs() {
			want = append(want, string(id))
			require.NoError(t, tx.PutSuppression(ctx, notify.Suppression{Address: string(id), Kind: notify.SoftBounce, Since: noon()}))
		}
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		pager[string, notify.Suppression]{
			page: func(after string, limit int) ([]notify.Suppression, error) { return tx.Suppressions(ctx, after, limit) },
			key: func(s notify.Suppression) string {
				equal(t, notify.Suppression{Address: s.Address, Kind: notify.SoftBounce, Since: noon()}, s)
				return s.Address
			},
		}.check(t, want)
	})
}

func receivers(t *testing.T, db database) {
	db.insert(acme, globex)
	sets := []contact.Category{0, 1, 2, 3, contact.All, 1 << 62}
	chosen := make(map[contact.ID]contact.Category)
	expected := make(map[contact.ID]contact.Receiver)
	db.update(func(ctx context.Context, tx storage.Tx) {
		_, err := tx.Lock(ctx, acme, globex)
		require.NoError(t, err)
		for i := range 24 {
			address := uuid(i) + "@Example.com"
			c := newContact(t, i, acme, "Contact", address)
			c.Categories = sets[i%len(sets)]
			if i%3 == 2 {
				c.Verified, c.Locale = noon(), "de-AT"
			}
			require.NoError(t, tx.PutContact(ctx, c))
			chosen[c.ID] = c.Categories
			r := contact.Receiver{ID: c.ID, Name: "Contact", Address: c.Address, Verified: c.Verified, Locale: c.Locale}
			if i%5 == 4 {
				r.Suppressed = notify.Complaint
				require.NoError(t, tx.PutSuppression(ctx, notify.Suppression{Address: c.Address.Canonical(), Kind: notify.Complaint, Since: noon()}))
			}
			expected[c.ID] = r
			elsewhere := newContact(t, 100+i, globex, "Contact", address)
			elsewhere.Categories = contact.All
			require.NoError(t, tx.PutContact(ctx, elsewhere))
		}
	})
	db.view(func(ctx context.Context, tx storage.Tx) {
		for _, asked := range []contact.Category{0, 1, 2, 3, 1 << 62, contact.All} {
			var want []contact.ID
			for i := range 24 {
				if id := contact.ID(uuid(i)); chosen[id].Has(asked) {
					want = append(want, id)
				}
			}
			pager[contact.ID, contact.Receiver]{
				page: func(after contact.ID, limit int) ([]contact.Receiver, error) {
					return tx.Receivers(ctx, acme, asked, after, limit)
				},
				key: func(r contact.Receiver) contact.ID {
					equal(t, expected[r.ID], r)
					return r.ID
				},
			}.check(t, want)
		}
	})
}

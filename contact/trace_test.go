package contact_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

// A tracedDB notes what the links of contacts ask storage.
type tracedDB struct {
	*memory.DB
	calls []string
}

type tracedTx struct {
	storage.Tx
	db *tracedDB
}

func (db *tracedDB) View(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return db.DB.View(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, tracedTx{tx, db}) })
}

func (db *tracedDB) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return db.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, tracedTx{tx, db}) })
}

func (tx tracedTx) note(call string) { tx.db.calls = append(tx.db.calls, call) }

func (tx tracedTx) FindContact(ctx context.Context, id contact.ID) (contact.Contact, error) {
	tx.note("contact")
	return tx.Tx.FindContact(ctx, id)
}

func (tx tracedTx) Account(ctx context.Context, id access.AccountID) (access.Account, error) {
	tx.note("account")
	return tx.Tx.Account(ctx, id)
}

func (tx tracedTx) Verification(ctx context.Context, account access.AccountID, id contact.ID) (contact.Verification, error) {
	tx.note("verification")
	return tx.Tx.Verification(ctx, account, id)
}

func (tx tracedTx) Lock(ctx context.Context, ids ...access.AccountID) ([]access.Account, error) {
	tx.note("lock")
	return tx.Tx.Lock(ctx, ids...)
}

// TestLinksThatCantBeUsedCostTheSame: whoever guesses at the id of a contact learns nothing from the time that the answer
// takes, as storage is asked the same whether there is one or not.
func TestLinksThatCantBeUsedCostTheSame(t *testing.T) {
	w := newLinkedWorld(t, contact.Config{})
	carl := w.contact("carl", contact.Invoice)
	verify, unsubscribe := w.verifyToken("carl@contacts.example"), w.unsubscribeToken(carl.ID, contact.Invoice)
	db := &tracedDB{DB: w.db}
	contacts := contact.New(db, w.members, contact.Config{Links: linksOf(t, "", keyOf("2026"))})
	for name, test := range map[string]struct {
		token string
		use   func(token string) error
		want  []string
	}{
		"LookupVerification": {verify, func(token string) error {
			_, err := contacts.LookupVerification(ctx, token)
			return err
		}, []string{"contact", "account", "verification"}},
		"Verify": {verify, func(token string) error {
			_, err := contacts.Verify(ctx, clicked, token)
			return err
		}, []string{"contact", "account", "verification"}},
		"LookupUnsubscribe": {unsubscribe, func(token string) error {
			_, err := contacts.LookupUnsubscribe(ctx, token)
			return err
		}, []string{"contact", "account"}},
		"Unsubscribe": {unsubscribe, func(token string) error {
			_, err := contacts.Unsubscribe(ctx, clicked, token)
			return err
		}, []string{"contact", "account"}},
	} {
		last := byte('A')
		if test.token[63] == last {
			last = 'B'
		}
		for about, token := range map[string]string{
			"another MAC":    test.token[:63] + string(last),
			"nobody's id":    "AAAA" + test.token[4:],
			"another number": test.token[:22] + "_w" + test.token[24:],
		} {
			db.calls = nil
			requireRefused(t, test.use(token), access.ErrNotFound, "contact.invalid", "contact")
			require.Equal(t, test.want, db.calls, "%s: %s", name, about)
		}
	}
}

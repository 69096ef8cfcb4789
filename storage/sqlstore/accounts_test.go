package sqlstore_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// TestLockReadsNothingBefore shows that the first statements of a unit that locks are the locks, whether or not all
// accounts are there. On an engine that fixes its snapshot at the first read, another one would show it old rows.
func TestLockReadsNothingBefore(t *testing.T) {
	var p probe
	db := migrated(t, openProbed(t, newFile(t), &p))
	insertAccount(t, db, "acme")
	insertAccount(t, db, "globex")
	const lock, seal = "SELECT id, owner_id", "UPDATE roster_accounts SET version = ?"
	for _, tt := range []struct {
		ids  []access.AccountID
		want []string
	}{
		{[]access.AccountID{"globex", "acme", "globex"}, []string{lock, lock, seal, seal}},
		{[]access.AccountID{"nobody's", "globex", "acme"}, []string{lock, lock, lock}},
		{[]access.AccountID{"globex", "aaa"}, []string{lock}},
	} {
		p.taken()
		_ = db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Lock(ctx, tt.ids...)
			return err
		})
		statements := p.taken()
		require.Len(t, statements, len(tt.want)+2, "with BEGIN and the end: %q", statements)
		for i, want := range tt.want {
			require.True(t, strings.HasPrefix(statements[i+1], want), "%q", statements[i+1])
		}
	}
}

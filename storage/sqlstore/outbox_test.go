package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
)

// TestClaimTakesAllThatItFound has a message vanish between its being found and being leased, which can't happen while it
// is locked: nothing is claimed.
func TestClaimTakesAllThatItFound(t *testing.T) {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	var p probe
	db := migrated(t, openProbed(t, newFile(t), &p))
	require.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		return tx.Enqueue(ctx, notify.Message{ID: "1", Kind: "invite", Created: now, Due: now}, notify.Message{ID: "2", Kind: "invite", Created: now, Due: now})
	}))
	p.set(func(conn driver.Conn, statement string) error {
		if strings.HasPrefix(statement, "UPDATE roster_messages SET attempt") {
			_, err := conn.(driver.ExecerContext).ExecContext(t.Context(), "DELETE FROM roster_messages WHERE id = '1'", nil)
			return err
		}
		return nil
	}, nil)
	_, err := db.Claim(t.Context(), now, time.Minute, 10)
	require.EqualError(t, err, "sqlstore: messages that were locked were changed by somebody else")
	p.set(nil, nil)
	claimed, err := db.Claim(t.Context(), now, time.Minute, 10)
	require.NoError(t, err)
	require.Len(t, claimed, 2, "the deletion was rolled back")
	require.Equal(t, 1, claimed[0].Attempt)
}

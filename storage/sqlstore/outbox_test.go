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

// TestClaimLeavesWhatAnotherTook has somebody else change a message between its being found and being leased, which
// can happen where an engine has many writers.
func TestClaimLeavesWhatAnotherTook(t *testing.T) {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	for name, change := range map[string]string{
		"leased":           "attempt = attempt + 1, leased_until = 9000000000000000",
		"tried, and again": "attempt = attempt + 1",
		"sent":             "state = 2",
		"lease extended":   "leased_until = 9000000000000000",
	} {
		t.Run(name, func(t *testing.T) {
			var p probe
			db := migrated(t, openProbed(t, newFile(t), &p))
			require.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
				return tx.Enqueue(ctx, notify.Message{ID: "1", Kind: "invite", Due: now}, notify.Message{ID: "2", Kind: "invite", Due: now})
			}))
			taken := false
			p.set(func(conn driver.Conn, statement string) error {
				if taken || !strings.HasPrefix(statement, "UPDATE roster_messages") {
					return nil
				}
				taken = true
				_, err := conn.(driver.ExecerContext).ExecContext(t.Context(), "UPDATE roster_messages SET "+change+" WHERE id = '1'", nil)
				return err
			}, nil)
			claimed, err := db.Claim(t.Context(), now, time.Minute, 10)
			require.NoError(t, err)
			require.True(t, taken)
			require.Len(t, claimed, 1)
			require.Equal(t, notify.Message{ID: "2", Kind: "invite", Due: now, State: notify.Queued, Attempt: 1,
				Leased: now.Add(time.Minute)}, claimed[0])
		})
	}
}

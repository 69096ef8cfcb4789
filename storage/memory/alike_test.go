package memory_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // The driver "sqlite".
	"pgregory.net/rapid"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// TestAnswersAreThoseOfSQLite gives random commands to both backends, in transactions side by side, and compares each
// answer: the value, and the kind of refusal.
func TestAnswersAreThoseOfSQLite(t *testing.T) {
	folder := t.TempDir()
	empty := emptySQLite(t, filepath.Join(folder, "empty"))
	files := 0
	rapid.Check(t, func(t *rapid.T) {
		files++
		file := filepath.Join(folder, fmt.Sprint(files))
		require.NoError(t, os.WriteFile(file, empty, 0o600))
		theirs, end := openSQLite(t, file)
		defer end()
		ours := memory.New()

		ids := &idSource{}
		for range rapid.IntRange(2, 4).Draw(t, "transactions") {
			sideBySide(t, ours, theirs, ids)
			claimAlike(t, ours, theirs)
		}
	})
}

// emptySQLite returns the content of a database file that is migrated and empty: copying it is faster than migrating.
func emptySQLite(t *testing.T, file string) []byte {
	t.Helper()
	db, end := openSQLite(t, file)
	require.NoError(t, db.Migrate(t.Context()))
	end()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return content
}

func openSQLite(t require.TestingT, file string) (db *sqlstore.DB, end func()) {
	handle, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_pragma=synchronous(OFF)")
	require.NoError(t, err)
	db = sqlstore.New(handle, sqlstore.SQLite, sqlstore.Config{})
	return db, func() {
		require.NoError(t, db.Close())
		require.NoError(t, handle.Close())
	}
}

func sideBySide(t *rapid.T, ours, theirs storage.DB, ids *idSource) {
	err := ours.Update(context.Background(), func(ctx context.Context, our storage.Tx) error {
		return theirs.Update(ctx, func(ctx context.Context, their storage.Tx) error {
			require.NoError(t, lockAll(ctx, our))
			require.NoError(t, lockAll(ctx, their))
			for range rapid.IntRange(1, 20).Draw(t, "commands") {
				write := drawWrite(t, ids)
				requireAlike(t, nil, write(ctx, their), nil, write(ctx, our))
				read := drawRead(t)
				want, wantErr := read(ctx, their)
				got, gotErr := read(ctx, our)
				requireAlike(t, want, wantErr, got, gotErr)
			}
			return nil
		})
	})
	require.NoError(t, err)
}

func claimAlike(t *rapid.T, ours, theirs storage.DB) {
	now, n := drawTime(t), drawNumber(t)
	want, wantErr := theirs.Claim(context.Background(), now, time.Hour, n)
	got, gotErr := ours.Claim(context.Background(), now, time.Hour, n)
	requireAlike(t, want, wantErr, got, gotErr)
	for _, m := range got {
		attempt := m.Attempt - drawNumber(t)/4
		r := notify.Result{State: notify.State(drawNumber(t)), At: now, Due: drawTime(t), Reason: "because", Address: "a", Subject: "s"}
		requireAlike(t, nil, theirs.Finish(context.Background(), m.ID, attempt, r), nil, ours.Finish(context.Background(), m.ID, attempt, r))
	}
}

// drawRead draws one of all the queries that there are.
func drawRead(t *rapid.T) read {
	account, user, number, at, limit := drawAccount(t), drawUser(t), drawNumber(t), drawTime(t), drawNumber(t)
	address := someAddress(t, number)
	prefix := rapid.SampledFrom(somePrefixes).Draw(t, "prefix")
	kinds := []access.EventKind{"0"}[:number%2]

	reads := []read{
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Account(ctx, account) },
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Grant(ctx, account, user) },
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Membership(ctx, account, user) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			f := access.MemberFilter{Status: access.Status(number - 1), Permission: access.Permission(limit - 1), NotSeenSince: at}
			return tx.Members(ctx, account, f, user, limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Members(ctx, account, access.MemberFilter{Prefix: prefix}, "", 100)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			f := access.AccountFilter{Status: access.AccountStatus(number - 1), Permission: access.Permission(limit - 1)}
			return tx.UserAccounts(ctx, user, f, account, limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.UserAccounts(ctx, user, access.AccountFilter{Prefix: prefix}, "", 100)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Seats(ctx, account, at) },
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.User(ctx, user) },
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Users(ctx, someUsers) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			f := access.EventFilter{Kinds: kinds, Since: noon.Add(time.Hour), Until: at}
			return tx.Events(ctx, account, f, access.EventKey{Version: uint64(number)}, number%2 == 0, limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			f := access.EventFilter{Concerns: user}
			return tx.Events(ctx, account, f, access.EventKey{}, number%2 == 0, limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Feed(ctx) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Changes(ctx, account.Shard(), uint64(number-1), limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.FindInvite(ctx, invite.ID(fmt.Sprintf("%06d", number)))
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Invite(ctx, account, invite.ID(fmt.Sprintf("%06d", number)))
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.PendingInvite(ctx, account, address) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Invites(ctx, account, invite.Filter{State: invite.State(number - 1), Prefix: prefix}, "", limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.WaitingInvites(ctx, address, at, "", limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.LiveInvites(ctx, account, at) },
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.InviteKeys(ctx, at) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Hit(ctx, [32]byte{byte(number)}, at, time.Duration(limit)*30*time.Minute)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Contact(ctx, account, contact.ID(user))
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			f := contact.Filter{Categories: contact.Category(number - 1), Prefix: prefix}
			return tx.Contacts(ctx, account, f, "", limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.ContactByAddress(ctx, account, address)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Preference(ctx, account, user) },
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Subscribers(ctx, account, contact.Category(number), "", limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.MembersByAddress(ctx, account, address, limit)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Messages(ctx, string(account), notify.MessageQuery{Limit: limit})
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.Deliveries(ctx, string(account), "1", []string{"olga", "Olga", "olga", "b_b"})
		},
		func(ctx context.Context, tx storage.Tx) (any, error) {
			return tx.RevokeInvites(ctx, account, user, access.Permission(number-1), at)
		},
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Lock(ctx, account, "nobody's") },
		func(ctx context.Context, tx storage.Tx) (any, error) { return tx.Lock(ctx, account, account) },
	}
	return rapid.SampledFrom(reads).Draw(t, "read")
}

func requireAlike(t *rapid.T, want any, wantErr error, got any, gotErr error) {
	for _, kind := range []error{access.ErrNotFound, access.ErrExists, notify.ErrFenced} {
		require.Equal(t, errors.Is(wantErr, kind), errors.Is(gotErr, kind), "want %v, got %v", wantErr, gotErr)
	}
	require.Equal(t, wantErr == nil, gotErr == nil, "want %v, got %v", wantErr, gotErr)
	// Events that the transaction appended need not be seen: both see them at its end.
	require.Empty(t, cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b access.Address) bool { return a == b })))
}

package storagetest_test

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/storagetest"
)

// TestInvariants shows that each rule can fail: it changes one thing in a database in which everything is right.
func TestInvariants(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.db")
	accounts, now := populate(t, good)
	tests := []struct {
		name      string
		statement string
		want      string // of the error; empty for none
	}{
		{"everything is right", `SELECT 1`, ""},
		{"no owner's row", `DELETE FROM roster_memberships WHERE user_id = 'olga'`, `one owner: 0 memberships of "olga"`},
		{"another owner", `UPDATE roster_accounts SET owner_id = 'ann' WHERE id = 'acme'`, `one owner: the membership of "ann" is limited, or has bits`},
		{"an owner with bits", `UPDATE roster_memberships SET permissions = 1 WHERE user_id = 'olga'`, `one owner: the membership of "olga"`},
		{"an owner for a time", `UPDATE roster_memberships SET expires_at = 1 WHERE user_id = 'olga'`, `one owner: the membership of "olga"`},
		{"no account", `DELETE FROM roster_accounts WHERE id = 'acme'`, `memberships: 4 members, 4 invites and 15 events of an account that isn't there`},
		{"a member without bits", `UPDATE roster_memberships SET permissions = 0 WHERE user_id = 'ann'`, `memberships: that of "ann" can't be one: 0, active`},
		{"an unknown status", `UPDATE roster_memberships SET status = 7 WHERE user_id = 'ann'`, `memberships: that of "ann" can't be one`},
		{"a member who ends before the start", `UPDATE roster_memberships SET starts_at = 9, expires_at = 8 WHERE user_id = 'ann'`,
			`memberships: that of "ann" can't be one`},
		{"an accepted invite that isn't closed", `UPDATE roster_invites SET closed_at = -62135596800000000 WHERE accepted_by = 'dora'`, `invites: `},
		{"a pending invite that somebody accepted", `UPDATE roster_invites SET accepted_by = 'dora' WHERE canonical = 'carl@example.com'`, `invites: `},
		{"an invite without bits", `UPDATE roster_invites SET permissions = 0 WHERE canonical = 'carl@example.com'`, `invites: `},
		{"seats beyond the policy", `UPDATE roster_accounts SET seats = 4 WHERE id = 'acme'`, `seats: 5 of 4`},
		{"a gap in the versions' indexes", `UPDATE roster_events SET idx = 5 WHERE idx = 1`, `history: event (`},
		{"a line that is gone", `DELETE FROM roster_events WHERE kind = 'member.suspended'`, `history: the chain doesn't hold`},
		{"a line that was changed", `UPDATE roster_events SET kind = 'member.left' WHERE kind = 'member.suspended'`, `history: the chain doesn't hold`},
		{"another head", `UPDATE roster_accounts SET head_count = 99 WHERE id = 'acme'`, `history: 15 events, the head counts 99, the verification 15`},
		{"a version that is behind", `UPDATE roster_accounts SET version = 3 WHERE id = 'acme'`, `history: event (`},
		{"unreadable", `UPDATE roster_events SET public = CAST('{' AS BLOB) WHERE kind = 'member.suspended'`, `history: an event can't be read`},
		{"another shard", `UPDATE roster_events SET shard = 63 - shard WHERE account_id = 'acme'`, `feed: shard `},
		{"a gap in a shard", `UPDATE roster_events SET number = 99 WHERE kind = 'member.suspended'`, `number 99, of shard `},
		{"another tail", `UPDATE roster_feed SET tail = 'x' WHERE tail <> ''`, `the head is {`},
		{"an end too far", `UPDATE roster_feed SET number = number + 1 WHERE number > 0`, `the head is {`},
		{"in the feed before an earlier one", `UPDATE roster_events SET version = 100 - version WHERE account_id = 'acme'`,
			`is after a later one of its account`},
		{"one id for two events", `UPDATE roster_events SET id = 'x'`, `feed: shard `},
		{"an invite not used up", `UPDATE roster_invites SET state = 1, pending = 1, closed_at = -62135596800000000, accepted_by = '' WHERE accepted_by = 'dora'`,
			`accepted once: `},
		{"an invite used up for nothing", `UPDATE roster_invites SET state = 2, pending = NULL, closed_at = 1, accepted_by = 'fred' WHERE canonical = 'carl@example.com'`,
			`accepted once: `},
		{"an invite used by another", `UPDATE roster_invites SET accepted_by = 'ann' WHERE accepted_by = 'dora'`, `by "ann", and in the history by "dora"`},
		{"a used invite that is gone", `DELETE FROM roster_invites WHERE accepted_by = 'dora'`, `is in the history only`},
		{"used without a membership", `UPDATE roster_events SET kind = 'member.label' WHERE kind = 'member.added'`, `without an event of the membership`},
		{"used twice", `UPDATE roster_events SET kind = 'invite.accepted' WHERE kind = 'invite.sent'`, ` twice`},
		{"a member who was never added", `INSERT INTO roster_memberships SELECT account_id, 'gus', permissions, status, starts_at, expires_at,
			label, created_at, last_seen_at FROM roster_memberships WHERE user_id = 'ann'`, `replay: "gus" has `},
		{"a lost revocation", `UPDATE roster_memberships SET permissions = permissions | 1 WHERE user_id = 'ann'`, `replay: "ann" has `},
		{"a member who was never removed", `DELETE FROM roster_memberships WHERE user_id = 'ann'`, `replay: "ann" is no member`},
		{"an account that was never suspended", `UPDATE roster_accounts SET status = 2`, `replay: suspended, owned by "olga"`},
		{"an invite that was never resent", `UPDATE roster_invites SET generation = 2 WHERE canonical = 'carl@example.com'`, `replay: invite `},
		{"an invite that is gone", `DELETE FROM roster_invites WHERE canonical = 'carl@example.com'`, `replay: there is no invite `},
		{"a mail that is gone", `DELETE FROM roster_messages WHERE kind = 'invite'`, `mail: `},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "broken.db")
			content, err := os.ReadFile(good)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(file, content, 0o600))
			handle := openFile(t, file)
			_, err = handle.ExecContext(t.Context(), tt.statement)
			require.NoError(t, err)
			db := sqlstore.New(handle, sqlstore.SQLite, sqlstore.Config{})
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			err = storagetest.CheckInvariants(t.Context(), db, accounts, now)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// TestInvariantsOfABackend shows that the rules can fail which a table can't break, but a backend can.
func TestInvariantsOfABackend(t *testing.T) {
	file := filepath.Join(t.TempDir(), "good.db")
	accounts, now := populate(t, file)
	db := sqlstore.New(openFile(t, file), sqlstore.SQLite, sqlstore.Config{})
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	tests := []struct {
		name string
		db   storage.DB
		want string
	}{
		{"two pending invites", within(func(tx storage.Tx) storage.Tx { return oneAddress{tx} })(db), "one pending invite to an address: "},
		{"one seat not counted", within(func(tx storage.Tx) storage.Tx { return fewSeats{tx} })(db), "seats: counted as 4, and they are 5"},
		{"a decision from a cache", staleGrants{db}, "decisions: "},
		{"a decision from a cache in a unit", within(func(tx storage.Tx) storage.Tx { return staleGrantsTx{tx} })(db), "decisions: "},
		{"an account that a user's list lacks", within(func(tx storage.Tx) storage.Tx { return noAccounts{tx} })(db), `lists of users: that of "ann" hasn't`},
		{"a member whom the list lacks", within(func(tx storage.Tx) storage.Tx { return oneMember{tx} })(db), `lists of users: that of "eve" has a membership`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.ErrorContains(t, storagetest.CheckInvariants(t.Context(), tt.db, accounts, now), tt.want)
		})
	}
}

func TestInvariantsOfNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "good.db")
	_, now := populate(t, file)
	db := sqlstore.New(openFile(t, file), sqlstore.SQLite, sqlstore.Config{})
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, storagetest.CheckInvariants(t.Context(), db, []access.AccountID{"absent"}, now))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, storagetest.CheckInvariants(ctx, db, []access.AccountID{"acme"}, now), context.Canceled)
}

type oneAddress struct{ storage.Tx }

func (m oneAddress) Invites(ctx context.Context, account access.AccountID, f invite.Filter, before invite.ID, limit int) ([]invite.Record, error) {
	invites, err := m.Tx.Invites(ctx, account, f, before, limit)
	for i := range invites {
		invites[i].Address = invites[0].Address
	}
	return invites, err
}

type fewSeats struct{ storage.Tx }

func (m fewSeats) Seats(ctx context.Context, account access.AccountID, now time.Time) (int, error) {
	n, err := m.Tx.Seats(ctx, account, now)
	return n - 1, err
}

type staleGrants struct{ storage.DB }

func (m staleGrants) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	g, err := m.DB.Grant(ctx, account, user)
	g.Version--
	return g, err
}

type staleGrantsTx struct{ storage.Tx }

func (m staleGrantsTx) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	g, err := m.Tx.Grant(ctx, account, user)
	g.Permissions |= 1
	return g, err
}

type noAccounts struct{ storage.Tx }

func (m noAccounts) UserAccounts(context.Context, access.UserID, access.AccountFilter, access.AccountID, int) ([]access.UserAccount, error) {
	return nil, nil
}

type oneMember struct{ storage.Tx }

func (m oneMember) Members(ctx context.Context, account access.AccountID, f access.MemberFilter, after access.UserID, _ int) ([]access.Member, error) {
	return m.Tx.Members(ctx, account, f, after, 1)
}

func openFile(t *testing.T, file string) *sql.DB {
	t.Helper()
	handle, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, handle.Close()) })
	return handle
}

// populate writes a database file in which a bit of everything has happened, by the services: acme, owned by olga, with
// ann, dora (invited) and eve (suspended), and invites to carl and bob pending; and globex, which olga gave to ann.
func populate(t *testing.T, file string) (accounts []access.AccountID, now time.Time) {
	t.Helper()
	handle := openFile(t, file)
	db := sqlstore.New(handle, sqlstore.SQLite, sqlstore.Config{})
	require.NoError(t, db.Migrate(t.Context()))
	now = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	members := access.New(db, access.Config{Now: func() time.Time { return now }})
	keys := []invite.Key{{ID: "k", Secret: bytes.Repeat([]byte{7}, invite.MinKeyBytes)}}
	mailed, err := invite.New(db, members, keys, invite.Config{LinkBase: "https://portal.example/i/"})
	require.NoError(t, err)
	handed, err := invite.New(db, members, keys, invite.Config{Delivery: invite.ByHost, Holder: invite.AnyHolder})
	require.NoError(t, err)
	do := func(_ any, err error) { t.Helper(); require.NoError(t, err) }
	offer := func(name string) invite.Offer {
		address, err := access.ParseAddress(name + "@example.com")
		require.NoError(t, err)
		return invite.Offer{Address: address, Terms: access.Terms{Permissions: access.PayInvoices, Expires: now.Add(24 * time.Hour)}}
	}

	ctx, system, olga := t.Context(), access.AsSystem("test"), access.As("olga")
	managing := access.Terms{Permissions: access.ManageUsers | access.PayInvoices | access.OpenTickets}
	do(members.CreateAccount(ctx, system, access.NewAccount{ID: "acme", Owner: "olga", Profile: access.Profile{Name: "Olga"},
		Policy: access.Policy{Seats: 9}}))
	do(members.SetPolicy(ctx, system, "acme", access.Policy{Seats: 10}))
	for _, user := range []access.UserID{"ann", "eve", "fred"} {
		do(members.AddMember(ctx, system, "acme", user, managing))
	}
	do(members.Suspend(ctx, olga, "acme", "eve"))
	do(mailed.Send(ctx, olga, "acme", offer("carl")))
	do(mailed.Send(ctx, access.As("fred"), "acme", offer("gus")))
	do(members.Remove(ctx, olga, "acme", "fred")) // and the invite to gus is revoked
	sent, err := handed.Send(ctx, access.As("ann"), "acme", offer("dora"))
	require.NoError(t, err)
	do(handed.Accept(ctx, sent.Token.Secret(), invite.Identity{Actor: access.As("dora")}))
	now = now.Add(time.Hour)
	do(handed.Send(ctx, access.As("ann"), "acme", offer("bob")))
	do(members.SetPermissions(ctx, olga, "acme", "ann", access.OpenTickets|access.PayInvoices|access.ManageUsers|access.ViewDomains))

	do(members.CreateAccount(ctx, system, access.NewAccount{ID: "globex", Owner: "olga", Profile: access.Profile{Name: "Olga"}}))
	do(members.TransferByStaff(ctx, system, "globex", "ann", access.PayInvoices))
	do(members.SetPolicy(ctx, system, "globex", access.Policy{Seats: 7}))
	do(members.SuspendAccount(ctx, system, "globex"))
	do(members.CloseAccount(ctx, system, "globex"))

	require.NoError(t, db.Close())
	_, err = handle.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	require.NoError(t, err)
	return []access.AccountID{"acme", "globex"}, now.Add(time.Second)
}

func TestInvariantsSayNoSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "good.db")
	accounts, now := populate(t, file)
	handle := openFile(t, file)
	_, err := handle.ExecContext(t.Context(), `UPDATE roster_invites SET permissions = 0`)
	require.NoError(t, err)
	db := sqlstore.New(handle, sqlstore.SQLite, sqlstore.Config{})
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	err = storagetest.CheckInvariants(t.Context(), db, accounts, now)
	require.Error(t, err)
	require.False(t, strings.Contains(err.Error(), "@"), "an address in %v", err)
}

package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// pageSize and listLength are the pages of these benchmarks, and the lists that they are of.
const (
	pageSize   = 50
	listLength = 10_000
)

// BenchmarkMembers reads a page of the members of a large account, as its owner, at the beginning of the list and near
// its end. impl=roster is access.Service.Members, impl=bare what one would write by hand: a check of who is asking, and
// the statement of the page.
func BenchmarkMembers(b *testing.B) {
	for _, engine := range engines() {
		handle, db := engine.migrated(b)
		loadLists(b, engine, handle)
		members := access.New(db, access.Config{})
		list := func(ctx context.Context, page access.Page) (access.List[access.Member], error) {
			return members.Members(ctx, access.As("owner"), "large", access.MemberFilter{}, page)
		}
		check := prepareBare(b, engine, handle)
		benchmarkPages(b, engine, list, func(ctx context.Context, after string) (int, error) {
			owner := question{user: "owner", account: "large", permission: access.ManageUsers}
			if yes, err := check.can(ctx, owner); err != nil || !yes {
				return 0, errors.Join(err, errors.New("not allowed"))
			}
			return bareMembers(ctx, engine, handle, after)
		})
	}
}

// BenchmarkAccounts reads a page of the accounts of a user who is in many. impl=roster is access.Service.Accounts,
// impl=bare the statement of the page, for the same facts.
func BenchmarkAccounts(b *testing.B) {
	for _, engine := range engines() {
		handle, db := engine.migrated(b)
		loadLists(b, engine, handle)
		members := access.New(db, access.Config{})
		list := func(ctx context.Context, page access.Page) (access.List[access.UserAccount], error) {
			return members.Accounts(ctx, access.As("busy"), "busy", access.AccountFilter{}, page)
		}
		benchmarkPages(b, engine, list, func(ctx context.Context, after string) (int, error) {
			return bareAccounts(ctx, engine, handle, after)
		})
	}
}

func benchmarkPages[E any](b *testing.B, engine engine, list func(context.Context, access.Page) (access.List[E], error),
	bare func(ctx context.Context, after string) (int, error)) {
	const end = listLength - 2*pageSize
	last := access.Page{Limit: pageSize}
	for range end / pageSize {
		page, err := list(b.Context(), last)
		require.NoError(b, err)
		last.After = page.Next
	}
	for _, at := range []struct {
		name  string
		page  access.Page
		after string
	}{{"start", access.Page{Limit: pageSize}, ""}, {"end", last, listed(end - 1)}} {
		for _, impl := range []struct {
			name string
			page func(context.Context) (int, error)
		}{
			{"bare", func(ctx context.Context) (int, error) { return bare(ctx, at.after) }},
			{"roster", func(ctx context.Context) (int, error) {
				page, err := list(ctx, at.page)
				return len(page.Items), err
			}},
		} {
			b.Run(fmt.Sprintf("impl=%s/db=%s/n=%d/at=%s", impl.name, engine.name, listLength, at.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if n, err := impl.page(b.Context()); err != nil || n != pageSize {
						b.Fatalf("%d, %v", n, err)
					}
				}
			})
		}
	}
}

// listed is the id of the n-th entry of both lists.
func listed(n int) string { return fmt.Sprintf("%08d-0000-7000-8000-000000000000", n) }

// loadLists stores an account with many members, and a user with many accounts.
func loadLists(b *testing.B, engine engine, handle *sql.DB) {
	b.Helper()
	load, err := handle.BeginTx(b.Context(), nil)
	require.NoError(b, err)
	defer load.Rollback()
	prepare := func(statement string) *sql.Stmt {
		prepared, err := load.PrepareContext(b.Context(), engine.placed(statement))
		require.NoError(b, err)
		return prepared
	}
	account := prepare(`INSERT INTO roster_accounts VALUES (?, ?, '', 1, 'Some Body', 'some body', '', '', '1 High Street', 'Town', '', '12345', 'AT',
			'', '', '', '', '', '', 'en', 'UTC', 0, '[]', 0, 1, 0, ?)`)
	member := prepare(`INSERT INTO roster_memberships VALUES (?, ?, 7, 1, ?, ?, '', 0, 0)`)
	person := prepare(`INSERT INTO roster_users VALUES (?, ?, ?, 1, 'Some Body', 'some body', 0, 0, 'en')`)
	run := func(prepared *sql.Stmt, args ...any) {
		_, err := prepared.ExecContext(b.Context(), args...)
		require.NoError(b, err)
	}
	never := time.Time{}.UnixMicro()
	run(account, "large", "owner", make([]byte, 32))
	for i := range listLength {
		id := listed(i)
		address := id + "@example.com"
		run(account, id, "busy", make([]byte, 32))
		run(member, id, "busy", never, never)
		run(member, "large", id, never, never)
		run(person, id, address, address)
	}
	require.NoError(b, load.Commit())
	if engine != sqliteEngine {
		for _, table := range []string{"roster_accounts", "roster_memberships", "roster_users"} {
			engine.analyze(b, handle, table)
		}
	}
}

func bareMembers(ctx context.Context, engine engine, handle *sql.DB, after string) (n int, err error) {
	rows, err := handle.QueryContext(ctx, engine.placed(`SELECT m.user_id, m.permissions, m.status, m.starts_at, m.expires_at, m.label, m.created_at,
			m.last_seen_at, u.address, u.verified, u.name, u.second_factor, u.last_sign_in_at
		FROM roster_memberships AS m LEFT JOIN roster_users AS u ON u.id = m.user_id
		WHERE m.account_id = ? AND m.user_id > ? ORDER BY m.user_id LIMIT ?`), "large", after, pageSize+1)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	type member struct {
		user, label                                     string
		permissions, status, starts, expires, made, see int64
		address, name                                   sql.NullString
		verified, second                                sql.NullBool
		signIn                                          sql.NullInt64
	}
	var members []member
	for rows.Next() {
		var m member
		if err := rows.Scan(&m.user, &m.permissions, &m.status, &m.starts, &m.expires, &m.label, &m.made, &m.see,
			&m.address, &m.verified, &m.name, &m.second, &m.signIn); err != nil {
			return 0, err
		}
		members = append(members, m)
	}
	return len(members) - 1, rows.Err() // the last one says that there are more
}

func bareAccounts(ctx context.Context, engine engine, handle *sql.DB, after string) (n int, err error) {
	rows, err := handle.QueryContext(ctx, engine.placed(`SELECT m.account_id, m.permissions, m.status, m.starts_at, m.expires_at, m.label, m.created_at,
			m.last_seen_at, a.owner_id, a.status, a.name, a.company, a.locale, a.time_zone, a.created_at, a.version
		FROM roster_memberships AS m JOIN roster_accounts AS a ON a.id = m.account_id
		WHERE m.user_id = ? AND m.account_id > ? AND a.id > ? ORDER BY m.account_id LIMIT ?`), "busy", after, after, pageSize+1)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	type account struct {
		id, label, owner, name, company, locale, zone                                  string
		permissions, status, starts, expires, made, see, accountStatus, begun, version int64
	}
	var accounts []account
	for rows.Next() {
		var a account
		if err := rows.Scan(&a.id, &a.permissions, &a.status, &a.starts, &a.expires, &a.label, &a.made, &a.see,
			&a.owner, &a.accountStatus, &a.name, &a.company, &a.locale, &a.zone, &a.begun, &a.version); err != nil {
			return 0, err
		}
		accounts = append(accounts, a)
	}
	return len(accounts) - 1, rows.Err()
}

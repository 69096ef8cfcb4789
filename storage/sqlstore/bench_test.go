package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// BenchmarkCan asks whether a user may do something, of n memberships, ten to an account. impl=roster is
// access.Service.Can, impl=bare what one would write by hand: a prepared statement that reads the row of the decision
// through the same handle, and a test of the bit.
func BenchmarkCan(b *testing.B) {
	for _, engine := range engines() {
		for _, n := range sizes() {
			benchmarkCan(b, engine, n)
		}
	}
}

// million has BenchmarkCan load a million memberships too.
var million = flag.Bool("million", false, "measure a million memberships too")

func sizes() []int {
	if *million {
		return []int{1_000, 100_000, 1_000_000}
	}
	return []int{1_000, 100_000}
}

func benchmarkCan(b *testing.B, engine engine, n int) {
	handle, db := engine.migrated(b)
	questions := loadMemberships(b, engine, handle, n)
	members := access.New(db, access.Config{})
	bare := prepareBare(b, engine, handle)
	for _, impl := range []struct {
		name string
		can  func(ctx context.Context, q question) (bool, error)
	}{
		{"bare", bare.can},
		{"roster", func(ctx context.Context, q question) (bool, error) {
			return members.Can(ctx, q.user, q.account, q.permission)
		}},
	} {
		b.Run(fmt.Sprintf("impl=%s/db=%s/n=%d", impl.name, engine.name, n), func(b *testing.B) {
			ctx := b.Context()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				q := questions[i%len(questions)]
				if yes, err := impl.can(ctx, q); err != nil || yes != q.want {
					b.Fatalf("%v, %v, want %v", yes, err, q.want)
				}
			}
		})
	}
}

// A question is one that has a known answer.
type question struct {
	user       access.UserID
	account    access.AccountID
	permission access.Permission
	want       bool
}

// loadMemberships stores n memberships with random permissions, and returns questions about them in a random order:
// half are answered yes; of the others half are about a permission that the member lacks, half about a stranger.
func loadMemberships(b *testing.B, engine engine, handle *sql.DB, n int) []question {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	newID := func() string {
		var id uuid.UUID
		for i := range id {
			id[i] = byte(random.Uint32())
		}
		return id.String()
	}
	prepare := func(load *sql.Tx, statement string) *sql.Stmt {
		prepared, err := load.PrepareContext(b.Context(), engine.placed(statement))
		require.NoError(b, err)
		b.Cleanup(func() { prepared.Close() })
		return prepared
	}
	load, err := handle.BeginTx(b.Context(), nil)
	require.NoError(b, err)
	defer load.Rollback()
	const (
		insertAccount = `INSERT INTO roster_accounts VALUES (?, ?, '', 1, 'Some Body', 'some body', '', '', '1 High Street', 'Town', '', '12345', 'AT',
			'', '', '', '', '', '', 'en', 'UTC', 0, '[]', 0, 1, 0, ?)`
		insertMember = `INSERT INTO roster_memberships VALUES (?, ?, ?, 1, ?, ?, '', 0, 0)`
		bits         = 14
	)
	addAccount, addMember := prepare(load, insertAccount), prepare(load, insertMember)
	never := time.Time{}.UnixMicro()
	questions := make([]question, 0, 2*n)
	var account access.AccountID
	for i := range n {
		if i%10 == 0 {
			account = access.AccountID(newID())
			_, err := addAccount.ExecContext(b.Context(), account, newID(), make([]byte, 32))
			require.NoError(b, err)
		}
		user := access.UserID(newID())
		held := 1 + random.IntN(1<<bits-2) // at least one bit, and not all
		_, err := addMember.ExecContext(b.Context(), account, user, held, never, never)
		require.NoError(b, err)
		yes := question{user, account, pick(random, held, bits), true}
		no := question{user, account, pick(random, ^held, bits), false}
		if i%2 == 0 {
			no = question{access.UserID(newID()), account, 1, false}
		}
		questions = append(questions, yes, no)
	}
	require.NoError(b, load.Commit())
	if engine != sqliteEngine { // whose planner takes the two keys as they are without statistics, and more time with them
		for _, table := range []string{"roster_accounts", "roster_memberships"} {
			engine.analyze(b, handle, table)
		}
	}
	random.Shuffle(len(questions), func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
	return questions
}

// pick returns one of the bits set in a set, of those below a number.
func pick(random *rand.Rand, set, below int) access.Permission {
	for {
		if bit := random.IntN(below); set>>bit&1 == 1 {
			return 1 << bit
		}
	}
}

// A bare is the check by hand.
type bare struct{ statement *sql.Stmt }

func prepareBare(b *testing.B, engine engine, handle *sql.DB) bare {
	b.Helper()
	statement, err := handle.PrepareContext(b.Context(), engine.placed(`SELECT a.version, a.status, a.owner_id = ?, m.permissions, m.status, m.starts_at, m.expires_at
		FROM roster_accounts AS a LEFT JOIN roster_memberships AS m ON m.account_id = a.id AND m.user_id = ?
		WHERE a.id = ?`))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, statement.Close()) })
	return bare{statement}
}

func (b bare) can(ctx context.Context, q question) (bool, error) {
	var version, accountStatus int64
	var owner bool
	var permissions, status, starts, expires sql.NullInt64
	err := b.statement.QueryRowContext(ctx, q.user, q.user, q.account).
		Scan(&version, &accountStatus, &owner, &permissions, &status, &starts, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if accountStatus != 1 {
		return false, nil
	}
	return owner || status.Int64 == 1 && access.Permission(permissions.Int64)&q.permission == q.permission, nil
}

package peers_test

import (
	"context"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

// A scene is a number of memberships, ten in each account, with random sets of thirteen permissions: those of BenchmarkCan
// in access.
type scene struct {
	n        int
	users    []access.UserID
	accounts []access.AccountID
	held     []access.Permission // by the user of the same index, in the account of a tenth of it
	db       *memory.DB
	bare     map[pair]uint64
}

// A pair is the key of the map that one would write by hand.
type pair struct{ User, Account string }

const bitsInUse = 13

func newScene(tb testing.TB, n int) *scene {
	tb.Helper()
	random := rand.New(rand.NewPCG(uint64(n), 1))
	s := &scene{n: n, db: memory.New(), bare: make(map[pair]uint64, n)}
	for range n {
		s.users = append(s.users, access.UserID(newID(random)))
		s.held = append(s.held, access.Permission(random.Uint64N(1<<bitsInUse))&^access.PayInvoices)
	}
	for first := 0; first < n; first += 10 {
		account := access.AccountID(newID(random))
		s.accounts = append(s.accounts, account)
		require.NoError(tb, s.db.Update(tb.Context(), func(ctx context.Context, tx storage.Tx) error {
			if err := tx.InsertAccount(ctx, access.Account{ID: account, Owner: "nobody", Status: access.AccountActive}); err != nil {
				return err
			}
			for i := first; i < min(first+10, n); i++ {
				m := access.Membership{Account: account, User: s.users[i], Permissions: s.held[i], Status: access.Active}
				if err := tx.PutMembership(ctx, m); err != nil {
					return err
				}
				// Other strings than those of the questions, as the ids in requests are.
				s.bare[pair{strings.Clone(string(m.User)), strings.Clone(string(account))}] = uint64(m.Permissions)
			}
			return nil
		}))
	}
	return s
}

// newID returns a random UUID as text.
func newID(random *rand.Rand) string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(random.Uint32())
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id.String()
}

// account returns the account of a membership.
func (s *scene) account(i int) access.AccountID { return s.accounts[i/10] }

// A question is whether a user may do something in an account.
type question struct {
	user       access.UserID
	account    access.AccountID
	permission access.Permission
}

// key returns the key of the permission, which Casbin and Cedar are asked about.
func (q *question) key() string { return keys[bits.TrailingZeros64(uint64(q.permission))] }

// keys are those of the catalog's permissions, by their bits.
var keys = func() (keys [64]string) {
	for _, d := range access.Portal().Definitions() {
		keys[bits.TrailingZeros64(uint64(d.Permission))] = d.Key
	}
	return keys
}()

// keysOf returns the keys of a set of permissions.
func keysOf(p access.Permission) (list []string) {
	for i, key := range keys {
		if p>>i&1 == 1 {
			list = append(list, key)
		}
	}
	return list
}

// questions returns a round of questions: half of them about a permission that the member holds, the others about one that
// they don't, or about somebody else's account.
func (s *scene) questions(dist string) []question {
	random := rand.New(rand.NewPCG(1, uint64(s.n)))
	zipf := rand.NewZipf(random, 1.1, 1, uint64(s.n-1))
	questions := make([]question, 1<<20)
	for i := range questions {
		at := random.IntN(s.n)
		if dist == "zipf" {
			at = int(zipf.Uint64())
		}
		q := question{user: s.users[at], account: s.account(at)}
		held := s.held[at]
		switch {
		case i%2 == 0 && held != 0:
			q.permission = held & -held
		case i%4 == 1:
			q.permission = access.PayInvoices
		default:
			q.permission, q.account = 1, s.accounts[(at/10+1)%len(s.accounts)]
		}
		questions[i] = q
	}
	return questions
}

// aboutOne returns a round of questions about the user and the account of one question, half of them about a permission
// that the member holds.
func (s *scene) aboutOne(first question) []question {
	held := access.Permission(s.bare[pair{string(first.user), string(first.account)}])
	questions := make([]question, 1<<10)
	for i := range questions {
		questions[i] = question{first.user, first.account, access.PayInvoices}
		if i%2 == 0 {
			questions[i].permission = held & -held
		}
	}
	return questions
}

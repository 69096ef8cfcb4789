package benchtest

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

// A Scene is a number of memberships, ten in each account, with random sets of thirteen permissions.
type Scene struct {
	N        int
	Users    []access.UserID
	Accounts []access.AccountID
	Held     []access.Permission // by the user of the same index, in the account of a tenth of it
	DB       *memory.DB
	bare     map[Pair]uint64
}

// A Pair is the key of the map that one would write by hand.
type Pair struct{ User, Account string }

// BitsInUse is how many permissions there are.
const BitsInUse = 13

// NewScene returns n memberships, a multiple of ten, the same each time.
func NewScene(tb testing.TB, n int) *Scene {
	tb.Helper()
	random := rand.New(rand.NewPCG(uint64(n), 1))
	s := &Scene{N: n, DB: memory.New(), bare: make(map[Pair]uint64, n)}
	for range n {
		s.Users = append(s.Users, access.UserID(newID(random)))
		s.Held = append(s.Held, access.Permission(random.Uint64N(1<<BitsInUse))&^access.PayInvoices)
	}
	for first := 0; first < n; first += 10 {
		account := access.AccountID(newID(random))
		s.Accounts = append(s.Accounts, account)
		require.NoError(tb, s.DB.Update(tb.Context(), func(ctx context.Context, tx storage.Tx) error {
			if err := tx.InsertAccount(ctx, access.Account{ID: account, Owner: "nobody", Status: access.AccountActive}); err != nil {
				return err
			}
			for i := first; i < first+10; i++ {
				m := access.Membership{Account: account, User: s.Users[i], Permissions: s.Held[i], Status: access.Active}
				if err := tx.PutMembership(ctx, m); err != nil {
					return err
				}
				// Other strings than those of the questions, as the ids in requests are.
				s.bare[Pair{strings.Clone(string(m.User)), strings.Clone(string(account))}] = uint64(m.Permissions)
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

// Account returns the account of a membership.
func (s *Scene) Account(i int) access.AccountID { return s.Accounts[i/10] }

// A Question is whether a user may do something in an account.
type Question struct {
	User       access.UserID
	Account    access.AccountID
	Permission access.Permission
}

// Questions returns a round of questions, "uniform" or "zipf": half of them about a permission that the member holds, the
// others about one that they don't, or about somebody else's account. Their number is a power of two. The ids of each are
// strings of its own, one after the other in memory, as those of a request are, which was read just before.
func (s *Scene) Questions(dist string) []Question {
	random := rand.New(rand.NewPCG(1, uint64(s.N)))
	zipf := rand.NewZipf(random, 1.1, 1, uint64(s.N-1))
	questions := make([]Question, 1<<20)
	for i := range questions {
		at := random.IntN(s.N)
		if dist == "zipf" {
			at = int(zipf.Uint64())
		}
		q := Question{User: s.Users[at], Account: s.Account(at)}
		held := s.Held[at]
		switch {
		case i%2 == 0 && held != 0:
			q.Permission = held & -held
		case i%4 == 1:
			q.Permission = access.PayInvoices
		default:
			q.Permission, q.Account = 1, s.Accounts[(at/10+1)%len(s.Accounts)]
		}
		q.User, q.Account = access.UserID(strings.Clone(string(q.User))), access.AccountID(strings.Clone(string(q.Account)))
		questions[i] = q
	}
	return questions
}

// AboutOne returns a round of questions about the user and the account of one question, half of them about a permission
// that the member holds.
func (s *Scene) AboutOne(first Question) []Question {
	held := access.Permission(s.bare[Pair{string(first.User), string(first.Account)}])
	questions := make([]Question, 1<<10)
	for i := range questions {
		questions[i] = Question{first.User, first.Account, access.PayInvoices}
		if i%2 == 0 {
			questions[i].Permission = held & -held
		}
	}
	return questions
}

// sampled is how many answers are checked.
const sampled = 256

// Wrong returns the questions of a sample that are answered otherwise than by the map.
func (s *Scene) Wrong(can Can, questions []Question) (wrong []Question) {
	random := rand.New(rand.NewPCG(1, 2))
	for range sampled {
		q := &questions[random.IntN(len(questions))]
		held := access.Permission(s.bare[Pair{string(q.User), string(q.Account)}])
		if can(q) != held.Has(q.Permission) {
			wrong = append(wrong, *q)
		}
	}
	return wrong
}

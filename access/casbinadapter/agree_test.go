package casbinadapter_test

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/access/casbinadapter"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// How many random questions TestNativeAndCasbinAgree asks of each model; ROSTER_SOAK=1 asks the second number.
const (
	questions     = 10_000
	soakQuestions = 1_000_000
)

// names are ids that are hard on joined keys, matchers and files of policies, and on who mistakes one thing's name for
// another's.
var names = []string{"ann", "bob", "ann,bob", ",", "a$$b", "a$$", "b$$c", "$$", `"`, `"ann"`, " ", " ann", "ann ", "#ann", "p", "g", "g2",
	"set", "set 1", "set 128", "set:128", "set128", "128", "set,set", "role:admin", "role:ann", "invoices", "account", "allow", "all",
	"r.sub", "p_sub", "eval(1==1)", "true", "*", "/*", ".*", "[a]", "\\", "'", "''", "ä", "ann, set", "acme", "0"}

// impossible are no ids. The answer about them is no, with an error or without.
var impossible = []string{"", "\t", "set\t1", "set\t128", "set\t9223372036854775807", "ann\x00bob", "\xff", "ann\x00set\t128\x00bob"}

// keys are what is asked about: the catalog's, "all", and others.
var keys = append(access.Portal().Keys(access.Portal().Known()), access.KeyAll, "", "nothing", "set\t128")

// TestNativeAndCasbinAgree asks access.Service and Casbin the same questions, before and after changes that the watcher
// follows and while the clock goes on.
func TestNativeAndCasbinAgree(t *testing.T) {
	total, yes := questions, 0
	if os.Getenv("ROSTER_SOAK") == "1" {
		total = soakQuestions
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := accesstest.New(t)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		a := &agreement{t: t, w: w, random: random, users: draw(random, names, 6), accounts: draw(random, names, 4)}
		for range 10 {
			a.change()
		}
		for _, m := range models() {
			a.enforcers = append(a.enforcers, follow(t, w, m(), casbinadapter.WatcherConfig{}))
		}
		const rounds = 5
		for range rounds {
			for range total / rounds / 100 {
				a.question()
			}
			for range random.IntN(6) {
				a.change()
			}
			for _, e := range a.enforcers {
				e.poll(t)
			}
			for range total / rounds / 100 {
				a.question()
			}
			w.Clock.Advance(time.Duration(random.IntN(5)) * time.Hour)
		}
		yes += a.yes
	})
	require.Greater(t, yes, total/20, "too few questions were answered with yes to show anything")
}

// An agreement is one run of TestNativeAndCasbinAgree.
type agreement struct {
	t               testing.TB
	w               *accesstest.World
	random          *rand.Rand
	users, accounts []string
	enforcers       []*followed
	yes             int
}

func draw(random *rand.Rand, from []string, n int) []string {
	drawn := make([]string, n)
	for i, at := range random.Perm(len(from))[:n] {
		drawn[i] = from[at]
	}
	return drawn
}

func (a *agreement) user() access.UserID {
	return access.UserID(a.users[a.random.IntN(len(a.users))])
}

func (a *agreement) account() access.AccountID {
	return access.AccountID(a.accounts[a.random.IntN(len(a.accounts))])
}

// permissions returns a random set: one of the presets, All, or any bits that make sense together.
func (a *agreement) permissions() access.Permission {
	catalog := a.w.Members.Catalog()
	switch presets := catalog.Presets(); a.random.IntN(3) {
	case 0:
		return presets[a.random.IntN(len(presets))].Permissions
	case 1:
		return access.All
	}
	return catalog.Complete(access.Permission(1+a.random.Uint64N(uint64(catalog.Known()))) & catalog.Known())
}

// question asks everybody the same, about a single permission.
func (a *agreement) question() {
	user, account := a.user(), a.account()
	switch a.random.IntN(20) {
	case 0:
		user = access.UserID(impossible[a.random.IntN(len(impossible))])
	case 1:
		account = access.AccountID(impossible[a.random.IntN(len(impossible))])
	case 2:
		user = access.UserID(names[a.random.IntN(len(names))])
	}
	key := keys[a.random.IntN(len(keys))]
	p, _ := a.w.Members.Catalog().Parse(key) // what is no key is no permission
	want, nativeErr := a.w.Members.Can(context.Background(), user, account, p)
	for i, e := range a.enforcers {
		got, err := e.Enforce(e.ask(user, account, key)...)
		require.Equal(a.t, want, got, "model %d: %q in %q: %s", i, user, account, key)
		if nativeErr == nil {
			require.NoError(a.t, err)
		}
	}
	if want {
		a.yes++
	}
}

// change does something to somebody. Most refusals are as good as any other outcome: the answers are compared anyway.
func (a *agreement) change() {
	alter(a.t, a.w, func(ctx context.Context, m *access.Service) error { a.changeWithin(ctx, m); return nil })
}

func (a *agreement) changeWithin(ctx context.Context, m *access.Service) {
	user, account := a.user(), a.account()
	at := func() time.Time {
		if a.random.IntN(3) > 0 {
			return time.Time{}
		}
		return a.w.Clock.Now().Add(time.Duration(a.random.IntN(9)-1) * time.Hour)
	}
	switch a.random.IntN(16) {
	case 0, 1, 2, 3:
		_, _ = m.CreateAccount(ctx, access.As(user), access.NewAccount{ID: account, Owner: user, Profile: access.Profile{Name: "An account"}})
	case 4, 5, 6, 7, 8:
		_, _ = m.AddMember(ctx, system, account, user, access.Terms{Permissions: a.permissions(), Starts: at(), Expires: at()})
	case 9:
		_, _ = m.SetPermissions(ctx, system, account, user, a.permissions())
	case 10:
		_, _ = m.SetExpiry(ctx, system, account, user, at())
	case 11:
		if _, err := m.Suspend(ctx, system, account, user); err != nil {
			_, _ = m.Reinstate(ctx, system, account, user)
		}
	case 12:
		_, _ = m.Remove(ctx, system, account, user)
	case 13:
		if _, err := m.SuspendAccount(ctx, staff, account); err != nil {
			_, _ = m.ReactivateAccount(ctx, staff, account)
		}
	case 14:
		_, _ = m.TransferByStaff(ctx, staff, account, user, a.permissions())
	case 15:
		if a.random.IntN(8) == 0 {
			_, _ = m.CloseAccount(ctx, staff, account)
		}
	}
}

package casbinadapter_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/casbin/casbin/v2/model"
	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/access/casbinadapter"
	"github.com/stretchr/testify/require"
)

// BenchmarkCasbinEnforce asks 1,000 memberships in 100 accounts, half of the answers no: in the fast arrangement with
// the sets of a few presets and with as many sets as there are members, and in RBAC with domains as documented. The
// figures are in the package's documentation.
func BenchmarkCasbinEnforce(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	known := access.Portal().Known()
	presets := access.Portal().Presets()
	for _, bench := range []struct {
		name  string
		model func() model.Model
		set   func() access.Permission
	}{
		{"arrangement=fast/sets=few", casbinadapter.Model, func() access.Permission { return presets[random.IntN(len(presets))].Permissions }},
		{"arrangement=fast/sets=random", casbinadapter.Model, func() access.Permission { return access.Permission(random.Uint64N(uint64(known))) }},
		{"arrangement=documented/sets=few", casbinadapter.DomainsModel, func() access.Permission { return presets[random.IntN(len(presets))].Permissions }},
		{"arrangement=documented/sets=random", casbinadapter.DomainsModel, func() access.Permission { return access.Permission(random.Uint64N(uint64(known))) }},
	} {
		b.Run(bench.name+"/n=1000", func(b *testing.B) {
			w := accesstest.New(b)
			populate(b, w, bench.set)
			e := follow(b, w, bench.model(), casbinadapter.WatcherConfig{})
			asked := askBoth(b, w, random)
			for i := 0; b.Loop(); i++ {
				q := asked[i%len(asked)]
				if _, err := e.Enforce(e.ask(q.user, q.account, q.key)...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCasbinPoll follows one changed membership of 1,000.
func BenchmarkCasbinPoll(b *testing.B) {
	w := accesstest.New(b)
	presets := access.Portal().Presets()
	populate(b, w, func() access.Permission { return presets[0].Permissions })
	e := follow(b, w, casbinadapter.Model(), casbinadapter.WatcherConfig{})
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		_, err := w.Members.SetPermissions(context.Background(), system, "account 7", "user 7 of 7", presets[1+i%2].Permissions)
		require.NoError(b, err)
		b.StartTimer()
		e.poll(b)
	}
}

// populate makes 100 accounts of an owner and 9 members each.
func populate(b *testing.B, w *accesstest.World, set func() access.Permission) {
	b.Helper()
	ctx := context.Background()
	for i := range 100 {
		account := access.AccountID(fmt.Sprintf("account %d", i))
		create(b, w, account, access.UserID(fmt.Sprintf("owner of %d", i)))
		for j := range 9 {
			terms := access.Terms{Permissions: access.Portal().Complete(set() | access.ViewProducts)}
			if j == 0 {
				terms.Expires = w.Clock.Now().Add(time.Hour)
			}
			_, err := w.Members.AddMember(ctx, system, account, access.UserID(fmt.Sprintf("user %d of %d", j, i)), terms)
			require.NoError(b, err)
		}
	}
}

// A question is one for Enforce.
type question struct {
	user    access.UserID
	account access.AccountID
	key     string
}

// askBoth returns questions about members, half of which are answered with no.
func askBoth(b *testing.B, w *accesstest.World, random *rand.Rand) []question {
	b.Helper()
	definitions := access.Portal().Definitions()
	asked := map[bool][]question{}
	for len(asked[true]) < 500 || len(asked[false]) < 500 {
		i, j := random.IntN(100), random.IntN(9)
		d := definitions[random.IntN(len(definitions))]
		q := question{access.UserID(fmt.Sprintf("user %d of %d", j, i)), access.AccountID(fmt.Sprintf("account %d", i)), d.Key}
		yes, err := w.Members.Can(context.Background(), q.user, q.account, d.Permission)
		require.NoError(b, err)
		if len(asked[yes]) < 500 {
			asked[yes] = append(asked[yes], q)
		}
	}
	all := append(asked[true], asked[false]...)
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

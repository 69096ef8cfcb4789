package casbinadapter_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/access/casbinadapter"
	"github.com/stretchr/testify/require"
)

// BenchmarkCasbinEnforce asks 1,000 memberships in 100 accounts, half of the answers no, with the sets of permissions of
// the catalog's presets and with random ones. Beside the arrangements of this package are two that need Casbin's own
// role manager only: a policy per account, set and permission, as RBAC with domains is documented, and one per set and
// permission, shared by all accounts. The figures are in the package's documentation.
func BenchmarkCasbinEnforce(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	known := access.Portal().Known()
	presets := access.Portal().Presets()
	sets := map[string]func() access.Permission{
		"presets": func() access.Permission { return presets[random.IntN(len(presets))].Permissions },
		"random":  func() access.Permission { return access.Permission(random.Uint64N(uint64(known))) },
	}
	for _, arrangement := range []struct {
		name string
		make func(b *testing.B, w *accesstest.World) *followed
	}{
		{"documented", func(b *testing.B, w *accesstest.World) *followed { return plain(b, w, documentedText) }},
		{"sets", func(b *testing.B, w *accesstest.World) *followed { return plain(b, w, setsText) }},
		{"domains", func(b *testing.B, w *accesstest.World) *followed {
			return follow(b, w, casbinadapter.DomainsModel(), casbinadapter.WatcherConfig{})
		}},
		{"fast", func(b *testing.B, w *accesstest.World) *followed {
			return follow(b, w, casbinadapter.Model(), casbinadapter.WatcherConfig{})
		}},
	} {
		for _, name := range []string{"presets", "random"} {
			b.Run("arrangement="+arrangement.name+"/sets="+name+"/n=1000", func(b *testing.B) {
				w := accesstest.New(b)
				populate(b, w, sets[name])
				e := arrangement.make(b, w)
				asked := askBoth(b, w, random)
				for i := 0; b.Loop(); i++ {
					q := asked[i%len(asked)]
					yes, err := e.Enforce(e.ask(q.user, q.account, q.key)...)
					if err != nil || yes != q.yes {
						b.Fatal(q, yes, err)
					}
				}
			})
		}
	}
}

const documentedText = `
[request_definition]
r = sub, dom, obj, act
[policy_definition]
p = sub, dom, obj, act
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act`

const setsText = `
[request_definition]
r = sub, dom, act
[policy_definition]
p = sub, act
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && g(r.sub, p.sub, r.dom)`

// plain returns an enforcer that is filled by hand and follows nothing.
func plain(b *testing.B, w *accesstest.World, text string) *followed {
	b.Helper()
	m, err := model.NewModelFromString(text)
	require.NoError(b, err)
	e, err := casbin.NewSyncedEnforcer(m)
	require.NoError(b, err)
	documented := len(m["p"]["p"].Tokens) == 4
	var groupings, policies [][]string
	for i := range 100 {
		account := access.AccountID(fmt.Sprintf("account %d", i))
		list, err := w.Members.Members(context.Background(), system, account, access.MemberFilter{}, access.Page{})
		require.NoError(b, err)
		for _, member := range list.Items {
			held := member.Permissions
			if member.Owner {
				held = access.Portal().Known()
			}
			set := fmt.Sprint("set ", uint64(held))
			groupings = append(groupings, []string{string(member.User), set, string(account)})
			for _, d := range access.Portal().Definitions() {
				switch {
				case !held.Has(d.Permission):
				case documented:
					policies = append(policies, []string{set, string(account), "account", d.Key})
				default:
					policies = append(policies, []string{set, d.Key})
				}
			}
		}
	}
	require.NoError(b, second(e.AddGroupingPolicies(groupings)))
	require.NoError(b, second(e.AddPoliciesEx(policies)))
	return &followed{SyncedEnforcer: e, ask: asking(m)}
}

// BenchmarkCasbinPoll follows one changed membership of 1,000.
func BenchmarkCasbinPoll(b *testing.B) {
	w := accesstest.New(b)
	presets := access.Portal().Presets()
	populate(b, w, func() access.Permission { return presets[0].Permissions })
	e := follow(b, w, casbinadapter.Model(), casbinadapter.WatcherConfig{})
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		alter(b, w, func(ctx context.Context, m *access.Service) error {
			return second(m.SetPermissions(ctx, system, "account 7", "user 7 of 7", presets[1+i%2].Permissions))
		})
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
	yes     bool
}

// askBoth returns questions about members, half of which are answered with no.
func askBoth(b *testing.B, w *accesstest.World, random *rand.Rand) []question {
	b.Helper()
	definitions := access.Portal().Definitions()
	asked := map[bool][]question{}
	for len(asked[true]) < 500 || len(asked[false]) < 500 {
		i, j := random.IntN(100), random.IntN(9)
		d := definitions[random.IntN(len(definitions))]
		q := question{access.UserID(fmt.Sprintf("user %d of %d", j, i)), access.AccountID(fmt.Sprintf("account %d", i)), d.Key, false}
		var err error
		q.yes, err = w.Members.Can(context.Background(), q.user, q.account, d.Permission)
		require.NoError(b, err)
		if len(asked[q.yes]) < 500 {
			asked[q.yes] = append(asked[q.yes], q)
		}
	}
	all := append(asked[true], asked[false]...)
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

package casbinadapter_test

import (
	"context"
	"fmt"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/casbinadapter"
	"github.com/rosterkit/roster/storage/memory"
)

// RBAC with domains, as Casbin documents it: an account is a domain. The enforcer follows what access.Service does.
func Example_rbacWithDomains() {
	ctx, stop := context.WithCancel(context.Background())
	db := memory.New()
	members := access.New(db, access.Config{})
	for account, owner := range map[access.AccountID]access.UserID{"acme": "ann", "globex": "gil"} {
		must(members.CreateAccount(ctx, access.As(owner), access.NewAccount{ID: account, Owner: owner, Profile: access.Profile{Name: "An account"}}))
	}
	must(members.AddMember(ctx, access.AsSystem("import"), "acme", "bob", access.Terms{Permissions: access.PayInvoices}))

	enforcer := must(casbin.NewSyncedEnforcer(casbinadapter.DomainsModel()))
	adapter := casbinadapter.New(db, casbinadapter.Config{})
	watcher := must(casbinadapter.NewWatcher(adapter, enforcer, casbinadapter.WatcherConfig{}))
	check(members.SetLease(ctx, time.Minute)) // for slow machines: the enforcer may answer so long without a poll
	check(watcher.Poll(ctx))
	ended := make(chan error)
	go func() { ended <- watcher.Run(ctx) }()

	fmt.Println("bob pays invoices of acme:", must(enforcer.Enforce("bob", "acme", "account", "invoices")))
	fmt.Println("bob pays invoices of globex:", must(enforcer.Enforce("bob", "globex", "account", "invoices")))
	fmt.Println("who may:", enforcer.GetUsersForRoleInDomain("invoices", "acme"))

	must(members.Remove(ctx, access.As("ann"), "acme", "bob")) // returns when the watcher has followed
	fmt.Println("after his removal:", must(enforcer.Enforce("bob", "acme", "account", "invoices")))

	_, err := enforcer.AddGroupingPolicy("bob", "set\t128", "acme")
	fmt.Println(err)
	stop()
	check(<-ended)
	// Output:
	// bob pays invoices of acme: true
	// bob pays invoices of globex: false
	// who may: [ann bob]
	// after his removal: false
	// casbinadapter: policies follow the memberships, and are changed by access.Service only
}

// Conditions of the host's: orders are placed in office hours and up to 500, whoever may place any.
func ExampleNarrow() {
	ctx := context.Background()
	members := access.New(memory.New(), access.Config{})
	must(members.CreateAccount(ctx, access.As("ann"), access.NewAccount{ID: "acme", Owner: "ann", Profile: access.Profile{Name: "Acme Ltd"}}))
	must(members.AddMember(ctx, access.AsSystem("import"), "acme", "bob", access.Terms{Permissions: access.PlaceOrders}))

	enforcer := must(casbin.NewSyncedEnforcer(casbinadapter.ConditionsModel()))
	must(enforcer.AddPolicies([][]string{
		{"orders", "r.request.Hour >= 9 && r.request.Hour < 17 && r.request.Amount <= 500"},
		{"invoices", "true"},
	}))

	// What is known of a request travels in its context.
	type Order struct {
		Hour   int
		Amount float64
	}
	type orderKey struct{}
	authorizer := casbinadapter.Narrow(members, enforcer,
		func(ctx context.Context, _ access.UserID, _ access.AccountID, p access.Permission) ([]any, error) {
			order, _ := ctx.Value(orderKey{}).(Order)
			return []any{members.Catalog().Keys(p)[0], order}, nil
		})
	for _, order := range []Order{{Hour: 10, Amount: 120}, {Hour: 22, Amount: 120}, {Hour: 10, Amount: 900}} {
		ctx := context.WithValue(ctx, orderKey{}, order)
		fmt.Println("bob orders for", order.Amount, "at", order.Hour, "o'clock:", must(authorizer.Can(ctx, "bob", "acme", access.PlaceOrders)))
	}
	fmt.Println("bob pays invoices:", must(authorizer.Can(ctx, "bob", "acme", access.PayInvoices)))
	// Output:
	// bob orders for 120 at 10 o'clock: true
	// bob orders for 120 at 22 o'clock: false
	// bob orders for 900 at 10 o'clock: false
	// bob pays invoices: false
}

// must is for examples: your code looks at the error.
func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

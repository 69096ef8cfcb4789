package access_test

import (
	"context"
	"fmt"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

// exampleMembers returns a service with the account "acme" of ann, in which bob may pay invoices and cem may do
// everything.
func exampleMembers() *access.Service {
	ctx := context.Background()
	members := access.New(memory.New(), access.Config{})
	_, err := members.CreateAccount(ctx, access.As("ann"), access.NewAccount{ID: "acme", Owner: "ann", Profile: access.Profile{Name: "ACME"}})
	for user, p := range map[access.UserID]access.Permission{"bob": access.PayInvoices, "cem": access.All} {
		if err == nil {
			_, err = members.AddMember(ctx, access.AsSystem("import"), "acme", user, access.Terms{Permissions: p})
		}
	}
	if err != nil {
		panic(err)
	}
	return members
}

func ExampleService_Can() {
	members := exampleMembers()
	for _, p := range []access.Permission{access.PayInvoices, access.PlaceOrders} {
		yes, err := members.Can(context.Background(), "bob", "acme", p)
		fmt.Println(yes, err)
	}
	// Output:
	// true <nil>
	// false <nil>
}

func ExampleCache() {
	members := exampleMembers()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	cache := access.NewCache(members, access.CacheConfig{})
	go cache.Run(ctx)
	for range 2 {
		yes, err := cache.Can(ctx, "bob", "acme", access.PayInvoices)
		fmt.Println(yes, err)
		if yes {
			_, err := members.Remove(ctx, access.As("ann"), "acme", "bob")
			fmt.Println("removed, in all processes:", err == nil)
		}
	}
	// Output:
	// true <nil>
	// removed, in all processes: true
	// false <nil>
}

func ExampleService_Explain() {
	members := exampleMembers()
	why, err := members.Explain(context.Background(), "bob", "acme", access.PayInvoices|access.PlaceOrders)
	if err != nil {
		panic(err)
	}
	fmt.Println(why.Allowed(), why.Rule, members.Catalog().Labels(why.Missing))
	// Output: false denies.missing [Place New Orders/Upgrades/Cancellations]
}

func ExampleService_SetPermissions() {
	ctx := context.Background()
	members := exampleMembers()
	_, err := members.SetPermissions(ctx, access.As("ann"), "acme", "bob", access.PlaceOrders)
	fmt.Println(err)
	_, err = members.SetPermissions(ctx, access.As("bob"), "acme", "cem", access.PlaceOrders)
	fmt.Println(err)
	yes, _ := members.Can(ctx, "bob", "acme", access.PlaceOrders)
	fmt.Println(yes)
	// Output:
	// <nil>
	// roster: managing members is not permitted
	// true
}

func ExampleWalk() {
	members := exampleMembers()
	for member, err := range access.Walk(func(page access.Page) (access.List[access.Member], error) {
		return members.Members(context.Background(), access.As("ann"), "acme", access.MemberFilter{}, page)
	}) {
		if err != nil {
			panic(err)
		}
		fmt.Println(member.User, member.Owner, members.Catalog().Keys(member.Permissions))
	}
	// Output:
	// ann true []
	// bob false [invoices]
	// cem false [all]
}

func ExampleNewCatalog() {
	const (
		read  access.Permission = 1 << 0
		write access.Permission = 1 << 1
	)
	catalog, err := access.NewCatalog([]access.Definition{
		{Permission: read, Key: "read", Label: "Read documents"},
		{Permission: write, Key: "write", Label: "Write documents", Needs: read},
	}, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(catalog.Check(write))
	fmt.Println(catalog.Keys(catalog.Complete(write)))
	// Output:
	// roster: permissions hold write, which needs read
	// [read write]
}

func ExampleService_Within() {
	ctx := context.Background()
	db := memory.New()
	members := access.New(db, access.Config{})
	err := db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		inside := members.Within(tx)
		for _, id := range []access.AccountID{"acme", "globex"} { // both, or neither
			_, err := inside.CreateAccount(ctx, access.As("ann"), access.NewAccount{ID: id, Owner: "ann", Profile: access.Profile{Name: string(id)}})
			if err != nil {
				return err
			}
		}
		return nil
	})
	yes, _ := members.Can(ctx, "ann", "globex", access.PlaceOrders)
	fmt.Println(yes, err)
	// Output: true <nil>
}

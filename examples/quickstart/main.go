// Quickstart is roster on one page: an account, an invite, and three questions.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage/memory"
)

func main() {
	ctx := context.Background()
	db := memory.New() // or sqlstore.New(handle, sqlstore.SQLite, sqlstore.Config{})
	members := access.New(db, access.Config{})
	secret := make([]byte, 32) // yours comes from where you keep secrets, not from the database
	rand.Read(secret)
	keys := []invite.Key{{ID: "2026", Secret: secret}}
	invites := must(invite.New(db, members, keys, invite.Config{Delivery: invite.ByHost}))

	// Ann owns the account that you bill.
	ann := access.As("ann")
	acme := access.NewAccount{ID: "acme", Owner: "ann", Profile: access.Profile{Name: "Acme Ltd"}}
	must(members.CreateAccount(ctx, ann, acme))

	// She invites her bookkeeper, who may see and pay invoices and nothing else.
	address := must(access.ParseAddress("bob@books.example"))
	offer := invite.Offer{Address: address, Terms: access.Terms{Permissions: access.PayInvoices}}
	sent := must(invites.Send(ctx, ann, "acme", offer))

	// Bob follows the link and signs in: you say who he is, the invite says what he gets.
	bob := invite.Identity{Actor: access.As("bob"), Address: address, Verified: true}
	must(invites.Accept(ctx, sent.Token.Secret(), bob))

	fmt.Println("bob pays invoices:", must(members.Can(ctx, "bob", "acme", access.PayInvoices)))
	fmt.Println("bob places orders:", must(members.Can(ctx, "bob", "acme", access.PlaceOrders)))

	must(members.Remove(ctx, ann, "acme", "bob"))
	fmt.Println("bob pays invoices after his removal:", must(members.Can(ctx, "bob", "acme", access.PayInvoices)))
}

// must is for examples: your code looks at the error.
func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

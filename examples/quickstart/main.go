// Quickstart is roster in one page: an account, an invite, and three questions.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage/memory"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	db := memory.New() // or sqlstore.New(sqlDB, sqlstore.SQLite)
	members := access.New(db, access.Config{})
	key := invite.Key{ID: "2026", Secret: bytes.Repeat([]byte("k"), 32)} // 32 random bytes of yours
	invites, err := invite.New(db, members, []invite.Key{key}, invite.Config{Delivery: invite.ByHost})
	if err != nil {
		return err
	}

	// Ann owns the account that you bill.
	ann := access.As("ann")
	_, err = members.CreateAccount(ctx, ann, access.NewAccount{ID: "acme", Owner: "ann", Profile: access.Profile{Name: "Acme Ltd"}})
	if err != nil {
		return err
	}

	// She invites her bookkeeper, who may see and pay invoices and nothing else.
	address, err := access.ParseAddress("bob@books.example")
	if err != nil {
		return err
	}
	sent, err := invites.Send(ctx, ann, "acme", invite.Offer{Address: address, Terms: access.Terms{Permissions: access.PayInvoices}})
	if err != nil {
		return err
	}

	// Bob follows the link and signs in: you say who he is, the invite says what he gets.
	bob := invite.Identity{Actor: access.As("bob"), Address: address, Verified: true}
	if _, err := invites.Accept(ctx, sent.Token.Secret(), bob); err != nil {
		return err
	}

	ask := func(p access.Permission) bool {
		yes, err := members.Can(ctx, "bob", "acme", p)
		return yes && err == nil
	}
	fmt.Println("bob pays invoices:", ask(access.PayInvoices))
	fmt.Println("bob places orders:", ask(access.PlaceOrders))

	if _, err := members.Remove(ctx, ann, "acme", "bob"); err != nil {
		return err
	}
	fmt.Println("bob pays invoices after his removal:", ask(access.PayInvoices))
	return nil
}

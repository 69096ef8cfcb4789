package invite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage/memory"
)

// newExample returns the two services, with an account of ann's. Links are delivered by the host.
func newExample() (*access.Service, *invite.Service) {
	db := memory.New()
	noon := time.Date(2026, time.November, 2, 12, 0, 0, 0, time.UTC)
	members := access.New(db, access.Config{Now: func() time.Time { return noon }})
	key := invite.Key{ID: "2026", Secret: bytes.Repeat([]byte("k"), invite.MinKeyBytes)} // random bytes of yours
	invites, err := invite.New(db, members, []invite.Key{key}, invite.Config{Delivery: invite.ByHost})
	if err != nil {
		panic(err)
	}
	_, err = members.CreateAccount(context.Background(), access.As("ann"),
		access.NewAccount{ID: "acme", Owner: "ann", Profile: access.Profile{Name: "Acme Ltd"}})
	if err != nil {
		panic(err)
	}
	return members, invites
}

func exampleAddress(text string) access.Address {
	a, err := access.ParseAddress(text)
	if err != nil {
		panic(err)
	}
	return a
}

// An invite whose link you deliver yourself, and its acceptance.
func Example() {
	ctx := context.Background()
	members, invites := newExample()
	bob := exampleAddress("bob@books.example")

	sent, err := invites.Send(ctx, access.As("ann"), "acme",
		invite.Offer{Address: bob, Terms: access.Terms{Permissions: access.PayInvoices}})
	if err != nil {
		panic(err)
	}
	fmt.Println(sent.Invite.Address, "has until", sent.Invite.Expires.Format(time.DateTime))
	fmt.Println("a token doesn't print:", sent.Token)
	link := "https://portal.example/invites/" + sent.Token.Secret() // for your own mail

	token := link[len(link)-invite.TokenLength:]
	accepted, err := invites.Accept(ctx, token, invite.Identity{Actor: access.As("bob"), Address: bob, Verified: true})
	if err != nil {
		panic(err)
	}
	fmt.Println(accepted.Outcome, "into", accepted.Account)
	may, err := members.Can(ctx, "bob", "acme", access.PayInvoices)
	fmt.Println("may pay invoices:", may, err)
	// Output:
	// b...@books.example has until 2026-11-05 12:00:00
	// a token doesn't print: invite.Token(secret)
	// invite.accepted into acme
	// may pay invoices: true <nil>
}

// The page behind a link looks first, which changes nothing, and says what to do.
func ExampleService_Lookup() {
	ctx := context.Background()
	_, invites := newExample()
	bob := exampleAddress("bob@books.example")
	sent, err := invites.Send(ctx, access.As("ann"), "acme",
		invite.Offer{Address: bob, Terms: access.Terms{Permissions: access.PayInvoices}})
	if err != nil {
		panic(err)
	}

	page := func(token string, who invite.Identity) string {
		p, err := invites.Lookup(ctx, token, who)
		if errors.Is(err, access.ErrNotFound) {
			return "This link isn't valid. Did you copy all of it?"
		}
		if err != nil {
			return "Something went wrong. Please try again."
		}
		switch p.Outcome {
		case invite.Ready:
			return p.InviterName + " invites you to " + p.AccountName + ". [Accept] [Decline]"
		case invite.Already:
			return "You are a member of " + p.AccountName + ". [Go there]"
		case invite.NeedsSignUp:
			return "Sign in, or create a password for " + p.Address.Original() + "."
		case invite.WrongUser:
			return "This is for " + p.Masked + ". [Switch user]"
		case invite.NeedsVerified:
			return "Please verify your address first. [Send me a mail]"
		case invite.IsReplaced:
			return "There is a newer mail, of " + p.Sent.Format(time.DateOnly) + "."
		case invite.IsExpired:
			return "This ended on " + p.Until.Format(time.DateOnly) + ". Ask " + p.InviterName + " to send it again."
		default: // IsRevoked, IsDeclined, IsUsed
			return "This invite is over."
		}
	}

	token := sent.Token.Secret()
	fmt.Println(page("nonsense", invite.Identity{}))
	fmt.Println(page(token, invite.Identity{}))
	fmt.Println(page(token, invite.Identity{Actor: access.As("eve"), Address: exampleAddress("eve@books.example"), Verified: true}))
	fmt.Println(page(token, invite.Identity{Actor: access.As("bob"), Address: bob}))
	who := invite.Identity{Actor: access.As("bob"), Address: bob, Verified: true}
	fmt.Println(page(token, who))
	if _, err := invites.Accept(ctx, token, who); err != nil { // on a POST
		panic(err)
	}
	fmt.Println(page(token, who))
	fmt.Println(page(token, invite.Identity{}))
	// Output:
	// This link isn't valid. Did you copy all of it?
	// Sign in, or create a password for bob@books.example.
	// This is for b...@books.example. [Switch user]
	// Please verify your address first. [Send me a mail]
	// ann invites you to Acme Ltd. [Accept] [Decline]
	// You are a member of Acme Ltd. [Go there]
	// This invite is over.
}

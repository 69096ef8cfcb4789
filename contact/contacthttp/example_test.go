package contacthttp_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/contact/contacthttp"
	"github.com/rosterkit/roster/storage/memory"
)

// A host mounts the handler, and puts the link to unsubscribe into the mails that it sends.
func Example() {
	ctx := context.Background()
	db := memory.New()
	members := access.New(db, access.Config{})
	key := access.Key{ID: "2026", Secret: bytes.Repeat([]byte("k"), access.MinKeyBytes)} // random bytes of yours
	links, err := contact.NewLinks([]access.Key{key}, "", "https://portal.example/contacts/")
	if err != nil {
		panic(err)
	}
	contacts := contact.New(db, members, contact.Config{Links: links})
	handler, err := contacthttp.New(contacts, contacthttp.Config{})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/contacts/", http.StripPrefix("/contacts", handler))

	must := func(_ any, err error) {
		if err != nil {
			panic(err)
		}
	}
	address := func(text string) access.Address {
		a, err := access.ParseAddress(text)
		must(nil, err)
		return a
	}
	must(nil, members.SyncUser(ctx, access.User{ID: "ann", Name: "Ann", Address: address("ann@acme.example"), Verified: true}))
	must(members.CreateAccount(ctx, access.As("ann"), access.NewAccount{ID: "acme", Owner: "ann", Profile: access.Profile{Name: "Acme"}}))
	_, _, err = contacts.Add(ctx, access.As("ann"), "acme",
		contact.Details{Name: "Books", Address: address("books@acme.example"), Categories: contact.Invoice})
	must(nil, err)

	recipients, err := contacts.Recipients(ctx, "acme", contact.Invoice, "")
	must(nil, err)
	for _, to := range recipients {
		link, err := contacts.UnsubscribeURL("acme", to, contact.Invoice)
		must(nil, err)
		fmt.Println(to.Reason, to.Address, "can unsubscribe by link:", link != "")
		if link == "" {
			continue
		}
		// What a mail program sends when its reader clicks on "unsubscribe".
		r := httptest.NewRequest("POST", link, strings.NewReader("List-Unsubscribe=One-Click"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	recipients, err = contacts.Recipients(ctx, "acme", contact.Invoice, "")
	must(nil, err)
	fmt.Println(len(recipients))
	// Output:
	// owner a...@acme.example can unsubscribe by link: false
	// contact b...@acme.example can unsubscribe by link: true
	// 200
	// 1
}

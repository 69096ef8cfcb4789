package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesshttp"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// A host keeps roster on SQLite, mails invites through a worker, and guards its pages.
func Example_host() {
	ctx := context.Background()
	folder := must(os.MkdirTemp("", "host"))
	defer os.RemoveAll(folder)

	handle := must(sql.Open("sqlite", "file:"+filepath.Join(folder, "host.db")+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)"))
	defer handle.Close()
	db := sqlstore.New(handle, sqlstore.SQLite, sqlstore.Config{})
	defer db.Close()
	check(db.Migrate(ctx))

	secret := make([]byte, 32) // yours comes from where you keep secrets
	rand.Read(secret)
	members := access.New(db, access.Config{})
	keys := []invite.Key{{ID: "2026", Secret: secret}}
	invites := must(invite.New(db, members, keys, invite.Config{LinkBase: "https://portal.example/invites/"}))

	mailbox := &notify.Mailbox{} // yours sends
	worker := must(notify.NewWorker(db, mailbox, notify.WorkerConfig{Log: slog.New(slog.DiscardHandler)}, members, invites))

	// Tell the directory about people when they sign up: who isn't there gets no mail.
	address := must(access.ParseAddress("ann@acme.example"))
	check(members.SyncUser(ctx, access.User{ID: "ann", Name: "Ann", Address: address, Verified: true}))
	must(members.CreateAccount(ctx, access.As("ann"), access.NewAccount{ID: "acme", Owner: "ann", Profile: access.Profile{Name: "Acme Ltd"}}))

	bob := must(access.ParseAddress("bob@books.example"))
	must(invites.Send(ctx, access.As("ann"), "acme", invite.Offer{Address: bob, Terms: access.Terms{Permissions: access.PayInvoices}}))
	must(worker.Deliver(ctx)) // your program starts worker.Run(ctx)
	fmt.Println("mailed:", mailbox.Mails()[0].Subject)

	guard := must(accesshttp.New(members, accesshttp.Config{
		Principal: func(r *http.Request) (accesshttp.Principal, error) { // from your session
			return accesshttp.Principal{User: access.UserID(r.Header.Get("Signed-In"))}, nil
		},
	}))
	invoices := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "invoices of Acme") })
	mux := http.NewServeMux()
	mux.Handle("GET /accounts/{account}/invoices", guard.Require(access.PayInvoices)(invoices))
	for _, user := range []string{"ann", "eve", ""} {
		r := httptest.NewRequest("GET", "/accounts/acme/invoices", nil)
		r.Header.Set("Signed-In", user)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Printf("%q gets %d\n", user, w.Code)
	}
	// Output:
	// mailed: Ann invites you to “Acme Ltd”
	// "ann" gets 200
	// "eve" gets 404
	// "" gets 401
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

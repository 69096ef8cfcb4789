package accesstest

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/notify/notifytest"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/stretchr/testify/require"
)

// A World is every service on one backend, with a clock that stands still and a mailer that records. Its fields may be
// used directly.
type World struct {
	T        testing.TB
	DB       storage.DB
	Clock    *Clock
	Members  *access.Service
	Invites  *invite.Service
	Contacts *contact.Service
	Mail     *notifytest.Recorder
	Worker   *notify.Worker
}

// New returns a World in memory.
func New(t testing.TB) *World { return On(t, memory.New()) }

// On returns a World on a backend of yours, which should be empty. Staff may do everything in it.
func On(t testing.TB, db storage.DB) *World {
	t.Helper()
	w := &World{T: t, DB: db, Clock: NewClock(Epoch), Mail: &notifytest.Recorder{}}
	w.Members = access.New(db, access.Config{
		Now:   w.Clock.Now,
		Staff: func(context.Context, access.Actor, access.EventKind, access.AccountID) error { return nil },
	})
	key := access.Key{ID: "test", Secret: bytes.Repeat([]byte("roster test key "), 2)}
	var err error
	w.Invites, err = invite.New(db, w.Members, []access.Key{key}, invite.Config{LinkBase: linkBase})
	require.NoError(t, err)
	links, err := contact.NewLinks([]access.Key{key}, "", "https://portal.example/contacts/")
	require.NoError(t, err)
	w.Contacts = contact.New(db, w.Members, contact.Config{Links: links})
	w.Worker, err = notify.NewWorker(db, w.Mail, notify.WorkerConfig{Now: w.Clock.Now, Log: slog.New(slog.DiscardHandler)},
		w.Members, w.Invites, w.Contacts)
	require.NoError(t, err)
	return w
}

const linkBase = "https://portal.example/invites/"

// AddressOf returns the address that a user has in a World: their id at example.com.
func AddressOf(user access.UserID) access.Address {
	a, err := access.ParseAddress(string(user) + "@example.com")
	if err != nil {
		panic("accesstest: the id " + string(user) + " doesn't make an address")
	}
	return a
}

// Deliver lets the worker send all mail that is due.
func (w *World) Deliver() {
	w.T.Helper()
	for {
		n, err := w.Worker.Deliver(context.Background())
		require.NoError(w.T, err)
		if n == 0 {
			return
		}
	}
}

// Token returns the token of the link in the last mail to a user's address, after delivering what is due. It fails
// the test if there is none.
func (w *World) Token(user access.UserID) string {
	w.T.Helper()
	w.Deliver()
	mails := w.Mail.Mails()
	for i := len(mails) - 1; i >= 0; i-- {
		if mails[i].To != AddressOf(user).Original() {
			continue
		}
		if _, after, ok := strings.Cut(mails[i].Text, linkBase); ok && len(after) >= invite.TokenLength {
			return after[:invite.TokenLength]
		}
	}
	require.FailNow(w.T, "no invite was mailed", "to %s", user)
	return ""
}

// Identity returns a user as the host authenticated them: with their verified address.
func (w *World) Identity(user access.UserID) invite.Identity {
	return invite.Identity{Actor: access.As(user), Address: AddressOf(user), Verified: true}
}

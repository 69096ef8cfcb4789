package access_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/rosterkit/roster/storage/storagetest"
)

var (
	olive   = access.As("olive") // owns acme
	mona    = access.As("mona")  // manages it, within managerBits
	alma    = access.As("alma")  // holds All in it
	ivan    = access.As("ivan")  // pays its invoices
	gina    = access.As("gina")  // owns globex, and has nothing to do with acme
	support = access.AsStaff("s-7", "ticket 4711")
	signup  = access.AsSystem("signup")

	errBroken = errors.New("the disk is full")
	errVeto   = errors.New("the host says no")
	errUndo   = errors.New("roll it back")
)

const managerBits = access.ManageUsers | access.PayInvoices | access.OpenTickets

// A world is an accesstest.World with two accounts. In acme there are, beside the actors above: dave, who holds what
// mona doesn't; sue, suspended; ella, expired; nora, who hasn't started; and ghost, whom the directory doesn't know.
// In globex there are gina and greg. No mail waits.
type world struct{ *accesstest.World }

var (
	everyAccount = []access.AccountID{"acme", "globex", "fresh"}
	everyUser    = []access.UserID{"olive", "mona", "alma", "ivan", "dave", "sue", "ella", "nora", "ghost", "gina", "greg", "nobody"}
)

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, memory.New())
}

func newWorldOn(t testing.TB, db storage.DB) *world {
	t.Helper()
	w := &world{accesstest.On(t, db)}
	for _, user := range everyUser {
		if user != "ghost" && user != "nobody" {
			w.As(user).Exists()
		}
	}
	w.As("olive").Creates("acme")
	w.As("gina").Creates("globex")
	for _, m := range []struct {
		account access.AccountID
		user    access.UserID
		terms   access.Terms
	}{
		{"acme", "mona", access.Terms{Permissions: managerBits}},
		{"acme", "alma", access.Terms{Permissions: access.All}},
		{"acme", "ivan", access.Terms{Permissions: access.PayInvoices, Label: "Billing"}},
		{"acme", "dave", access.Terms{Permissions: access.ViewProducts | access.ManageProducts}},
		{"acme", "sue", access.Terms{Permissions: access.PayInvoices}},
		{"acme", "ella", access.Terms{Permissions: access.PayInvoices, Expires: accesstest.Epoch.Add(time.Hour)}},
		{"acme", "nora", access.Terms{Permissions: access.PayInvoices, Starts: accesstest.Epoch.Add(1000 * time.Hour)}},
		{"acme", "ghost", access.Terms{Permissions: access.PayInvoices}},
		{"globex", "greg", access.Terms{Permissions: access.PayInvoices}},
	} {
		_, err := w.Members.AddMember(t.Context(), signup, m.account, m.user, m.terms)
		require.NoError(t, err)
	}
	w.As("olive").Suspends("acme", "sue")
	w.Clock.Advance(2 * time.Hour)
	w.Deliver()
	w.Mail.Reset()
	return w
}

// service returns another service on the same database and clock.
func (w *world) service(change func(*access.Config)) *access.Service {
	config := access.Config{Now: w.Clock.Now, Staff: yes}
	change(&config)
	return access.New(w.DB, config)
}

func yes(context.Context, access.Actor, access.EventKind, access.AccountID) error { return nil }

// dump is everything stored.
func (w *world) dump() string {
	w.T.Helper()
	text, err := storagetest.Dump(context.Background(), w.DB, everyAccount, everyUser)
	require.NoError(w.T, err)
	return text
}

// refuses requires that a verb is refused, with a zero result, and that nothing was changed.
func (w *world) refuses(t testing.TB, kind error, code, field string, verb func() (any, error)) {
	t.Helper()
	before := w.dump()
	result, err := verb()
	requireRefused(t, err, kind, code, field)
	require.Zero(t, result)
	require.Equal(t, before, w.dump())
}

func requireRefused(t testing.TB, err, kind error, code, field string) {
	t.Helper()
	requireCode(t, err, kind, code)
	var refusal *access.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, field, refusal.Field)
}

// leaves requires that a verb succeeds, leaves these events on the account's history and no others, and returns the
// account's revision. Of the events only kind, actor, target, before and after are given.
func (w *world) leaves(t testing.TB, account access.AccountID, verb func() (access.Revision, error), want ...access.Event) {
	t.Helper()
	head := w.account(account).Head.Count
	revision, err := verb()
	require.NoError(t, err)
	a := w.account(account)
	require.Equal(t, access.Revision{Account: account, Version: a.Version}, revision)
	require.Equal(t, head+uint64(len(want)), a.Head.Count)
	for i := range want {
		want[i].Account, want[i].Version, want[i].Index, want[i].Time = account, a.Version, i, w.Members.Now()
	}
	got := w.events(account)[head:]
	require.Empty(t, cmp.Diff(want, got, cmpopts.IgnoreFields(access.Event{}, "ID", "Hash"), cmpopts.EquateEmpty()))
	for _, e := range got {
		require.Len(t, e.ID, 36)
		require.NotZero(t, e.Hash)
	}
}

// account returns an account as it is stored, zero if there is none.
func (w *world) account(id access.AccountID) access.Account {
	w.T.Helper()
	var a access.Account
	w.view(func(ctx context.Context, tx storage.Tx) (err error) {
		if a, err = tx.Account(ctx, id); errors.Is(err, access.ErrNotFound) {
			return nil
		}
		return err
	})
	return a
}

// membership returns a membership as it is stored, zero if there is none.
func (w *world) membership(account access.AccountID, user access.UserID) access.Membership {
	w.T.Helper()
	var m access.Membership
	w.view(func(ctx context.Context, tx storage.Tx) (err error) {
		if m, err = tx.Membership(ctx, account, user); errors.Is(err, access.ErrNotFound) {
			return nil
		}
		return err
	})
	return m
}

// events returns the history of an account, oldest first.
func (w *world) events(account access.AccountID) []access.Event {
	w.T.Helper()
	var events []access.Event
	w.view(func(ctx context.Context, tx storage.Tx) error {
		rows, err := tx.Events(ctx, account, access.EventFilter{}, access.EventKey{}, true, 10_000)
		for _, r := range rows {
			e, err := r.Event()
			require.NoError(w.T, err)
			events = append(events, e)
		}
		return err
	})
	return events
}

func (w *world) view(fn func(context.Context, storage.Tx) error) {
	w.T.Helper()
	require.NoError(w.T, w.DB.View(context.Background(), fn))
}

func (w *world) update(fn func(context.Context, storage.Tx) error) {
	w.T.Helper()
	require.NoError(w.T, w.DB.Update(context.Background(), fn))
}

// mails delivers what is due and returns the mails since the last call.
func (w *world) mails() []notify.Mail {
	w.T.Helper()
	w.Deliver()
	mails := w.Mail.Mails()
	w.Mail.Reset()
	return mails
}

// receivers returns who got which mail, as "user: subject", since the last call.
func (w *world) receivers() []string {
	w.T.Helper()
	var receivers []string
	for _, m := range w.mails() {
		user, _, _ := strings.Cut(m.To, "@")
		receivers = append(receivers, user+": "+m.Subject)
	}
	return receivers
}

// mailed counts the mails of an account that were ever in the outbox, sent or not.
func (w *world) mailed(account access.AccountID) int {
	w.T.Helper()
	n := 0
	w.view(func(ctx context.Context, tx storage.Tx) error {
		messages, err := tx.Messages(ctx, string(account), notify.MessageQuery{Limit: 10_000})
		n = len(messages)
		return err
	})
	return n
}

func target(user access.UserID) access.Target {
	return access.Target{Kind: access.TargetUser, ID: string(user)}
}

func theAccount(id access.AccountID) access.Target {
	return access.Target{Kind: access.TargetAccount, ID: string(id)}
}

// A store is a database whose behaviour a test changes.
type store struct {
	storage.DB
	grant  func(context.Context, access.AccountID, access.UserID) (access.Grant, error)
	view   func(context.Context, func(context.Context, storage.Tx) error) error
	update func(context.Context, func(context.Context, storage.Tx) error) error
}

func (s store) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	if s.grant == nil {
		return s.DB.Grant(ctx, account, user)
	}
	return s.grant(ctx, account, user)
}

func (s store) View(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	if s.view == nil {
		return s.DB.View(ctx, fn)
	}
	return s.view(ctx, fn)
}

func (s store) Read(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	if s.view == nil {
		return s.DB.Read(ctx, fn)
	}
	return s.view(ctx, fn)
}

func (s store) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	if s.update == nil {
		return s.DB.Update(ctx, fn)
	}
	return s.update(ctx, fn)
}

// on returns a service of the world on a store.
func (w *world) on(s store) *access.Service {
	s.DB = w.DB
	return access.New(s, access.Config{Now: w.Clock.Now, Staff: yes})
}

package invite_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/rosterkit/roster/storage/storagetest"
	"github.com/stretchr/testify/require"
)

const (
	acme access.AccountID = "acme" // of ann
	beta access.AccountID = "beta" // of bea

	ann access.UserID = "ann"
	bea access.UserID = "bea"
	bob access.UserID = "bob" // whom acme invites
	eve access.UserID = "eve" // who has no business here
	max access.UserID = "max" // manages acme's users, and holds invoices besides

	linkBase = "https://portal.example/invites/"
)

var (
	ctx      = context.Background()
	system   = access.AsSystem("test")
	staff    = access.AsStaff("sam", "a test")
	accounts = []access.AccountID{acme, beta, "gamma", "delta"}
	users    = []access.UserID{ann, bea, bob, eve, max, "rob", "zoe"}
	keys     = []invite.Key{{ID: "2026", Secret: bytes.Repeat([]byte("k"), 32)}}
)

// A world is one of accesstest with the accounts acme and beta, whose storage is traced.
type world struct {
	*accesstest.World
	db  *tracedDB
	log bytes.Buffer // the worker's
}

// newWorld returns a world whose invites have a configuration, with a link base if that lacks one.
func newWorld(t testing.TB, config invite.Config) *world {
	t.Helper()
	db := &tracedDB{DB: memory.New()}
	w := &world{World: accesstest.On(t, db), db: db}
	w.Invites = w.service(keys, config)
	w.worker(w.Mail)
	w.As(ann).Creates(acme)
	w.As(bea).Creates(beta)
	return w
}

// service returns another service of invites on the same storage.
func (w *world) service(keys []invite.Key, config invite.Config) *invite.Service {
	w.T.Helper()
	if config.LinkBase == "" {
		config.LinkBase = linkBase
	}
	s, err := invite.New(w.DB, w.Members, keys, config)
	require.NoError(w.T, err)
	return s
}

// worker replaces the worker by one with this mailer and the present services.
func (w *world) worker(mailer notify.Mailer) {
	w.T.Helper()
	var err error
	w.Worker, err = notify.NewWorker(w.DB, mailer, notify.WorkerConfig{Now: w.Clock.Now, Random: func() float64 { return 0 }, Log: slog.New(slog.NewTextHandler(&w.log, nil))},
		w.Members, w.Invites, w.Contacts)
	require.NoError(w.T, err)
}

// members sets up the services anew, on members with another configuration.
func (w *world) members(config access.Config) {
	w.T.Helper()
	config.Now = w.Clock.Now
	w.Members = access.New(w.DB, config)
	w.Invites = w.service(keys, invite.Config{})
	w.worker(w.Mail)
}

// manager makes max a manager of acme's users, who holds invoices besides.
func (w *world) manager() access.Actor {
	w.T.Helper()
	w.As(max).Exists()
	w.AsStaff("sam").Adds(acme, max, access.ManageUsers|access.PayInvoices)
	w.Deliver()
	w.Mail.Reset()
	return access.As(max)
}

// send has ann invite a user to acme, a millisecond later: invites are listed by age.
func (w *world) send(user access.UserID, p access.Permission) invite.Sent {
	w.T.Helper()
	return w.sendAs(access.As(ann), acme, user, p)
}

func (w *world) sendAs(actor access.Actor, account access.AccountID, user access.UserID, p access.Permission) invite.Sent {
	w.T.Helper()
	w.Clock.Advance(time.Millisecond)
	sent, err := w.Invites.Send(ctx, actor, account, offer(user, p))
	require.NoError(w.T, err)
	return sent
}

// join has a user accept the invite that was mailed last to them.
func (w *world) join(user access.UserID) {
	w.T.Helper()
	accepted, err := w.Invites.Accept(ctx, w.Token(user), w.Identity(user))
	require.NoError(w.T, err)
	require.Equal(w.T, invite.Joined, accepted.Outcome)
}

// dump writes down everything that is stored.
func (w *world) dump() string {
	w.T.Helper()
	text, err := storagetest.Dump(ctx, w.DB, accounts, users)
	require.NoError(w.T, err)
	return text
}

// record returns an invite as it is stored.
func (w *world) record(id invite.ID) invite.Record {
	w.T.Helper()
	var r invite.Record
	require.NoError(w.T, w.DB.View(ctx, func(ctx context.Context, tx storage.Tx) (err error) {
		r, _, err = tx.FindInvite(ctx, id)
		return err
	}))
	return r
}

// write does to acme's storage what no verb would.
func (w *world) write(fn func(context.Context, storage.Tx) error) {
	w.T.Helper()
	require.NoError(w.T, w.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		if _, err := tx.Lock(ctx, acme); err != nil {
			return err
		}
		return fn(ctx, tx)
	}))
}

// membership returns a membership as it is stored; zero if there is none.
func (w *world) membership(account access.AccountID, user access.UserID) access.Membership {
	w.T.Helper()
	var m access.Membership
	require.NoError(w.T, w.DB.View(ctx, func(ctx context.Context, tx storage.Tx) (err error) {
		m, err = tx.Membership(ctx, account, user)
		if errors.Is(err, access.ErrNotFound) {
			return nil
		}
		return err
	}))
	return m
}

// events returns an account's history, the oldest first.
func (w *world) events(account access.AccountID) []access.Event {
	w.T.Helper()
	list, err := w.Members.History(ctx, system, account, access.EventFilter{}, access.Page{Limit: access.MaxPage})
	require.NoError(w.T, err)
	slices.Reverse(list.Items)
	return list.Items
}

// refused requires an error of a kind and with a code, and that nothing was changed by what returned it.
func (w *world) refused(kind error, code string, verb func() error) {
	w.T.Helper()
	before := w.dump()
	err := verb()
	require.ErrorIs(w.T, err, kind)
	require.Equal(w.T, code, codeOf(err))
	require.Equal(w.T, before, w.dump(), "a refusal changes nothing")
}

// failing fails each call to storage that a verb makes, one at a time, and requires that it changes nothing then. At
// last the verb succeeds.
func (w *world) failing(name string, verb func() error) {
	w.T.Helper()
	for n := 1; ; n++ {
		before := w.dump()
		w.db.calls, w.db.failAt = nil, n
		err := verb()
		calls := w.db.calls
		w.db.failAt = 0
		if err == nil {
			require.Len(w.T, calls, n-1, "%s swallowed a failure", name)
			return
		}
		require.ErrorIs(w.T, err, errBroken, "%s with call %d of %v failing", name, n, calls)
		require.Equal(w.T, before, w.dump(), "%s with call %d of %v failing", name, n, calls)
	}
}

// codeOf returns the code of an error.
func codeOf(err error) string {
	var e *access.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func offer(user access.UserID, p access.Permission) invite.Offer {
	return invite.Offer{Address: accesstest.AddressOf(user), Terms: access.Terms{Permissions: p}}
}

func address(t testing.TB, text string) access.Address {
	t.Helper()
	a, err := access.ParseAddress(text)
	require.NoError(t, err)
	return a
}

// unverified is a user with their own address, of which the host has no proof.
func unverified(user access.UserID) invite.Identity {
	return invite.Identity{Actor: access.As(user), Address: accesstest.AddressOf(user)}
}

// impostor is a user who says that another's address is theirs, of which the host has no proof.
func impostor(user, victim access.UserID) invite.Identity {
	return invite.Identity{Actor: access.As(user), Address: accesstest.AddressOf(victim)}
}

// A tracedDB writes down which methods of its transactions are called, and can step in when accounts are locked.
type tracedDB struct {
	storage.DB
	mu     sync.Mutex
	calls  []string
	locked func(context.Context, storage.Tx) error // called once, after the next lock
	broken string                                  // the method that fails, if any
	failAt int                                     // the call that fails, from 1; none if zero
}

var errBroken = errors.New("the disk is full")

func (db *tracedDB) View(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return db.DB.View(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, tracedTx{tx, db}) })
}

func (db *tracedDB) Read(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return db.DB.Read(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, tracedTx{tx, db}) })
}

func (db *tracedDB) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return db.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, tracedTx{tx, db}) })
}

// trace returns the calls that a function makes.
func (db *tracedDB) trace(fn func()) []string {
	db.calls = nil
	fn()
	return db.calls
}

func (db *tracedDB) call(name string) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.calls = append(db.calls, name)
	if name == db.broken || len(db.calls) == db.failAt {
		return errBroken
	}
	return nil
}

// called makes one traced call.
func called[R any](db *tracedDB, name string, do func() (R, error)) (R, error) {
	if err := db.call(name); err != nil {
		var none R
		return none, err
	}
	return do()
}

// A tracedTx sends every method that a verb about invites may call through its tracedDB.
type tracedTx struct {
	storage.Tx
	db *tracedDB
}

func (tx tracedTx) Lock(ctx context.Context, ids ...access.AccountID) ([]access.Account, error) {
	locked, err := called(tx.db, "Lock", func() ([]access.Account, error) { return tx.Tx.Lock(ctx, ids...) })
	if step := tx.db.locked; err == nil && step != nil {
		tx.db.locked = nil
		err = step(ctx, tx.Tx)
		locked[0].Version++ // as by the lock of who took the step
	}
	return locked, err
}

func (tx tracedTx) Account(ctx context.Context, id access.AccountID) (access.Account, error) {
	return called(tx.db, "Account", func() (access.Account, error) { return tx.Tx.Account(ctx, id) })
}

func (tx tracedTx) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	return called(tx.db, "Grant", func() (access.Grant, error) { return tx.Tx.Grant(ctx, account, user) })
}

func (tx tracedTx) Membership(ctx context.Context, account access.AccountID, user access.UserID) (access.Membership, error) {
	return called(tx.db, "Membership", func() (access.Membership, error) { return tx.Tx.Membership(ctx, account, user) })
}

func (tx tracedTx) PutMembership(ctx context.Context, m access.Membership) error {
	return tx.write("PutMembership", func() error { return tx.Tx.PutMembership(ctx, m) })
}

func (tx tracedTx) MembersByAddress(ctx context.Context, account access.AccountID, address access.Address, limit int) ([]access.Member, error) {
	return called(tx.db, "MembersByAddress", func() ([]access.Member, error) { return tx.Tx.MembersByAddress(ctx, account, address, limit) })
}

func (tx tracedTx) Members(ctx context.Context, account access.AccountID, f access.MemberFilter, after access.UserID, limit int) ([]access.Member, error) {
	return called(tx.db, "Members", func() ([]access.Member, error) { return tx.Tx.Members(ctx, account, f, after, limit) })
}

func (tx tracedTx) Seats(ctx context.Context, account access.AccountID, now time.Time) (int, error) {
	return called(tx.db, "Seats", func() (int, error) { return tx.Tx.Seats(ctx, account, now) })
}

func (tx tracedTx) RevokeInvites(ctx context.Context, account access.AccountID, inviter access.UserID, held access.Permission, at time.Time) ([]access.RevokedInvite, error) {
	return called(tx.db, "RevokeInvites", func() ([]access.RevokedInvite, error) {
		return tx.Tx.RevokeInvites(ctx, account, inviter, held, at)
	})
}

func (tx tracedTx) User(ctx context.Context, id access.UserID) (access.User, error) {
	return called(tx.db, "User", func() (access.User, error) { return tx.Tx.User(ctx, id) })
}

func (tx tracedTx) Users(ctx context.Context, ids []access.UserID) (map[access.UserID]access.User, error) {
	return called(tx.db, "Users", func() (map[access.UserID]access.User, error) { return tx.Tx.Users(ctx, ids) })
}

func (tx tracedTx) UserAccounts(ctx context.Context, user access.UserID, f access.AccountFilter, after access.AccountID, limit int) ([]access.UserAccount, error) {
	return called(tx.db, "UserAccounts", func() ([]access.UserAccount, error) { return tx.Tx.UserAccounts(ctx, user, f, after, limit) })
}

func (tx tracedTx) Append(ctx context.Context, r access.Record) error {
	return tx.write("Append", func() error { return tx.Tx.Append(ctx, r) })
}

func (tx tracedTx) Enqueue(ctx context.Context, messages ...notify.Message) error {
	return tx.write("Enqueue", func() error { return tx.Tx.Enqueue(ctx, messages...) })
}

func (tx tracedTx) Deliveries(ctx context.Context, group string, kind notify.Kind, refs []string) (map[string]notify.Message, error) {
	return called(tx.db, "Deliveries", func() (map[string]notify.Message, error) { return tx.Tx.Deliveries(ctx, group, kind, refs) })
}

func (tx tracedTx) FindInvite(ctx context.Context, id invite.ID) (found invite.Record, version uint64, err error) {
	found, err = called(tx.db, "FindInvite", func() (found invite.Record, err error) {
		found, version, err = tx.Tx.FindInvite(ctx, id)
		return found, err
	})
	return found, version, err
}

func (tx tracedTx) Invite(ctx context.Context, account access.AccountID, id invite.ID) (invite.Record, error) {
	return called(tx.db, "Invite", func() (invite.Record, error) { return tx.Tx.Invite(ctx, account, id) })
}

func (tx tracedTx) PendingInvite(ctx context.Context, account access.AccountID, address access.Address) (invite.Record, error) {
	return called(tx.db, "PendingInvite", func() (invite.Record, error) { return tx.Tx.PendingInvite(ctx, account, address) })
}

func (tx tracedTx) InsertInvite(ctx context.Context, r invite.Record) error {
	return tx.write("InsertInvite", func() error { return tx.Tx.InsertInvite(ctx, r) })
}

func (tx tracedTx) UpdateInvite(ctx context.Context, r invite.Record, generation uint16) error {
	return tx.write("UpdateInvite", func() error { return tx.Tx.UpdateInvite(ctx, r, generation) })
}

func (tx tracedTx) Invites(ctx context.Context, account access.AccountID, f invite.Filter, before invite.ID, limit int) ([]invite.Record, error) {
	return called(tx.db, "Invites", func() ([]invite.Record, error) { return tx.Tx.Invites(ctx, account, f, before, limit) })
}

func (tx tracedTx) WaitingInvites(ctx context.Context, address access.Address, now time.Time, before invite.ID, limit int) ([]invite.Record, error) {
	return called(tx.db, "WaitingInvites", func() ([]invite.Record, error) {
		return tx.Tx.WaitingInvites(ctx, address, now, before, limit)
	})
}

func (tx tracedTx) InviteKeys(ctx context.Context, now time.Time) ([]string, error) {
	return called(tx.db, "InviteKeys", func() ([]string, error) { return tx.Tx.InviteKeys(ctx, now) })
}

func (tx tracedTx) LiveInvites(ctx context.Context, account access.AccountID, now time.Time) (int, error) {
	return called(tx.db, "LiveInvites", func() (int, error) { return tx.Tx.LiveInvites(ctx, account, now) })
}

func (tx tracedTx) Hit(ctx context.Context, limit [32]byte, at time.Time, window time.Duration) (int, error) {
	return called(tx.db, "Hit", func() (int, error) { return tx.Tx.Hit(ctx, limit, at, window) })
}

func (tx tracedTx) write(name string, do func() error) error {
	_, err := called(tx.db, name, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// words puts a mail's text on one line.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// only is the error of a verb that returns a revision too.
func only(_ access.Revision, err error) error { return err }

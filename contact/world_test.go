package contact_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

const (
	acme  access.AccountID = "acme"
	olive access.UserID    = "olive" // owns acme
)

var (
	ctx    = context.Background()
	system = access.AsSystem("test")
	staff  = access.AsStaff("sam", "a test")
	start  = time.Date(2026, time.November, 2, 12, 0, 0, 0, time.UTC)
)

// A tester is a *testing.T or a *rapid.T.
type tester interface {
	require.TestingT
	Helper()
}

// A world is the two services on one backend, and the account acme of olive.
type world struct {
	t        tester
	db       *memory.DB
	now      time.Time
	members  *access.Service
	contacts *contact.Service
	policy   error // the host's answer to everything staff asks

	fetched   []string // attachments
	unfetched error    // the host's answer when one is fetched
}

func newWorld(t tester) *world {
	t.Helper()
	return newWorldWith(t, contact.Config{})
}

func newWorldWith(t tester, config contact.Config) *world {
	t.Helper()
	w := &world{t: t, db: memory.New(), now: start}
	w.members = access.New(w.db, access.Config{
		Now:   func() time.Time { return w.now },
		Staff: func(context.Context, access.Actor, access.EventKind, access.AccountID) error { return w.policy },
	})
	w.contacts = contact.New(w.db, w.members, config)
	w.account(acme, olive)
	return w
}

func (w *world) account(id access.AccountID, owner access.UserID) {
	w.t.Helper()
	w.user(owner)
	_, err := w.members.CreateAccount(ctx, system, access.NewAccount{ID: id, Owner: owner, Profile: access.Profile{Name: "Acme & Sons"}})
	require.NoError(w.t, err)
}

// user tells the directory about a user, with a verified address.
func (w *world) user(id access.UserID) {
	w.t.Helper()
	require.NoError(w.t, w.members.SyncUser(ctx, access.User{ID: id, Name: "Name of " + string(id), Address: addressOf(w.t, id), Verified: true}))
}

// member adds a member to acme.
func (w *world) member(id access.UserID, p access.Permission) {
	w.t.Helper()
	w.user(id)
	_, err := w.members.AddMember(ctx, system, acme, id, access.Terms{Permissions: p})
	require.NoError(w.t, err)
}

// contact adds a contact to acme, a millisecond later: contacts are listed by age.
func (w *world) contact(name string, c contact.Category) contact.Contact {
	w.t.Helper()
	w.now = w.now.Add(time.Millisecond)
	added, _, err := w.contacts.Add(ctx, system, acme, details(w.t, name, c))
	require.NoError(w.t, err)
	return added
}

func (w *world) prefer(user access.UserID, c contact.Category) {
	w.t.Helper()
	_, err := w.contacts.SetPreferences(ctx, system, acme, user, c)
	require.NoError(w.t, err)
}

func (w *world) suspend() {
	w.t.Helper()
	_, err := w.members.SuspendAccount(ctx, system, acme)
	require.NoError(w.t, err)
}

func (w *world) close() {
	w.t.Helper()
	_, err := w.members.CloseAccount(ctx, system, acme)
	require.NoError(w.t, err)
}

// write does to storage what no verb would.
func (w *world) write(fn func(tx storage.Tx) error) {
	w.t.Helper()
	require.NoError(w.t, w.db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		if _, err := tx.Lock(ctx, acme); err != nil {
			return err
		}
		return fn(tx)
	}))
}

// last returns the latest event of acme.
func (w *world) last() access.Event {
	w.t.Helper()
	history, err := w.members.History(ctx, system, acme, access.EventFilter{}, access.Page{Limit: 1})
	require.NoError(w.t, err)
	require.NotEmpty(w.t, history.Items)
	return history.Items[0]
}

// A state is everything that the verbs of this package can change about acme.
type state struct {
	Account       access.Account
	Contacts      []contact.Contact
	Preferences   map[access.UserID]contact.Category
	Messages      []notify.Message
	Verifications map[contact.ID]contact.Verification
}

func (w *world) state(users ...access.UserID) state {
	w.t.Helper()
	s := state{Preferences: map[access.UserID]contact.Category{}, Verifications: map[contact.ID]contact.Verification{}}
	require.NoError(w.t, w.db.View(ctx, func(ctx context.Context, tx storage.Tx) (err error) {
		if s.Account, err = tx.Account(ctx, acme); err != nil {
			return err
		}
		if s.Contacts, err = tx.Contacts(ctx, acme, contact.Filter{}, "", 1000); err != nil {
			return err
		}
		for _, c := range s.Contacts {
			v, err := tx.Verification(ctx, acme, c.ID)
			if err == nil {
				s.Verifications[c.ID] = v
			} else if !errors.Is(err, access.ErrNotFound) {
				return err
			}
		}
		for _, user := range append(users, olive) {
			c, err := tx.Preference(ctx, acme, user)
			if err == nil {
				s.Preferences[user] = c
			} else if !errors.Is(err, access.ErrNotFound) {
				return err
			}
		}
		s.Messages, err = tx.Messages(ctx, string(acme), notify.MessageQuery{Limit: 1000})
		return err
	}))
	return s
}

func details(t tester, name string, c contact.Category) contact.Details {
	t.Helper()
	return contact.Details{Name: name, Address: address(t, name+"@contacts.example"), Categories: c}
}

func addressOf(t tester, user access.UserID) access.Address {
	t.Helper()
	return address(t, string(user)+"@example.com")
}

func address(t tester, text string) access.Address {
	t.Helper()
	a, err := access.ParseAddress(text)
	require.NoError(t, err)
	return a
}

// requireRefused checks kind, code and field of a refusal; no code stands for success.
func requireRefused(t tester, err error, kind error, code, field string) {
	t.Helper()
	if code == "" {
		require.NoError(t, err)
		return
	}
	require.ErrorIs(t, err, kind)
	var refusal *access.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, code, refusal.Code)
	require.Equal(t, field, refusal.Field)
}

// code returns the code of a refusal, empty for nil.
func code(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var refusal *access.Error
	require.ErrorAs(t, err, &refusal)
	return refusal.Code
}

// requireSame fails with the difference. Addresses are compared as they were given.
func requireSame(t tester, want, got any, message ...any) {
	t.Helper()
	require.Empty(t, cmp.Diff(want, got, cmpopts.EquateComparable(access.Address{}), cmpopts.EquateEmpty()), message...)
}

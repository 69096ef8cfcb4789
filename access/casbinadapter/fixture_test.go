package casbinadapter_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/access/casbinadapter"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite" // The driver "sqlite".
)

// TestMain fails if a goroutine is left.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	system = access.AsSystem("test")
	staff  = access.AsStaff("sue", "a test")
)

// world is a World with the account "acme" of ann, in which bob may see and pay invoices.
func world(t testing.TB) *accesstest.World {
	t.Helper()
	return worldOn(t, memory.New())
}

func worldOn(t testing.TB, db storage.DB) *accesstest.World {
	t.Helper()
	w := accesstest.On(t, db)
	create(t, w, "acme", "ann")
	add(t, w, "acme", "bob", access.Terms{Permissions: access.PayInvoices})
	return w
}

func create(t testing.TB, w *accesstest.World, account access.AccountID, owner access.UserID) {
	t.Helper()
	_, err := w.Members.CreateAccount(context.Background(), access.As(owner),
		access.NewAccount{ID: account, Owner: owner, Profile: access.Profile{Name: "An account"}})
	require.NoError(t, err)
}

func add(t testing.TB, w *accesstest.World, account access.AccountID, user access.UserID, terms access.Terms) {
	t.Helper()
	_, err := w.Members.AddMember(context.Background(), system, account, user, terms)
	require.NoError(t, err)
}

// alter does things that nobody waits for to be followed: a verb that takes something away would wait for the next poll.
func alter(t testing.TB, w *accesstest.World, verbs func(ctx context.Context, m *access.Service) error) {
	t.Helper()
	require.NoError(t, w.DB.Update(context.Background(), func(ctx context.Context, tx storage.Tx) error {
		return verbs(ctx, w.Members.Within(tx))
	}))
}

// remove removes bob from acme.
func remove(t testing.TB, w *accesstest.World) {
	t.Helper()
	alter(t, w, func(ctx context.Context, m *access.Service) error {
		return second(m.Remove(ctx, system, "acme", "bob"))
	})
}

// newAdapter returns an adapter that reads the clock of the world.
func newAdapter(w *accesstest.World) *casbinadapter.Adapter {
	return casbinadapter.New(w.DB, casbinadapter.Config{Now: w.Clock.Now})
}

// attached returns an enforcer without a watcher that has loaded nothing.
func attached(t testing.TB, a *casbinadapter.Adapter, m model.Model) *casbin.SyncedEnforcer {
	t.Helper()
	e, err := casbin.NewSyncedEnforcer(m)
	require.NoError(t, err)
	a.Attach(e.Enforcer)
	return e
}

// A followed is an enforcer with its watcher.
type followed struct {
	*casbin.SyncedEnforcer
	watcher *casbinadapter.Watcher
	ask     func(user access.UserID, account access.AccountID, key string) []any
}

// follow returns an enforcer that has followed once, and has a lease for ever.
func follow(t testing.TB, w *accesstest.World, m model.Model, config casbinadapter.WatcherConfig) *followed {
	t.Helper()
	require.NoError(t, w.Members.SetLease(context.Background(), 10_000*time.Hour))
	f := followOn(t, newAdapter(w), m, config)
	f.poll(t)
	return f
}

// followOn returns an enforcer that hasn't followed yet.
func followOn(t testing.TB, a *casbinadapter.Adapter, m model.Model, config casbinadapter.WatcherConfig) *followed {
	t.Helper()
	enforcer, err := casbin.NewSyncedEnforcer(m)
	require.NoError(t, err)
	watcher, err := casbinadapter.NewWatcher(a, enforcer, config)
	require.NoError(t, err)
	return &followed{SyncedEnforcer: enforcer, watcher: watcher, ask: asking(m)}
}

// asking returns how a model is asked.
func asking(m model.Model) func(user access.UserID, account access.AccountID, key string) []any {
	if len(m["r"]["r"].Tokens) == 3 {
		return func(user access.UserID, account access.AccountID, key string) []any {
			return []any{string(user), string(account), key}
		}
	}
	return func(user access.UserID, account access.AccountID, key string) []any {
		return []any{string(user), string(account), "account", key}
	}
}

func (f *followed) poll(t testing.TB) {
	t.Helper()
	require.NoError(t, f.watcher.Poll(context.Background()))
}

// can asks about a permission key, and expects no error.
func (f *followed) can(t testing.TB, user access.UserID, account access.AccountID, key string) bool {
	t.Helper()
	yes, err := f.Enforce(f.ask(user, account, key)...)
	require.NoError(t, err)
	return yes
}

// engines are backends of two sorts.
func engines() map[string]func(t *testing.T) storage.DB {
	return map[string]func(t *testing.T) storage.DB{
		"memory": func(*testing.T) storage.DB { return memory.New() },
		"sqlite": func(t *testing.T) storage.DB {
			handle, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "test.db")+
				"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_pragma=synchronous(OFF)")
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, handle.Close()) })
			db := sqlstore.New(handle, sqlstore.SQLite, sqlstore.Config{})
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			require.NoError(t, db.Migrate(t.Context()))
			return db
		},
	}
}

// models are those that hold memberships.
func models() map[string]func() model.Model {
	return map[string]func() model.Model{"sets": casbinadapter.Model, "domains": casbinadapter.DomainsModel}
}

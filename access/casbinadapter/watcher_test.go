package casbinadapter_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/access/casbinadapter"
	"github.com/rosterkit/roster/storage"
	"github.com/stretchr/testify/require"
)

// TestEveryChangeIsFollowed does one thing after another to bob, and looks after each poll what he may do.
func TestEveryChangeIsFollowed(t *testing.T) {
	for engine, open := range engines() {
		for name, m := range models() {
			t.Run(engine+"/"+name, func(t *testing.T) { everyChangeIsFollowed(t, worldOn(t, open(t)), m()) })
		}
	}
}

func everyChangeIsFollowed(t *testing.T, w *accesstest.World, m model.Model) {
	e := follow(t, w, m, casbinadapter.WatcherConfig{})
	require.True(t, e.can(t, "bob", "acme", "invoices"))
	for _, step := range []struct {
		name             string
		change           func(ctx context.Context, m *access.Service) error
		invoices, orders bool
	}{
		{"more permissions", func(ctx context.Context, m *access.Service) error {
			return second(m.SetPermissions(ctx, system, "acme", "bob", access.PayInvoices|access.PlaceOrders))
		}, true, true},
		{"the account is suspended", func(ctx context.Context, m *access.Service) error {
			return second(m.SuspendAccount(ctx, staff, "acme"))
		}, true, false},
		{"the account is active again", func(ctx context.Context, m *access.Service) error {
			return second(m.ReactivateAccount(ctx, staff, "acme"))
		}, true, true},
		{"fewer permissions", func(ctx context.Context, m *access.Service) error {
			return second(m.SetPermissions(ctx, system, "acme", "bob", access.PlaceOrders))
		}, false, true},
		{"suspended", func(ctx context.Context, m *access.Service) error {
			return second(m.Suspend(ctx, system, "acme", "bob"))
		}, false, false},
		{"reinstated", func(ctx context.Context, m *access.Service) error {
			return second(m.Reinstate(ctx, system, "acme", "bob"))
		}, false, true},
		{"over in an hour", func(ctx context.Context, m *access.Service) error {
			return second(m.SetExpiry(ctx, system, "acme", "bob", w.Clock.Now().Add(time.Hour)))
		}, false, true},
		{"an hour later", func(ctx context.Context, m *access.Service) error { w.Clock.Advance(time.Hour); return nil }, false, false},
		{"without an end again", func(ctx context.Context, m *access.Service) error {
			return second(m.SetExpiry(ctx, system, "acme", "bob", time.Time{}))
		}, false, true},
		{"the owner", func(ctx context.Context, m *access.Service) error {
			return second(m.TransferByStaff(ctx, staff, "acme", "bob", access.ViewProducts))
		}, true, true},
		{"no longer the owner", func(ctx context.Context, m *access.Service) error {
			return second(m.TransferByStaff(ctx, staff, "acme", "ann", access.PayInvoices))
		}, true, false},
		{"removed", func(ctx context.Context, m *access.Service) error {
			return second(m.Remove(ctx, system, "acme", "bob"))
		}, false, false},
		{"added", func(ctx context.Context, m *access.Service) error {
			return second(m.AddMember(ctx, system, "acme", "bob", access.Terms{Permissions: access.All}))
		}, true, true},
		{"left", func(ctx context.Context, m *access.Service) error {
			return second(m.Leave(ctx, access.As("bob"), "acme"))
		}, false, false},
		{"added, to start tomorrow", func(ctx context.Context, m *access.Service) error {
			return second(m.AddMember(ctx, system, "acme", "bob", access.Terms{Permissions: access.All, Starts: w.Clock.Now().Add(24 * time.Hour)}))
		}, false, false},
		{"tomorrow", func(ctx context.Context, m *access.Service) error { w.Clock.Advance(24 * time.Hour); return nil }, true, true},
		{"the account is closed", func(ctx context.Context, m *access.Service) error { return second(m.CloseAccount(ctx, staff, "acme")) }, false, false},
	} {
		alter(t, w, step.change)
		e.poll(t)
		require.Equal(t, step.invoices, e.can(t, "bob", "acme", "invoices"), step.name)
		require.Equal(t, step.orders, e.can(t, "bob", "acme", "orders"), step.name)
	}
	require.False(t, e.can(t, "ann", "acme", "invoices"))
	content := contentOf(t, e.SyncedEnforcer)
	require.Empty(t, content["g"], "nothing is left of a closed account")
	require.Empty(t, content["g2"])
}

// TestPeriodsAreExact looks one microsecond beside both bounds, without a poll between.
func TestPeriodsAreExact(t *testing.T) {
	w := world(t)
	starts := w.Clock.Now().Add(time.Hour + 123456*time.Microsecond)
	add(t, w, "acme", "cem", access.Terms{Permissions: access.PayInvoices, Starts: starts, Expires: starts.Add(time.Hour)})
	e := follow(t, w, casbinadapter.Model(), casbinadapter.WatcherConfig{})
	for _, step := range []struct {
		to   time.Time
		want bool
	}{
		{starts.Add(-time.Microsecond), false},
		{starts, true},
		{starts.Add(time.Hour - time.Microsecond), true},
		{starts.Add(time.Hour), false},
	} {
		w.Clock.Advance(step.to.Sub(w.Clock.Now()))
		require.Equal(t, step.want, e.can(t, "cem", "acme", "invoices"), "%s", step.to)
		require.True(t, e.can(t, "bob", "acme", "invoices"))
	}
}

// TestNothingIsLeftOfAnAnswer asks before an account is closed, which leaves nobody in it, and after.
func TestNothingIsLeftOfAnAnswer(t *testing.T) {
	w := world(t)
	e := follow(t, w, casbinadapter.Model(), casbinadapter.WatcherConfig{})
	require.True(t, e.can(t, "ann", "acme", "invoices"))
	require.True(t, e.can(t, "bob", "acme", "invoices"))
	alter(t, w, func(ctx context.Context, m *access.Service) error { return second(m.CloseAccount(ctx, staff, "acme")) })
	e.poll(t)
	require.False(t, e.can(t, "ann", "acme", "invoices"))
	require.False(t, e.can(t, "bob", "acme", "invoices"))
}

// TestTheOwnersPeriodDoesNotCount puts a membership there that no verb makes.
func TestTheOwnersPeriodDoesNotCount(t *testing.T) {
	w := world(t)
	require.NoError(t, w.DB.Update(context.Background(), func(ctx context.Context, tx storage.Tx) error {
		if _, err := tx.Lock(ctx, "acme"); err != nil {
			return err
		}
		return tx.PutMembership(ctx, access.Membership{Account: "acme", User: "ann", Status: access.Suspended, Expires: w.Clock.Now()})
	}))
	yes, err := w.Members.Can(context.Background(), "ann", "acme", access.PayInvoices)
	require.NoError(t, err)
	require.True(t, yes)
	require.True(t, follow(t, w, casbinadapter.Model(), casbinadapter.WatcherConfig{}).can(t, "ann", "acme", "invoices"))
}

func TestOnlyWhatChangedIsReplaced(t *testing.T) {
	w := world(t)
	create(t, w, "globex", "gil")
	e := follow(t, w, casbinadapter.Model(), casbinadapter.WatcherConfig{})
	var told []string
	require.NoError(t, e.watcher.SetUpdateCallback(func(account string) { told = append(told, account) }))

	e.poll(t)
	require.Empty(t, told)
	add(t, w, "globex", "bob", access.Terms{Permissions: access.PayInvoices})
	add(t, w, "globex", "cem", access.Terms{Permissions: access.PayInvoices})
	e.poll(t)
	require.Equal(t, []string{"globex"}, told)
	create(t, w, "new", "nan")
	e.poll(t)
	require.Equal(t, []string{"globex", "new"}, told)
	e.ClearPolicy()
	e.poll(t)
	require.Equal(t, []string{"globex", "new", ""}, told)
	e.watcher.Close()
	add(t, w, "globex", "dan", access.Terms{Permissions: access.PayInvoices})
	require.ErrorIs(t, e.watcher.Poll(t.Context()), context.Canceled)
	require.Len(t, told, 3)
}

func TestAWatcherWithAFilterFollowsNothingElse(t *testing.T) {
	w := world(t)
	create(t, w, "globex", "gil")
	e := follow(t, w, casbinadapter.Model(), casbinadapter.WatcherConfig{Filter: &casbinadapter.Filter{Accounts: []access.AccountID{"acme", "later", "acme"}}})
	require.True(t, e.IsFiltered())
	require.True(t, e.can(t, "ann", "acme", "invoices"))
	require.False(t, e.can(t, "gil", "globex", "invoices"))
	add(t, w, "globex", "bob", access.Terms{Permissions: access.All})
	create(t, w, "later", "lea")
	e.poll(t)
	require.False(t, e.can(t, "bob", "globex", "invoices"))
	require.True(t, e.can(t, "lea", "later", "invoices"))
}

// TestStalePoliciesDeny lets the lease pass without a poll.
func TestStalePoliciesDeny(t *testing.T) {
	w := world(t)
	require.NoError(t, w.Members.SetLease(context.Background(), 5*time.Second))
	e := followOn(t, newAdapter(w), casbinadapter.Model(), casbinadapter.WatcherConfig{})
	yes, err := e.Enforce("bob", "acme", "invoices")
	require.NoError(t, err)
	require.False(t, yes, "before the first poll")

	e.poll(t)
	w.Clock.Advance(5*time.Second - time.Nanosecond)
	require.True(t, e.can(t, "bob", "acme", "invoices"))
	w.Clock.Advance(time.Nanosecond)
	requireStale(t, e)
	e.poll(t)
	require.True(t, e.can(t, "bob", "acme", "invoices"))
	w.Clock.Advance(-time.Nanosecond)
	requireStale(t, e) // a clock that was put back has nothing to say
}

// TestTheLeaseCountsFromTheBeginningOfAPoll lets reading take longer than the lease.
func TestTheLeaseCountsFromTheBeginningOfAPoll(t *testing.T) {
	w := world(t)
	store := &switched{DB: w.DB}
	e := followOn(t, casbinadapter.New(store, casbinadapter.Config{Now: w.Clock.Now}), casbinadapter.Model(), casbinadapter.WatcherConfig{})
	store.fail = func(method string) error {
		if method == "View" {
			w.Clock.Advance(time.Second)
		}
		return nil
	}
	e.poll(t)
	requireStale(t, e)
	store.fail = nil
	e.poll(t)
	require.True(t, e.can(t, "bob", "acme", "invoices"))
}

func requireStale(t *testing.T, e *followed) {
	t.Helper()
	yes, err := e.Enforce("bob", "acme", "invoices")
	require.ErrorIs(t, err, access.ErrStale)
	require.False(t, yes)
}

// TestWithoutPoliciesNobodyIsAllowed asks Casbin what it would allow when there is no policy: the empty name has the
// empty role.
func TestWithoutPoliciesNobodyIsAllowed(t *testing.T) {
	for name, m := range models() {
		t.Run(name, func(t *testing.T) {
			w := accesstest.New(t)
			e := follow(t, w, m(), casbinadapter.WatcherConfig{})
			unloaded := attached(t, newAdapter(w), m())
			for _, user := range []access.UserID{"", "invoices", "set\t128"} {
				for _, key := range []string{"", "invoices"} {
					yes, _ := e.Enforce(e.ask(user, "acme", key)...)
					require.False(t, yes, "%q, %q", user, key)
					yes, _ = e.Enforce(e.ask(user, "", key)...)
					require.False(t, yes, "%q, %q", user, key)
					for _, account := range []access.AccountID{"acme", ""} {
						yes, _ = unloaded.Enforce(e.ask(user, account, key)...)
						require.False(t, yes, "%q, %q", user, key)
					}
				}
			}
		})
	}
}

// TestIdsMustBeTexts passes an id as it is, which Casbin can't compare.
func TestIdsMustBeTexts(t *testing.T) {
	e := follow(t, world(t), casbinadapter.Model(), casbinadapter.WatcherConfig{})
	yes, err := e.Enforce(access.UserID("bob"), access.AccountID("acme"), "invoices")
	require.Error(t, err)
	require.False(t, yes)
}

// TestAFailedPollChangesNothing lets each method fail once while a revocation waits to be followed.
func TestAFailedPollChangesNothing(t *testing.T) {
	for _, method := range []string{"Poll", "View", "Feed", "Changes", "Account", "Members"} {
		t.Run(method, func(t *testing.T) {
			w := world(t)
			store := &switched{DB: w.DB}
			a := casbinadapter.New(store, casbinadapter.Config{Now: w.Clock.Now})
			e := followOn(t, a, casbinadapter.Model(), casbinadapter.WatcherConfig{})
			e.poll(t)
			before := contentOf(t, e.SyncedEnforcer)
			remove(t, w)

			fail := true // once: a failure is no reason to load everything
			store.fail = func(m string) error {
				if m == method && fail {
					fail = false
					return errBroken
				}
				return nil
			}
			require.ErrorIs(t, e.watcher.Poll(context.Background()), errBroken)
			require.Equal(t, before, contentOf(t, e.SyncedEnforcer))
			require.True(t, e.can(t, "bob", "acme", "invoices"), "not followed yet, and within the lease")
			w.Clock.Advance(time.Second)
			requireStale(t, e)

			e.poll(t)
			require.False(t, e.can(t, "bob", "acme", "invoices"))
			require.True(t, e.can(t, "ann", "acme", "invoices"))
		})
	}
}

// TestWhatSomebodyElseChangedIsNotTrusted changes the enforcer's memory behind the watcher's back, and lets loading fail
// when the watcher finds out.
func TestWhatSomebodyElseChangedIsNotTrusted(t *testing.T) {
	w := world(t)
	store := &switched{DB: w.DB}
	e := followOn(t, casbinadapter.New(store, casbinadapter.Config{Now: w.Clock.Now}), casbinadapter.Model(), casbinadapter.WatcherConfig{})
	e.poll(t)
	e.EnableAutoSave(false)
	e.EnableAutoNotifyWatcher(false)
	require.NoError(t, second(e.AddGroupingPolicy("cem", "set\t128", "acme")))
	require.True(t, e.can(t, "cem", "acme", "invoices"), "until the next poll")

	views := 0
	store.fail = func(method string) error {
		if method == "View" {
			views++
		}
		if views > 0 {
			return errBroken
		}
		return nil
	}
	require.ErrorIs(t, e.watcher.Poll(context.Background()), errBroken)
	requireStale(t, e)
	store.fail = nil
	e.poll(t)
	require.True(t, e.can(t, "bob", "acme", "invoices"))
	require.False(t, e.can(t, "cem", "acme", "invoices"))
}

func TestAnEndedContextIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w := world(t)
	e := follow(t, w, casbinadapter.Model(), casbinadapter.WatcherConfig{})
	require.ErrorIs(t, e.watcher.Poll(ctx), context.Canceled)
	a := newAdapter(w)
	require.ErrorIs(t, a.LoadPolicyCtx(ctx, casbinadapter.Model()), context.Canceled)
	require.ErrorIs(t, a.LoadFilteredPolicyCtx(ctx, casbinadapter.Model(), casbinadapter.Filter{Accounts: []access.AccountID{"acme"}}), context.Canceled)
}

// TestARestoredBackupIsLoadedAgain exchanges the database for one in which the same shard of the feed has as many events,
// fewer or more, the last ones about another account.
func TestARestoredBackupIsLoadedAgain(t *testing.T) {
	sibling := access.AccountID("acme")
	for i := 0; sibling == "acme" || sibling.Shard() != access.AccountID("acme").Shard(); i++ {
		sibling = access.AccountID(fmt.Sprint("sibling ", i))
	}
	for name, events := range map[string]int{"fewer": 1, "as many": 2, "more": 3} {
		t.Run(name, func(t *testing.T) {
			w := world(t)
			create(t, w, sibling, "sid")
			add(t, w, "acme", "cem", access.Terms{Permissions: access.PayInvoices})
			add(t, w, "acme", "dan", access.Terms{Permissions: access.PayInvoices})
			store := &switched{DB: w.DB}
			e := followOn(t, casbinadapter.New(store, casbinadapter.Config{Now: w.Clock.Now}), casbinadapter.Model(), casbinadapter.WatcherConfig{})
			e.poll(t)
			require.True(t, e.can(t, "cem", "acme", "invoices"))
			for range 2 {
				require.NoError(t, second(drawTicket(w)))
			}
			e.poll(t)

			restored := world(t)
			create(t, restored, sibling, "sid")
			for i := range events {
				add(t, restored, sibling, access.UserID(fmt.Sprint("user ", i)), access.Terms{Permissions: access.PayInvoices})
			}
			store.DB = restored.DB
			e.poll(t)
			require.False(t, e.can(t, "cem", "acme", "invoices"))
			require.False(t, e.can(t, "dan", "acme", "invoices"))
			require.True(t, e.can(t, "bob", "acme", "invoices"))
			require.True(t, e.can(t, "user 0", sibling, "invoices"))

			ticket, err := drawTicket(restored)
			require.NoError(t, err)
			e.poll(t)
			require.Equal(t, ticket, followers(t, restored)[0].Acknowledged)
		})
	}
}

// TestAPrunedFeedIsAnError takes the beginning of the feed away, without which the accounts can't be found.
func TestAPrunedFeedIsAnError(t *testing.T) {
	w := world(t)
	a := casbinadapter.New(&pruned{w.DB}, casbinadapter.Config{Now: w.Clock.Now})
	require.ErrorContains(t, a.LoadPolicy(casbinadapter.Model()), "feed")
	m := casbinadapter.Model()
	require.NoError(t, a.LoadFilteredPolicy(m, casbinadapter.Filter{Accounts: []access.AccountID{"acme"}}))
	require.NotEmpty(t, m["g"]["g"].Policy)
}

// TestALongFeedIsReadInPages follows more events and more members than fit into a page.
func TestALongFeedIsReadInPages(t *testing.T) {
	w := world(t)
	e := follow(t, w, casbinadapter.Model(), casbinadapter.WatcherConfig{})
	users := make([]access.UserID, access.MaxPage+10)
	for i := range users {
		users[i] = access.UserID("user " + string(rune('a'+i%26)) + time.Duration(i).String())
		add(t, w, "acme", users[i], access.Terms{Permissions: access.PayInvoices})
	}
	e.poll(t)
	for _, user := range users {
		require.True(t, e.can(t, user, "acme", "invoices"), user)
	}
	e.ClearPolicy()
	e.poll(t)
	require.True(t, e.can(t, users[len(users)-1], "acme", "invoices"))
}

// TestNobodySeesHalfAnAccount asks for both owners at once while ownership goes back and forth: exactly one of them may
// do everything, always.
func TestNobodySeesHalfAnAccount(t *testing.T) {
	w := world(t)
	e := follow(t, w, casbinadapter.Model(), casbinadapter.WatcherConfig{})
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				answers, err := e.BatchEnforce([][]any{{"ann", "acme", "all"}, {"bob", "acme", "all"}})
				if err != nil || answers[0] == answers[1] {
					t.Errorf("ann and bob: %v %v", answers, err)
					return
				}
			}
		})
	}
	for i := range 100 {
		to := access.UserID("bob")
		if i%2 == 1 {
			to = "ann"
		}
		alter(t, w, func(ctx context.Context, m *access.Service) error {
			return second(m.TransferByStaff(ctx, staff, "acme", to, access.PayInvoices))
		})
		e.poll(t)
	}
	close(done)
	readers.Wait()
}

// TestAPollWaitsForWhoIsAsking holds the enforcer's lock as a question does, and lets the poll run as far as it can.
func TestAPollWaitsForWhoIsAsking(t *testing.T) {
	w := world(t)
	e := follow(t, w, casbinadapter.Model(), casbinadapter.WatcherConfig{})
	remove(t, w)
	e.GetLock().RLock()
	ended := make(chan error, 1)
	go func() { ended <- e.watcher.Poll(context.Background()) }()
	for range 1000 {
		runtime.Gosched()
	}
	yes, err := e.Enforcer.Enforce("bob", "acme", "invoices")
	e.GetLock().RUnlock()
	require.NoError(t, err)
	require.True(t, yes)
	require.NoError(t, <-ended)
	require.False(t, e.can(t, "bob", "acme", "invoices"))
}

// TestRunPollsUntilItsContextEnds steps through callbacks: nothing here waits for a time.
func TestRunPollsUntilItsContextEnds(t *testing.T) {
	w := world(t)
	store := &switched{DB: w.DB}
	failures := make(chan error)
	var broken sync.Map
	store.fail = func(method string) error {
		if err, ok := broken.Load(method); ok {
			return err.(error)
		}
		return nil
	}
	e := followOn(t, casbinadapter.New(store, casbinadapter.Config{Now: w.Clock.Now}), casbinadapter.Model(),
		casbinadapter.WatcherConfig{Poll: time.Millisecond, Failed: func(err error) { failures <- err }})
	told := make(chan string)
	require.NoError(t, e.watcher.SetUpdateCallback(func(account string) { told <- account }))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- e.watcher.Run(ctx) }()

	require.Equal(t, "", <-told)
	remove(t, w)
	require.Equal(t, "acme", <-told)
	require.False(t, e.can(t, "bob", "acme", "invoices"))
	broken.Store("Poll", errBroken)
	require.ErrorIs(t, <-failures, errBroken)
	broken.Delete("Poll")
	go func() { // failures that were under way
		for range failures {
		}
	}()
	add(t, w, "acme", "bob", access.Terms{Permissions: access.PayInvoices})
	require.Equal(t, "acme", <-told)
	cancel()
	require.NoError(t, <-ended)
	close(failures)
}

func TestCloseEndsRun(t *testing.T) {
	e := followOn(t, newAdapter(world(t)), casbinadapter.Model(), casbinadapter.WatcherConfig{})
	ended := make(chan error)
	go func() { ended <- e.watcher.Run(context.Background()) }()
	e.watcher.Close()
	e.watcher.Close()
	require.NoError(t, <-ended)
}

// TestCloseEndsAPoll: also one of a connection that is dead. Nothing is loaded afterwards.
func TestCloseEndsAPoll(t *testing.T) {
	w := world(t)
	store := &silent{DB: w.DB, entered: make(chan struct{})}
	e := followOn(t, casbinadapter.New(store, casbinadapter.Config{Now: w.Clock.Now}), casbinadapter.Model(), casbinadapter.WatcherConfig{})
	ended := make(chan error)
	go func() { ended <- e.watcher.Poll(context.Background()) }()
	<-store.entered
	e.watcher.Close()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.ErrorIs(t, e.watcher.Poll(context.Background()), context.Canceled)
	yes, _ := e.Enforce("bob", "acme", "invoices")
	require.False(t, yes)
}

// A silent store doesn't answer.
type silent struct {
	storage.DB
	entered chan struct{}
}

func (s *silent) Poll(ctx context.Context, _ access.FollowerID) (access.Position, error) {
	close(s.entered)
	<-ctx.Done()
	return access.Position{}, ctx.Err()
}

// TestEffectsThatAllowWithoutAPolicy are refused: our policies say nothing but allow.
func TestEffectsThatAllowWithoutAPolicy(t *testing.T) {
	text := strings.Replace(modelText(t), "some(where (p.eft == allow))", "!some(where (p.eft == deny))", 1)
	m, err := model.NewModelFromString(text)
	require.NoError(t, err)
	enforcer, err := casbin.NewSyncedEnforcer(m)
	require.NoError(t, err)
	_, err = casbinadapter.NewWatcher(newAdapter(world(t)), enforcer, casbinadapter.WatcherConfig{})
	require.ErrorContains(t, err, "the model's effect allows what no policy allows")
}

func modelText(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("model.conf")
	require.NoError(t, err)
	require.Contains(t, string(content), "some(where (p.eft == allow))")
	return string(content)
}

func TestNewWatcherChecksWhatItIsGiven(t *testing.T) {
	w := world(t)
	enforcer, err := casbin.NewSyncedEnforcer(casbinadapter.Model())
	require.NoError(t, err)
	for _, config := range []casbinadapter.WatcherConfig{
		{Poll: -1},
	} {
		_, err := casbinadapter.NewWatcher(newAdapter(w), enforcer, config)
		require.Error(t, err)
	}
	require.Panics(t, func() { _, _ = casbinadapter.NewWatcher(nil, enforcer, casbinadapter.WatcherConfig{}) })
	require.Panics(t, func() { _, _ = casbinadapter.NewWatcher(newAdapter(w), nil, casbinadapter.WatcherConfig{}) })
	a := newAdapter(w)
	_, err = casbinadapter.NewWatcher(a, enforcer, casbinadapter.WatcherConfig{})
	require.NoError(t, err)
	require.Panics(t, func() { _, _ = casbinadapter.NewWatcher(a, enforcer, casbinadapter.WatcherConfig{}) })
	require.Panics(t, func() { casbinadapter.New[storage.Tx](nil, casbinadapter.Config{}) })
}

package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/storagetest"
)

// A host is an application with orders of its own beside roster's tables.
type host struct {
	engine  engine
	handle  *sql.DB
	db      *sqlstore.DB
	members *access.Service
}

// onEveryHost runs a test on a fresh host of every engine, which has the accounts acme and globex. When it ends, no
// connection may be in use or inside a transaction.
func onEveryHost(t *testing.T, test func(*testing.T, host)) {
	t.Helper()
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		h := newHost(t, engine)
		for _, id := range []access.AccountID{"acme", "globex"} {
			account := access.NewAccount{ID: id, Owner: "olga", Profile: access.Profile{Name: string(id)}}
			_, err := h.members.CreateAccount(t.Context(), access.As("olga"), account)
			require.NoError(t, err)
		}
		test(t, h)
		requireIdle(t, h.handle, engine)
	})
}

// newHost returns a host without accounts.
func newHost(t *testing.T, engine engine) host {
	t.Helper()
	handle, db := engine.migrated(t)
	execute(t, handle, createOrders)
	return host{engine, handle, db, access.New(db, access.Config{})}
}

const createOrders = `CREATE TABLE orders (buyer VARCHAR(100) NOT NULL)`

// begin begins a transaction of the host, which has placed an order in it: on SQLite the first write is what waits for
// other writers.
func (h host) begin(ctx context.Context, buyer access.UserID) (*sql.Tx, error) {
	tx, err := h.handle.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, h.engine.placed(`INSERT INTO orders (buyer) VALUES (?)`), string(buyer)); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return tx, nil
}

// order is begin for the goroutine of the test.
func (h host) order(t *testing.T, buyer access.UserID) *sql.Tx {
	t.Helper()
	tx, err := h.begin(context.WithoutCancel(t.Context()), buyer)
	require.NoError(t, err)
	return tx
}

// adding is a unit of work that makes a user a member.
func (h host) adding(account access.AccountID, user access.UserID) func(context.Context, storage.Tx) error {
	return func(ctx context.Context, unit storage.Tx) error {
		terms := access.Terms{Permissions: access.PayInvoices}
		_, err := h.members.Within(unit).AddMember(ctx, access.AsSystem("orders"), account, user, terms)
		return err
	}
}

// buy places an order and makes the buyer a member of the account.
func (h host) buy(ctx context.Context, buyer access.UserID, account access.AccountID) error {
	tx, err := h.begin(ctx, buyer)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := h.db.Join(ctx, tx, h.adding(account, buyer)); err != nil {
		return err
	}
	return tx.Commit()
}

// requireThere ends the test unless these have ordered, and these are members of acme.
func (h host) requireThere(t *testing.T, buyers, members []string) {
	t.Helper()
	require.Equal(t, buyers, column(t, h.handle, `SELECT buyer FROM orders ORDER BY buyer`))
	require.Equal(t, members, column(t, h.handle, `SELECT user_id FROM roster_memberships
		WHERE account_id = 'acme' AND user_id <> 'olga' ORDER BY user_id`))
}

// requireHistory ends the test unless the history of an account has this many events, and fits.
func (h host) requireHistory(t *testing.T, account access.AccountID, events uint64) {
	t.Helper()
	v, err := h.members.VerifyHistory(t.Context(), access.As("olga"), account, access.Head{})
	require.NoError(t, err)
	require.Equal(t, access.Verification{Events: events}, v)
}

var ann = []string{"ann"}

func TestJoinCommitted(t *testing.T) {
	onEveryHost(t, func(t *testing.T, h host) {
		tx := h.order(t, "ann")
		require.NoError(t, h.db.Join(t.Context(), tx, h.adding("acme", "ann")))
		require.NoError(t, h.db.Join(t.Context(), tx, h.adding("acme", "bob")), "once more")
		require.NoError(t, tx.Commit())
		h.requireThere(t, ann, []string{"ann", "bob"})
		h.requireHistory(t, "acme", 3)
		require.NoError(t, h.db.View(t.Context(), func(ctx context.Context, unit storage.Tx) error {
			shard := access.AccountID("acme").Shard()
			heads, err := unit.Feed(ctx)
			require.NoError(t, err)
			changes, err := unit.Changes(ctx, shard, heads[shard].Number-1, 10)
			require.NoError(t, err)
			require.Len(t, changes, 1)
			require.Equal(t, "bob", changes[0].TargetID)
			require.Equal(t, changes[0].ID, heads[shard].Tail)
			return nil
		}))
	})
}

func TestJoinRolledBack(t *testing.T) {
	onEveryHost(t, func(t *testing.T, h host) {
		tx := h.order(t, "ann")
		require.NoError(t, h.db.Join(t.Context(), tx, h.adding("acme", "ann")))
		require.NoError(t, tx.Rollback())
		h.requireThere(t, nil, nil)
		require.NoError(t, h.buy(t.Context(), "ann", "acme"), "something is still locked")
		h.requireHistory(t, "acme", 2)
	})
}

// TestJoinUndone has a unit end in other ways than by success. What it did is undone, and the host, which goes on and
// commits, keeps its own work.
func TestJoinUndone(t *testing.T) {
	refused := errors.New("refused")
	for _, tt := range []struct {
		name string
		end  func(cancel func()) error
		want error // what Join returns; nil if it doesn't
	}{
		{"an error", func(func()) error { return refused }, refused},
		{"a panic", func(func()) error { panic(refused) }, nil},
		{"the end of the goroutine", func(func()) error { runtime.Goexit(); return nil }, nil},
		{"the end of the context", func(cancel func()) error { cancel(); return nil }, context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onEveryHost(t, func(t *testing.T, h host) {
				tx := h.order(t, "ann")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				err := apart(func() error {
					return h.db.Join(ctx, tx, func(ctx context.Context, unit storage.Tx) error {
						if err := h.adding("acme", "ann")(ctx, unit); err != nil {
							return err
						}
						return tt.end(cancel)
					})
				})
				require.ErrorIs(t, err, tt.want)
				require.NoError(t, h.db.Join(t.Context(), tx, h.adding("acme", "bob")), "the transaction can't be used any more")
				require.NoError(t, tx.Commit())
				h.requireThere(t, ann, []string{"bob"})
				h.requireHistory(t, "acme", 2)
			})
		})
	}
}

// apart runs a function in a goroutine of its own. If it panics or ends that, the error is nil.
func apart(fn func() error) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		err = fn()
	}()
	<-done
	return err
}

// TestJoinUnknownAccount is refused, which leaves the transaction, and the unit if it goes on, as they were.
func TestJoinUnknownAccount(t *testing.T) {
	onEveryHost(t, func(t *testing.T, h host) {
		tx := h.order(t, "ann")
		require.ErrorIs(t, h.db.Join(t.Context(), tx, h.adding("nobody's", "ann")), access.ErrNotFound)
		require.NoError(t, h.db.Join(t.Context(), tx, func(ctx context.Context, unit storage.Tx) error {
			require.ErrorIs(t, h.adding("nobody's", "ann")(ctx, unit), access.ErrNotFound)
			return h.adding("acme", "ann")(ctx, unit)
		}))
		require.NoError(t, tx.Commit())
		h.requireThere(t, ann, ann)
	})
}

// TestJoinSwallowed has a unit hide a write that failed. It isn't there for all that.
func TestJoinSwallowed(t *testing.T) {
	onEveryHost(t, func(t *testing.T, h host) {
		tx := h.order(t, "ann")
		err := h.db.Join(t.Context(), tx, func(ctx context.Context, unit storage.Tx) error {
			require.NoError(t, h.adding("acme", "ann")(ctx, unit))
			require.Error(t, unit.PutPreference(ctx, "acme", "", 1)) // a constraint of the table
			return nil
		})
		require.ErrorContains(t, err, "of the database")
		require.NoError(t, tx.Commit())
		h.requireThere(t, ann, nil)
		h.requireHistory(t, "acme", 1)
	})
}

// TestJoinNested begins units inside a joined one, which would wait for themselves.
func TestJoinNested(t *testing.T) {
	onEveryHost(t, func(t *testing.T, h host) {
		tx := h.order(t, "ann")
		var kept storage.Tx
		require.NoError(t, h.db.Join(t.Context(), tx, func(ctx context.Context, unit storage.Tx) error {
			kept = unit
			require.ErrorIs(t, h.db.Update(ctx, nothing), access.ErrNested)
			require.ErrorIs(t, h.db.View(ctx, nothing), access.ErrNested)
			require.ErrorIs(t, h.db.Join(ctx, tx, nothing), access.ErrNested)
			_, err := h.members.Can(ctx, "ann", "acme", access.PayInvoices)
			require.ErrorIs(t, err, access.ErrNested)
			return h.adding("acme", "ann")(ctx, unit)
		}))
		require.EqualError(t, kept.PutUsers(t.Context(), access.User{ID: "ann"}), "sqlstore: the unit of work has ended")
		require.NoError(t, tx.Commit())
		h.requireThere(t, ann, ann)
	})
}

// TestJoinsTogether has many transactions join for one account at once: they wait for each other, and for units of the
// database's own.
func TestJoinsTogether(t *testing.T) {
	const each = 8
	onEveryHost(t, func(t *testing.T, h host) {
		errs := make([]error, 2*each)
		var group sync.WaitGroup
		for i := range each {
			group.Go(func() { errs[i] = h.buy(t.Context(), access.UserID(fmt.Sprint("buyer", i)), "acme") })
			group.Go(func() {
				errs[each+i] = h.db.Update(t.Context(), h.adding("acme", access.UserID(fmt.Sprint("friend", i))))
			})
		}
		group.Wait()
		require.NoError(t, errors.Join(errs...))
		require.Equal(t, fmt.Sprint(each), value(t, h.handle, `SELECT COUNT(*) FROM orders`))
		h.requireHistory(t, "acme", 2*each+1)
		require.EqualValues(t, 2*each+1, version(t, h.db))
	})
}

// TestJoinAfterASnapshot joins a transaction that has read before somebody else committed. It must see what is there now,
// at every level of isolation, or fail: by what it saw before it would admit a member again, and extend a history that
// has grown.
func TestJoinAfterASnapshot(t *testing.T) {
	for _, level := range []sql.IsolationLevel{sql.LevelDefault, sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSerializable} {
		t.Run(level.String(), func(t *testing.T) {
			onEveryHost(t, func(t *testing.T, h host) {
				join := func(meanwhile access.UserID, user access.UserID) error {
					tx, err := h.handle.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
					require.NoError(t, err)
					defer tx.Rollback()
					var orders int
					require.NoError(t, tx.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM orders`).Scan(&orders)) // takes the snapshot
					require.NoError(t, h.db.Update(t.Context(), h.adding("acme", meanwhile)))
					if err := h.db.Join(t.Context(), tx, h.adding("acme", user)); err != nil {
						return err
					}
					return tx.Commit()
				}
				err := join("bob", "bob")
				require.Error(t, err, "a member was added again")
				t.Log("to add who is there now:", err)
				members := []string{"bob", "carl"}
				err = join("carl", "dora")
				t.Log("to add somebody else:", err)
				if err == nil {
					members = append(members, "dora")
				}
				h.requireThere(t, nil, members)
				h.requireHistory(t, "acme", uint64(len(members))+1)
			})
		})
	}
}

// TestJoinEveryStatementFails lets each statement of a joined unit that does everything fail in turn.
func TestJoinEveryStatementFails(t *testing.T) {
	joinWithTrouble(t, func(t *testing.T, p *probe, n int, join func(context.Context) error) error {
		p.set(nth(n, func() error { return errInjected }), nil)
		err := join(t.Context())
		if err != nil {
			require.ErrorIs(t, err, errInjected, "statement %d", n)
			require.NotContains(t, err.Error(), "ann", "a driver's text came through")
		}
		return err
	})
}

// TestJoinCancelledAtEveryStatement ends the context at each statement in turn.
func TestJoinCancelledAtEveryStatement(t *testing.T) {
	joinWithTrouble(t, func(t *testing.T, p *probe, n int, join func(context.Context) error) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p.set(nth(n, func() error { cancel(); return nil }), nil)
		err := join(ctx)
		if err != nil {
			require.ErrorIs(t, err, context.Canceled, "statement %d", n)
		}
		return err
	})
}

// A trouble joins, and something happens at the n-th statement.
type trouble func(t *testing.T, p *probe, n int, join func(context.Context) error) error

// joinWithTrouble joins a unit that does everything again and again, with trouble at the n-th statement, until there is
// none. Until then nothing of it is there, and the host's order if the transaction could still be committed.
func joinWithTrouble(t *testing.T, trouble trouble) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		var p probe
		handle, db := engine.probed(t, &p)
		h := host{engine, handle, db, access.New(db, access.Config{})}
		insertAccount(t, db, "acme")
		execute(t, handle, createOrders)
		kept := 0
		for n := 0; ; n++ {
			tx := h.order(t, "ann")
			err := trouble(t, &p, n, func(ctx context.Context) error { return db.Join(ctx, tx, everything) })
			p.set(nil, nil)
			if tx.Commit() == nil {
				kept++
			}
			require.Equal(t, fmt.Sprint(kept), value(t, handle, `SELECT COUNT(*) FROM orders`), "statement %d", n)
			requireIdle(t, handle, engine)
			if err == nil {
				require.Greater(t, n, 30, "statements")
				require.NotZero(t, kept)
				require.Equal(t, complete(t), dump(t, db))
				return
			}
			require.EqualValues(t, 1, version(t, db), "statement %d", n)
		}
	})
}

// TestJoinDeadlock has two transactions join for two accounts in opposite orders. The one that the server ends gets the
// server's error, and succeeds when it is done again.
func TestJoinDeadlock(t *testing.T) {
	onEveryHost(t, func(t *testing.T, h host) {
		if h.engine == sqliteEngine {
			return // there is one writer
		}
		crossed := func(buyer access.UserID, first, second access.AccountID, meet func()) error {
			tx, err := h.begin(t.Context(), buyer)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if err := h.db.Join(t.Context(), tx, locking(first)); err != nil {
				return err
			}
			meet()
			if err := h.db.Join(t.Context(), tx, h.adding(second, buyer)); err != nil {
				return err
			}
			return tx.Commit()
		}
		var both sync.WaitGroup
		both.Add(2)
		meet := func() { both.Done(); both.Wait() }
		errs := make([]error, 2)
		var group sync.WaitGroup
		group.Go(func() { errs[0] = crossed("ann", "globex", "acme", meet) })
		group.Go(func() { errs[1] = crossed("bob", "acme", "globex", meet) })
		group.Wait()
		require.True(t, (errs[0] == nil) != (errs[1] == nil), "not one of them ended: %v", errs)
		require.ErrorContains(t, errors.Join(errs...), "of the database")
		if errs[0] != nil {
			require.NoError(t, crossed("ann", "globex", "acme", func() {}))
		} else {
			require.NoError(t, crossed("bob", "acme", "globex", func() {}))
		}
		h.requireThere(t, []string{"ann", "bob"}, ann)
	})
}

// locking is a unit of work that locks an account.
func locking(account access.AccountID) func(context.Context, storage.Tx) error {
	return func(ctx context.Context, unit storage.Tx) error {
		_, err := unit.Lock(ctx, account)
		return err
	}
}

// A joining is a backend whose updates are joined to transactions of a host.
type joining struct {
	*sqlstore.DB
	host host
}

// Update does the whole of a transaction again after a deadlock, as hosts do.
func (j joining) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	if err := storage.CheckOutside(ctx, j.DB); err != nil {
		return err // before waiting for a unit that waits for this one
	}
	for {
		if err := j.update(ctx, fn); !isDeadlock(err) {
			return err
		}
	}
}

func (j joining) update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	tx, err := j.host.begin(ctx, "somebody")
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var after []func()
	err = j.Join(ctx, tx, func(ctx context.Context, unit storage.Tx) error { return fn(ctx, hostsTx{unit, &after}) })
	if err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	for _, fn := range after {
		fn()
	}
	return nil
}

// A hostsTx keeps for the host what is to be run after its commit.
type hostsTx struct {
	storage.Tx
	after *[]func()
}

func (tx hostsTx) AfterCommit(fn func()) { *tx.after = append(*tx.after, fn) }

// isDeadlock reports whether a server has ended a transaction because two waited for each other.
func isDeadlock(err error) bool {
	ofPostgres, _ := errors.AsType[*pgconn.PgError](err)
	ofMySQL, _ := errors.AsType[*mysql.MySQLError](err)
	return ofPostgres != nil && ofPostgres.Code == "40P01" || ofMySQL != nil && ofMySQL.Number == 1213
}

// TestJoinContract runs the suite that every backend passes through joined transactions, in one database for all of it.
func TestJoinContract(t *testing.T) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		h := newHost(t, engine)
		storagetest.Run(t, func(t *testing.T) storage.DB {
			h.empty(t)
			return joining{h.db, h}
		})
	})
}

// empty deletes all that roster has stored.
func (h host) empty(t *testing.T) {
	t.Helper()
	for _, table := range h.engine.tables(t, h.handle) {
		switch table {
		case "orders", "roster_migrations":
		case "roster_feed":
			execute(t, h.handle, `UPDATE roster_feed SET number = 0, tail = ''`)
		case "roster_cluster":
			execute(t, h.handle, `UPDATE roster_cluster SET ticket = 0, lease_ms = 1000, wait_ms = 1000, lease_changes = 0`)
		default:
			if strings.HasPrefix(table, "roster_") {
				execute(t, h.handle, `DELETE FROM `+table)
			}
		}
	}
}

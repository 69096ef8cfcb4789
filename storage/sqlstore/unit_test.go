package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/storagetest"
)

var errInjected = errors.New("the line is dead, says ann@example.com")

// on returns a hook that fails statements beginning so.
func on(start string) func(driver.Conn, string) error {
	return func(_ driver.Conn, statement string) error {
		if strings.HasPrefix(statement, start) {
			return errInjected
		}
		return nil
	}
}

// nth returns a hook that does something at the n-th statement, from 0.
func nth(n int, do func() error) func(driver.Conn, string) error {
	return func(driver.Conn, string) error {
		n--
		if n == -1 {
			return do()
		}
		return nil
	}
}

func TestCommitFails(t *testing.T) {
	for _, engine := range engines() {
		t.Run(engine.name, func(t *testing.T) {
			var p probe
			handle, db := engine.probed(t, &p)
			insertAccount(t, db, "acme")

			p.set(on("COMMIT"), nil)
			err := lock(t.Context(), db)
			require.ErrorIs(t, err, errInjected, "a commit that failed is reported as done")
			p.set(nil, nil)
			require.EqualValues(t, 1, version(t, db))
			requireIdle(t, handle, engine)

			p.set(nil, on("COMMIT")) // it took effect, and nobody was told
			require.ErrorIs(t, lock(t.Context(), db), errInjected)
			p.set(nil, nil)
			require.EqualValues(t, 2, version(t, db))
			requireIdle(t, handle, engine)
			require.NoError(t, lock(t.Context(), db))
		})
	}
}

// TestRollbackFails shows that a connection with an open transaction is not used again.
func TestRollbackFails(t *testing.T) {
	var p probe
	handle := openProbed(t, newFile(t), &p)
	db := migrated(t, handle)
	insertAccount(t, db, "acme")

	p.set(on("ROLLBACK"), nil)
	refused := errors.New("refused")
	require.ErrorIs(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		_, err := tx.Lock(ctx, "acme")
		require.NoError(t, err)
		return refused
	}), refused)
	require.Zero(t, handle.Stats().OpenConnections)
	p.set(nil, nil)
	require.EqualValues(t, 1, version(t, db))
	require.NoError(t, lock(t.Context(), db))
}

// TestEveryStatementFails lets each statement of a unit that does everything fail in turn, before and after it took
// effect. What a failed unit left behind would fail the next one, or show in the end.
func TestEveryStatementFails(t *testing.T) {
	for _, engine := range engines() {
		for _, when := range []string{"before", "after"} {
			t.Run(engine.name+"/"+when, func(t *testing.T) { failEveryStatement(t, engine, when) })
		}
	}
}

func failEveryStatement(t *testing.T, engine engine, when string) {
	var p probe
	handle, db := engine.probed(t, &p)
	insertAccount(t, db, "acme")
	for n := 0; ; n++ {
		failed := false
		hook := nth(n, func() error { failed = true; return errInjected })
		if when == "before" {
			p.set(hook, nil)
		} else {
			p.set(nil, hook)
		}
		err := db.Update(t.Context(), everything)
		p.set(nil, nil)
		requireIdle(t, handle, engine)
		if err == nil && failed { // a server can't be reached: it was tried once more
			require.LessOrEqual(t, n, 1, "statements")
			require.Equal(t, complete(t), dump(t, db))
			handle, db = engine.probed(t, &p)
			insertAccount(t, db, "acme")
			continue
		}
		if err == nil {
			require.Greater(t, n, 30, "statements")
			require.Equal(t, complete(t), dump(t, db))
			return
		}
		require.ErrorIs(t, err, errInjected, "statement %d", n)
		require.NotContains(t, err.Error(), "ann", "a driver's text came through")
		if when == "after" && version(t, db) != 1 {
			require.Equal(t, complete(t), dump(t, db), "half of it is there")
			return // the COMMIT took effect
		}
		require.EqualValues(t, 1, version(t, db), "statement %d", n)
	}
}

// TestCancelledAtEveryStatement ends the context at each statement in turn. It leaves no transaction open, and no
// connection that can't be used.
func TestCancelledAtEveryStatement(t *testing.T) {
	for _, engine := range engines() {
		t.Run(engine.name, func(t *testing.T) { cancelAtEveryStatement(t, engine) })
	}
}

func cancelAtEveryStatement(t *testing.T, engine engine) {
	var p probe
	handle, db := engine.probed(t, &p)
	insertAccount(t, db, "acme")
	for n := 0; ; n++ {
		ctx, cancel := context.WithCancel(t.Context())
		p.set(nth(n, func() error { cancel(); return nil }), nil)
		err := db.Update(ctx, everything)
		ended := ctx.Err() != nil
		cancel()
		p.set(nil, nil)
		requireIdle(t, handle, engine)
		if err == nil {
			require.True(t, ended, "the COMMIT, which has to be seen through, wasn't")
			require.Greater(t, n, 30, "statements")
			require.Equal(t, complete(t), dump(t, db))
			break
		}
		require.ErrorIs(t, err, context.Canceled, "statement %d", n)
		require.EqualValues(t, 1, version(t, db), "statement %d", n)
	}
	require.NoError(t, lock(t.Context(), db))
}

// TestCancelledUnitKeepsItsConnection shows that a unit whose context has ended is still rolled back properly.
func TestCancelledUnitKeepsItsConnection(t *testing.T) {
	handle := openHandle(t, newFile(t))
	handle.SetMaxOpenConns(1)
	db := migrated(t, handle)
	insertAccount(t, db, "acme")
	closed := handle.Stats().MaxIdleClosed
	ctx, cancel := context.WithCancel(t.Context())
	require.ErrorIs(t, db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		_, err := tx.Lock(ctx, "acme")
		cancel()
		return err
	}), context.Canceled)
	require.Equal(t, 1, handle.Stats().OpenConnections)
	require.Equal(t, closed, handle.Stats().MaxIdleClosed)
	require.EqualValues(t, 1, version(t, db))
}

// TestReadingBeforeTheLock has a unit read before it locks, as verbs do that begin with a token. Another process can't
// come in between, which would fail the lock.
func TestReadingBeforeTheLock(t *testing.T) {
	file := newFile(t)
	db := migrated(t, openHandle(t, file))
	insertAccount(t, db, "acme")
	impatient, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(0)")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, impatient.Close()) })
	other := open(t, impatient)
	require.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		_, err := tx.Account(ctx, "acme")
		require.NoError(t, err)
		require.EqualError(t, lock(t.Context(), other), "sqlstore: begin: error 5 of the database")
		_, err = tx.Lock(ctx, "acme")
		return err
	}))
	require.NoError(t, lock(t.Context(), other))
	require.EqualValues(t, 3, version(t, db))
}

// TestNothingIsWrittenOutsideTheTransaction shows that a unit doesn't go on once the engine has ended its transaction,
// as SQLite does after some errors: what followed would be committed at once.
func TestNothingIsWrittenOutsideTheTransaction(t *testing.T) {
	var p probe
	handle := openProbed(t, newFile(t), &p)
	db := migrated(t, handle)
	insertAccount(t, db, "acme")
	for _, start := range []string{"INSERT INTO roster_preferences", "SELECT categories"} {
		p.set(func(conn driver.Conn, statement string) error {
			if !strings.HasPrefix(statement, start) {
				return nil
			}
			_, err := conn.(driver.ExecerContext).ExecContext(context.Background(), "ROLLBACK", nil)
			return errors.Join(errInjected, err)
		}, nil)
		err := db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
			_, err := tx.Lock(ctx, "acme")
			require.NoError(t, err)
			if _, err := tx.Preference(ctx, "acme", "ann"); err == nil || errors.Is(err, access.ErrNotFound) {
				require.ErrorIs(t, tx.PutPreference(ctx, "acme", "ann", 1), errInjected)
			}
			require.ErrorIs(t, tx.PutMembership(ctx, access.Membership{Account: "acme", User: "ann", Status: access.Active}), errInjected)
			require.ErrorIs(t, tx.PutUsers(ctx, access.User{ID: "ann"}), errInjected)
			_, err = tx.Account(ctx, "acme")
			require.ErrorIs(t, err, errInjected)
			return nil
		})
		p.set(nil, nil)
		require.ErrorIs(t, err, errInjected)
		require.EqualValues(t, 1, version(t, db))
		require.NotContains(t, dump(t, db), "ann")
	}
}

func TestViewBeginsWithItsSnapshot(t *testing.T) {
	db := migrated(t, openHandle(t, newFile(t)))
	insertAccount(t, db, "acme")
	require.NoError(t, db.View(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		require.NoError(t, lock(t.Context(), db)) // before the first read
		a, err := tx.Account(ctx, "acme")
		require.EqualValues(t, 1, a.Version)
		return err
	}))
}

func TestUnitIsOverWhenItEnded(t *testing.T) {
	db := migrated(t, openHandle(t, newFile(t)))
	insertAccount(t, db, "acme")
	var kept storage.Tx
	require.NoError(t, db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		kept = tx
		_, err := tx.Lock(ctx, "acme")
		return err
	}))
	_, err := kept.Account(t.Context(), "acme")
	require.EqualError(t, err, "sqlstore: the unit of work has ended")
	require.EqualError(t, kept.PutPreference(t.Context(), "acme", "ann", 1), "sqlstore: the unit of work has ended")
}

// TestWaitingForTheWriter shows that waiting in line ends with the context, and that a host's connections suffice.
func TestWaitingForTheWriter(t *testing.T) {
	handle := openHandle(t, newFile(t))
	handle.SetMaxOpenConns(1)
	db := migrated(t, handle)
	insertAccount(t, db, "acme")
	require.NoError(t, db.Update(t.Context(), func(context.Context, storage.Tx) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.ErrorIs(t, lock(ctx, db), context.DeadlineExceeded)
		require.ErrorIs(t, db.View(ctx, nothing), context.DeadlineExceeded)
		_, err := db.Grant(ctx, "acme", "ann")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		return nil
	}))
	require.NoError(t, db.View(t.Context(), nothing))
}

// TestGrantIsOneStatement shows that a decision prepares its statement once and sends nothing else.
func TestGrantIsOneStatement(t *testing.T) {
	var p probe
	handle := openProbed(t, newFile(t), &p)
	handle.SetMaxOpenConns(1)
	db := migrated(t, handle)
	insertAccount(t, db, "acme")
	p.taken()
	for range 10 {
		g, err := db.Grant(t.Context(), "acme", "olga")
		require.NoError(t, err)
		require.True(t, g.Owner)
	}
	statements := p.taken()
	require.Len(t, statements, 1)
	require.Contains(t, statements[0], "SELECT a.owner_id = ?")
}

func TestErrorTexts(t *testing.T) {
	var p probe
	db := migrated(t, openProbed(t, newFile(t), &p))
	message := notify.Message{ID: "ann@example.com", Kind: "invite"}
	err := db.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error { return tx.Enqueue(ctx, message, message) })
	require.EqualError(t, err, "sqlstore: enqueue messages: error 1555 of the database")
	coded, ok := errors.AsType[interface {
		error
		Code() int
	}](err)
	require.True(t, ok)
	require.Equal(t, 1555, coded.Code())

	p.set(on("BEGIN"), nil)
	require.EqualError(t, db.View(t.Context(), nothing), "sqlstore: begin: failed")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.EqualError(t, db.View(ctx, nothing), "sqlstore: connect: context canceled")
}

func nothing(context.Context, storage.Tx) error { return nil }

func lock(ctx context.Context, db *sqlstore.DB) error {
	return db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		_, err := tx.Lock(ctx, "acme")
		return err
	})
}

func version(t *testing.T, db *sqlstore.DB) uint64 {
	t.Helper()
	g, err := db.Grant(t.Context(), "acme", "nobody")
	require.NoError(t, err)
	return g.Version
}

// requireIdle checks that no connection is in use, and that none of the idle ones is inside a transaction.
func requireIdle(t *testing.T, handle *sql.DB, engine engine) {
	t.Helper()
	require.Zero(t, handle.Stats().InUse)
	for range handle.Stats().Idle {
		conn, err := handle.Conn(t.Context())
		require.NoError(t, err)
		engine.requireIdle(t, conn)
		require.NoError(t, conn.Close())
	}
}

// complete is what everything leaves.
func complete(t *testing.T) string {
	t.Helper()
	db := migrated(t, openHandle(t, newFile(t)))
	insertAccount(t, db, "acme")
	require.NoError(t, db.Update(t.Context(), everything))
	return dump(t, db)
}

func dump(t *testing.T, db *sqlstore.DB) string {
	t.Helper()
	text, err := storagetest.Dump(t.Context(), db, []access.AccountID{"acme", "globex"}, []access.UserID{"olga", "ann", "bob"})
	require.NoError(t, err)
	return text
}

// everything calls every method of a transaction, most of them with something to do.
func everything(ctx context.Context, tx storage.Tx) error {
	noon := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	address, err := access.ParseAddress("ann@example.com")
	if err != nil {
		return err
	}
	account := access.Account{ID: "globex", Owner: "olga", Status: access.AccountActive}
	member := access.Membership{Account: "acme", User: "ann", Permissions: 3, Status: access.Active}
	offer := invite.Record{Invite: invite.Invite{ID: "1", Account: "acme", Address: address, Terms: access.Terms{Permissions: 3},
		By: invite.Inviter{Kind: access.ActorUser, ID: "ann"}, State: invite.Pending, Expires: noon}, Key: "k1"}
	later := offer
	later.Generation = 1
	person := contact.Contact{ID: "1", Account: "acme", Name: "Ann", Address: address}
	event := access.Record{ID: "1", Account: "acme", Kind: access.EventMemberAdded, Public: []byte("{}"), Shard: access.AccountID("acme").Shard()}
	notice := contact.NoticeRecord{Account: "acme", ID: "1", Kind: "invoice", Category: 1, Data: []byte("{}")}
	heard := notify.Feedback{ID: "1", Kind: notify.Complaint, Address: "ann@example.com", At: noon}
	suppressed := notify.Suppression{Address: "ann@example.com", Kind: notify.Complaint, Since: noon}
	do := func(steps ...func() error) error {
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	}
	return do(
		func() error { return tx.InsertAccount(ctx, account) },
		func() error { // undoes what it did
			if _, err := tx.Lock(ctx, "acme", "nobody's"); !errors.Is(err, access.ErrNotFound) {
				return err
			}
			return nil
		},
		func() error { _, err := tx.Lock(ctx, "acme", "globex"); return err },
		func() error { _, err := tx.Account(ctx, "acme"); return err },
		func() error { return tx.UpdateAccount(ctx, account) },
		func() error { return tx.PutUsers(ctx, access.User{ID: "ann", Address: address}) },
		func() error { return tx.SignedIn(ctx, "ann", noon) },
		func() error { _, err := tx.User(ctx, "ann"); return err },
		func() error { _, err := tx.Users(ctx, []access.UserID{"ann", "bob"}); return err },
		func() error { return tx.PutMembership(ctx, member) },
		func() error { _, err := tx.Grant(ctx, "acme", "ann"); return err },
		func() error { _, err := tx.Membership(ctx, "acme", "ann"); return err },
		func() error { _, err := tx.Members(ctx, "acme", access.MemberFilter{}, "", 10); return err },
		func() error { _, err := tx.UserAccounts(ctx, "ann", access.AccountFilter{}, "", 10); return err },
		func() error { _, err := tx.Seats(ctx, "acme", noon); return err },
		func() error { return tx.Touch(ctx, "acme", "ann", noon, noon) },
		func() error { return tx.InsertInvite(ctx, offer) },
		func() error { return tx.UpdateInvite(ctx, later, 0) },
		func() error { _, _, err := tx.FindInvite(ctx, "1"); return err },
		func() error { _, err := tx.Invite(ctx, "acme", "1"); return err },
		func() error { _, err := tx.PendingInvite(ctx, "acme", address); return err },
		func() error { _, err := tx.Invites(ctx, "acme", invite.Filter{}, "", 10); return err },
		func() error { _, err := tx.WaitingInvites(ctx, address, noon, "", 10); return err },
		func() error { _, err := tx.LiveInvites(ctx, "acme", noon); return err },
		func() error { _, err := tx.InviteKeys(ctx, noon.Add(-time.Hour)); return err },
		func() error { _, err := tx.RevokeInvites(ctx, "acme", "ann", 1, noon); return err },
		func() error { _, err := tx.Hit(ctx, [32]byte{1}, noon.AddDate(0, 0, -1), time.Hour); return err },
		func() error { _, err := tx.Hit(ctx, [32]byte{}, noon, time.Hour); return err }, // forgets the other one
		func() error { return tx.PutContact(ctx, person) },
		func() error { _, err := tx.Contact(ctx, "acme", "1"); return err },
		func() error { _, err := tx.ContactByAddress(ctx, "acme", address); return err },
		func() error { _, err := tx.Contacts(ctx, "acme", contact.Filter{}, "", 10); return err },
		func() error { _, err := tx.Receivers(ctx, "acme", 1, "", 10); return err },
		func() error { return tx.InsertNotice(ctx, notice) },
		func() error { _, err := tx.Notice(ctx, "acme", "1"); return err },
		func() error { _, err := tx.AddFeedback(ctx, heard); return err },
		func() error { _, err := tx.AddFeedback(ctx, heard); return err }, // which is there
		func() error {
			_, err := tx.Feedback(ctx, notify.FeedbackQuery{Address: "ann@example.com", Limit: 10})
			return err
		},
		func() error { return tx.PutSuppression(ctx, suppressed) },
		func() error { _, err := tx.Suppressions(ctx, "", 10); return err },
		func() error { _, err := tx.Suppressed(ctx, []string{"ann@example.com"}); return err },
		func() error { _, err := tx.DeleteSuppression(ctx, "bob@example.com"); return err },
		func() error { _, err := tx.FindContact(ctx, "1"); return err },
		func() error {
			return tx.PutVerification(ctx, contact.Verification{Account: "acme", Contact: "1", Expires: noon})
		},
		func() error { _, err := tx.Verification(ctx, "acme", "1"); return err },
		func() error { return tx.PutUnsubscribed(ctx, "acme", address, 1) },
		func() error { _, err := tx.Unsubscribed(ctx, "acme", address); return err },
		func() error { return tx.PutUnsubscribed(ctx, "acme", address, 0) },
		func() error { return tx.PutPreference(ctx, "acme", "ann", 1) },
		func() error { _, err := tx.Preference(ctx, "acme", "ann"); return err },
		func() error { _, err := tx.Subscribers(ctx, "acme", 1, "", 10); return err },
		func() error { _, err := tx.MembersByAddress(ctx, "acme", address, 10); return err },
		func() error { return tx.DeletePreferences(ctx, "acme", "bob") },
		func() error { return tx.DeleteContact(ctx, "acme", "1") },
		func() error { return tx.Enqueue(ctx, notify.Message{ID: "1", Kind: "invite", Group: "acme", Ref: "1"}) },
		func() error { _, err := tx.Messages(ctx, "acme", notify.MessageQuery{Limit: 10}); return err },
		func() error { _, err := tx.Deliveries(ctx, "acme", "invite", []string{"1"}); return err },
		func() error { return tx.Append(ctx, event) },
		func() error {
			_, err := tx.Events(ctx, "acme", access.EventFilter{}, access.EventKey{}, false, 10)
			return err
		},
		func() error { _, err := tx.Feed(ctx); return err },
		func() error { _, err := tx.Changes(ctx, 0, 0, 10); return err },
	)
}

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

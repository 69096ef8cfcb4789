package races_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// A mutant is a backend that is behind by a moment.
type mutant struct {
	make  func(storage.DB) storage.DB
	theme string // of the accounts in which it shows
}

func mutants() map[string]mutant {
	return map[string]mutant{
		"keeps decisions": {func(db storage.DB) storage.DB {
			return &keepsDecisions{DB: db, kept: make(map[decision]keptGrant)}
		}, "readers"},
		"reads before it locks": {func(db storage.DB) storage.DB { return readsEarly{db} }, "managers"},
	}
}

// TestRacesNotice shows that a race finds what it looks for, by no more than what Can says and the verbs answer.
func TestRacesNotice(t *testing.T) {
	for name, m := range mutants() {
		t.Run(name, func(t *testing.T) {
			database := servertest.Fresh(t, "sqlite")
			db := sqlstore.New(database.Open(t), sqlstore.SQLite, sqlstore.Config{})
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			require.NoError(t, db.Migrate(t.Context()))
			race := newTask(t, database)
			race.Mutant, race.Themes = name, []string{m.theme}
			lines, work := run(t, race, processes, short/2)
			lines = slices.DeleteFunc(lines, func(l line) bool { return l.Operation.Kind == grant || l.Operation.Kind == look })
			histories := byAccount(lines)
			t.Logf("seed %d\n%s", race.Seed, report(lines, histories, work))
			found, _ := checkAll(histories)
			require.Contains(t, strings.Join(found, ""), "have no order", "nobody noticed")
			t.Logf("%d of %d accounts have no order; one of them: %s", len(found), len(histories), found[0])
		})
	}
}

// keepsDecisions answers what it was answered a moment ago.
type keepsDecisions struct {
	storage.DB
	mutex sync.Mutex
	kept  map[decision]keptGrant
}

type decision struct {
	account access.AccountID
	user    access.UserID
}

type keptGrant struct {
	access.Grant
	until int64
}

func (m *keepsDecisions) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	const while = int64(50 * time.Millisecond)
	key, at := decision{account, user}, processtest.Now()
	m.mutex.Lock()
	kept := m.kept[key]
	m.mutex.Unlock()
	if at < kept.until {
		return kept.Grant, nil
	}
	g, err := m.DB.Grant(ctx, account, user)
	if err == nil {
		m.mutex.Lock()
		m.kept[key] = keptGrant{g, at + while}
		m.mutex.Unlock()
	}
	return g, err
}

// readsEarly reads what people hold before it locks their account.
type readsEarly struct{ storage.DB }

func (m readsEarly) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	outside := ctx
	return m.View(ctx, func(_ context.Context, early storage.Tx) error {
		return m.DB.Update(outside, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, earlyTx{tx, early}) })
	})
}

type earlyTx struct {
	storage.Tx
	early storage.Tx
}

func (m earlyTx) Grant(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
	return m.early.Grant(ctx, account, user)
}

func (m earlyTx) Membership(ctx context.Context, account access.AccountID, user access.UserID) (access.Membership, error) {
	return m.early.Membership(ctx, account, user)
}

package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// longList is more values than any engine takes as arguments of one statement, and longInsert more rows.
const (
	longList   = 70_000
	longInsert = 7_000
	fewEvents  = 100 // all of which are read for every few kinds
)

// A listing gives a transaction a long list.
type listing struct {
	name string
	give func(ctx context.Context, tx storage.Tx) (got int, err error) // how many things came back
	want int
}

// longListings are all methods that take a list: first those that store what the others find, one in ten or a hundred of
// what they ask for.
func longListings() []listing {
	var (
		users    []access.User
		messages []notify.Message
	)
	for i := range longInsert {
		id := fmt.Sprintf("user %d", 10*i)
		users = append(users, access.User{ID: access.UserID(id), Name: id})
		group := []string{"acme", "globex"}[min(i%10, 1)]
		messages = append(messages, notify.Message{ID: notify.MessageID("message to " + id), Kind: "kind", Group: group, Ref: id})
	}
	var (
		ids   []access.UserID
		refs  []string
		kinds []access.EventKind
	)
	for i := range longList {
		id := fmt.Sprintf("user %d", i)
		ids, refs = append(ids, access.UserID(id)), append(refs, id)
		kinds = append(kinds, access.EventKind(fmt.Sprintf("kind %d", longList-i)))
	}
	return []listing{
		{"PutUsers", func(ctx context.Context, tx storage.Tx) (int, error) { return 0, tx.PutUsers(ctx, users...) }, 0},
		{"Enqueue", func(ctx context.Context, tx storage.Tx) (int, error) { return 0, tx.Enqueue(ctx, messages...) }, 0},
		{"Append", func(ctx context.Context, tx storage.Tx) (int, error) {
			return 0, errors.Join(appendKinds(ctx, tx, "acme", kinds[:longInsert]), appendKinds(ctx, tx, "globex", kinds[:fewEvents]))
		}, 0},
		{"Users", func(ctx context.Context, tx storage.Tx) (int, error) {
			found, err := tx.Users(ctx, ids)
			return len(found), err
		}, longInsert},
		{"Deliveries", func(ctx context.Context, tx storage.Tx) (int, error) {
			found, err := tx.Deliveries(ctx, "acme", "kind", refs)
			return len(found), err
		}, longInsert / 10},
		{"Events", func(ctx context.Context, tx storage.Tx) (int, error) {
			found, err := tx.Events(ctx, "globex", access.EventFilter{Kinds: kinds}, access.EventKey{}, true, fewEvents)
			for i, e := range found {
				if e.Kind != kinds[i] {
					return 0, fmt.Errorf("event %d is %s", i, e.Kind)
				}
			}
			return len(found), err
		}, fewEvents},
		{"DeletePreferences", func(ctx context.Context, tx storage.Tx) (int, error) {
			if _, err := tx.Lock(ctx, "acme"); err != nil {
				return 0, err
			}
			return 0, tx.DeletePreferences(ctx, "acme", ids...)
		}, 0},
	}
}

// appendKinds appends an event of each kind to an account's history.
func appendKinds(ctx context.Context, tx storage.Tx, account access.AccountID, kinds []access.EventKind) error {
	if _, err := tx.Lock(ctx, account); err != nil {
		return err
	}
	for i, kind := range kinds {
		err := tx.Append(ctx, access.Record{ID: access.EventID(fmt.Sprint(i)), Account: account, Shard: account.Shard(), Kind: kind, Public: []byte("{}")})
		if err != nil {
			return err
		}
	}
	return nil
}

// TestLongLists gives lists that don't fit into a statement to all methods that take one. With a failure in the middle,
// nothing must be done and nothing come back; then all must be.
func TestLongLists(t *testing.T) {
	onEngines(t, engines(), func(t *testing.T, engine engine) {
		var p probe
		handle, db := engine.probed(t, &p)
		insertAccount(t, db, "acme")
		insertAccount(t, db, "globex")
		for _, l := range longListings() {
			if l.name == "DeletePreferences" {
				execute(t, handle, `INSERT INTO roster_preferences (account_id, user_id, categories) SELECT 'acme', id, 1 FROM roster_users`)
			}
			giveLongList(t, handle, db, &p, l)
		}
		require.Equal(t, fmt.Sprintf("users %d, messages %d, events %d, preferences 0", longInsert, longInsert, longInsert+fewEvents), stored(t, handle))
	})
}

func giveLongList(t *testing.T, handle *sql.DB, db *sqlstore.DB, p *probe, l listing) {
	t.Helper()
	got := 0
	give := func(ctx context.Context) error {
		got = 0
		return db.Update(ctx, func(ctx context.Context, tx storage.Tx) (err error) {
			got, err = l.give(ctx, tx)
			return err
		})
	}
	before := stored(t, handle)
	const middle = longInsert / 100 // all have more statements, not many more
	p.set(nth(middle, func() error { return errInjected }), nil)
	require.ErrorIs(t, give(t.Context()), errInjected, l.name)
	require.Zero(t, got, "%s: a part of a list came back", l.name)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p.set(nth(middle, func() error {
		cancel()
		return nil
	}), nil)
	require.ErrorIs(t, give(ctx), context.Canceled, l.name)
	require.Zero(t, got, "%s: a part of a list came back", l.name)
	p.set(nil, nil)
	require.Equal(t, before, stored(t, handle), "%s: a part was done", l.name)

	p.taken()
	require.NoError(t, give(t.Context()), l.name)
	require.Equal(t, l.want, got, l.name)
	require.Greater(t, len(p.taken()), middle, l.name)
}

// stored counts what the listings have to do with.
func stored(t *testing.T, handle *sql.DB) string {
	t.Helper()
	count := func(table string) string { return value(t, handle, `SELECT COUNT(*) FROM roster_`+table) }
	return fmt.Sprintf("users %s, messages %s, events %s, preferences %s", count("users"), count("messages"), count("events"), count("preferences"))
}

package access_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// TestOrdersOfEvents has things happen, on each engine, in the orders in which a Cache that is wrong says yes to somebody
// who was removed. Each has a mutant, which does.
func TestOrdersOfEvents(t *testing.T) {
	dialects := map[string]sqlstore.Dialect{"sqlite": sqlstore.SQLite, "postgres": sqlstore.Postgres, "mysql": sqlstore.MySQL}
	for _, engine := range servertest.Engines() {
		for name, order := range map[string]func(w *world, wrong bool) (yes bool){
			"read, removed, remembered":      readRemovedRemembered,
			"read, removed, answered":        readRemovedAnswered,
			"read, removed, joined":          readRemovedJoined,
			"numbered, overtaken, committed": numberedOvertakenCommitted,
		} {
			t.Run(engine+"/"+name, func(t *testing.T) {
				for _, wrong := range []bool{false, true} {
					db := sqlstore.New(servertest.Fresh(t, engine).Open(t), dialects[engine], sqlstore.Config{})
					t.Cleanup(func() { require.NoError(t, db.Close()) })
					require.NoError(t, db.Migrate(t.Context()))
					require.Equal(t, wrong, order(newWorldOn(t, db), wrong))
				}
			})
		}
	}
}

// revoke has another process remove ivan, while this one follows, and settle.
func (p *process) revoke() { p.revokeBy(p.DB) }

func (p *process) revokeBy(db storage.DB) {
	p.T.Helper()
	other := access.New(db, access.Config{Now: p.Clock.Now})
	removed := make(chan error)
	go func() {
		_, err := other.Remove(p.T.Context(), olive, "acme", "ivan")
		removed <- err
	}()
	for {
		select {
		case err := <-removed:
			require.NoError(p.T, err)
			return
		default:
			require.NoError(p.T, p.cache.Poll(p.T.Context()))
		}
	}
}

// ask asks about ivan.
func (p *process) ask() bool { return p.can("ivan", "acme", access.PayInvoices) }

// holdGrant has the next read of a grant wait, with its answer, until it is let go.
func (p *process) holdGrant() (read <-chan struct{}, letGo func()) {
	reads, goes := make(chan struct{}), make(chan struct{})
	p.db.grant = func(read func() (access.Grant, error)) (access.Grant, error) {
		p.db.grant = nil
		g, err := read()
		close(reads)
		<-goes
		return g, err
	}
	return reads, func() { close(goes) }
}

// readRemovedRemembered removes somebody between the reading and the remembering. The mutant takes the version of what
// it remembers after it has read the content.
func readRemovedRemembered(w *world, wrong bool) bool {
	p := w.process(access.CacheConfig{})
	p.db.grant = func(read func() (access.Grant, error)) (access.Grant, error) {
		p.db.grant = nil
		g, err := read()
		p.revoke()
		if wrong {
			p.cache.Remember("ivan", "acme", g)
		}
		return g, err
	}
	p.ask()
	return p.ask()
}

// readRemovedAnswered removes somebody while an answer is on its way. The mutant remembers it as of when it is there.
func readRemovedAnswered(w *world, wrong bool) bool {
	p := w.process(access.CacheConfig{})
	read, letGo := p.holdGrant()
	answered := make(chan access.Grant)
	go func() {
		g, _ := p.cache.Grant(w.T.Context(), "ivan", "acme")
		answered <- g
	}()
	<-read
	p.revoke()
	letGo()
	if g := <-answered; wrong {
		p.cache.Remember("ivan", "acme", g)
	}
	return p.ask()
}

// readRemovedJoined asks while an answer from before is on its way. The mutant joins whoever reads.
func readRemovedJoined(w *world, wrong bool) (yes bool) {
	p := w.process(access.CacheConfig{})
	read, letGo := p.holdGrant()
	first := p.cache.Join("ivan", "acme")
	<-read
	p.revoke()
	if wrong {
		p.cache.JoinAnyway("ivan", "acme")
		second := p.cache.Join("ivan", "acme")
		letGo()
		g, err := second(w.T.Context())
		require.NoError(w.T, err)
		yes = g.Can(access.PayInvoices, w.Clock.Now())
	} else {
		yes = p.ask() // before the first one has its answer
		letGo()
	}
	_, err := first(w.T.Context())
	require.NoError(w.T, err)
	return yes
}

// numberedOvertakenCommitted has a change be overtaken by one that began later. The mutant has a feed whose numbers are
// those of a sequence.
func numberedOvertakenCommitted(w *world, wrong bool) bool {
	p := w.process(access.CacheConfig{})
	var numbers sequence
	if wrong {
		p.db.DB = &sequencedDB{DB: w.DB, feed: sequenceFeed{sequence: &numbers}}
	}
	p.revokeBy(&numberingDB{DB: w.DB, numbers: &numbers, numbered: func() {
		other := access.New(&numberingDB{DB: w.DB, numbers: &numbers}, access.Config{Now: w.Clock.Now})
		_, err := other.AddMember(w.T.Context(), signup, "acme", "omar", access.Terms{Permissions: access.PayInvoices})
		require.NoError(w.T, err)
		require.NoError(w.T, p.cache.Poll(w.T.Context()))
		require.True(w.T, p.ask())
	}})
	return p.ask()
}

// A numberingDB takes a number before each unit of work.
type numberingDB struct {
	storage.DB
	numbers  *sequence
	numbered func() // what happens when the first one has its number
}

func (db *numberingDB) Update(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	number := db.numbers.next()
	if numbered := db.numbered; numbered != nil {
		db.numbered = nil
		numbered()
	}
	return db.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		return fn(ctx, numberedTx{tx, db.numbers, number})
	})
}

// A sequencedDB has a sequenceFeed.
type sequencedDB struct {
	storage.DB
	feed sequenceFeed
}

func (db *sequencedDB) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	position, err := db.DB.Poll(ctx, id)
	if err != nil || id == "" {
		return position, err
	}
	return position, db.feed.look(ctx, db.DB, &position)
}

func (db *sequencedDB) Read(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return db.DB.Read(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, sequenceTx{tx, &db.feed}) })
}

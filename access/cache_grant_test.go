package access_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

// TestCacheGrantsDecideAlike compares what the grants of a Cache and of the database say, read twice.
func TestCacheGrantsDecideAlike(t *testing.T) {
	p := newWorld(t).process(access.CacheConfig{Single: true})
	compare := func() {
		t.Helper()
		for range 2 {
			for _, account := range everyAccount {
				for _, user := range everyUser {
					want, err := p.world.Members.Grant(t.Context(), user, account)
					require.NoError(t, err)
					got, err := p.cache.Grant(t.Context(), user, account)
					require.NoError(t, err)
					require.Equal(t, want.Member(), got.Member(), "%s in %s", user, account)
					require.Equal(t, want.Version, got.Version)
					for _, q := range []access.Permission{0, access.PayInvoices, access.ManageUsers, access.All, 1 << 63} {
						require.Equal(t, want.Decide(q, p.Clock.Now()), got.Decide(q, p.Clock.Now()), "%s in %s: %d", user, account, q)
					}
				}
			}
		}
	}
	compare()
	p.asked()
	compare()
	require.Equal(t, 2*(3+12), p.asked(), "about sue, ella and nora, whose time or state matters, and the account that isn't there yet")
	_, err := p.members.SuspendAccount(t.Context(), signup, "acme")
	require.NoError(t, err)
	compare()
}

func TestCacheGrantIsSeen(t *testing.T) {
	p := newWorld(t).process(access.CacheConfig{Single: true})
	read := p.Clock.Now()
	for _, after := range []time.Duration{0, time.Minute, 5*time.Minute - time.Second} {
		p.Clock.Advance(read.Add(after).Sub(p.Clock.Now()))
		g, err := p.cache.Grant(t.Context(), "ivan", "acme")
		require.NoError(t, err)
		if after > 0 {
			require.Empty(t, cmp.Diff(read, g.LastSeen))
		}
	}
	require.Equal(t, 1, p.asked())
	require.EqualValues(t, 2, p.cache.Stats().Hits)
	p.Clock.Advance(time.Second)
	_, err := p.cache.Grant(t.Context(), "ivan", "acme")
	require.NoError(t, err)
	require.Equal(t, 1, p.asked())
}

func TestCacheExplains(t *testing.T) {
	w := newWorld(t)
	p, other := w.process(access.CacheConfig{}), access.New(w.DB, access.Config{Now: w.Clock.Now})
	e, remembered, err := p.cache.Explain(t.Context(), "ivan", "acme", access.PayInvoices)
	require.NoError(t, err)
	require.Nil(t, remembered)
	require.Equal(t, access.AllowsHeld, e.Rule)
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
	version := e.Grant.Version
	_, err = other.SetPermissions(t.Context(), olive, "acme", "ivan", access.PayInvoices|access.OpenTickets)
	require.NoError(t, err)
	w.Clock.Advance(900 * time.Millisecond)
	e, remembered, err = p.cache.Explain(t.Context(), "ivan", "acme", access.OpenTickets)
	require.NoError(t, err)
	require.Equal(t, access.AllowsHeld, e.Rule, "the database's word")
	require.Equal(t, &access.Remembered{Allowed: false, Revision: access.Revision{Account: "acme", Version: version}}, remembered)
}

func TestCacheAtLeast(t *testing.T) {
	w := newWorld(t)
	p, other := w.process(access.CacheConfig{}), access.New(w.DB, access.Config{Now: w.Clock.Now})
	require.False(t, p.can("ivan", "acme", access.OpenTickets))
	require.False(t, p.can("dave", "acme", access.OpenTickets))
	revision, err := other.SetPermissions(t.Context(), olive, "acme", "ivan", access.PayInvoices|access.OpenTickets)
	require.NoError(t, err)
	require.False(t, p.can("ivan", "acme", access.OpenTickets))
	p.asked()
	for range 3 {
		yes, err := p.cache.AtLeast(revision).Can(t.Context(), "ivan", "acme", access.OpenTickets)
		require.NoError(t, err)
		require.True(t, yes)
		yes, err = p.cache.AtLeast(revision).Can(t.Context(), "greg", "globex", access.PayInvoices)
		require.NoError(t, err)
		require.True(t, yes)
	}
	require.Equal(t, 3, p.asked(), "once to see how far the database is")
	require.False(t, p.can("dave", "acme", access.OpenTickets))
	require.Equal(t, 1, p.asked(), "what is remembered of others was read before")
	revision.Version++
	yes, err := p.cache.AtLeast(revision).Can(t.Context(), "ivan", "acme", access.OpenTickets)
	require.ErrorIs(t, err, access.ErrStale)
	require.False(t, yes)
}

// TestCacheAtLeastOfWhatIsToCome: a revision is known before it is committed, within a unit of work of the host's. What
// others read until then doesn't count.
func TestCacheAtLeastOfWhatIsToCome(t *testing.T) {
	w := newWorld(t)
	p, db := w.process(access.CacheConfig{}), &impatientDB{DB: w.DB}
	other := access.New(db, access.Config{Now: w.Clock.Now})
	g, err := other.Grant(t.Context(), "ivan", "acme")
	require.NoError(t, err)
	early := access.Revision{Account: "acme", Version: g.Version + 1}
	p.db.grant = func(read func() (access.Grant, error)) (access.Grant, error) {
		p.db.grant = nil
		require.True(t, p.can("ivan", "acme", access.PayInvoices))
		revision, err := other.Remove(db.within(t.Context()), olive, "acme", "ivan")
		require.ErrorIs(t, err, access.ErrUnsettled)
		require.Equal(t, early, revision)
		return read()
	}
	_, err = p.cache.AtLeast(early).Can(t.Context(), "mona", "acme", access.PayInvoices)
	require.NoError(t, err)
	yes, err := p.cache.AtLeast(early).Can(t.Context(), "ivan", "acme", access.PayInvoices)
	require.NoError(t, err)
	require.False(t, yes)
}

// TestRememberedAgeIsNeverNegative: the clock may be set back.
func TestRememberedAgeIsNeverNegative(t *testing.T) {
	p := newWorld(t).process(access.CacheConfig{Single: true})
	p.Clock.Advance(10 * time.Second)
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
	p.Clock.Advance(-3 * time.Second)
	_, remembered, err := p.cache.Explain(t.Context(), "ivan", "acme", access.PayInvoices)
	require.NoError(t, err)
	require.Zero(t, remembered.Age)
}

// TestWhoIsOnlyPreloadedIsNotSeen: LastSeen says that somebody was given the grant, and recorded it.
func TestWhoIsOnlyPreloadedIsNotSeen(t *testing.T) {
	p := newWorld(t).process(access.CacheConfig{Single: true})
	_, err := p.cache.Preload(t.Context())
	require.NoError(t, err)
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
	require.Zero(t, p.asked())
	g, err := p.cache.Grant(t.Context(), "ivan", "acme")
	require.NoError(t, err)
	require.Zero(t, g.LastSeen)
	require.Equal(t, 1, p.asked())
	require.NoError(t, p.members.RecordSeen(t.Context(), "ivan", "acme", g))
	g, err = p.members.Grant(t.Context(), "ivan", "acme")
	require.NoError(t, err)
	require.Equal(t, p.Clock.Now(), g.LastSeen)
	p.asked()
	g, err = p.cache.Grant(t.Context(), "ivan", "acme")
	require.NoError(t, err)
	require.NotZero(t, g.LastSeen)
	require.Zero(t, p.asked())
}

func TestPreload(t *testing.T) {
	for name, config := range map[string]access.CacheConfig{"single": {Single: true}, "leased": {}} {
		t.Run(name, func(t *testing.T) {
			p := newWorld(t).process(config)
			n, err := p.cache.Preload(t.Context())
			require.NoError(t, err)
			require.Equal(t, 11, n, "eight members of acme, one of globex, and both owners")
			for _, g := range []access.MembershipKey{{Account: "acme", User: "olive"}, {Account: "acme", User: "ivan"},
				{Account: "acme", User: "sue"}, {Account: "acme", User: "ella"}, {Account: "globex", User: "greg"}} {
				want, err := p.world.Members.Can(t.Context(), g.User, g.Account, access.PayInvoices)
				require.NoError(t, err)
				require.Equal(t, want, p.can(g.User, g.Account, access.PayInvoices))
			}
			require.Zero(t, p.asked())
			p.requireSame()
			_, err = p.members.Remove(t.Context(), olive, "acme", "ivan")
			require.NoError(t, err)
			require.False(t, p.can("ivan", "acme", access.PayInvoices))
		})
	}
	p := newWorld(t).process(access.CacheConfig{Single: true, Entries: 3})
	n, err := p.cache.Preload(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, n)
}

// TestCacheAtLeastOfWhatWasAsked has something change between the reads of two callers.
func TestCacheAtLeastOfWhatWasAsked(t *testing.T) {
	w := newWorld(t)
	p, other := w.process(access.CacheConfig{}), access.New(w.DB, access.Config{Now: w.Clock.Now})
	ctx := t.Context()
	first, err := other.SetPermissions(ctx, olive, "acme", "ivan", access.PayInvoices|access.ViewDomains)
	require.NoError(t, err)
	var second access.Revision
	p.db.grant = func(read func() (access.Grant, error)) (access.Grant, error) {
		p.db.grant = nil
		require.False(t, p.can("ivan", "acme", access.OpenTickets))
		second, err = other.SetPermissions(ctx, olive, "acme", "ivan", access.PayInvoices|access.ViewDomains|access.OpenTickets)
		require.NoError(t, err)
		return read()
	}
	_, err = p.cache.AtLeast(first).Can(ctx, "mona", "acme", access.PayInvoices)
	require.NoError(t, err)
	yes, err := p.cache.AtLeast(second).Can(ctx, "ivan", "acme", access.OpenTickets)
	require.NoError(t, err)
	require.True(t, yes, "what was remembered is of before")
}

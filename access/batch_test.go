package access_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
)

func TestBatchesAnswerAsCanDoes(t *testing.T) {
	p := newWorld(t).process(access.CacheConfig{Single: true})
	ctx := t.Context()
	questions := []access.Permission{0, access.PayInvoices, access.ManageUsers, access.All, 1 << 63}
	accounts := []access.AccountID{"globex", "acme", "fresh", "acme"}
	for range 2 {
		for _, user := range everyUser {
			for _, account := range everyAccount {
				var want []bool
				for _, q := range questions {
					yes, err := p.world.Members.Can(ctx, user, account, q)
					require.NoError(t, err)
					want = append(want, yes)
				}
				got, err := p.members.CanAll(ctx, user, account, questions...)
				require.NoError(t, err)
				require.Equal(t, want, got)
				got, err = p.cache.CanAll(ctx, user, account, questions...)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
			for _, q := range questions {
				want := []access.AccountID{}
				for _, account := range accounts {
					if yes, err := p.world.Members.Can(ctx, user, account, q); err == nil && yes {
						want = append(want, account)
					}
				}
				got, err := p.members.Filter(ctx, user, q, accounts...)
				require.NoError(t, err)
				require.Equal(t, want, got)
				got, err = p.cache.Filter(ctx, user, q, accounts...)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		}
	}
	for _, batch := range []interface {
		Filter(context.Context, access.UserID, access.Permission, ...access.AccountID) ([]access.AccountID, error)
		CanAll(context.Context, access.UserID, access.AccountID, ...access.Permission) ([]bool, error)
	}{p.members, p.cache} {
		_, err := batch.Filter(ctx, "ivan", access.PayInvoices, "acme", "")
		require.ErrorIs(t, err, access.ErrInvalid)
		_, err = batch.Filter(ctx, "", access.PayInvoices, "acme")
		require.ErrorIs(t, err, access.ErrInvalid)
		_, err = batch.CanAll(ctx, "ivan", "")
		require.ErrorIs(t, err, access.ErrInvalid)
	}
	p.asked()
	_, err := p.members.Remove(ctx, olive, "acme", "ivan")
	require.NoError(t, err)
	left, err := p.cache.Filter(ctx, "ivan", access.PayInvoices, "acme")
	require.NoError(t, err)
	require.Empty(t, left)
	require.Zero(t, p.asked(), "one read for all")
	_, err = p.cache.Filter(ctx, "ivan", access.PayInvoices, "acme", "globex", "acme") // both may have one counter
	require.NoError(t, err)
	before := p.cache.Stats()
	_, err = p.cache.Filter(ctx, "ivan", access.PayInvoices, "acme", "globex", "acme")
	require.NoError(t, err)
	after := p.cache.Stats()
	require.EqualValues(t, 3, after.Hits-before.Hits)
	require.Equal(t, before.Misses, after.Misses)
}

// TestFilterWithoutDatabase asks for what isn't certain any more where the database can't be asked.
func TestFilterWithoutDatabase(t *testing.T) {
	w := newWorld(t)
	p := w.process(access.CacheConfig{})
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
	p.db.reads = func() error { return errBroken }

	left, err := p.cache.Filter(t.Context(), "ivan", access.PayInvoices, "acme")
	require.NoError(t, err, "it is certain for a lease")
	require.Len(t, left, 1)
	_, err = p.cache.Filter(t.Context(), "ivan", access.PayInvoices, "acme", "globex")
	require.ErrorIs(t, err, errBroken)
	require.NotErrorIs(t, err, access.ErrStale, "nothing is known of one account, and memory isn't old")

	w.Clock.Advance(access.DefaultLease)
	left, err = p.cache.Filter(t.Context(), "ivan", access.PayInvoices, "acme")
	require.ErrorIs(t, err, access.ErrStale)
	require.ErrorIs(t, err, errBroken)
	require.Empty(t, left)
}

// TestPanicsOfTheStorage: whatever asks the storage has an error of it.
func TestPanicsOfTheStorage(t *testing.T) {
	p := newWorld(t).process(access.CacheConfig{Log: slog.New(slog.DiscardHandler)})
	_, err := p.world.Members.SetLabel(t.Context(), olive, "acme", "ivan", "x")
	require.NoError(t, err)
	thrown := func() error { panic("at the disk, with a password") }
	p.db.reads = thrown
	p.db.grant = func(func() (access.Grant, error)) (access.Grant, error) { return access.Grant{}, thrown() }
	for name, ask := range map[string]func() error{
		"Can":     func() error { _, err := p.cache.Can(t.Context(), "ivan", "acme", access.PayInvoices); return err },
		"Grant":   func() error { _, err := p.cache.Grant(t.Context(), "ivan", "acme"); return err },
		"Filter":  func() error { _, err := p.cache.Filter(t.Context(), "ivan", access.PayInvoices, "acme"); return err },
		"Preload": func() error { _, err := p.cache.Preload(t.Context()); return err },
		"Poll":    func() error { return p.cache.Poll(t.Context()) },
	} {
		err := ask()
		require.ErrorContains(t, err, "the storage panicked", name)
		require.NotContains(t, err.Error(), "password")
	}
	p.db.reads, p.db.grant = nil, nil
	require.NoError(t, p.cache.Poll(t.Context()))
	require.True(t, p.can("ivan", "acme", access.PayInvoices))
}

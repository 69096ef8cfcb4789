package access_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// TestWithinBothOrNeither: two verbs in one unit take effect together, in one version, with an index each.
func TestWithinBothOrNeither(t *testing.T) {
	w := newWorld(t)
	two := func(result error) error {
		return w.DB.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
			members := w.Members.Within(tx)
			first, err := members.SetLabel(ctx, olive, "acme", "ivan", "x")
			require.NoError(t, err)
			second, err := members.Remove(ctx, mona, "acme", "ivan")
			require.NoError(t, err)
			require.Equal(t, first, second)
			other, err := members.SetLabel(ctx, gina, "globex", "greg", "x")
			require.NoError(t, err)
			require.Equal(t, access.AccountID("globex"), other.Account)
			return result
		})
	}
	before := w.dump()
	require.Equal(t, errUndo, two(errUndo))
	require.Equal(t, before, w.dump())
	require.Empty(t, w.receivers())

	version, head := w.account("acme").Version, w.account("acme").Head.Count
	require.NoError(t, two(nil))
	a := w.account("acme")
	require.Equal(t, version+1, a.Version)
	events := w.events("acme")[head:]
	require.Len(t, events, 2)
	for i, e := range events {
		require.Equal(t, access.EventKey{Version: a.Version, Index: i}, access.EventKey{Version: e.Version, Index: e.Index})
	}
	require.Equal(t, []string{"ivan: Your access to “acme” was removed"}, w.receivers())
}

// TestWithinReadsItsOwnWrites: decisions and lists inside a unit see what it has done, and nobody else does.
func TestWithinReadsItsOwnWrites(t *testing.T) {
	w := newWorld(t)
	w.update(func(ctx context.Context, tx storage.Tx) error {
		members := w.Members.Within(tx)
		_, err := members.SetPermissions(ctx, olive, "acme", "ivan", access.OpenTickets)
		require.NoError(t, err)
		yes, err := members.Can(ctx, "ivan", "acme", access.OpenTickets)
		require.NoError(t, err)
		require.True(t, yes)
		e, err := members.Explain(ctx, "ivan", "acme", access.PayInvoices)
		require.NoError(t, err)
		require.Equal(t, access.DeniesMissing, e.Rule)
		m, err := members.Member(ctx, olive, "acme", "ivan")
		require.NoError(t, err)
		require.Equal(t, access.OpenTickets, m.Permissions)

		yes, err = w.Members.Can(t.Context(), "ivan", "acme", access.OpenTickets) // from outside
		require.NoError(t, err)
		require.False(t, yes)
		return nil
	})
	w.As("ivan").Can("acme", access.OpenTickets)
}

// TestNested: with the context of a unit, the service outside it answers ErrNested instead of waiting for itself.
func TestNested(t *testing.T) {
	w := newWorld(t)
	before := w.dump()
	nested := func(ctx context.Context, _ storage.Tx) error {
		yes, err := w.Members.Can(ctx, "olive", "acme", access.PayInvoices)
		require.ErrorIs(t, err, access.ErrNested)
		require.False(t, yes)
		for _, v := range everyVerb() {
			result, err := v.do(ctx, w.Members, support, "acme", "ivan")
			require.ErrorIs(t, err, access.ErrNested, v.name)
			require.Zero(t, result)
		}
		require.ErrorIs(t, w.Members.SyncUser(ctx, access.User{ID: "nobody"}), access.ErrNested)
		require.ErrorIs(t, w.Members.RecordSignIn(ctx, "nobody"), access.ErrNested)
		return nil
	}
	w.update(nested)
	w.view(nested)
	require.Equal(t, before, w.dump())
}

// TestRefusalsInsideDoNotPoison: what a refused verb didn't do doesn't keep the unit from committing the rest.
func TestRefusalsInsideDoNotPoison(t *testing.T) {
	w := newWorld(t)
	head := w.account("acme").Head.Count
	w.update(func(ctx context.Context, tx storage.Tx) error {
		members := w.Members.Within(tx)
		_, err := members.Remove(ctx, mona, "acme", "dave")
		require.ErrorIs(t, err, access.ErrDenied)
		_, err = members.Remove(ctx, mona, "acme", "nobody")
		require.ErrorIs(t, err, access.ErrNotFound)
		_, err = members.AddMember(ctx, signup, "acme", "ivan", access.Terms{Permissions: access.All})
		require.ErrorIs(t, err, access.ErrExists)
		_, err = members.CreateAccount(ctx, signup, access.NewAccount{ID: "acme", Owner: "gina", Profile: access.Profile{Name: "x"}})
		require.ErrorIs(t, err, access.ErrExists)
		_, err = members.Suspend(ctx, olive, "nowhere", "dave")
		require.ErrorIs(t, err, access.ErrNotFound)
		_, err = members.Suspend(ctx, mona, "acme", "ivan")
		return err
	})
	require.Equal(t, access.Suspended, w.membership("acme", "ivan").Status)
	require.Equal(t, head+1, w.account("acme").Head.Count)
}

// TestFailuresInsidePoison: a unit in which a write failed can't be committed by somebody who swallows the error.
func TestFailuresInsidePoison(t *testing.T) {
	w := newWorld(t)
	before := w.dump()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	err := w.DB.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		members := w.Members.Within(tx)
		_, err := members.Suspend(ctx, olive, "acme", "ivan")
		require.NoError(t, err)
		_, err = members.Remove(cancelled, olive, "acme", "dave")
		require.ErrorIs(t, err, context.Canceled)
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, before, w.dump())
}

func TestWithinIsOverWithItsUnit(t *testing.T) {
	w := newWorld(t)
	var leaked *access.Service
	w.update(func(_ context.Context, tx storage.Tx) error {
		leaked = w.Members.Within(tx)
		return nil
	})
	yes, err := leaked.Can(t.Context(), "olive", "acme", access.PayInvoices)
	require.Error(t, err)
	require.False(t, yes)
	_, err = leaked.Remove(t.Context(), olive, "acme", "ivan")
	require.Error(t, err)
}

// TestBeforeSeesEveryEvent, inside the transaction and as it is stored but for its place in the chain.
func TestBeforeSeesEveryEvent(t *testing.T) {
	for _, v := range everyVerb() {
		if v.kind == "" {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			w := newWorld(t)
			w.As("mona").Invites("acme", "p1", access.PayInvoices).Invites("acme", "p2", access.OpenTickets)
			actor, account, user := signup, access.AccountID("acme"), access.UserID("mona")
			switch v.name {
			case "CreateAccount":
				account = "fresh"
			case "AddMember":
				user = "nobody"
			case "Reinstate":
				user = "sue"
			case "ReactivateAccount":
				w.must(w.Members.SuspendAccount(t.Context(), signup, "acme"))
			case "Leave":
				actor = mona
			}
			head := w.account(account).Head.Count
			before := w.dump()

			vetoed := 0
			veto := w.service(func(c *access.Config) {
				c.Before = func(context.Context, access.Tx, access.Event) error { vetoed++; return errVeto }
			})
			result, err := v.do(t.Context(), veto, actor, account, user)
			require.Equal(t, errVeto, err)
			require.Zero(t, result)
			require.Equal(t, 1, vetoed)
			require.Equal(t, before, w.dump(), "a veto changes nothing")

			var seen []access.Event
			watch := w.service(func(c *access.Config) {
				c.Before = func(ctx context.Context, tx access.Tx, e access.Event) error {
					seen = append(seen, e)
					if _, err := tx.Account(ctx, e.Account); err != nil {
						return err
					}
					return tx.PutUsers(ctx, access.User{ID: "nobody", Name: string(e.Kind)})
				}
			})
			_, err = v.do(t.Context(), watch, actor, account, user)
			require.NoError(t, err)
			stored := w.events(account)[head:]
			require.NotEmpty(t, stored)
			for i := range stored {
				stored[i].Index, stored[i].Hash = 0, access.Digest{}
			}
			require.Equal(t, stored, seen)
			require.Equal(t, v.kind, seen[0].Kind)
			u, err := w.Members.User(t.Context(), "nobody")
			require.NoError(t, err)
			require.Equal(t, string(seen[len(seen)-1].Kind), u.Name, "what it wrote is there")
		})
	}
}

// TestBeforeMayVetoALaterEvent: of a verb with several, which then does none of them.
func TestBeforeMayVetoALaterEvent(t *testing.T) {
	w := newWorld(t)
	w.As("mona").Invites("acme", "p1", access.PayInvoices)
	before := w.dump()
	s := w.service(func(c *access.Config) {
		c.Before = func(ctx context.Context, tx access.Tx, e access.Event) error {
			if e.Kind == access.EventInviteRevoked {
				return access.Denied("host.veto", "not this one")
			}
			return tx.PutUsers(ctx, access.User{ID: "nobody"})
		}
	})
	_, err := s.Remove(t.Context(), olive, "acme", "mona")
	requireCode(t, err, access.ErrDenied, "host.veto")
	require.Equal(t, before, w.dump())
}

// TestVetoInsidePoisons: a verb that the host's Before stopped halfway isn't committed by somebody who swallows the
// error, of whatever kind that is.
func TestVetoInsidePoisons(t *testing.T) {
	w := newWorld(t)
	w.As("mona").Invites("acme", "p1", access.PayInvoices)
	before := w.dump()
	for _, veto := range []error{errVeto, access.Denied("host.veto", "no"), access.NotFound("x"), access.ErrExists} {
		for _, kind := range []access.EventKind{access.EventMemberRemoved, access.EventInviteRevoked} {
			s := w.service(func(c *access.Config) {
				c.Before = func(_ context.Context, _ access.Tx, e access.Event) error {
					if e.Kind == kind {
						return veto
					}
					return nil
				}
			})
			err := w.DB.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
				_, err := s.Within(tx).Remove(ctx, olive, "acme", "mona")
				require.Equal(t, veto, err)
				return nil
			})
			require.ErrorIs(t, err, veto)
			require.Equal(t, before, w.dump())
		}
	}
}

// TestPanicsInsidePoison: a panic of the host's own function that somebody recovers from doesn't leave half a verb.
func TestPanicsInsidePoison(t *testing.T) {
	w := newWorld(t)
	before := w.dump()
	members := access.New(w.DB, access.Config{Now: w.Clock.Now,
		Before: func(context.Context, access.Tx, access.Event) error { panic("the host's") }})
	err := w.DB.Update(t.Context(), func(ctx context.Context, tx storage.Tx) error {
		require.Panics(t, func() { _, _ = members.Within(tx).Remove(ctx, olive, "acme", "ivan") })
		return nil
	})
	require.Error(t, err)
	require.Equal(t, before, w.dump())
}

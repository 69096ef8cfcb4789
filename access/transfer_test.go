package access_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
)

// handover are the events of a transfer: of who steps up, as what they were, and of who steps down.
func handover(actor access.Actor, to access.UserID, before access.Facts, label string, keeps access.Permission) []access.Event {
	up := access.Event{Kind: access.EventOwnerChanged, Actor: actor, Target: target(to), Before: before, After: access.Facts{Status: "active"}}
	if label != "" {
		up.Target.Before, up.Target.After = map[string]string{"label": label}, map[string]string{"label": ""}
	}
	down := access.Event{Kind: access.EventOwnerSteppedDown, Actor: actor, Target: target("olive"), Before: access.Facts{Status: "active"}}
	if keeps != 0 {
		down.After = holds(keeps)
	}
	return []access.Event{up, down}
}

// owners are the users who may do everything because they own the account, and those whom the list of members shows
// as the owner.
func (w *world) owners(account access.AccountID) (can, listed []access.UserID) {
	w.T.Helper()
	for _, user := range everyUser {
		e, err := w.Members.Explain(context.Background(), user, account, access.All)
		require.NoError(w.T, err)
		if e.Rule == access.AllowsOwner {
			can = append(can, user)
		}
	}
	list, err := w.Members.Members(context.Background(), support, account, access.MemberFilter{}, access.Page{})
	require.NoError(w.T, err)
	for _, m := range list.Items {
		if m.Owner {
			listed = append(listed, m.User)
		}
	}
	return can, listed
}

func TestTransferByStaff(t *testing.T) {
	for _, tt := range []struct {
		name   string
		to     access.UserID
		keeps  access.Permission
		before access.Facts // of the new owner
	}{
		{"to a member", "ivan", access.PayInvoices, holds(access.PayInvoices)},
		{"to a member, keeping nothing", "ivan", 0, holds(access.PayInvoices)},
		{"to a suspended member", "sue", access.All, access.Facts{Permissions: access.PayInvoices, Status: "suspended"}},
		{"to somebody else", "gina", managerBits, access.Facts{}},
		{"to somebody unknown", "nobody", 0, access.Facts{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.prefers("acme", "olive")
			w.prefers("acme", tt.to)
			can, listed := w.owners("acme")
			require.Equal(t, [][]access.UserID{{"olive"}, {"olive"}}, [][]access.UserID{can, listed})
			created, label := w.membership("acme", "olive").Created, w.membership("acme", tt.to).Label

			w.leaves(t, "acme", func() (access.Revision, error) {
				return w.Members.TransferByStaff(t.Context(), support, "acme", tt.to, tt.keeps)
			}, handover(support, tt.to, tt.before, label, tt.keeps)...)

			can, listed = w.owners("acme")
			require.Equal(t, [][]access.UserID{{tt.to}, {tt.to}}, [][]access.UserID{can, listed})
			require.Equal(t, tt.to, w.account("acme").Owner)
			owner := w.membership("acme", tt.to)
			require.Equal(t, access.Membership{Account: "acme", User: tt.to, Status: access.Active, Created: owner.Created}, owner)
			if tt.keeps == 0 {
				require.Zero(t, w.membership("acme", "olive"))
			} else {
				require.Equal(t, access.Membership{Account: "acme", User: "olive", Permissions: tt.keeps, Status: access.Active,
					Created: created}, w.membership("acme", "olive"))
				w.As("olive").Can("acme", tt.keeps)
			}
			require.False(t, w.hasPreference("acme", "olive"))
			require.False(t, w.hasPreference("acme", tt.to))
			want := []string{"olive: “acme” has a new owner"}
			if tt.to != "nobody" {
				want = append(want, string(tt.to)+": You are now the owner of “acme”")
			}
			require.ElementsMatch(t, want, w.receivers())
		})
	}
}

func TestTransferBySilentStaff(t *testing.T) {
	w := newWorld(t)
	silent := access.Actor{Kind: access.ActorStaff, ID: "s-7", OnBehalf: "ivan", Reason: "court order", Silent: true, Request: "r-1", IP: "192.0.2.7"}
	w.leaves(t, "acme", func() (access.Revision, error) {
		return w.Members.TransferByStaff(t.Context(), silent, "acme", "ivan", access.PayInvoices)
	}, handover(silent, "ivan", holds(access.PayInvoices), "Billing", access.PayInvoices)...)
	require.Empty(t, w.receivers())
}

func TestTransferToTheOwnerChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.prefers("acme", "olive")
	w.leaves(t, "acme", func() (access.Revision, error) {
		return w.Members.TransferByStaff(t.Context(), support, "acme", "olive", access.PayInvoices)
	})
	require.True(t, w.hasPreference("acme", "olive"))
	require.Empty(t, w.receivers())
	w.As("olive").Can("acme", access.All)
}

func TestTransferWorksInASuspendedAccount(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.SuspendAccount(t.Context(), support, "acme"))
	w.must(w.Members.TransferByStaff(t.Context(), signup, "acme", "ivan", 0))
	w.As("ivan").Can("acme", access.PayInvoices).Cannot("acme", access.ViewProducts)
	w.As("olive").Cannot("acme", access.PayInvoices)
}

// TestTransferRevokes what the old owner offered and couldn't offer any more.
func TestTransferRevokes(t *testing.T) {
	w := newWorld(t)
	w.As("olive").Invites("acme", "p1", access.PayInvoices).Invites("acme", "p2", access.ViewProducts).Invites("acme", "p3", access.All)
	w.As("mona").Invites("acme", "p4", access.PayInvoices)
	head := w.account("acme").Head.Count
	r, err := w.Members.TransferByStaff(t.Context(), support, "acme", "ivan", managerBits)
	require.NoError(t, err)
	require.Equal(t, map[string]invite.State{"p1": invite.Pending, "p2": invite.Revoked, "p3": invite.Revoked, "p4": invite.Pending}, w.invites())
	var kinds []access.EventKind
	for _, e := range w.events("acme")[head:] {
		require.Equal(t, r.Version, e.Version)
		kinds = append(kinds, e.Kind)
	}
	require.Equal(t, []access.EventKind{access.EventOwnerChanged, access.EventOwnerSteppedDown, access.EventInviteRevoked, access.EventInviteRevoked}, kinds)
}

func TestTransferSeats(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.SetPolicy(t.Context(), support, "acme", access.Policy{Seats: 7}))
	transfer := func(to access.UserID, keeps access.Permission) func() (any, error) {
		return func() (any, error) { return w.Members.TransferByStaff(t.Context(), support, "acme", to, keeps) }
	}
	w.refuses(t, access.ErrLimit, "seats.used", "seats", transfer("gina", access.PayInvoices))
	w.refuses(t, access.ErrLimit, "seats.used", "seats", transfer("ella", access.PayInvoices)) // expired: frees no seat
	_, err := transfer("ivan", access.PayInvoices)()                                           // frees his
	require.NoError(t, err)
	_, err = transfer("gina", 0)() // needs none
	require.NoError(t, err)
}

func TestTransferRefuses(t *testing.T) {
	w := newWorld(t)
	transfer := func(actor access.Actor, to access.UserID) func() (any, error) {
		return func() (any, error) { return w.Members.TransferByStaff(t.Context(), actor, "acme", to, 0) }
	}
	w.refuses(t, access.ErrDenied, "denies.host", "", transfer(olive, "ivan"))
	w.refuses(t, access.ErrDenied, "denies.host", "", transfer(ivan, "ivan"))
	w.refuses(t, access.ErrNotFound, "not_found", "account", transfer(gina, "gina"))
	w.refuses(t, access.ErrInvalid, "actor.reason", "actor", transfer(access.AsStaff("s-7", ""), "ivan"))
	w.must(w.Members.CloseAccount(t.Context(), support, "acme"))
	w.refuses(t, access.ErrDenied, "denies.closed", "", transfer(support, "ivan"))
	w.refuses(t, access.ErrDenied, "denies.closed", "", transfer(signup, "olive"))
}

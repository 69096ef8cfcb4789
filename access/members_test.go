package access_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/contact"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/storage"
)

const changedMail = ": Your access to “acme” has changed"

func holds(p access.Permission) access.Facts { return access.Facts{Permissions: p, Status: "active"} }

func TestAddMember(t *testing.T) {
	zone := time.FixedZone("", 3600)
	starts := accesstest.Epoch.Add(24*time.Hour + 1500*time.Nanosecond).In(zone)
	expires := accesstest.Epoch.Add(48*time.Hour + 1999*time.Nanosecond).In(zone)
	stored := access.Membership{Account: "acme", User: "gina", Permissions: access.PayInvoices, Status: access.Active, Label: "Books",
		Starts: accesstest.Epoch.Add(24*time.Hour + time.Microsecond), Expires: accesstest.Epoch.Add(48*time.Hour + time.Microsecond)}
	for _, actor := range []access.Actor{support, signup} {
		w := newWorld(t)
		w.leaves(t, "acme", func() (access.Revision, error) {
			return w.Members.AddMember(t.Context(), actor, "acme", "gina",
				access.Terms{Permissions: access.PayInvoices, Starts: starts, Expires: expires, Label: "Books"})
		}, access.Event{Kind: access.EventMemberAdded, Actor: actor,
			Target: access.Target{Kind: access.TargetUser, ID: "gina", Before: map[string]string{"label": ""}, After: map[string]string{"label": "Books"}},
			After:  access.Facts{Permissions: access.PayInvoices, Status: "active", Starts: stored.Starts, Expires: stored.Expires}})
		want := stored
		want.Created = w.Members.Now()
		require.Equal(t, want, w.membership("acme", "gina"))
		require.Equal(t, []string{"gina" + changedMail}, w.receivers())
	}
}

func TestAddMemberRefuses(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.SetPolicy(t.Context(), support, "globex", access.Policy{Seats: 1}))
	now := w.Members.Now()
	pays := access.Terms{Permissions: access.PayInvoices}
	for _, tt := range []struct {
		name        string
		account     access.AccountID
		user        access.UserID
		terms       access.Terms
		kind        error
		code, field string
	}{
		{"no permission", "acme", "gina", access.Terms{}, access.ErrInvalid, "permissions.empty", "permissions"},
		{"bit 40", "acme", "gina", access.Terms{Permissions: 1 << 40}, access.ErrInvalid, "permissions.unknown", "permissions"},
		{"bit 63", "acme", "gina", access.Terms{Permissions: 1 << 63}, access.ErrInvalid, "permissions.unknown", "permissions"},
		{"All and bit 63", "acme", "gina", access.Terms{Permissions: access.All | 1<<63}, access.ErrInvalid, "permissions.unknown", "permissions"},
		{"without what it needs", "acme", "gina", access.Terms{Permissions: access.ManageDomains}, access.ErrInvalid, "permissions.needs", "permissions"},
		{"over now", "acme", "gina", access.Terms{Permissions: access.PayInvoices, Expires: now}, access.ErrInvalid, "time.past", "expires"},
		{"over before", "acme", "gina", access.Terms{Permissions: access.PayInvoices, Expires: now.Add(-time.Hour)}, access.ErrInvalid, "time.past", "expires"},
		{"ends before it starts", "acme", "gina", access.Terms{Permissions: access.PayInvoices, Starts: now.Add(2 * time.Hour), Expires: now.Add(time.Hour)}, access.ErrInvalid, "time.order", "expires"},
		{"a long label", "acme", "gina", access.Terms{Permissions: access.PayInvoices, Label: strings.Repeat("a", 201)}, access.ErrInvalid, "text.long", "label"},
		{"a label that forges", "acme", "gina", access.Terms{Permissions: access.PayInvoices, Label: "a\nb"}, access.ErrInvalid, "text.control", "label"},
		{"the owner", "acme", "olive", pays, access.ErrExists, "member.exists", "user"},
		{"a member", "acme", "ivan", pays, access.ErrExists, "member.exists", "user"},
		{"a suspended member", "acme", "sue", pays, access.ErrExists, "member.exists", "user"},
		{"a member to be", "acme", "nora", pays, access.ErrExists, "member.exists", "user"},
		{"no seat", "globex", "ivan", pays, access.ErrLimit, "seats.used", "seats"},
		{"no account", "nowhere", "ivan", pays, access.ErrNotFound, "not_found", "account"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.refuses(t, tt.kind, tt.code, tt.field, func() (any, error) {
				return w.Members.AddMember(t.Context(), support, tt.account, tt.user, tt.terms)
			})
		})
	}
	w.must(w.Members.SuspendAccount(t.Context(), support, "acme"))
	w.refuses(t, access.ErrDenied, "denies.account_suspended", "", func() (any, error) {
		return w.Members.AddMember(t.Context(), support, "acme", "gina", pays)
	})
}

// TestAddMemberAgain: on an expired membership the new terms hold, and a suspension is kept.
func TestAddMemberAgain(t *testing.T) {
	w := newWorld(t)
	created := w.membership("acme", "ella").Created
	over := access.Facts{Permissions: access.PayInvoices, Status: "active", Expires: accesstest.Epoch.Add(time.Hour)}
	w.leaves(t, "acme", func() (access.Revision, error) {
		return w.Members.AddMember(t.Context(), support, "acme", "ella", access.Terms{Permissions: access.OpenTickets})
	}, access.Event{Kind: access.EventMemberAdded, Actor: support, Target: target("ella"), Before: over, After: holds(access.OpenTickets)})
	require.Equal(t, access.Membership{Account: "acme", User: "ella", Permissions: access.OpenTickets, Status: access.Active,
		Created: created}, w.membership("acme", "ella"))
	w.As("ella").Can("acme", access.OpenTickets).Cannot("acme", access.PayInvoices)

	w.must(w.Members.SetExpiry(t.Context(), support, "acme", "sue", w.Members.Now().Add(time.Minute)))
	w.Clock.Advance(time.Minute)
	w.must(w.Members.AddMember(t.Context(), support, "acme", "sue", access.Terms{Permissions: access.PayInvoices}))
	require.Equal(t, access.Suspended, w.membership("acme", "sue").Status)
	w.As("sue").Cannot("acme", access.PayInvoices)
}

// TestAddMemberAgainRevokes: what an expired member sent, and couldn't send on the new terms, is revoked.
func TestAddMemberAgainRevokes(t *testing.T) {
	w := newWorld(t)
	w.As("mona").Invites("acme", "p1", access.PayInvoices).Invites("acme", "p2", access.OpenTickets)
	w.must(w.Members.SetExpiry(t.Context(), olive, "acme", "mona", w.Members.Now().Add(time.Minute)))
	w.Clock.Advance(time.Minute)
	w.must(w.Members.AddMember(t.Context(), support, "acme", "mona", access.Terms{Permissions: access.PayInvoices | access.ManageUsers}))
	require.Equal(t, map[string]invite.State{"p1": invite.Pending, "p2": invite.Revoked}, w.invites())
}

func (w *world) invites() map[string]invite.State {
	w.T.Helper()
	states := map[string]invite.State{}
	w.view(func(ctx context.Context, tx storage.Tx) error {
		rows, err := tx.Invites(ctx, "acme", invite.Filter{}, "", 100)
		for _, r := range rows {
			local, _, _ := strings.Cut(r.Address.Canonical(), "@")
			states[local] = r.State
		}
		return err
	})
	return states
}

func TestSetPermissions(t *testing.T) {
	w := newWorld(t)
	w.leaves(t, "acme", func() (access.Revision, error) {
		return w.Members.SetPermissions(t.Context(), mona, "acme", "ivan", access.OpenTickets)
	}, access.Event{Kind: access.EventMemberPermissions, Actor: mona, Target: target("ivan"),
		Before: holds(access.PayInvoices), After: holds(access.OpenTickets)})
	w.As("ivan").Can("acme", access.OpenTickets).Cannot("acme", access.PayInvoices)
	require.Equal(t, "Billing", w.membership("acme", "ivan").Label)
	require.Equal(t, []string{"ivan" + changedMail}, w.receivers())

	w.leaves(t, "acme", func() (access.Revision, error) {
		return w.Members.SetPermissions(t.Context(), mona, "acme", "ivan", access.OpenTickets)
	}) // the same set leaves no event and no mail
	require.Empty(t, w.receivers())
}

func TestPermissionsThatCannotBeGranted(t *testing.T) {
	w := newWorld(t)
	for p, code := range map[access.Permission]string{
		0: "permissions.empty", 1 << 40: "permissions.unknown", 1 << 63: "permissions.unknown", 1<<63 | 1: "permissions.unknown",
		^access.Permission(0): "permissions.unknown", access.ManageProducts: "permissions.needs",
	} {
		for _, user := range []access.UserID{"ivan", "nobody", "olive"} {
			w.refuses(t, access.ErrInvalid, code, "permissions", func() (any, error) {
				return w.Members.SetPermissions(t.Context(), olive, "acme", user, p)
			})
		}
		if p != 0 {
			w.refuses(t, access.ErrInvalid, code, "permissions", func() (any, error) {
				return w.Members.TransferByStaff(t.Context(), support, "acme", "ivan", p)
			})
		}
	}
}

func TestSetExpiry(t *testing.T) {
	w := newWorld(t)
	at := w.Members.Now().Add(time.Hour)
	set := func(expires time.Time) func() (access.Revision, error) {
		return func() (access.Revision, error) {
			return w.Members.SetExpiry(t.Context(), mona, "acme", "ivan", expires)
		}
	}
	until := access.Facts{Permissions: access.PayInvoices, Status: "active", Expires: at}
	w.leaves(t, "acme", set(at.Add(999*time.Nanosecond).In(time.FixedZone("", -7200))), access.Event{Kind: access.EventMemberExpiry, Actor: mona,
		Target: target("ivan"), Before: holds(access.PayInvoices), After: until})
	require.Equal(t, []string{"ivan" + changedMail}, w.receivers())
	w.leaves(t, "acme", set(at))
	require.Empty(t, w.receivers())
	w.Clock.Advance(time.Hour - time.Nanosecond)
	w.As("ivan").Can("acme", access.PayInvoices)
	w.Clock.Advance(time.Nanosecond)
	w.As("ivan").Cannot("acme", access.PayInvoices)
	w.leaves(t, "acme", set(time.Time{}), access.Event{Kind: access.EventMemberExpiry, Actor: mona,
		Target: target("ivan"), Before: until, After: holds(access.PayInvoices)})
	w.As("ivan").Can("acme", access.PayInvoices)
}

func TestSetExpiryRefuses(t *testing.T) {
	w := newWorld(t)
	now := w.Members.Now()
	for _, tt := range []struct {
		name    string
		user    access.UserID
		expires time.Time
		code    string
	}{
		{"now", "ivan", now, "time.past"},
		{"before", "ivan", now.Add(-time.Microsecond), "time.past"},
		{"now, as it is stored", "ivan", now.Add(time.Microsecond - 1), "time.past"},
		{"in the first year", "ivan", time.Time{}.Add(1), "time.past"},
		{"before it starts", "nora", now.Add(time.Hour), "time.order"},
		{"when it starts", "nora", accesstest.Epoch.Add(1000 * time.Hour), "time.order"},
		{"in the year 10000", "ivan", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "time.range"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.refuses(t, access.ErrInvalid, tt.code, "expires", func() (any, error) {
				return w.Members.SetExpiry(t.Context(), olive, "acme", tt.user, tt.expires)
			})
		})
	}
}

// TestSetExpiryTakesASeat: an expired member holds no seat, and needs one to come back.
func TestSetExpiryTakesASeat(t *testing.T) {
	w := newWorld(t)
	w.must(w.Members.SetPolicy(t.Context(), support, "acme", access.Policy{Seats: 7})) // all but ella
	w.refuses(t, access.ErrLimit, "seats.used", "seats", func() (any, error) {
		return w.Members.SetExpiry(t.Context(), olive, "acme", "ella", time.Time{})
	})
	w.must(w.Members.SetExpiry(t.Context(), olive, "acme", "ivan", w.Members.Now().Add(time.Hour)))
	w.As("ivan").Leaves("acme")
	w.must(w.Members.SetExpiry(t.Context(), olive, "acme", "ella", time.Time{}))
	w.As("ella").Can("acme", access.PayInvoices)
}

func TestSeats(t *testing.T) {
	w := newWorld(t)
	set := func(seats int) {
		w.must(w.Members.SetPolicy(t.Context(), support, "acme", access.Policy{Seats: seats}))
	}
	full := func() {
		t.Helper()
		w.refuses(t, access.ErrLimit, "seats.used", "seats", func() (any, error) {
			return w.Members.AddMember(t.Context(), support, "acme", "p3", access.Terms{Permissions: access.PayInvoices})
		})
	}
	set(7) // mona, alma, ivan, dave, sue, nora, ghost; neither olive nor ella
	full()
	_, err := w.Members.AddMember(t.Context(), support, "acme", "p3", access.Terms{Permissions: access.PayInvoices})
	var refusal *access.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, map[string]string{"seats": "7"}, refusal.Params)
	set(8)
	w.As("olive").Invites("acme", "p1", access.PayInvoices) // takes the last
	full()
	w.Clock.Advance(72 * time.Hour) // and gives it back
	w.AsStaff("s-7").Adds("acme", "p3", access.PayInvoices)
	set(1) // what is there stays
	w.As("olive").Sets("acme", "ivan", access.OpenTickets)
	set(0)
	w.AsStaff("s-7").Adds("acme", "p4", access.PayInvoices)
}

func TestSetLabel(t *testing.T) {
	w := newWorld(t)
	label := strings.Repeat("ü", 200)
	set := func() (access.Revision, error) { return w.Members.SetLabel(t.Context(), mona, "acme", "ivan", label) }
	w.leaves(t, "acme", set, access.Event{Kind: access.EventMemberLabel, Actor: mona,
		Target: access.Target{Kind: access.TargetUser, ID: "ivan", Before: map[string]string{"label": "Billing"}, After: map[string]string{"label": label}},
		Before: holds(access.PayInvoices), After: holds(access.PayInvoices)})
	require.Equal(t, label, w.membership("acme", "ivan").Label)
	w.leaves(t, "acme", set)
	require.Empty(t, w.receivers(), "a label is the account's own note")
	for text, code := range map[string]string{label + "x": "text.long", "a\x00": "text.control", "\xff": "text.control", "a\u2028b": "text.control"} {
		w.refuses(t, access.ErrInvalid, code, "label", func() (any, error) {
			return w.Members.SetLabel(t.Context(), olive, "acme", "ivan", text)
		})
	}
}

func TestSuspendAndReinstate(t *testing.T) {
	w := newWorld(t)
	suspend := func() (access.Revision, error) { return w.Members.Suspend(t.Context(), mona, "acme", "ivan") }
	reinstate := func() (access.Revision, error) { return w.Members.Reinstate(t.Context(), support, "acme", "ivan") }
	suspended := access.Facts{Permissions: access.PayInvoices, Status: "suspended"}
	w.leaves(t, "acme", reinstate)
	w.leaves(t, "acme", suspend, access.Event{Kind: access.EventMemberSuspended, Actor: mona, Target: target("ivan"),
		Before: holds(access.PayInvoices), After: suspended})
	w.As("ivan").Cannot("acme", access.PayInvoices)
	require.Equal(t, []string{"ivan" + changedMail}, w.receivers())
	w.leaves(t, "acme", suspend)
	require.Empty(t, w.receivers())
	w.leaves(t, "acme", reinstate, access.Event{Kind: access.EventMemberReinstated, Actor: support, Target: target("ivan"),
		Before: suspended, After: holds(access.PayInvoices)})
	w.As("ivan").Can("acme", access.PayInvoices)
	require.Equal(t, []string{"ivan" + changedMail}, w.receivers())
}

func TestRemove(t *testing.T) {
	w := newWorld(t)
	w.prefers("acme", "ivan")
	w.leaves(t, "acme", func() (access.Revision, error) { return w.Members.Remove(t.Context(), mona, "acme", "ivan") },
		access.Event{Kind: access.EventMemberRemoved, Actor: mona, Before: holds(access.PayInvoices),
			Target: access.Target{Kind: access.TargetUser, ID: "ivan", Before: map[string]string{"label": "Billing"}, After: map[string]string{"label": ""}}})
	require.Zero(t, w.membership("acme", "ivan"))
	require.False(t, w.hasPreference("acme", "ivan"))
	w.As("ivan").Cannot("acme", access.PayInvoices)
	require.Equal(t, []string{"ivan: Your access to “acme” was removed"}, w.receivers())
	for _, user := range []access.UserID{"ivan", "nobody", "greg"} { // gone, never there, elsewhere
		w.refuses(t, access.ErrNotFound, "not_found", "member", func() (any, error) {
			return w.Members.Remove(t.Context(), mona, "acme", user)
		})
	}
}

func TestLeave(t *testing.T) {
	for _, user := range []access.UserID{"mona", "alma", "sue", "ella", "nora"} {
		for _, suspended := range []bool{false, true} {
			w := newWorld(t)
			if suspended {
				w.must(w.Members.SuspendAccount(t.Context(), support, "acme"))
			}
			w.prefers("acme", user)
			m, mailed := w.membership("acme", user), w.mailed("acme")
			w.leaves(t, "acme", func() (access.Revision, error) { return w.Members.Leave(t.Context(), access.As(user), "acme") },
				access.Event{Kind: access.EventMemberLeft, Actor: access.As(user), Target: target(user),
					Before: access.Facts{Permissions: m.Permissions, Status: m.Status.String(), Starts: m.Starts, Expires: m.Expires}})
			require.Zero(t, w.membership("acme", user))
			require.False(t, w.hasPreference("acme", user))
			require.Equal(t, mailed, w.mailed("acme"))
		}
	}
	w := newWorld(t)
	leave := func(actor access.Actor) func() (any, error) {
		return func() (any, error) { return w.Members.Leave(t.Context(), actor, "acme") }
	}
	w.refuses(t, access.ErrOwner, "owner", "actor", leave(olive))
	w.refuses(t, access.ErrDenied, "denies.user", "", leave(support))
	w.refuses(t, access.ErrDenied, "denies.user", "", leave(signup))
	w.refuses(t, access.ErrNotFound, "not_found", "account", leave(gina))
	w.must(w.Members.CloseAccount(t.Context(), support, "acme"))
	w.refuses(t, access.ErrDenied, "denies.closed", "", leave(ivan))
}

// TestLosingPermissionsRevokesInvites: those that the member sent and that go beyond what they still hold, with an
// event each, in the same version.
func TestLosingPermissionsRevokesInvites(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*world) (access.Revision, error)
		want map[string]invite.State
	}{
		{"removed", func(w *world) (access.Revision, error) {
			return w.Members.Remove(context.Background(), olive, "acme", "mona")
		},
			map[string]invite.State{"p1": invite.Revoked, "p2": invite.Revoked, "p3": invite.Revoked, "p4": invite.Pending}},
		{"left", func(w *world) (access.Revision, error) { return w.Members.Leave(context.Background(), mona, "acme") },
			map[string]invite.State{"p1": invite.Revoked, "p2": invite.Revoked, "p3": invite.Revoked, "p4": invite.Pending}},
		{"reduced", func(w *world) (access.Revision, error) {
			return w.Members.SetPermissions(context.Background(), olive, "acme", "mona", access.ManageUsers|access.PayInvoices|access.ViewProducts)
		}, map[string]invite.State{"p1": invite.Pending, "p2": invite.Revoked, "p3": invite.Revoked, "p4": invite.Pending}},
		{"widened", func(w *world) (access.Revision, error) {
			return w.Members.SetPermissions(context.Background(), olive, "acme", "mona", managerBits|access.ViewProducts)
		}, map[string]invite.State{"p1": invite.Pending, "p2": invite.Pending, "p3": invite.Pending, "p4": invite.Pending}},
		{"suspended", func(w *world) (access.Revision, error) {
			return w.Members.Suspend(context.Background(), olive, "acme", "mona")
		},
			map[string]invite.State{"p1": invite.Pending, "p2": invite.Pending, "p3": invite.Pending, "p4": invite.Pending}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.As("mona").Invites("acme", "p1", access.PayInvoices).Invites("acme", "p2", access.OpenTickets).
				Invites("acme", "p3", access.PayInvoices|access.OpenTickets)
			w.As("olive").Invites("acme", "p4", access.PayInvoices|access.OpenTickets)
			head := w.account("acme").Head.Count
			r, err := tt.do(w)
			require.NoError(t, err)
			require.Equal(t, tt.want, w.invites())
			events := w.events("acme")[head:]
			var revoked []string
			for i, e := range events {
				require.Equal(t, r.Version, e.Version)
				require.Equal(t, i, e.Index)
				if i > 0 {
					require.Equal(t, access.EventInviteRevoked, e.Kind)
					require.Equal(t, events[0].Actor, e.Actor)
					require.Equal(t, access.TargetInvite, e.Target.Kind)
					require.Equal(t, "p...@example.com", e.Target.Name, "masked")
					require.NotZero(t, e.Before.Permissions)
					require.Equal(t, "pending", e.Before.Status)
					after := e.Before
					after.Status = "revoked"
					require.Equal(t, after, e.After)
					revoked = append(revoked, e.Target.ID)
				}
			}
			want := 0
			for _, state := range tt.want {
				if state == invite.Revoked {
					want++
				}
			}
			require.Len(t, revoked, want)
			require.IsIncreasing(t, append([]string{""}, revoked...))
		})
	}
}

// prefers makes a user choose e-mail for themselves.
func (w *world) prefers(account access.AccountID, user access.UserID) {
	w.T.Helper()
	w.update(func(ctx context.Context, tx storage.Tx) error {
		if _, err := tx.Lock(ctx, account); err != nil {
			return err
		}
		return tx.PutPreference(ctx, account, user, contact.Category(1))
	})
}

func (w *world) hasPreference(account access.AccountID, user access.UserID) bool {
	w.T.Helper()
	has := false
	w.view(func(ctx context.Context, tx storage.Tx) error {
		_, err := tx.Preference(ctx, account, user)
		has = err == nil
		return nil
	})
	return has
}

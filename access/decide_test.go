package access_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// TestExplainEveryRule: each rule once, and Can says the same.
func TestExplainEveryRule(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.Members.SyncUser(t.Context(), access.User{ID: "nobody"}))
	w.must(w.Members.CreateAccount(t.Context(), signup, access.NewAccount{ID: "fresh", Owner: "greg", Profile: access.Profile{Name: "x"}}))
	w.must(w.Members.AddMember(t.Context(), signup, "fresh", "ivan", access.Terms{Permissions: access.PayInvoices | access.ViewProducts}))
	w.must(w.Members.SuspendAccount(t.Context(), signup, "fresh"))
	w.must(w.Members.CloseAccount(t.Context(), signup, "globex"))
	for _, tt := range []struct {
		user    access.UserID
		account access.AccountID
		asked   access.Permission
		rule    access.Rule
		missing access.Permission
	}{
		{"nobody", "acme", access.PayInvoices, access.DeniesStranger, 0},
		{"olive", "nowhere", access.PayInvoices, access.DeniesStranger, 0},
		{"olive", "acme", 0, access.DeniesEmpty, 0},
		{"olive", "acme", 1 << 63, access.DeniesEmpty, 0},
		{"gina", "globex", access.PayInvoices, access.DeniesClosed, 0},
		{"olive", "globex", access.PayInvoices, access.DeniesStranger, 0},
		{"ivan", "fresh", access.ViewProducts, access.DeniesAccountSuspended, 0},
		{"greg", "fresh", access.ViewProducts, access.DeniesAccountSuspended, 0},
		{"olive", "fresh", access.ViewProducts, access.DeniesStranger, 0},
		{"sue", "acme", access.PayInvoices, access.DeniesSuspended, 0},
		{"nora", "acme", access.PayInvoices, access.DeniesEarly, 0},
		{"ella", "acme", access.PayInvoices, access.DeniesExpired, 0},
		{"ivan", "acme", access.PayInvoices | access.OpenTickets | access.ViewDomains, access.DeniesMissing, access.OpenTickets | access.ViewDomains},
		{"olive", "acme", access.All, access.AllowsOwner, 0},
		{"greg", "fresh", access.OpenTickets, access.AllowsOwner, 0},
		{"ivan", "acme", access.PayInvoices, access.AllowsHeld, 0},
		{"ivan", "fresh", access.PayInvoices, access.AllowsHeld, 0},
		{"alma", "acme", 1 << 62, access.AllowsHeld, 0},
	} {
		t.Run(tt.rule.String()+" "+string(tt.user), func(t *testing.T) {
			e, err := w.Members.Explain(t.Context(), tt.user, tt.account, tt.asked)
			require.NoError(t, err)
			g, err := w.Members.Grant(t.Context(), tt.user, tt.account)
			require.NoError(t, err)
			require.Equal(t, access.Explanation{Rule: tt.rule, Missing: tt.missing, Grant: g, At: w.Members.Now()}, e)
			require.Equal(t, access.PayInvoices|access.OpenTickets, g.WhileSuspended)
			yes, err := w.Members.Can(t.Context(), tt.user, tt.account, tt.asked)
			require.NoError(t, err)
			require.Equal(t, tt.rule.Allows(), yes)
			require.Equal(t, yes, e.Allowed())
		})
	}
}

func TestDecisionsRefuseIds(t *testing.T) {
	w := newWorld(t)
	for id, code := range map[string]string{"": "id.empty", strings.Repeat("a", 129): "id.long", "a\n": "id.text", "\xff": "id.text"} {
		for field, ask := range map[string]func() (any, error){
			"user": func() (any, error) {
				return w.Members.Can(t.Context(), access.UserID(id), "acme", access.PayInvoices)
			},
			"account": func() (any, error) {
				return w.Members.Can(t.Context(), "olive", access.AccountID(id), access.PayInvoices)
			},
		} {
			w.refuses(t, access.ErrInvalid, code, field, ask)
		}
		_, err := w.Members.Explain(t.Context(), access.UserID(id), "acme", access.PayInvoices)
		requireRefused(t, err, access.ErrInvalid, code, "user")
	}
}

// TestErrorIsNo: an error, a cancellation or a panic in storage never becomes a yes, and the next call is right.
func TestErrorIsNo(t *testing.T) {
	w := newWorld(t)
	yes, err := w.Members.Can(t.Context(), "olive", "acme", access.PayInvoices)
	require.NoError(t, err)
	require.True(t, yes)

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	yes, err = w.Members.Can(cancelled, "olive", "acme", access.PayInvoices)
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, yes)

	allowing := access.Grant{Owner: true, Status: access.Active, Account: access.AccountActive, Permissions: access.All}
	failure := errBroken
	s := w.on(store{grant: func(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
		if failure == nil {
			return w.DB.Grant(ctx, account, user)
		}
		return allowing, failure // a storage that says yes and fails
	}})
	for range 2 {
		yes, err = s.Can(t.Context(), "olive", "acme", access.PayInvoices)
		require.Equal(t, errBroken, err)
		require.False(t, yes)
		e, err := s.Explain(t.Context(), "olive", "acme", access.PayInvoices)
		require.Equal(t, errBroken, err)
		require.Zero(t, e)
		g, err := s.Grant(t.Context(), "olive", "acme")
		require.Equal(t, errBroken, err)
		require.Zero(t, g)
	}
	failure = nil
	yes, err = s.Can(t.Context(), "olive", "acme", access.PayInvoices)
	require.NoError(t, err)
	require.True(t, yes)

	panicking := true
	s = w.on(store{grant: func(ctx context.Context, account access.AccountID, user access.UserID) (access.Grant, error) {
		if panicking {
			panic("storage: broken")
		}
		return w.DB.Grant(ctx, account, user)
	}})
	require.PanicsWithValue(t, "storage: broken", func() { yes, _ = s.Can(t.Context(), "gina", "acme", access.PayInvoices) })
	panicking = false
	yes, err = s.Can(t.Context(), "gina", "acme", access.PayInvoices)
	require.NoError(t, err)
	require.False(t, yes)
}

// TestCancelledVerbsChangeNothing: every verb, and every list.
func TestCancelledVerbsChangeNothing(t *testing.T) {
	w := newWorld(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	before := w.dump()
	for _, v := range everyVerb() {
		result, err := v.do(cancelled, w.Members, support, "acme", "dave")
		require.ErrorIs(t, err, context.Canceled, v.name)
		require.Zero(t, result, v.name)
	}
	require.Equal(t, before, w.dump())
}

// TestPanicsInStorageChangeNothing and are passed on.
func TestPanicsInStorageChangeNothing(t *testing.T) {
	w := newWorld(t)
	s := w.on(store{update: func(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
		return w.DB.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
			_ = fn(ctx, tx)
			panic("storage: broken")
		})
	}})
	before := w.dump()
	require.PanicsWithValue(t, "storage: broken", func() { _, _ = s.Remove(t.Context(), olive, "acme", "ivan") })
	require.Equal(t, before, w.dump())
	w.must(w.Members.Remove(t.Context(), olive, "acme", "ivan"))
}

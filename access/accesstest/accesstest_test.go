package accesstest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/storage/memory"
)

// TestBookkeeper is the example of the package's documentation.
func TestBookkeeper(t *testing.T) {
	w := accesstest.New(t)
	w.As("ann").Creates("acme").Invites("acme", "bob", access.PayInvoices)
	w.As("bob").Accepts("acme").Can("acme", access.PayInvoices).Cannot("acme", access.PlaceOrders)
	w.As("bob").Fails(access.ErrDenied).Removes("acme", "ann")
	w.As("ann").Removes("acme", "bob")
	w.As("bob").Cannot("acme", access.PayInvoices)
}

func TestEveryScene(t *testing.T) {
	w := accesstest.New(t)
	w.As("ann").Creates("acme")
	w.AsStaff("s-7").Adds("acme", "bob", access.PayInvoices)
	w.As("ann").Sets("acme", "bob", access.OpenTickets)
	w.As("bob").Exists().Can("acme", access.OpenTickets)
	w.As("ann").Suspends("acme", "bob")
	w.As("bob").Cannot("acme", access.OpenTickets)
	w.As("ann").Reinstates("acme", "bob")
	w.As("bob").Can("acme", access.OpenTickets).Leaves("acme").Fails(access.ErrNotFound).Leaves("acme")
	w.As("ann").Fails(access.ErrOwner).Leaves("acme")
}

// A judge is a test that notes whether it was failed, instead of failing.
type judge struct {
	testing.TB
	failed bool
}

type stopped struct{}

func (j *judge) Helper()               {}
func (j *judge) Errorf(string, ...any) { j.failed = true }
func (j *judge) FailNow()              { j.failed = true; panic(stopped{}) }

// failed reports whether a story fails its test.
func failed(t *testing.T, story func(*accesstest.World)) bool {
	t.Helper()
	w := accesstest.New(t)
	w.As("ann").Creates("acme")
	w.AsStaff("s-7").Adds("acme", "bob", access.PayInvoices)
	w.As("ann").Invites("acme", "cem", access.PayInvoices)
	j := &judge{TB: t}
	w.T = j
	func() {
		defer func() {
			if r := recover(); r != nil && r != (stopped{}) {
				panic(r)
			}
		}()
		story(w)
	}()
	return j.failed
}

// TestScenesFailTheirTest: a scene that goes another way than its story says.
func TestScenesFailTheirTest(t *testing.T) {
	for name, story := range map[string]func(*accesstest.World){
		"Fails and succeeds":      func(w *accesstest.World) { w.As("ann").Fails(access.ErrDenied).Removes("acme", "bob") },
		"Fails otherwise":         func(w *accesstest.World) { w.As("bob").Fails(access.ErrNotFound).Removes("acme", "ann") },
		"Fails and accepts":       func(w *accesstest.World) { w.As("cem").Fails(access.ErrDenied).Accepts("acme") },
		"is refused":              func(w *accesstest.World) { w.As("bob").Removes("acme", "ann") },
		"is refused to create":    func(w *accesstest.World) { w.As("bob").Creates("acme") },
		"is refused to add":       func(w *accesstest.World) { w.As("ann").Adds("acme", "dan", access.PayInvoices) },
		"is refused to invite":    func(w *accesstest.World) { w.As("bob").Invites("acme", "dan", access.PayInvoices) },
		"is refused to set":       func(w *accesstest.World) { w.As("bob").Sets("acme", "ann", access.PayInvoices) },
		"is refused to suspend":   func(w *accesstest.World) { w.As("bob").Suspends("acme", "ann") },
		"is refused to reinstate": func(w *accesstest.World) { w.As("bob").Reinstates("acme", "ann") },
		"is refused to leave":     func(w *accesstest.World) { w.As("ann").Leaves("acme") },
		"cannot":                  func(w *accesstest.World) { w.As("bob").Can("acme", access.PlaceOrders) },
		"can":                     func(w *accesstest.World) { w.As("bob").Cannot("acme", access.PayInvoices) },
		"Fails counts once": func(w *accesstest.World) {
			w.As("bob").Fails(access.ErrDenied).Removes("acme", "ann").Removes("acme", "ann")
		},
		"accepts another account's": func(w *accesstest.World) { w.As("cem").Accepts("globex") },
		"accepts without an invite": func(w *accesstest.World) { w.As("dan").Accepts("acme") },
	} {
		t.Run(name, func(t *testing.T) { require.True(t, failed(t, story)) })
	}
	require.False(t, failed(t, func(w *accesstest.World) {
		w.As("bob").Can("acme", access.PayInvoices).Cannot("acme", access.PlaceOrders).Fails(access.ErrDenied).Removes("acme", "ann").Leaves("acme")
		w.As("cem").Accepts("acme")
	}))
}

func TestClock(t *testing.T) {
	c := accesstest.NewClock(accesstest.Epoch)
	require.Equal(t, accesstest.Epoch, c.Now())
	require.Equal(t, time.Monday, c.Now().Weekday())
	require.Equal(t, accesstest.Epoch.Add(time.Hour), c.Advance(time.Hour))
	require.Equal(t, accesstest.Epoch.Add(time.Hour), c.Now())
}

func TestWorldOnABackendOfYours(t *testing.T) {
	db := memory.New()
	accesstest.On(t, db).As("ann").Creates("acme")
	accesstest.On(t, db).As("ann").Can("acme", access.PlaceOrders)
}

func TestAddressOf(t *testing.T) {
	require.Equal(t, "bob@example.com", accesstest.AddressOf("bob").Canonical())
	require.Panics(t, func() { accesstest.AddressOf("not an address") })
}

// ExampleAuthorizerMock shows the mock in front of code that only asks Can.
func ExampleAuthorizerMock() {
	mock := &accesstest.AuthorizerMock{
		CanFunc: func(_ context.Context, user access.UserID, _ access.AccountID, p access.Permission) (bool, error) {
			return user == "bob" && p == access.PayInvoices, nil
		},
	}
	pay := func(authorizer access.Authorizer, user access.UserID) string {
		yes, err := authorizer.Can(context.Background(), user, "acme", access.PayInvoices)
		if err != nil || !yes {
			return "refused"
		}
		return "paid"
	}
	fmt.Println(pay(mock, "bob"), pay(mock, "eve"), len(mock.CanCalls()))
	// Output: paid refused 2
}

// Package accesstest helps to test what uses roster: a clock that stands still, a world in which everything is wired
// on the in-memory backend, scenarios that read like the story they tell, and a mock of access.Authorizer.
//
//	func TestBookkeeper(t *testing.T) {
//		w := accesstest.New(t)
//		w.As("ann").Creates("acme").Invites("acme", "bob", access.PayInvoices)
//		w.As("bob").Accepts("acme").Can("acme", access.PayInvoices).Cannot("acme", access.PlaceOrders)
//		w.As("bob").Fails(access.ErrDenied).Removes("acme", "ann")
//		w.As("ann").Removes("acme", "bob")
//		w.As("bob").Cannot("acme", access.PayInvoices)
//	}
//
// Prefer a World to the mock: it knows the rules. The mock is for code that only asks Can.
package accesstest

//go:generate go tool moq -out authorizer_mock.go -pkg accesstest .. Authorizer

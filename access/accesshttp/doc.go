// Package accesshttp is net/http middleware in front of pages that belong to an account: who is asking, which
// account, and may they.
//
//	guard, err := accesshttp.New(members, accesshttp.Config{Principal: whoIsSignedIn})
//	mux.Handle("GET /accounts/{account}/invoices", guard.Require(access.PayInvoices)(invoices))
//
// It tells three refusals apart. 401: nobody is signed in. 404: the account isn't there, or isn't for this person:
// the two look the same. 403: the person is a member, and may not do this. A failure of storage is 500, and nobody
// gets in.
//
// A page asks once: the grant of the request is in its context (GrantFrom), and asking it again is a bit test. It is
// the state at the beginning of the request. For a page whose answer takes minutes, ask the service again.
package accesshttp

package main

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesshttp"
)

// routes are the application's pages. Those of a customer asked, before roster, whether the customer was the user's own.
func (a *application) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /profile", a.guard.SignedIn(a.page(a.postProfile)))
	mux.Handle("GET /customers", a.guard.SignedIn(a.page(a.listCustomers)))
	mux.Handle("POST /customers", a.guard.SignedIn(a.page(a.postCustomer)))
	mux.Handle("GET /customers/{account}/invoices", a.guard.Require(access.PayInvoices)(a.page(a.listInvoices)))
	mux.Handle("POST /customers/{account}/orders", a.guard.Require(access.PlaceOrders)(a.page(a.postOrder)))
	return http.NewCrossOriginProtection().Handler(mux)
}

// A visit is a request that the guard let in: by whom, and, if it is about one, to which customer.
type visit struct {
	*http.Request
	user, customer int64
}

// page writes what a function returns. It looks at ids only behind the guard, which knows none but the application's own.
func (a *application) page(show func(visit) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := visit{Request: r}
		principal, _ := accesshttp.PrincipalFrom(r.Context())
		user, err := number(principal.User)
		if account, about := accesshttp.AccountFrom(r.Context()); about && err == nil {
			v.customer, err = number(account)
		}
		v.user = user
		var content any
		if err == nil {
			content, err = show(v)
		}
		if err != nil {
			a.refuse(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(content)
	})
}

// refuse writes an error. What roster refuses is for people to read; other errors are for the log.
func (a *application) refuse(w http.ResponseWriter, err error) {
	status, text := http.StatusInternalServerError, "This didn't work. Please try again."
	switch {
	case errors.Is(err, errNoProduct), errors.Is(err, access.ErrNotFound):
		status, text = http.StatusNotFound, err.Error()
	case errors.Is(err, access.ErrInvalid):
		status, text = http.StatusBadRequest, err.Error()
	case errors.Is(err, access.ErrDenied):
		status, text = http.StatusForbidden, err.Error()
	case errors.Is(err, access.ErrExists):
		status, text = http.StatusConflict, err.Error()
	default:
		a.log.Error("a request failed", "cause", err)
	}
	http.Error(w, text, status)
}

func (a *application) postProfile(v visit) (any, error) {
	return a.rename(v.Context(), v.user, v.PostFormValue("name"))
}

// listCustomers shows the customers that the user is a member of: before roster, those whose owner they were.
func (a *application) listCustomers(v visit) (any, error) {
	customers := []customer{}
	for page := (access.Page{}); ; {
		list, err := a.members.Accounts(v.Context(), access.As(userID(v.user)), userID(v.user), access.AccountFilter{}, page)
		if err != nil {
			return nil, err
		}
		for _, entry := range list.Items {
			id, err := number(entry.Account.ID)
			if err != nil {
				return nil, err
			}
			customers = append(customers, customer{ID: id, Name: entry.Account.Profile.Name})
		}
		if list.Next == "" {
			return customers, nil
		}
		page.After = list.Next
	}
}

func (a *application) postCustomer(v visit) (any, error) {
	return a.createCustomer(v.Context(), v.user, v.PostFormValue("name"))
}

func (a *application) listInvoices(v visit) (any, error) {
	return a.invoices(v.Context(), v.customer)
}

func (a *application) postOrder(v visit) (any, error) {
	return a.placeOrder(v.Context(), v.customer, v.user, v.PostFormValue("product"))
}

package accesshttp

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/rosterkit/roster/access"
)

// A Principal is who asks, as the host authenticated them.
type Principal struct {
	User         access.UserID
	Address      access.Address
	Verified     bool // the host has proof that the address is theirs
	SecondFactor bool // signed in with one
	// Staff says that this is the host's staff, by its own id, and not a user: Config.Staff decides about them.
	Staff string
}

// ErrAnonymous is what Config.Principal returns if nobody is signed in.
var ErrAnonymous = errors.New("accesshttp: nobody is signed in")

// Grants is what the middleware asks: *access.Service is one.
type Grants interface {
	// Grant returns what a user may do in an account.
	Grant(ctx context.Context, user access.UserID, account access.AccountID) (access.Grant, error)
}

// Config is what a Guard can be told. Principal must be there.
type Config struct {
	// Principal returns who asks, from the host's session: ErrAnonymous for nobody. It must not believe anything in
	// the request that the host didn't sign.
	Principal func(*http.Request) (Principal, error)
	// Account returns which account a request is about, empty for none. By default the path says: {account} in the
	// pattern; behind one that hasn't got it, every answer is 404. A host that prefers a cookie or a header reads it here;
	// whether the person may is checked all the same.
	Account func(*http.Request) access.AccountID
	// Refuse writes the answer to a request that isn't let in: its status is 401, 403, 404 or 500. By default it is
	// the status and its text. err says why, for logs.
	Refuse func(w http.ResponseWriter, r *http.Request, status int, err error)
	// Staff decides whether a member of staff comes in without a membership, for all of p in an account, or to look
	// around if p is zero. It returns nil for yes. Staff comes in nowhere if it is nil.
	Staff func(ctx context.Context, p Principal, account access.AccountID, permission access.Permission) error
	// Seen is called for each request that is let in and has a member, for example to record when they were last seen.
	Seen func(ctx context.Context, p Principal, account access.AccountID, g access.Grant)
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// A Guard makes middleware. It is safe for concurrent use.
type Guard struct {
	grants Grants
	config Config
}

// New returns a Guard. It returns an error if grants or Config.Principal is missing.
func New(grants Grants, config Config) (*Guard, error) {
	if grants == nil || config.Principal == nil {
		return nil, errors.New("accesshttp: New needs grants and Config.Principal")
	}
	if config.Account == nil {
		config.Account = func(r *http.Request) access.AccountID { return access.AccountID(r.PathValue("account")) }
	}
	if config.Refuse == nil {
		config.Refuse = func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
			http.Error(w, http.StatusText(status), status)
		}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Guard{grants, config}, nil
}

// SignedIn lets in who is signed in, whatever they may do, and puts their Principal into the context.
func (g *Guard) SignedIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p, ok := g.principal(w, r); ok {
			in, _ := r.Context().Value(requestKey{}).(request)
			if !in.known || in.principal != p {
				in = request{principal: p}
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, in)))
		}
	})
}

// Member lets in who has to do with the request's account: its owner, its members in use or not, and staff that
// Config.Staff lets in.
func (g *Guard) Member(next http.Handler) http.Handler { return g.guard(next, 0) }

// Require lets in who may do all of p in the request's account now, and staff that Config.Staff lets in. It panics if p
// is empty: nobody may do nothing.
func (g *Guard) Require(p access.Permission) func(http.Handler) http.Handler {
	if p == 0 {
		panic("accesshttp: Require of no permission")
	}
	return func(next http.Handler) http.Handler { return g.guard(next, p) }
}

func (g *Guard) guard(next http.Handler, p access.Permission) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, ok := g.principal(w, r)
		if !ok {
			return
		}
		in, err := g.enter(r.Context(), principal, g.config.Account(r), p)
		if err != nil {
			g.config.Refuse(w, r, status(err), err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, in)))
	})
}

func (g *Guard) principal(w http.ResponseWriter, r *http.Request) (Principal, bool) {
	p, err := g.config.Principal(r)
	if err == nil && p.User == "" && p.Staff == "" {
		err = ErrAnonymous
	}
	if err != nil {
		g.config.Refuse(w, r, status(err), err)
		return Principal{}, false
	}
	return p, true
}

// enter returns what a request carries whose principal may come in. Inside another guard of the same account it asks
// the grant that is there already.
func (g *Guard) enter(ctx context.Context, p Principal, account access.AccountID, permission access.Permission) (request, error) {
	in := request{principal: p, account: account, known: true}
	if account.Check() != nil {
		return in, access.NotFound("account")
	}
	if p.Staff != "" {
		if g.config.Staff == nil {
			return in, access.Denied("denies.staff", "staff has no policy that allows it")
		}
		return in, g.config.Staff(ctx, p, account, permission)
	}
	outer, _ := ctx.Value(requestKey{}).(request)
	inside := outer.known && outer.account == account && outer.principal == p
	if inside {
		in.grant = outer.grant
	} else {
		grant, err := g.grants.Grant(ctx, p.User, account)
		if err != nil {
			return in, err
		}
		in.grant = grant
	}
	if !in.grant.Member() {
		return in, access.NotFound("account")
	}
	if permission != 0 {
		if rule := in.grant.Decide(permission, g.config.Now()); !rule.Allows() {
			return in, access.Denied(rule.String(), "the permission is missing or not in use")
		}
	}
	if g.config.Seen != nil && !inside {
		g.config.Seen(ctx, p, account, in.grant)
	}
	return in, nil
}

// status returns the HTTP status (RFC 9110) of a refusal.
func status(err error) int {
	switch {
	case errors.Is(err, ErrAnonymous):
		return http.StatusUnauthorized
	case errors.Is(err, access.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, access.ErrDenied):
		return http.StatusForbidden
	}
	return http.StatusInternalServerError
}

type requestKey struct{}

type request struct {
	principal Principal
	account   access.AccountID
	grant     access.Grant
	known     bool // account and grant are there
}

// PrincipalFrom returns who asks, in a request that a Guard let in.
func PrincipalFrom(ctx context.Context) (Principal, bool) {
	r, ok := ctx.Value(requestKey{}).(request)
	return r.principal, ok
}

// AccountFrom returns the account of a request that Member or Require let in.
func AccountFrom(ctx context.Context) (access.AccountID, bool) {
	r, ok := ctx.Value(requestKey{}).(request)
	return r.account, ok && r.known
}

// GrantFrom returns what the person may do in the request's account, as it was when the request began; for staff the
// zero Grant, which denies. It is there in requests that Member or Require let in.
func GrantFrom(ctx context.Context) (access.Grant, bool) {
	r, ok := ctx.Value(requestKey{}).(request)
	return r.grant, ok && r.known
}

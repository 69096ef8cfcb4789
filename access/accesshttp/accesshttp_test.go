package accesshttp_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesshttp"
	"github.com/rosterkit/roster/access/accesstest"
)

var errBroken = errors.New("the disk is full")

// A site is a portal with pages that belong to accounts. Who asks is in the header User or Staff: tests only.
type site struct {
	world  *accesstest.World
	grants *counter
	config accesshttp.Config
	seen   []access.UserID
	ran    *http.Request // the last request that reached a page
}

// A counter counts how often it is asked, and fails if it is told to.
type counter struct {
	accesshttp.Grants
	asked int
	err   error
}

func (c *counter) Grant(ctx context.Context, user access.UserID, account access.AccountID) (access.Grant, error) {
	c.asked++
	if c.err != nil {
		return access.Grant{Owner: true, Status: access.Active, Account: access.AccountActive}, c.err
	}
	return c.Grants.Grant(ctx, user, account)
}

func newSite(t *testing.T) *site {
	t.Helper()
	w := accesstest.New(t)
	w.As("olive").Creates("acme")
	w.As("gina").Creates("globex")
	w.AsStaff("s-7").Adds("acme", "ivan", access.PayInvoices).Adds("acme", "sue", access.PayInvoices)
	w.As("olive").Suspends("acme", "sue")
	s := &site{world: w, grants: &counter{Grants: w.Members}}
	s.config = accesshttp.Config{
		Principal: func(r *http.Request) (accesshttp.Principal, error) {
			switch user := access.UserID(r.Header.Get("User")); user {
			case "broken":
				return accesshttp.Principal{User: "olive"}, errBroken
			case "":
				return accesshttp.Principal{Staff: r.Header.Get("Staff")}, nil
			case "anonymous":
				return accesshttp.Principal{User: "olive"}, accesshttp.ErrAnonymous
			default:
				return accesshttp.Principal{User: user, Address: accesstest.AddressOf("x"), Verified: true, SecondFactor: true}, nil
			}
		},
		Staff: func(_ context.Context, p accesshttp.Principal, account access.AccountID, _ access.Permission) error {
			if account != "acme" || p.Staff != "s-7" {
				return access.Denied("desk", "not this desk")
			}
			return nil
		},
		Seen: func(_ context.Context, p accesshttp.Principal, _ access.AccountID, _ access.Grant) {
			s.seen = append(s.seen, p.User)
		},
		Now: w.Clock.Now,
	}
	return s
}

func (s *site) handler(t *testing.T) http.Handler {
	t.Helper()
	guard, err := accesshttp.New(s.grants, s.config)
	require.NoError(t, err)
	page := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { s.ran = r })
	mux := http.NewServeMux()
	mux.Handle("GET /accounts/{account}/invoices", guard.Require(access.PayInvoices)(page))
	mux.Handle("GET /accounts/{account}/both", guard.Require(access.PayInvoices|access.ViewDomains)(page))
	mux.Handle("GET /accounts/{account}/inside", guard.SignedIn(guard.Member(guard.SignedIn(guard.Require(access.PayInvoices)(page)))))
	mux.Handle("GET /accounts/{account}", guard.Member(page))
	mux.Handle("GET /invoices", guard.Require(access.PayInvoices)(page))
	mux.Handle("GET /me", guard.SignedIn(page))
	return mux
}

func (s *site) get(t *testing.T, path, who string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if staff, ok := strings.CutPrefix(who, "staff:"); ok {
		r.Header.Set("Staff", staff)
	} else {
		r.Header.Set("User", who)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	s.ran, s.seen, s.grants.asked = nil, nil, 0
	answer := httptest.NewRecorder()
	s.handler(t).ServeHTTP(answer, r)
	require.Equal(t, answer.Code == http.StatusOK, s.ran != nil, "only who is let in reaches the page")
	return answer.Result()
}

func TestRefusalsAreToldApart(t *testing.T) {
	s := newSite(t)
	long := strings.Repeat("a", 129)
	for _, tt := range []struct {
		path, who string
		status    int
		asked     int
	}{
		{"/accounts/acme/invoices", "olive", 200, 1},
		{"/accounts/acme/invoices", "ivan", 200, 1},
		{"/accounts/acme/invoices", "staff:s-7", 200, 0},
		{"/accounts/acme/both", "olive", 200, 1},
		{"/accounts/acme", "ivan", 200, 1},
		{"/accounts/acme", "sue", 200, 1},
		{"/accounts/acme", "staff:s-7", 200, 0},
		{"/me", "ivan", 200, 0},
		{"/me", "staff:s-7", 200, 0},

		{"/accounts/acme/invoices", "", 401, 0},
		{"/accounts/acme/invoices", "anonymous", 401, 0},
		{"/accounts/nowhere/invoices", "", 401, 0},
		{"/accounts/" + long, "", 401, 0},
		{"/me", "", 401, 0},
		{"/me", "anonymous", 401, 0},

		{"/accounts/acme/both", "ivan", 403, 1},
		{"/accounts/acme/invoices", "sue", 403, 1},

		{"/accounts/acme/invoices", "gina", 404, 1},
		{"/accounts/acme", "gina", 404, 1},
		{"/accounts/nowhere", "olive", 404, 1},
		{"/accounts/" + long, "olive", 404, 0},
		{"/accounts/a%00", "olive", 404, 0},
		{"/accounts/%ff", "staff:s-7", 404, 0},
		{"/invoices", "olive", 404, 0},

		{"/accounts/acme/invoices", "broken", 500, 0},
		{"/me", "broken", 500, 0},
	} {
		t.Run(tt.path[:min(30, len(tt.path))]+" "+tt.who, func(t *testing.T) {
			answer := s.get(t, tt.path, tt.who)
			require.Equal(t, tt.status, answer.StatusCode)
			require.Equal(t, tt.asked, s.grants.asked, "a request asks once at most")
		})
	}
}

// TestStorageFailuresLetNobodyIn, even if what comes with the error says yes.
func TestStorageFailuresLetNobodyIn(t *testing.T) {
	s := newSite(t)
	s.grants.err = errBroken
	for _, path := range []string{"/accounts/acme/invoices", "/accounts/acme", "/accounts/nowhere"} {
		require.Equal(t, 500, s.get(t, path, "olive").StatusCode)
	}
	require.Equal(t, 404, s.get(t, "/invoices", "olive").StatusCode)
	s.grants.err = nil
	require.Equal(t, 200, s.get(t, "/accounts/acme", "olive").StatusCode)

	// A user id that can't be one is the host's mistake.
	require.Equal(t, 500, s.get(t, "/accounts/acme", strings.Repeat("a", 129)).StatusCode)
}

// TestNoExistenceOracle: a foreign account and an absent one have the same answer to the byte, in any state.
func TestNoExistenceOracle(t *testing.T) {
	s := newSite(t)
	same := func() {
		t.Helper()
		for _, page := range []string{"", "/invoices", "/both", "/inside"} {
			foreign := s.get(t, "/accounts/acme"+page, "gina")
			for _, path := range []string{"/accounts/nowhere", "/accounts/" + strings.Repeat("a", 129)} {
				absent := s.get(t, path+page, "gina")
				require.Equal(t, absent.StatusCode, foreign.StatusCode)
				require.True(t, maps.EqualFunc(absent.Header, foreign.Header, func(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }))
				require.Equal(t, body(t, absent), body(t, foreign))
				foreign = s.get(t, "/accounts/acme"+page, "gina")
			}
		}
	}
	same()
	_, err := s.world.Members.SuspendAccount(t.Context(), access.AsSystem("x"), "acme")
	require.NoError(t, err)
	same()
	_, err = s.world.Members.CloseAccount(t.Context(), access.AsSystem("x"), "acme")
	require.NoError(t, err)
	same()
	require.Equal(t, 403, s.get(t, "/accounts/acme/invoices", "olive").StatusCode)
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.Write(&b))
	return b.String()
}

// TestContext: what a page finds in the context of its request, and that it is nowhere else.
func TestContext(t *testing.T) {
	s := newSite(t)
	s.get(t, "/accounts/acme/invoices", "ivan")
	p, ok := accesshttp.PrincipalFrom(s.ran.Context())
	require.True(t, ok)
	require.Equal(t, accesshttp.Principal{User: "ivan", Address: accesstest.AddressOf("x"), Verified: true, SecondFactor: true}, p)
	account, ok := accesshttp.AccountFrom(s.ran.Context())
	require.True(t, ok)
	require.Equal(t, access.AccountID("acme"), account)
	g, ok := accesshttp.GrantFrom(s.ran.Context())
	require.True(t, ok)
	want, err := s.world.Members.Grant(t.Context(), "ivan", "acme")
	require.NoError(t, err)
	require.Equal(t, want, g)
	require.True(t, g.Can(access.PayInvoices, s.world.Clock.Now()))
	require.False(t, g.Can(access.ViewDomains, s.world.Clock.Now()))
	require.Equal(t, []access.UserID{"ivan"}, s.seen)

	s.get(t, "/accounts/acme/invoices", "staff:s-7")
	p, ok = accesshttp.PrincipalFrom(s.ran.Context())
	require.True(t, ok)
	require.Equal(t, accesshttp.Principal{Staff: "s-7"}, p)
	g, ok = accesshttp.GrantFrom(s.ran.Context())
	require.True(t, ok)
	require.Zero(t, g, "staff is let in, and the grant denies")
	require.Empty(t, s.seen)

	s.get(t, "/me", "ivan")
	p, ok = accesshttp.PrincipalFrom(s.ran.Context())
	require.True(t, ok)
	require.Equal(t, access.UserID("ivan"), p.User)
	absent(t, s.ran.Context(), true)
	absent(t, context.Background(), false)
}

func absent(t *testing.T, ctx context.Context, signedIn bool) {
	t.Helper()
	p, ok := accesshttp.PrincipalFrom(ctx)
	require.Equal(t, signedIn, ok)
	require.Equal(t, signedIn, p.User != "")
	account, ok := accesshttp.AccountFrom(ctx)
	require.False(t, ok)
	require.Empty(t, account)
	g, ok := accesshttp.GrantFrom(ctx)
	require.False(t, ok)
	require.Zero(t, g)
}

// TestAccountFromElsewhere: a host may read the account from a header or a cookie; whether the person may is checked
// all the same, and the path means nothing then.
func TestAccountFromElsewhere(t *testing.T) {
	for name, account := range map[string]func(*http.Request) access.AccountID{
		"header": func(r *http.Request) access.AccountID { return access.AccountID(r.Header.Get("Account")) },
		"cookie": func(r *http.Request) access.AccountID {
			c, err := r.Cookie("account")
			if err != nil {
				return ""
			}
			return access.AccountID(c.Value)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.config.Account = account
			for id, status := range map[string]int{"acme": 200, "globex": 404, "nowhere": 404, "": 404} {
				require.Equal(t, status, s.get(t, "/invoices", "ivan", "Account", id, "Cookie", "account="+id).StatusCode)
			}
			require.Equal(t, 404, s.get(t, "/accounts/acme/invoices", "ivan", "Account", "globex", "Cookie", "account=globex").StatusCode)
		})
	}
}

// TestSeen is called once for members who are let in.
func TestSeen(t *testing.T) {
	s := newSite(t)
	for who, want := range map[string][]access.UserID{"olive": {"olive"}, "ivan": {"ivan"}, "sue": nil, "gina": nil, "staff:s-7": nil, "": nil} {
		s.get(t, "/accounts/acme/invoices", who)
		require.Equal(t, want, s.seen, who)
	}
	s.get(t, "/accounts/acme", "sue")
	require.Equal(t, []access.UserID{"sue"}, s.seen)
	s.get(t, "/me", "ivan")
	require.Empty(t, s.seen)

	s.config.Seen = nil
	require.Equal(t, 200, s.get(t, "/accounts/acme/invoices", "ivan").StatusCode)
}

// TestGuardsInsideGuards ask once, and see once.
func TestGuardsInsideGuards(t *testing.T) {
	s := newSite(t)
	require.Equal(t, 200, s.get(t, "/accounts/acme/inside", "ivan").StatusCode)
	require.Equal(t, 1, s.grants.asked)
	require.Equal(t, []access.UserID{"ivan"}, s.seen)
	account, ok := accesshttp.AccountFrom(s.ran.Context())
	require.True(t, ok)
	require.Equal(t, access.AccountID("acme"), account)
	require.Equal(t, 403, s.get(t, "/accounts/acme/inside", "sue").StatusCode)
}

// TestStaffNeedsAPolicy: who is staff comes in where the host's policy says so, and nowhere without one.
func TestStaffNeedsAPolicy(t *testing.T) {
	s := newSite(t)
	require.Equal(t, 403, s.get(t, "/accounts/acme/invoices", "staff:s-8").StatusCode)
	require.Equal(t, 403, s.get(t, "/accounts/globex", "staff:s-7").StatusCode)
	s.config.Staff = nil
	require.Equal(t, 403, s.get(t, "/accounts/acme/invoices", "staff:s-7").StatusCode)
	require.Equal(t, 403, s.get(t, "/accounts/acme", "staff:s-7").StatusCode)
}

func TestRequireOfNothingPanics(t *testing.T) {
	s := newSite(t)
	guard, err := accesshttp.New(s.grants, s.config)
	require.NoError(t, err)
	require.Panics(t, func() { guard.Require(0) })
}

// TestSeenRecords is how a host wires it.
func TestSeenRecords(t *testing.T) {
	s := newSite(t)
	s.config.Seen = func(ctx context.Context, p accesshttp.Principal, account access.AccountID, g access.Grant) {
		require.NoError(t, s.world.Members.RecordSeen(ctx, p.User, account, g))
	}
	s.get(t, "/accounts/acme/invoices", "ivan")
	g, err := s.world.Members.Grant(t.Context(), "ivan", "acme")
	require.NoError(t, err)
	require.Equal(t, s.world.Clock.Now(), g.LastSeen)
}

// TestRefuse gets the status and the reason, with the rule that decided.
func TestRefuse(t *testing.T) {
	s := newSite(t)
	var refused error
	s.config.Refuse = func(w http.ResponseWriter, r *http.Request, status int, err error) {
		refused = err
		require.Equal(t, http.MethodGet, r.Method)
		w.WriteHeader(status)
	}
	require.Equal(t, 403, s.get(t, "/accounts/acme/both", "ivan").StatusCode)
	var refusal *access.Error
	require.ErrorAs(t, refused, &refusal)
	require.Equal(t, "denies.missing", refusal.Code)
	s.get(t, "/accounts/acme/invoices", "sue")
	require.ErrorAs(t, refused, &refusal)
	require.Equal(t, "denies.suspended", refusal.Code)
	s.get(t, "/accounts/acme", "gina")
	require.Equal(t, access.NotFound("account"), refused)
	s.get(t, "/accounts/acme", "")
	require.Equal(t, accesshttp.ErrAnonymous, refused)
	s.get(t, "/accounts/acme", "broken")
	require.Equal(t, errBroken, refused)
}

// TestGuardGoesByItsClock: at the instant of the expiry it is over.
func TestGuardGoesByItsClock(t *testing.T) {
	s := newSite(t)
	_, err := s.world.Members.SetExpiry(t.Context(), access.As("olive"), "acme", "ivan", s.world.Clock.Now().Add(time.Hour))
	require.NoError(t, err)
	s.world.Clock.Advance(time.Hour - time.Nanosecond)
	require.Equal(t, 200, s.get(t, "/accounts/acme/invoices", "ivan").StatusCode)
	s.world.Clock.Advance(time.Nanosecond)
	require.Equal(t, 403, s.get(t, "/accounts/acme/invoices", "ivan").StatusCode)
	s.config.Now = nil
	require.Equal(t, 200, s.get(t, "/accounts/acme/invoices", "olive").StatusCode)
}

func TestNewRefuses(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct {
		grants accesshttp.Grants
		config accesshttp.Config
	}{{nil, s.config}, {s.grants, accesshttp.Config{}}, {nil, accesshttp.Config{}}} {
		g, err := accesshttp.New(tt.grants, tt.config)
		require.Error(t, err)
		require.Nil(t, g)
	}
}

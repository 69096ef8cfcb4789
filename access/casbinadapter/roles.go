package casbinadapter

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/casbin/casbin/v2/log"
	"github.com/casbin/casbin/v2/rbac"
	"github.com/rosterkit/roster/access"
)

// A roles is the role manager of one kind of grouping. A user has the key of a permission as a role in an account if the
// set that they hold there has it. That is one look, however many sets there are; users and roles can't be mistaken for
// each other; and no link leads further. Casbin fills it from the model's groupings.
type roles struct {
	catalog *access.Catalog
	now     func() time.Time

	mu       sync.RWMutex
	accounts map[string]map[string]held // by account and user
}

var _ rbac.RoleManager = (*roles)(nil)

var errDomain = errors.New("casbinadapter: a role is held in exactly one account")

func newRoles(catalog *access.Catalog, now func() time.Time) *roles {
	return &roles{catalog: catalog, now: now, accounts: make(map[string]map[string]held)}
}

// holds returns what a user holds in an account, if the role is part of it.
func (r *roles) holds(user, role, account string) (held, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	h := r.accounts[account][user]
	return h, h.has(r.catalog, role)
}

// HasLink reports whether a user has a role in an account always. Casbin keeps the answers until the policies change, so
// that it can't be asked about periods.
func (r *roles) HasLink(user, role string, account ...string) (bool, error) {
	if len(account) != 1 {
		return false, errDomain
	}
	h, ok := r.holds(user, role, account[0])
	return ok && h.period.always(), nil
}

// during reports whether a user has a role in an account now.
func (r *roles) during(user, role, account string) bool {
	h, ok := r.holds(user, role, account)
	return ok && h.period.contains(r.now())
}

// AddLink notes what a grouping says.
func (r *roles) AddLink(user, set string, account ...string) error {
	if len(account) != 1 {
		return errDomain
	}
	h, err := parseHeld(set)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.accounts[account[0]] == nil {
		r.accounts[account[0]] = make(map[string]held)
	}
	r.accounts[account[0]][user] = h
	return nil
}

// DeleteLink forgets what a grouping said.
func (r *roles) DeleteLink(user, _ string, account ...string) error {
	if len(account) != 1 {
		return errDomain
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.accounts[account[0]], user)
	return nil
}

// DeleteDomain forgets an account.
func (r *roles) DeleteDomain(account string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.accounts, account)
	return nil
}

// Clear forgets everything.
func (r *roles) Clear() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.accounts)
	return nil
}

// GetRoles returns the keys of what a user may do in an account now.
func (r *roles) GetRoles(user string, account ...string) ([]string, error) {
	if len(account) != 1 {
		return nil, errDomain
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	h := r.accounts[account[0]][user]
	if !h.period.contains(r.now()) {
		return nil, nil
	}
	return keys(r.catalog, h.set), nil
}

// GetUsers returns who may do in an account now what a key names.
func (r *roles) GetUsers(role string, account ...string) ([]string, error) {
	if len(account) != 1 {
		return nil, errDomain
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	var users []string
	for user, h := range r.accounts[account[0]] {
		if h.has(r.catalog, role) && h.period.contains(r.now()) {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	return users, nil
}

// GetImplicitRoles is GetRoles.
func (r *roles) GetImplicitRoles(user string, account ...string) ([]string, error) {
	return r.GetRoles(user, account...)
}

// GetImplicitUsers is GetUsers.
func (r *roles) GetImplicitUsers(role string, account ...string) ([]string, error) {
	return r.GetUsers(role, account...)
}

// GetDomains returns the accounts in which a user holds something, now or at another time.
func (r *roles) GetDomains(user string) ([]string, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var accounts []string
	for account, users := range r.accounts {
		if _, ok := users[user]; ok {
			accounts = append(accounts, account)
		}
	}
	slices.Sort(accounts)
	return accounts, nil
}

// GetAllDomains returns the accounts in which somebody holds something.
func (r *roles) GetAllDomains() ([]string, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.accounts)), nil
}

// Match reports whether two names are the same: there are no patterns.
func (*roles) Match(name, pattern string) bool { return name == pattern }

// AddMatchingFunc does nothing: there are no patterns.
func (*roles) AddMatchingFunc(string, rbac.MatchingFunc) {}

// AddDomainMatchingFunc does nothing: there are no patterns.
func (*roles) AddDomainMatchingFunc(string, rbac.MatchingFunc) {}

// BuildRelationship does nothing, as in Casbin.
func (*roles) BuildRelationship(string, string, ...string) error { return nil }

// PrintRoles prints nothing: who may do what isn't for logs.
func (*roles) PrintRoles() error { return nil }

// SetLogger does nothing.
func (*roles) SetLogger(log.Logger) {}

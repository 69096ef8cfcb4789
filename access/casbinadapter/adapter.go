package casbinadapter

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
	"github.com/rosterkit/roster/access"
)

// Config is what an Adapter can be told. The zero value works.
type Config struct {
	// Catalog names the permissions; it is the one of the access.Service on the same store. access.Portal() if nil.
	Catalog *access.Catalog
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// A Filter selects the accounts whose memberships are loaded. The zero value selects none.
type Filter struct{ Accounts []access.AccountID }

// An Adapter loads memberships as Casbin policies. It writes nothing: see ErrReadOnly. It belongs to one enforcer.
type Adapter struct {
	catalog   *access.Catalog
	now       func() time.Time
	view      func(ctx context.Context, fn func(context.Context, access.Tx) error) error
	following *access.Following // the Watcher's

	filtered atomic.Bool // the last load was
	followed atomic.Bool // by a Watcher
	spoiled  atomic.Bool // somebody tried to load or write what a Watcher follows
	torn     atomic.Bool // nobody can say what the model holds that a Watcher follows
}

var (
	_ persist.FilteredAdapter        = (*Adapter)(nil)
	_ persist.ContextFilteredAdapter = (*Adapter)(nil)
)

// ErrFollowed is the answer to loading policies that a Watcher follows: it loads them itself, and an enforcer that loads
// beside it could bring back what was revoked meanwhile.
var ErrFollowed = errors.New("casbinadapter: the watcher loads these policies")

// New returns an adapter on a store, which every storage backend is. It panics if the store is nil.
func New[T access.Tx](store access.Store[T], config Config) *Adapter {
	if store == nil {
		panic("casbinadapter: New without a store")
	}
	if config.Catalog == nil {
		config.Catalog = access.Portal()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Adapter{
		catalog:   config.Catalog,
		now:       config.Now,
		following: access.NewFollowing(store, config.Now, rand.Reader),
		view: func(ctx context.Context, fn func(context.Context, access.Tx) error) error {
			return store.View(ctx, func(ctx context.Context, tx T) error { return fn(ctx, tx) })
		},
	}
}

// Attach makes an enforcer use the adapter, and gives it what the models of this package need: role managers that know
// sets of permissions, and the functions during and current. Without it every question is an error. An enforcer with a
// lock has the one to attach in its field Enforcer; it is attached before it is asked anything, and again after SetModel.
func (a *Adapter) Attach(e *casbin.Enforcer) {
	e.SetAdapter(a)
	e.EnableAutoSave(true) // without it Casbin changes its memory without asking the adapter
	periods := newRoles(a.catalog, a.now)
	e.SetNamedRoleManager("g", newRoles(a.catalog, a.now))
	e.SetNamedRoleManager("g2", periods)
	e.AddFunction("during", during(periods))
	e.AddFunction("current", a.current)
}

// LoadPolicy adds the memberships of all accounts to a model. It finds the accounts in the change feed. ErrFollowed;
// the storage's errors; an error if the model has no place for our policies.
func (a *Adapter) LoadPolicy(m model.Model) error { return a.LoadPolicyCtx(context.Background(), m) }

// LoadPolicyCtx is LoadPolicy with a context.
func (a *Adapter) LoadPolicyCtx(ctx context.Context, m model.Model) error {
	return a.load(ctx, m, nil)
}

// LoadFilteredPolicy adds the memberships of some accounts to a model; filter is a Filter, or nil for all. Its errors are
// those of LoadPolicy, and one for any other filter.
func (a *Adapter) LoadFilteredPolicy(m model.Model, filter any) error {
	return a.LoadFilteredPolicyCtx(context.Background(), m, filter)
}

// LoadFilteredPolicyCtx is LoadFilteredPolicy with a context.
func (a *Adapter) LoadFilteredPolicyCtx(ctx context.Context, m model.Model, filter any) error {
	switch f := filter.(type) {
	case nil:
		return a.load(ctx, m, nil)
	case Filter:
		return a.load(ctx, m, &f)
	case *Filter:
		return a.load(ctx, m, f)
	}
	return fmt.Errorf("casbinadapter: the filter is a %T and not a Filter", filter)
}

// IsFiltered reports whether the last load was of some accounts only.
func (a *Adapter) IsFiltered() bool { return a.filtered.Load() }

// IsFilteredCtx is IsFiltered.
func (a *Adapter) IsFilteredCtx(context.Context) bool { return a.IsFiltered() }

func (a *Adapter) load(ctx context.Context, m model.Model, filter *Filter) error {
	if a.followed.Load() {
		a.spoiled.Store(true) // Casbin clears the model before a filtered load
		return ErrFollowed
	}
	s, err := a.read(ctx, m, source{filter: filter})
	if err != nil {
		return err
	}
	a.filtered.Store(filter != nil)
	return s.addTo(m, a.catalog)
}

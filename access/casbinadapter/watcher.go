package casbinadapter

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
	"github.com/rosterkit/roster/access"
)

// WatcherConfig is what a Watcher can be told. The zero value works.
type WatcherConfig struct {
	// Filter selects the accounts to load and follow; nil for all, those to come among them.
	Filter *Filter
	// Poll is how often Run polls: each tenth of a second if 0. It has to be well below the lease, which is the registry's:
	// a second, or what access.Service.SetLease says.
	Poll time.Duration
	// Failed is told the error of each poll of Run that fails, if it isn't nil.
	Failed func(error)
}

// A Watcher makes an enforcer follow the memberships. It is safe for concurrent use.
type Watcher struct {
	adapter  *Adapter
	enforcer *casbin.SyncedEnforcer
	config   WatcherConfig
	life     context.Context // until Close
	end      context.CancelFunc

	// What follows is used during a poll only, of which there is one at a time.
	known  bool // whether the rest says what the enforcer's model holds
	heads  [access.Shards]access.FeedHead
	loaded map[access.AccountID][]rule
	sizes  map[string]int

	callbackMu sync.Mutex
	callback   func(string)
}

var _ persist.WatcherEx = (*Watcher)(nil)

// NewWatcher returns a watcher that makes an enforcer follow an adapter's store, and attaches the adapter to it. The
// enforcer has policies from the first poll on; until then every answer is no or an error. Loading them otherwise is
// ErrFollowed from now on. It returns an error if the enforcer's model has no place for our policies, or the
// configuration makes no sense. It panics if adapter or enforcer is nil, or the adapter has a watcher.
func NewWatcher(adapter *Adapter, enforcer *casbin.SyncedEnforcer, config WatcherConfig) (*Watcher, error) {
	if adapter == nil || enforcer == nil {
		panic("casbinadapter: NewWatcher without an adapter or an enforcer")
	}
	if config.Poll == 0 {
		config.Poll = 100 * time.Millisecond
	}
	if config.Poll < 0 {
		return nil, errors.New("casbinadapter: the watcher's Poll is negative")
	}
	if _, err := layoutOf(enforcer.GetModel()); err != nil {
		return nil, err
	}
	if adapter.followed.Swap(true) {
		panic("casbinadapter: a second watcher for one adapter")
	}
	adapter.filtered.Store(config.Filter != nil)
	if config.Filter != nil {
		config.Filter = &Filter{slices.Clone(config.Filter.Accounts)}
	}
	w := &Watcher{adapter: adapter, enforcer: enforcer, config: config}
	w.life, w.end = context.WithCancel(context.Background())
	adapter.Attach(enforcer.Enforcer)
	return w, enforcer.SetWatcher(w)
}

// Run polls until the context ends or the watcher is closed, gives up the watcher's lease and its place in the registry,
// and returns nil. It goes on after failures.
func (w *Watcher) Run(ctx context.Context) error {
	defer w.adapter.following.Stop(context.WithoutCancel(ctx))
	ticker := time.NewTicker(w.config.Poll)
	defer ticker.Stop()
	for {
		if err := w.Poll(ctx); err != nil && ctx.Err() == nil && w.config.Failed != nil {
			w.config.Failed(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.life.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Poll asks what has changed and makes the enforcer follow, before it returns: what was committed before Poll began
// holds for every question that is asked after. Accounts that changed are read again and replaced, all together under the
// enforcer's lock. Everything is loaded again if it is the first time, if the change feed isn't the one that is
// remembered (a restored backup), or if somebody tried to load or write policies through Casbin. If Poll fails, the
// enforcer stays as it was and the next one makes up for it. Its errors are the storage's. It registers the watcher as a
// follower if it isn't one: who calls it without Run calls Close in the end. After Close it is context.Canceled.
func (w *Watcher) Poll(ctx context.Context) error {
	if err := w.life.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.life, cancel)()
	replaced, err := w.poll(ctx)
	w.tell(replaced)
	return err
}

// poll returns the accounts that it replaced, or the empty id for everything.
func (w *Watcher) poll(ctx context.Context) (replaced []access.AccountID, err error) {
	err = w.adapter.following.Poll(ctx, func(ctx context.Context, position access.Position, _ bool) error {
		if w.adapter.spoiled.Swap(false) {
			w.known = false
		}
		// What is loaded is of one moment of the feed, and stays after a while of silence: the feed tells what it misses.
		replaced, err = w.follow(ctx, position.Heads)
		return err
	})
	return replaced, err
}

// follow makes the enforcer follow what happened up to these heads, or later.
func (w *Watcher) follow(ctx context.Context, heads [access.Shards]access.FeedHead) ([]access.AccountID, error) {
	if w.known {
		s, err := w.changed(ctx, heads)
		if err == nil && w.replace(s) == nil {
			return s.accounts, nil
		}
		if err != nil && !errors.Is(err, errGap) {
			return nil, err
		}
	}
	s, err := w.adapter.read(ctx, w.model(), source{filter: w.config.Filter})
	if err != nil {
		return nil, err
	}
	return []access.AccountID{""}, w.reload(s)
}

// changed reads the accounts that changed, if any did.
func (w *Watcher) changed(ctx context.Context, heads [access.Shards]access.FeedHead) (snapshot, error) {
	if heads == w.heads {
		l, err := layoutOf(w.model())
		return snapshot{layout: l, heads: heads}, err
	}
	return w.adapter.read(ctx, w.model(), source{filter: w.config.Filter, since: &w.heads})
}

// model returns the enforcer's model, which is to be changed under its lock only.
func (w *Watcher) model() model.Model {
	w.enforcer.GetLock().RLock()
	defer w.enforcer.GetLock().RUnlock()
	return w.enforcer.Enforcer.GetModel()
}

// SetUpdateCallback sets what is called after each poll: with the id of every account that was replaced, or once with
// the empty string after everything was. It returns nil. No callback is needed to follow: unlike other watchers this one
// changes the enforcer itself.
func (w *Watcher) SetUpdateCallback(callback func(string)) error {
	w.callbackMu.Lock()
	defer w.callbackMu.Unlock()
	w.callback = callback
	return nil
}

func (w *Watcher) tell(replaced []access.AccountID) {
	w.callbackMu.Lock()
	callback := w.callback
	w.callbackMu.Unlock()
	if callback == nil {
		return
	}
	for _, id := range replaced {
		callback(string(id))
	}
}

// Close ends Run, also in the middle of a poll, and the callbacks, and gives up the watcher's lease and its place in the
// registry: every yes of the enforcer is access.ErrStale then.
func (w *Watcher) Close() {
	w.end()
	_ = w.SetUpdateCallback(nil)
	w.adapter.following.Stop(context.Background())
}

package casbinadapter

import (
	"errors"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/rosterkit/roster/access"
)

// A loaded is what a watcher has put into its enforcer's model.
type loaded struct {
	groupings map[access.AccountID]grouping
	uses      map[role]int // by how many accounts
}

// errForeign says that the model doesn't hold what the watcher put there.
var errForeign = errors.New("casbinadapter: the enforcer's policies were changed by somebody else")

// change changes the enforcer under its lock. If that fails nobody can say what the model holds: nothing in it is
// trusted then, and the next poll reloads.
func (w *Watcher) change(fn func(*casbin.Enforcer, model.Model) error) error {
	w.enforcer.GetLock().Lock()
	defer w.enforcer.GetLock().Unlock()
	e := w.enforcer.Enforcer
	err := fn(e, e.GetModel())
	if err != nil {
		w.adapter.trusted.Store(nil)
		w.known = false
	}
	return err
}

// reload replaces everything in the enforcer.
func (w *Watcher) reload(s snapshot) error {
	return w.change(func(e *casbin.Enforcer, m model.Model) error {
		m.ClearPolicy()
		w.loaded = loaded{groupings: make(map[access.AccountID]grouping, len(s.accounts)), uses: make(map[role]int)}
		for _, id := range s.accounts {
			if err := w.add(m, s, id); err != nil {
				return err
			}
		}
		if err := e.BuildRoleLinks(); err != nil {
			return err
		}
		w.heads, w.known = s.heads, true
		return nil
	})
}

// replace replaces the accounts that changed.
func (w *Watcher) replace(s snapshot) error {
	return w.change(func(e *casbin.Enforcer, m model.Model) error {
		for _, id := range s.accounts {
			if err := w.remove(m, s.layout, id); err != nil {
				return err
			}
			if err := w.add(m, s, id); err != nil {
				return err
			}
		}
		for _, kind := range s.layout.kinds() {
			if err := relink(e, s, kind); err != nil {
				return err
			}
		}
		w.heads = s.heads
		return nil
	})
}

// relink replaces the role manager's links of a kind in the accounts that changed. Even if there are none, it makes Casbin
// forget the answers of g, of which it keeps one for every triple that was ever asked.
func relink(e *casbin.Enforcer, s snapshot, kind string) error {
	var links [][]string
	for _, id := range s.accounts {
		if err := e.GetNamedRoleManager(kind).DeleteDomain(string(id)); err != nil {
			return err
		}
		for _, link := range s.groupings[id].links {
			if link.kind == kind {
				links = append(links, link.fields)
			}
		}
	}
	return e.BuildIncrementalRoleLinks(model.PolicyAdd, kind, links)
}

// add adds an account's rules to the model, and the policies that it is the first to need.
func (w *Watcher) add(m model.Model, s snapshot, id access.AccountID) error {
	g := s.groupings[id]
	for _, link := range g.links {
		if err := link.addTo(m); err != nil {
			return err
		}
	}
	for _, r := range g.roles {
		if w.loaded.uses[r]++; w.loaded.uses[r] > 1 {
			continue
		}
		for _, policy := range s.layout.policies(w.adapter.catalog, r) {
			if err := policy.addTo(m); err != nil {
				return err
			}
		}
	}
	w.loaded.groupings[id] = g
	return nil
}

// remove removes an account's rules from the model, and the policies that nobody else needs.
func (w *Watcher) remove(m model.Model, l layout, id access.AccountID) error {
	g := w.loaded.groupings[id]
	for _, link := range g.links {
		if err := link.removeFrom(m); err != nil {
			return err
		}
	}
	for _, r := range g.roles {
		if w.loaded.uses[r]--; w.loaded.uses[r] > 0 {
			continue
		}
		delete(w.loaded.uses, r)
		for _, policy := range l.policies(w.adapter.catalog, r) {
			if err := policy.removeFrom(m); err != nil {
				return err
			}
		}
	}
	delete(w.loaded.groupings, id)
	return nil
}

// removeFrom returns errForeign if the model hasn't got the rule.
func (r rule) removeFrom(m model.Model) error {
	//lint:ignore SA1019 it is the only one that doesn't go through all rules; the note on it is about another function
	removed, err := m.RemovePolicy(r.kind[:1], r.kind, r.fields)
	if err == nil && !removed {
		err = errForeign
	}
	return err
}

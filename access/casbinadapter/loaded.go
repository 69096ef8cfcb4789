package casbinadapter

import (
	"maps"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
)

// change changes the enforcer under its lock. If that fails nobody can say what the model holds: nothing in it is
// trusted then, and the next poll reloads.
func (w *Watcher) change(fn func(*casbin.Enforcer, model.Model) error) error {
	w.enforcer.GetLock().Lock()
	defer w.enforcer.GetLock().Unlock()
	e := w.enforcer.Enforcer
	err := fn(e, e.GetModel())
	w.known = err == nil
	w.adapter.torn.Store(err != nil)
	return err
}

// reload replaces everything in the enforcer.
func (w *Watcher) reload(s snapshot) error {
	return w.change(func(e *casbin.Enforcer, m model.Model) error {
		m.ClearPolicy()
		if err := s.addTo(m, w.adapter.catalog); err != nil {
			return err
		}
		if err := e.BuildRoleLinks(); err != nil {
			return err
		}
		w.heads, w.loaded, w.sizes = s.heads, s.rules, sizesOf(m)
		return nil
	})
}

// replace replaces the accounts that changed.
func (w *Watcher) replace(s snapshot) error {
	return w.change(func(e *casbin.Enforcer, m model.Model) error {
		if !maps.Equal(sizesOf(m), w.sizes) {
			return errForeign
		}
		for _, id := range s.accounts {
			for _, r := range w.loaded[id] {
				if err := r.removeFrom(m); err != nil {
					return err
				}
			}
			for _, r := range s.rules[id] {
				if err := r.addTo(m); err != nil {
					return err
				}
			}
			w.loaded[id] = s.rules[id]
		}
		for _, kind := range s.layout.kinds() {
			if err := relink(e, s, kind); err != nil {
				return err
			}
		}
		w.heads, w.sizes = s.heads, sizesOf(m)
		return nil
	})
}

// sizesOf returns how many rules of each kind a model has.
func sizesOf(m model.Model) map[string]int {
	sizes := make(map[string]int)
	for _, section := range []string{"p", "g"} {
		for kind, assertion := range m[section] {
			sizes[kind] = len(assertion.Policy)
		}
	}
	return sizes
}

// relink replaces the role manager's links of a kind in the accounts that changed. Even if there are none, it makes Casbin
// forget the answers of g, of which it keeps one for every triple that was ever asked.
func relink(e *casbin.Enforcer, s snapshot, kind string) error {
	var links [][]string
	for _, id := range s.accounts {
		if err := e.GetNamedRoleManager(kind).DeleteDomain(string(id)); err != nil {
			return err
		}
		for _, r := range s.rules[id] {
			if r.kind == kind {
				links = append(links, r.fields)
			}
		}
	}
	return e.BuildIncrementalRoleLinks(model.PolicyAdd, kind, links)
}

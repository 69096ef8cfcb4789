package casbinadapter

import "github.com/casbin/casbin/v2/model"

// Casbin tells a watcher what it has written. Ours is told only if somebody kept Casbin from asking the adapter first,
// and then has everything loaded again.
func (w *Watcher) refuse() error {
	w.adapter.spoiled.Store(true)
	return ErrReadOnly
}

// Update returns ErrReadOnly. What was written to the enforcer's memory goes with the next poll; so do the other
// methods whose names begin with Update.
func (w *Watcher) Update() error { return w.refuse() }

// UpdateForAddPolicy is Update.
func (w *Watcher) UpdateForAddPolicy(sec, ptype string, params ...string) error { return w.refuse() }

// UpdateForRemovePolicy is Update.
func (w *Watcher) UpdateForRemovePolicy(sec, ptype string, params ...string) error {
	return w.refuse()
}

// UpdateForRemoveFilteredPolicy is Update.
func (w *Watcher) UpdateForRemoveFilteredPolicy(sec, ptype string, fieldIndex int, fieldValues ...string) error {
	return w.refuse()
}

// UpdateForSavePolicy is Update.
func (w *Watcher) UpdateForSavePolicy(model.Model) error { return w.refuse() }

// UpdateForAddPolicies is Update.
func (w *Watcher) UpdateForAddPolicies(sec, ptype string, rules ...[]string) error {
	return w.refuse()
}

// UpdateForRemovePolicies is Update.
func (w *Watcher) UpdateForRemovePolicies(sec, ptype string, rules ...[]string) error {
	return w.refuse()
}

package casbinadapter

import (
	"context"
	"errors"

	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
)

// ErrReadOnly is the answer to every attempt to change policies through Casbin: memberships are changed by the verbs of
// access.Service, which authorise and record what they do. The error leaves the enforcer as it was.
var ErrReadOnly = errors.New("casbinadapter: policies follow the memberships, and are changed by access.Service only")

var (
	_ persist.BatchAdapter            = (*Adapter)(nil)
	_ persist.UpdatableAdapter        = (*Adapter)(nil)
	_ persist.ContextBatchAdapter     = (*Adapter)(nil)
	_ persist.ContextUpdatableAdapter = (*Adapter)(nil)
)

// SavePolicy returns ErrReadOnly.
func (a *Adapter) SavePolicy(model.Model) error { return ErrReadOnly }

// SavePolicyCtx returns ErrReadOnly.
func (a *Adapter) SavePolicyCtx(context.Context, model.Model) error { return ErrReadOnly }

// AddPolicy returns ErrReadOnly.
func (a *Adapter) AddPolicy(sec, ptype string, rule []string) error { return ErrReadOnly }

// AddPolicyCtx returns ErrReadOnly.
func (a *Adapter) AddPolicyCtx(ctx context.Context, sec, ptype string, rule []string) error {
	return ErrReadOnly
}

// AddPolicies returns ErrReadOnly.
func (a *Adapter) AddPolicies(sec, ptype string, rules [][]string) error { return ErrReadOnly }

// AddPoliciesCtx returns ErrReadOnly.
func (a *Adapter) AddPoliciesCtx(ctx context.Context, sec, ptype string, rules [][]string) error {
	return ErrReadOnly
}

// RemovePolicy returns ErrReadOnly.
func (a *Adapter) RemovePolicy(sec, ptype string, rule []string) error { return ErrReadOnly }

// RemovePolicyCtx returns ErrReadOnly.
func (a *Adapter) RemovePolicyCtx(ctx context.Context, sec, ptype string, rule []string) error {
	return ErrReadOnly
}

// RemovePolicies returns ErrReadOnly.
func (a *Adapter) RemovePolicies(sec, ptype string, rules [][]string) error { return ErrReadOnly }

// RemovePoliciesCtx returns ErrReadOnly.
func (a *Adapter) RemovePoliciesCtx(ctx context.Context, sec, ptype string, rules [][]string) error {
	return ErrReadOnly
}

// RemoveFilteredPolicy returns ErrReadOnly.
func (a *Adapter) RemoveFilteredPolicy(sec, ptype string, fieldIndex int, fieldValues ...string) error {
	return ErrReadOnly
}

// RemoveFilteredPolicyCtx returns ErrReadOnly.
func (a *Adapter) RemoveFilteredPolicyCtx(ctx context.Context, sec, ptype string, fieldIndex int, fieldValues ...string) error {
	return ErrReadOnly
}

// UpdatePolicy returns ErrReadOnly.
func (a *Adapter) UpdatePolicy(sec, ptype string, oldRule, newRule []string) error {
	return ErrReadOnly
}

// UpdatePolicyCtx returns ErrReadOnly.
func (a *Adapter) UpdatePolicyCtx(ctx context.Context, sec, ptype string, oldRule, newRule []string) error {
	return ErrReadOnly
}

// UpdatePolicies returns ErrReadOnly.
func (a *Adapter) UpdatePolicies(sec, ptype string, oldRules, newRules [][]string) error {
	return ErrReadOnly
}

// UpdatePoliciesCtx returns ErrReadOnly.
func (a *Adapter) UpdatePoliciesCtx(ctx context.Context, sec, ptype string, oldRules, newRules [][]string) error {
	return ErrReadOnly
}

// UpdateFilteredPolicies returns ErrReadOnly.
func (a *Adapter) UpdateFilteredPolicies(sec, ptype string, newRules [][]string, fieldIndex int, fieldValues ...string) ([][]string, error) {
	return nil, ErrReadOnly
}

// UpdateFilteredPoliciesCtx returns ErrReadOnly.
func (a *Adapter) UpdateFilteredPoliciesCtx(ctx context.Context, sec, ptype string, newRules [][]string, fieldIndex int, fieldValues ...string) ([][]string, error) {
	return nil, ErrReadOnly
}

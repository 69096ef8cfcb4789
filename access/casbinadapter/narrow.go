package casbinadapter

import (
	"context"
	"fmt"

	"github.com/rosterkit/roster/access"
)

// An Enforcer is asked by a Narrowed. Every enforcer of Casbin is one; those with a cache answer by what was true when
// they were asked first.
type Enforcer interface {
	// Enforce reports whether a request, in the order of the model's request definition, is allowed.
	Enforce(request ...any) (bool, error)
}

// A Request returns what an enforcer is asked about a permission: the attributes that its model looks at, such as the
// hour, the client's address or an amount, from wherever the host keeps them. p is one bit, or access.All.
type Request func(ctx context.Context, user access.UserID, account access.AccountID, p access.Permission) ([]any, error)

// A Narrowed is an access.Authorizer that allows what another one and an enforcer both allow. It is safe for concurrent
// use if they are.
type Narrowed struct {
	authorizer access.Authorizer
	enforcer   Enforcer
	request    Request
}

var _ access.Authorizer = (*Narrowed)(nil)

// Narrow returns an Authorizer that asks another one first and then, if that says yes, an enforcer with a model and
// policies of the host's. It panics if one of the three is nil.
func Narrow(authorizer access.Authorizer, enforcer Enforcer, request Request) *Narrowed {
	if authorizer == nil || enforcer == nil || request == nil {
		panic("casbinadapter: Narrow without an authorizer, an enforcer or a request")
	}
	return &Narrowed{authorizer, enforcer, request}
}

// Can reports whether the authorizer says yes to p, and the enforcer to each permission in it. All is asked as such, for
// it has bits that no policy can know. The authorizer's error, the request's and the enforcer's come with false, and so
// does an error in place of a panic of the latter two.
func (n *Narrowed) Can(ctx context.Context, user access.UserID, account access.AccountID, p access.Permission) (bool, error) {
	if yes, err := n.authorizer.Can(ctx, user, account, p); !yes || err != nil {
		return false, err
	}
	if p == access.All {
		return n.allows(ctx, user, account, p)
	}
	for rest := p; rest != 0; rest &= rest - 1 {
		if yes, err := n.allows(ctx, user, account, rest&-rest); !yes || err != nil {
			return false, err
		}
	}
	return p != 0, nil
}

func (n *Narrowed) allows(ctx context.Context, user access.UserID, account access.AccountID, p access.Permission) (yes bool, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			yes, err = false, fmt.Errorf("casbinadapter: the enforcer or its request panicked: %v", reason)
		}
	}()
	request, err := n.request(ctx, user, account, p)
	if err != nil {
		return false, err
	}
	yes, err = n.enforcer.Enforce(request...)
	return yes && err == nil, err
}

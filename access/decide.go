package access

import (
	"context"
	"time"
)

// Can reports whether a user may do all of p in an account, now. It reads the database: one statement, always right.
// No such account, no membership, or no p is no. An error comes with false: ErrInvalid for ids that can't be ones,
// ErrNested with the context of a unit of work (ask Within there), or the storage's own.
func (s *Service) Can(ctx context.Context, user UserID, account AccountID, p Permission) (bool, error) {
	g, err := s.Grant(ctx, user, account)
	if err != nil {
		return false, err
	}
	return g.Can(p, s.config.Now()), nil
}

// Grant returns what a user may do in an account, for asking several questions about one moment. Its errors are
// those of Can.
func (s *Service) Grant(ctx context.Context, user UserID, account AccountID) (Grant, error) {
	if err := user.Check(); err != nil {
		return Grant{}, err
	}
	if err := account.Check(); err != nil {
		return Grant{}, err
	}
	g, err := s.grant(ctx, account, user)
	if err != nil {
		return Grant{}, err
	}
	g.WhileSuspended = s.catalog.WhileSuspended()
	return g, nil
}

// An Explanation is a decision with its reason.
type Explanation struct {
	Rule    Rule       // which rule decided
	Missing Permission // with DeniesMissing: the bits that are not held
	Grant   Grant      // what it was decided from
	At      time.Time  // and when
}

// Allowed reports whether the answer is yes.
func (e Explanation) Allowed() bool { return e.Rule.Allows() }

// Explain is Can with the rule that decided. It is for staff pages and logs: what it says about an account is not
// for strangers. Its errors are those of Can.
func (s *Service) Explain(ctx context.Context, user UserID, account AccountID, p Permission) (Explanation, error) {
	g, err := s.Grant(ctx, user, account)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{Grant: g, At: s.Now()}
	e.Rule = g.Decide(p, e.At)
	if e.Rule == DeniesMissing {
		e.Missing = p &^ g.Permissions
	}
	return e, nil
}

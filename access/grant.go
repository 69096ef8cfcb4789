package access

import "time"

// A Grant is all that is known about one user in one account at one version of it: what a decision is made from.
// The zero value denies everything.
type Grant struct {
	Owner          bool
	Permissions    Permission    // as stored; the owner's are not used
	WhileSuspended Permission    // of what is held, what works in a suspended account
	Status         Status        // of the membership; zero if there is none
	Account        AccountStatus // zero if there is no such account
	Starts         time.Time     // zero for at once
	Expires        time.Time     // zero for never
	LastSeen       time.Time     // in this account, within five minutes
	Version        uint64        // of the account, read in the same statement as the rest
}

// Member reports whether the user is the owner or has a membership, in use or not. To anybody else the account
// doesn't exist.
func (g Grant) Member() bool { return g.Owner || g.Status != 0 }

// Can reports whether the user may do all of p at a time. It is the decision: every path ends here.
func (g Grant) Can(p Permission, now time.Time) bool { return g.Decide(p, now).Allows() }

// Decide is Can with the rule that decided.
func (g Grant) Decide(p Permission, now time.Time) Rule {
	switch {
	case p == 0 || p&^All != 0:
		return DeniesEmpty
	case g.Account == AccountClosed:
		return g.orStranger(DeniesClosed)
	case g.Account != AccountActive && g.Account != AccountSuspended:
		return DeniesStranger
	case g.Account == AccountSuspended && !g.WhileSuspended.Has(p):
		return g.orStranger(DeniesAccountSuspended)
	}
	return g.held(p, now)
}

// held decides as if the account were active.
func (g Grant) held(p Permission, now time.Time) Rule {
	switch {
	case g.Owner:
		return AllowsOwner
	case g.Status == Suspended:
		return DeniesSuspended
	case g.Status != Active:
		return DeniesStranger
	case !g.Starts.IsZero() && now.Before(g.Starts):
		return DeniesEarly
	case !g.Expires.IsZero() && !now.Before(g.Expires):
		return DeniesExpired
	case !g.Permissions.Has(p):
		return DeniesMissing
	}
	return AllowsHeld
}

// orStranger keeps the state of an account from people who have nothing to do with it.
func (g Grant) orStranger(r Rule) Rule {
	if g.Member() {
		return r
	}
	return DeniesStranger
}

// Held returns the bits the user holds at a time whatever the state of an account that isn't closed: All for the
// owner, none for a membership that is not in use. Narrowing verbs go by it, so that people can be removed from a
// suspended account.
func (g Grant) Held(now time.Time) Permission {
	switch {
	case g.Account != AccountActive && g.Account != AccountSuspended:
		return 0
	case g.Owner:
		return All
	case g.Permissions == 0 || !g.held(g.Permissions, now).Allows():
		return 0
	}
	return g.Permissions & All
}

// Effective returns the bits the user may use at a time: what Can says yes to, bit by bit.
func (g Grant) Effective(now time.Time) Permission {
	held := g.Held(now)
	if g.Account == AccountSuspended {
		held &= g.WhileSuspended
	}
	return held
}

// A Rule is the reason of a decision. The zero value denies.
type Rule uint8

// The rules, in the order in which they are tried. The numbers may change; the texts of String are stable.
const (
	DeniesStranger         Rule = iota // neither owner nor member, or no such account
	DeniesEmpty                        // nothing was asked, or a bit that is never used
	DeniesClosed                       // the account is closed
	DeniesAccountSuspended             // the account is suspended, and this doesn't work meanwhile
	DeniesSuspended                    // the membership is suspended
	DeniesEarly                        // the membership hasn't started
	DeniesExpired                      // the membership is over
	DeniesMissing                      // the membership doesn't hold all of the bits
	AllowsOwner                        // the owner may do everything
	AllowsHeld                         // the membership holds all of the bits
)

// Allows reports whether the rule says yes.
func (r Rule) Allows() bool { return r == AllowsOwner || r == AllowsHeld }

// String returns the rule's stable name, for example "denies.expired".
func (r Rule) String() string {
	names := [...]string{"denies.stranger", "denies.empty", "denies.closed", "denies.account_suspended",
		"denies.suspended", "denies.early", "denies.expired", "denies.missing", "allows.owner", "allows.held"}
	if int(r) < len(names) {
		return names[r]
	}
	return "denies.unknown"
}

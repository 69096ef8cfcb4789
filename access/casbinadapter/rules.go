package casbinadapter

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casbin/casbin/v2/model"
	"github.com/rosterkit/roster/access"
)

// A rule is one line of a policy.
type rule struct {
	kind   string // "p", "g" or "g2"
	fields []string
}

// addTo adds the rule to a model that hasn't got it. What tells two rules apart for Casbin is their fields joined by
// commas: no two of ours share that, since the name of a set holds a tab and ids can't.
func (r rule) addTo(m model.Model) error {
	section := r.kind[:1]
	if there, err := m.HasPolicy(section, r.kind, r.fields); there || err != nil {
		return err
	}
	return m.AddPolicy(section, r.kind, r.fields)
}

// A role is what members are grouped under: those with the same permissions, in one account where the model's policies
// name the account, in all of them otherwise.
type role struct {
	set     access.Permission
	account access.AccountID // empty for all
}

// setName is how a set is called in policies. Without the tab a user could be called the same, and Casbin takes
// everybody to have the role of their own name.
func setName(set access.Permission) string { return "set\t" + strconv.FormatUint(uint64(set), 10) }

// A layout is what a model has room for.
type layout struct {
	fields  []string // of its policies
	domains bool     // its policies name the account
	periods bool     // it groups members with a start or an expiry
}

// theObject is the obj of every policy: permissions are about the account.
const theObject = "account"

// layoutOf returns an error if our policies don't fit a model.
func layoutOf(m model.Model) (layout, error) {
	policies, groupings := m["p"]["p"], m["g"]["g"]
	if policies == nil || groupings == nil || len(groupings.Tokens) != 3 {
		return layout{}, errors.New("casbinadapter: the model needs a policy p and a grouping g = _, _, _")
	}
	var l layout
	for _, token := range policies.Tokens {
		field := strings.TrimPrefix(token, "p_")
		if !slices.Contains([]string{"sub", "dom", "obj", "act", "eft"}, field) {
			return layout{}, fmt.Errorf("casbinadapter: the model's policy has a field %q: sub, dom, obj, act and eft can be filled in", field)
		}
		l.fields = append(l.fields, field)
	}
	if !slices.Contains(l.fields, "sub") || !slices.Contains(l.fields, "act") {
		return layout{}, errors.New("casbinadapter: the model's policy needs the fields sub and act")
	}
	l.domains = slices.Contains(l.fields, "dom")
	if periods := m["g"]["g2"]; periods != nil {
		if len(periods.Tokens) != 3 {
			return layout{}, errors.New("casbinadapter: the model's grouping g2 is to be _, _, _")
		}
		l.periods = true
	}
	return l, nil
}

// kinds returns the kinds of grouping.
func (l layout) kinds() []string {
	if l.periods {
		return []string{"g", "g2"}
	}
	return []string{"g"}
}

// policies returns the rules of a role: one for each permission of the catalog that its set holds.
func (l layout) policies(catalog *access.Catalog, r role) []rule {
	var rules []rule
	for _, d := range catalog.Definitions() {
		if !r.set.Has(d.Permission) {
			continue
		}
		values := map[string]string{"sub": setName(r.set), "dom": string(r.account), "obj": theObject, "act": d.Key, "eft": "allow"}
		fields := make([]string, len(l.fields))
		for i, field := range l.fields {
			fields[i] = values[field]
		}
		rules = append(rules, rule{"p", fields})
	}
	return rules
}

// A grouping is the rules of one account's memberships, and the roles they need.
type grouping struct {
	links []rule
	roles []role
}

// group returns the grouping of an account. Whoever may do nothing, whatever the time is, isn't in it.
func (l layout) group(catalog *access.Catalog, account access.Account, members []access.Member) grouping {
	var g grouping
	for _, m := range members {
		// Without its start and expiry the grant says what is held while it lasts.
		held := access.Grant{Owner: m.Owner, Permissions: m.Permissions, WhileSuspended: catalog.WhileSuspended(),
			Status: m.Status, Account: account.Status}.Effective(time.Time{})
		if held == 0 {
			continue
		}
		link := rule{"g", []string{string(m.User), setName(held), string(account.ID)}}
		if during := (period{m.Starts, m.Expires}); !m.Owner && !during.always() {
			if !l.periods {
				continue
			}
			link = rule{"g2", []string{string(m.User), setName(held) + during.String(), string(account.ID)}}
		}
		g.links = append(g.links, link)
		r := role{set: held}
		if l.domains {
			r.account = account.ID
		}
		if !slices.Contains(g.roles, r) {
			g.roles = append(g.roles, r)
		}
	}
	return g
}

package casbinadapter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/casbin/casbin/v2/constant"
	"github.com/casbin/casbin/v2/model"
	"github.com/rosterkit/roster/access"
)

// A rule is one line of a policy.
type rule struct {
	kind   string // "p", "g" or "g2"
	fields []string
}

// addTo adds the rule to a model that hasn't got it. What tells two rules apart for Casbin is their fields joined by
// commas: no two of ours share that, since the name of a set holds a tab, which ids can't.
func (r rule) addTo(m model.Model) error {
	section := r.kind[:1]
	if there, err := m.HasPolicy(section, r.kind, r.fields); there || err != nil {
		return err
	}
	return m.AddPolicy(section, r.kind, r.fields)
}

// removeFrom returns errForeign if the model hasn't got the rule.
func (r rule) removeFrom(m model.Model) error {
	removed, err := m.RemovePolicy(r.kind[:1], r.kind, r.fields)
	if err == nil && !removed {
		err = errForeign
	}
	return err
}

// errForeign says that the model doesn't hold what the watcher put there.
var errForeign = errors.New("casbinadapter: the enforcer's policies were changed by somebody else")

// A layout is what a model has room for.
type layout struct {
	fields  []string // of its policies
	domains bool     // its policies name the account
	periods bool     // it has g2, for members with a start or an expiry
}

// theObject is the obj of every policy: permissions are about the account.
const theObject = "account"

// layoutOf returns an error if our policies don't fit a model.
func layoutOf(m model.Model) (layout, error) {
	policies, groupings := m["p"]["p"], m["g"]["g"]
	if policies == nil || groupings == nil || len(groupings.Tokens) != 3 {
		return layout{}, errors.New("casbinadapter: the model needs a policy p and a grouping g = _, _, _")
	}
	if effect := m["e"]["e"]; effect == nil || effect.Value == constant.DenyOverrideEffect {
		return layout{}, errors.New("casbinadapter: the model's effect allows what no policy allows")
	}
	var l layout
	for _, token := range policies.Tokens {
		field := strings.TrimPrefix(token, "p_")
		if !slices.Contains([]string{"sub", "dom", "obj", "act", "eft"}, field) {
			return layout{}, fmt.Errorf("casbinadapter: the model's policy has a field %q: sub, dom, obj, act and eft can be filled in", field)
		}
		l.fields = append(l.fields, field)
	}
	if !slices.Contains(l.fields, "act") {
		return layout{}, errors.New("casbinadapter: the model's policy needs the field act")
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

// shared returns the rules that belong to no account.
func (l layout) shared(catalog *access.Catalog) []rule {
	if l.domains {
		return nil
	}
	return l.policies(catalog, access.All, "")
}

// policies returns a rule for each key of the catalog that a set holds: whoever has it as a role may do it.
func (l layout) policies(catalog *access.Catalog, set access.Permission, account access.AccountID) []rule {
	var rules []rule
	for _, key := range keys(catalog, set) {
		values := map[string]string{"sub": key, "dom": string(account), "obj": theObject, "act": key, "eft": "allow"}
		fields := make([]string, len(l.fields))
		for i, field := range l.fields {
			fields[i] = values[field]
		}
		rules = append(rules, rule{"p", fields})
	}
	return rules
}

// keys returns the key of each permission in a set, and for access.All its own key beside them.
func keys(catalog *access.Catalog, set access.Permission) []string {
	var keys []string
	for _, d := range catalog.Definitions() {
		if set.Has(d.Permission) {
			keys = append(keys, d.Key)
		}
	}
	if set == access.All {
		keys = append(keys, access.KeyAll)
	}
	return keys
}

// rules returns the rules of an account. Whoever may do nothing, whatever the time is, isn't in them.
func (l layout) rules(catalog *access.Catalog, account access.Account, members []access.Member) []rule {
	var rules []rule
	var all access.Permission
	for _, m := range members {
		// Without its start and expiry the grant says what is held while it lasts.
		h := held{set: access.Grant{Owner: m.Owner, Permissions: m.Permissions, WhileSuspended: catalog.WhileSuspended(),
			Status: m.Status, Account: account.Status}.Effective(time.Time{})}
		if h.set == 0 {
			continue
		}
		kind := "g"
		if h.period = (period{m.Starts, m.Expires}); m.Owner {
			h.period = period{}
		}
		if !h.period.always() {
			kind = "g2"
		}
		if slices.Contains(l.kinds(), kind) {
			rules = append(rules, rule{kind, []string{string(m.User), h.String(), string(account.ID)}})
			all |= h.set
		}
	}
	if l.domains {
		rules = append(rules, l.policies(catalog, all, account.ID)...)
	}
	return rules
}

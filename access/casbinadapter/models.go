package casbinadapter

import (
	_ "embed"

	"github.com/casbin/casbin/v2/model"
)

//go:embed model.conf
var modelText string

//go:embed rbac_with_domains.conf
var domainsText string

//go:embed conditions.conf
var conditionsText string

// Model returns the model of the fast arrangement, model.conf. It is asked (user, account, permission key).
func Model() model.Model { return parse(modelText) }

// DomainsModel returns RBAC with domains as Casbin documents it, rbac_with_domains.conf. It is asked (user, account,
// "account", permission key), and holds policies for each account.
func DomainsModel() model.Model { return parse(domainsText) }

// ConditionsModel returns a model for Narrow, conditions.conf. Its policies, which are yours, have a permission's key and
// an expression over r.request; it is asked (permission key, a value of yours).
func ConditionsModel() model.Model { return parse(conditionsText) }

func parse(text string) model.Model {
	m, err := model.NewModelFromString(text)
	if err != nil {
		panic("casbinadapter: a model can't be read: " + err.Error())
	}
	return m
}

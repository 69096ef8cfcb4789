package peers_test

import "github.com/rosterkit/roster/access/internal/benchtest"

// implementations are what is measured: ours, and the other libraries.
func implementations() []benchtest.Implementation {
	return append(benchtest.Ours(), []benchtest.Implementation{
		{Name: "impl=casbin-rbac", Largest: 1_000, Build: casbinRBAC},
		{Name: "impl=casbin-fast", Largest: 100_000, Build: casbinFast},
		{Name: "impl=casbin-cached", Largest: 100_000, Build: casbinCached},
		{Name: "impl=casbin-adapter", Largest: 100_000, Build: casbinAdapter},
		{Name: "impl=cedar-groups", Largest: 100_000, Build: cedarGroups},
		{Name: "impl=cedar-context", Largest: 10_000_000, Build: cedarContext},
	}...)
}

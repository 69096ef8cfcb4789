//go:build !race

package sqlstore_test

// modelChecks is how many runs the model makes.
const modelChecks = "100"

// modelChecksOnServers is how many it makes where every statement goes to a server.
const modelChecksOnServers = "20"

// alikeChecks is how many runs TestAnswersAreAlike makes, and rollbackChecks TestRollback on each backend.
const (
	alikeChecks    = 40
	rollbackChecks = 100
)

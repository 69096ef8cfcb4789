//go:build race

package sqlstore_test

// modelChecks is how many runs the model makes. The driver is SQLite translated to Go: with the race detector watching
// each of its steps it takes ten times as long.
const modelChecks = "8"

// modelChecksOnServers is how many it makes where every statement goes to a server.
const modelChecksOnServers = "8"

// alikeChecks is how many runs TestAnswersAreAlike makes, and rollbackChecks TestRollback on each backend.
const (
	alikeChecks    = 15
	rollbackChecks = 25
)

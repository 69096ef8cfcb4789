//go:build !race

package sqlstore_test

// modelChecks is how many runs the model makes.
const modelChecks = "100"

// modelChecksOnServers is how many it makes where every statement goes to a server.
const modelChecksOnServers = "20"

//go:build race

package sqlstore_test

// modelChecks is how many runs the model makes. The driver is SQLite translated to Go: with the race detector watching
// each of its steps it takes ten times as long.
const modelChecks = "8"

//go:build race

package access_test

// simulations is how many runs TestSimulation makes: each takes a second where the race detector watches.
const simulations = 25

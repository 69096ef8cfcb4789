//go:build !race

package access_test

// simulations is how many runs TestSimulation makes.
const simulations = 150

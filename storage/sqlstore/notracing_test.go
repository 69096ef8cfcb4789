//go:build !race

package sqlstore_test

// modelChecks is how many runs the model makes.
const modelChecks = "100"

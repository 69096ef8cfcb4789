//go:build !race

package crashes_test

// everyMomentOfSQLite is of how many moments one is tried: of all.
const everyMomentOfSQLite = 1

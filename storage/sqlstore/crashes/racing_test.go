//go:build race

package crashes_test

// everyMomentOfSQLite is of how many moments one is tried. The driver is SQLite translated to Go: with the race detector
// watching each of its steps it takes ten times as long.
const everyMomentOfSQLite = 12

//go:build race

package sqlstore

// sqliteShare is what part of the population SQLite gets. The driver is SQLite translated to Go: with the race detector
// watching each of its steps it takes ten times as long.
const sqliteShare = 10

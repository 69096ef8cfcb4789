//go:build !race

package sqlstore

// sqliteShare is what part of the population SQLite gets: all of it.
const sqliteShare = 1

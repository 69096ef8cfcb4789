package sqlstore

import (
	"cmp"
	"regexp"
	"strings"
)

// A Config says where in the database roster's tables are, and who is told. The zero Config is a good one.
type Config struct {
	// Prefix begins the name of every table and index: lowercase letters, digits and underscores, at most 20, the first
	// a letter. By default "roster_".
	Prefix string
	// Schema is the schema of PostgreSQL that holds the tables, which must be there: as Prefix, at most 63. By default
	// it is the first of the search_path. Other engines have none.
	Schema string
	// Notify is a channel of PostgreSQL's on which a revocation that settles wakes those who listen, as pgxtx.Listen does:
	// as Prefix, at most 63. By default it is none, and nobody is woken. It changes no promise: who settles waits for all
	// followers, woken or not. Only the drawing of a ticket notifies, in the short transaction of its own that it is anyway.
	// PostgreSQL has all transactions that notify commit one after the other, whatever their channels, so that no unit of
	// work does.
	Notify string
}

// defaultPrefix is what statements and migrations are written with.
const defaultPrefix = "roster_"

var (
	prefixForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,19}$`)
	schemaForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`) // and that of channels
)

// mustFit returns the Config with its defaults, and panics if a name isn't usable: names become part of statements.
func (c Config) mustFit(e engine) Config {
	c.Prefix = cmp.Or(c.Prefix, defaultPrefix)
	switch {
	case !prefixForm.MatchString(c.Prefix):
		panic("sqlstore: Config.Prefix must be lowercase letters, digits and underscores, at most 20, the first a letter")
	case c.Schema != "" && !e.schemas:
		panic("sqlstore: Config.Schema is for PostgreSQL only")
	case c.Schema != "" && !schemaForm.MatchString(c.Schema):
		panic("sqlstore: Config.Schema must be lowercase letters, digits and underscores, at most 63, the first a letter")
	case c.Notify != "" && !e.notifies:
		panic("sqlstore: Config.Notify is for PostgreSQL only")
	case c.Notify != "" && !schemaForm.MatchString(c.Notify):
		panic("sqlstore: Config.Notify must be lowercase letters, digits and underscores, at most 63, the first a letter")
	}
	return c
}

// full puts the full names of the tables into a text.
func (c Config) full(text string) string {
	if c.Schema == "" {
		return c.local(text)
	}
	return strings.ReplaceAll(text, defaultPrefix, `"`+c.Schema+`".`+c.Prefix)
}

// local puts the names of the tables into a text that is for one schema.
func (c Config) local(text string) string { return strings.ReplaceAll(text, defaultPrefix, c.Prefix) }

// versionTable is where goose notes which migrations were done, without the schema.
func (c Config) versionTable() string { return c.Prefix + "migrations" }

// tables are the tables' names without the schema, but for that of versions.
func (c Config) tables() []string {
	var names []string
	for _, right := range tableRights() {
		names = append(names, c.local(right.table))
	}
	return names
}

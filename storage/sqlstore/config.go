package sqlstore

// A Config says where in the database roster's tables are. The zero Config is a good one.
type Config struct {
	// Prefix begins the name of every table and index: lowercase letters, digits and underscores, at most 20, the first
	// a letter. By default "roster_".
	Prefix string
	// Schema is the schema of PostgreSQL that holds the tables, which must be there: as Prefix, at most 63. By default
	// it is the first of the search_path in which tables can be made. Other engines have none.
	Schema string
}

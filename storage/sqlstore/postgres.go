package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pressly/goose/v3"
)

func postgresEngine() engine {
	return engine{
		name:         "postgres",
		goose:        goose.DialectPostgres,
		beginView:    []string{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " + selectSnapshot},
		beginUpdate:  []string{beginUpdatePostgres},
		beginWork:    []string{beginUpdatePostgres + byIndex},
		migrating:    inSchema(migrateAlone),
		verifying:    inSchema(),
		verify:       verifyPostgres,
		foreign:      selectForeignPostgres,
		notByBytes:   selectNotByBytesPostgres,
		roles:        true,
		rewrite:      numbered,
		forUpdate:    " FOR UPDATE",
		skipLocked:   " FOR UPDATE SKIP LOCKED",
		manyWriters:  true,
		returning:    true,
		arrays:       true,
		wellFormed:   true,
		schemas:      true,
		notifies:     true,
		isConflict:   isConflictPostgres,
		isRolledBack: isRolledBackPostgres,
	}
}

const (
	beginUpdatePostgres = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`

	// byIndex keeps the planner from reading the whole outbox, which its statistics take for short: it may have been empty
	// when they were made, and fill before they are made again. Nor may it compare all rows with all that it is given.
	byIndex = `; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_nestloop = off`

	selectServer = `SELECT current_setting('server_version'), current_setting('server_version_num')::integer,
		current_setting('server_encoding'), current_setting('client_encoding'), COALESCE(current_schema(), '')`

	// selectForeignPostgres is selectForeign, in the schema in which tables would be made.
	selectForeignPostgres = `SELECT c.relname FROM pg_catalog.pg_class AS c
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
			AND c.relname IN (?...) AND NOT EXISTS
				(SELECT 1 FROM pg_catalog.pg_class AS v
					WHERE v.relnamespace = c.relnamespace AND v.relname = 'roster_migrations' AND v.relkind = 'r')
		UNION ALL
		SELECT c.relname FROM pg_catalog.pg_class AS c
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = 'roster_migrations' AND
			(SELECT COUNT(*) FROM pg_catalog.pg_attribute AS a
				WHERE a.attrelid = c.oid AND a.attname IN ('version_id', 'is_applied')) <> 2
		LIMIT 1`

	// selectNotByBytesPostgres looks at the texts in indexes.
	selectNotByBytesPostgres = `SELECT c.relname || '.' || a.attname
		FROM pg_catalog.pg_index AS i
		JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
		JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relname IN (?...)
			AND a.attcollation <> 0 AND a.attcollation <> 'pg_catalog."C"'::regcollation
		LIMIT 1`

	// migrateAlone waits until no other transaction migrates. The key is "roster" in ASCII.
	migrateAlone = `SELECT pg_advisory_xact_lock(125823003944306)`
)

// inSchema returns how to inspect a schema. What belongs to a session only, such as the search_path, has to be said in
// the transaction, as the next one may be on another session of the server's.
func inSchema(statements ...string) beginSession {
	return func(ctx context.Context, conn Session, config Config) (end func(context.Context) error, err error) {
		begin := []string{"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"}
		if config.Schema != "" {
			begin = append(begin, `SET LOCAL search_path TO "`+config.Schema+`"`)
		}
		return within(append(begin, statements...)...)(ctx, conn, config)
	}
}

// verifyPostgres refuses a database in which roster would be wrong.
func verifyPostgres(ctx context.Context, conn Session) error {
	var version, encoding, client, schema string
	var number int
	err := conn.QueryRowContext(ctx, selectServer).Scan(&version, &number, &encoding, &client, &schema)
	if err != nil {
		return failed(ctx, "read the settings of PostgreSQL", err)
	}
	if number < 130000 {
		return fmt.Errorf("sqlstore: this is PostgreSQL %s: use a server of version 13 or later", version)
	}
	if encoding != "UTF8" {
		return fmt.Errorf("sqlstore: the database is encoded in %s, which hasn't all characters:"+
			" make one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0", encoding)
	}
	if client != "UTF8" {
		return fmt.Errorf("sqlstore: the connection is encoded in %s: set its client_encoding to UTF8", client)
	}
	if schema == "" {
		return errors.New("sqlstore: the search_path names no schema that is there and may be used:" +
			" create the schema, grant its USAGE to the role, or set the search_path of the role or in the data source")
	}
	return nil
}

func isConflictPostgres(err error) bool {
	switch stateOf(err) {
	case "40001", // serialization failure
		"40P01", // deadlock
		"55P03": // a lock isn't to be had in the time that the host has set
		return true
	}
	return false
}

// isRolledBackPostgres knows the codes after which nothing was committed. After all others, among them that of a server
// that is shut down in between, one can't know.
func isRolledBackPostgres(err error) bool {
	state := stateOf(err)
	switch {
	case state == "40003": // "statement completion unknown"
		return false
	case isConflictPostgres(err):
		return true
	}
	return strings.HasPrefix(state, "40") || // rolled back
		strings.HasPrefix(state, "23") || // a constraint that was deferred
		strings.HasPrefix(state, "25") // no transaction, or a failed one
}

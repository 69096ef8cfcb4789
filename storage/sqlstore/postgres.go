package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

const (
	selectServer = `SELECT current_setting('server_version'), current_setting('server_version_num')::integer,
		current_setting('server_encoding'), COALESCE(current_schema(), '')`

	// selectForeignPostgres is selectForeign, in the schema in which tables would be made.
	selectForeignPostgres = `SELECT c.relname FROM pg_catalog.pg_class AS c
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
			AND c.relname IN (?...) AND NOT EXISTS
				(SELECT 1 FROM pg_catalog.pg_class AS v
					WHERE v.relnamespace = c.relnamespace AND v.relname = '` + versionTable + `' AND v.relkind = 'r')
		UNION ALL
		SELECT c.relname FROM pg_catalog.pg_class AS c
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = '` + versionTable + `' AND
			(SELECT COUNT(*) FROM pg_catalog.pg_attribute AS a
				WHERE a.attrelid = c.oid AND a.attname IN ('version_id', 'is_applied')) <> 2
		LIMIT 1`
)

// verifyPostgres refuses a database in which roster would be wrong.
func verifyPostgres(ctx context.Context, handle Handle) error {
	var version, encoding, schema string
	var number int
	err := handle.QueryRowContext(ctx, selectServer).Scan(&version, &number, &encoding, &schema)
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
	if schema == "" {
		return errors.New("sqlstore: the search_path names no schema that is there, so that tables can't be made:" +
			" create the schema, or set the search_path of the role or in the data source")
	}
	return nil
}

// An advisoryLock is held by one session of a PostgreSQL database at a time.
type advisoryLock struct{}

// The key is "roster" in ASCII.
const (
	takeAdvisoryLock    = `SELECT pg_advisory_lock(125823003944306)`
	releaseAdvisoryLock = `SELECT pg_advisory_unlock(125823003944306)`
)

func (advisoryLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, takeAdvisoryLock)
	return err
}

func (advisoryLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, rollbackPatience)
	defer cancel()
	_, err := conn.ExecContext(ctx, releaseAdvisoryLock)
	return err
}

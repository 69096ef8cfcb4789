package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // The driver "sqlite".
)

// schema holds the host's own tables. They live beside the library's in one file. Times are
// UTC microseconds, as the library keeps them.
const schema = `
CREATE TABLE IF NOT EXISTS portal_people (
	id              TEXT PRIMARY KEY,
	address         TEXT NOT NULL UNIQUE,
	typed_address   TEXT NOT NULL,
	name            TEXT NOT NULL,
	password_hash   TEXT NOT NULL,
	verified        INTEGER NOT NULL,
	second_factor   INTEGER NOT NULL,
	generation      INTEGER NOT NULL,
	last_sign_in    INTEGER
) STRICT;

CREATE TABLE IF NOT EXISTS portal_sessions (
	token   TEXT PRIMARY KEY,
	data    BLOB NOT NULL,
	expires INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS portal_sessions_expires ON portal_sessions (expires);

CREATE TABLE IF NOT EXISTS portal_resets (
	digest  BLOB PRIMARY KEY,
	person  TEXT NOT NULL REFERENCES portal_people (id) ON DELETE CASCADE,
	expires INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS portal_resets_person ON portal_resets (person);

CREATE TABLE IF NOT EXISTS portal_attempts (
	purpose TEXT NOT NULL,
	digest  BLOB NOT NULL,
	at      INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS portal_attempts_digest ON portal_attempts (purpose, digest, at);

CREATE TABLE IF NOT EXISTS portal_products (
	account TEXT NOT NULL,
	kind    TEXT NOT NULL,
	id      TEXT NOT NULL,
	name    TEXT NOT NULL,
	state   TEXT NOT NULL,
	detail  TEXT NOT NULL,
	PRIMARY KEY (account, kind, id)
) STRICT;
`

// openDatabase opens the SQLite file, creates it and its tables where they are missing, and makes
// sure that it can be written.
func openDatabase(ctx context.Context, file string) (*sql.DB, error) {
	options := url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"},
	}
	name := "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + options.Encode()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("can't open the database file %s: %w", file, err)
	}
	// An immediate transaction takes the write lock, and so fails on a file that is only readable.
	err = inTransaction(ctx, db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, schema)
		return err
	})
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("can't create or write the database file %s: %w", file, err)
	}
	return db, nil
}

// inTransaction commits what fn did unless it returns an error.
func inTransaction(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

-- The host's own tables, on SQLite. They live beside the library's. Times are UTC microseconds, as the library keeps
-- them. The transaction in which this runs lets one portal in at a time.

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
CREATE UNIQUE INDEX IF NOT EXISTS portal_resets_one_each ON portal_resets (person);

CREATE TABLE IF NOT EXISTS portal_tries (
	purpose TEXT NOT NULL,
	digest  BLOB NOT NULL,
	tries   INTEGER NOT NULL,
	until   INTEGER NOT NULL,
	PRIMARY KEY (purpose, digest)
) STRICT;
CREATE INDEX IF NOT EXISTS portal_tries_until ON portal_tries (until);

CREATE TABLE IF NOT EXISTS portal_products (
	account TEXT NOT NULL,
	kind    TEXT NOT NULL,
	id      TEXT NOT NULL,
	name    TEXT NOT NULL,
	state   TEXT NOT NULL,
	detail  TEXT NOT NULL,
	PRIMARY KEY (account, kind, id)
) STRICT;

CREATE TABLE IF NOT EXISTS portal_seeding (
	id    INTEGER PRIMARY KEY,
	until INTEGER NOT NULL
) STRICT;

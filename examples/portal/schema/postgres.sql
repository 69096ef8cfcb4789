-- The host's own tables, on PostgreSQL. They live beside the library's. Times are UTC microseconds, as the library keeps
-- them. Keys compare byte for byte, in whatever language the database sorts.

-- IF NOT EXISTS fails where two portals start together; one waits here for the other's commit. The number is "portal"
-- in ASCII.
SELECT pg_advisory_xact_lock(123623963910508);

CREATE TABLE IF NOT EXISTS portal_people (
	id              TEXT COLLATE "C" PRIMARY KEY,
	address         TEXT COLLATE "C" NOT NULL UNIQUE,
	typed_address   TEXT NOT NULL,
	name            TEXT NOT NULL,
	password_hash   TEXT NOT NULL,
	verified        BOOLEAN NOT NULL,
	second_factor   BOOLEAN NOT NULL,
	generation      BIGINT NOT NULL,
	last_sign_in    BIGINT
);

CREATE TABLE IF NOT EXISTS portal_sessions (
	token   TEXT COLLATE "C" PRIMARY KEY,
	data    BYTEA NOT NULL,
	expires BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS portal_sessions_expires ON portal_sessions (expires);

CREATE TABLE IF NOT EXISTS portal_resets (
	digest  BYTEA PRIMARY KEY,
	person  TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES portal_people (id) ON DELETE CASCADE,
	expires BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS portal_tries (
	purpose TEXT COLLATE "C" NOT NULL,
	digest  BYTEA NOT NULL,
	tries   BIGINT NOT NULL,
	until   BIGINT NOT NULL,
	PRIMARY KEY (purpose, digest)
);
CREATE INDEX IF NOT EXISTS portal_tries_until ON portal_tries (until);

CREATE TABLE IF NOT EXISTS portal_products (
	account TEXT COLLATE "C" NOT NULL,
	kind    TEXT COLLATE "C" NOT NULL,
	id      TEXT COLLATE "C" NOT NULL,
	name    TEXT NOT NULL,
	state   TEXT NOT NULL,
	detail  TEXT NOT NULL,
	PRIMARY KEY (account, kind, id)
);

CREATE TABLE IF NOT EXISTS portal_seeding (
	id    BIGINT PRIMARY KEY,
	until BIGINT NOT NULL
);

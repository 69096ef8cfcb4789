-- The host's own tables, on MySQL and MariaDB. They live beside the library's. Times are UTC microseconds, as the library
-- keeps them. Keys are VARBINARY: they compare byte for byte. Each statement here is a transaction of its own, which
-- may be repeated, by several portals at once.

CREATE TABLE IF NOT EXISTS portal_people (
	id              VARBINARY(128) PRIMARY KEY,
	address         VARBINARY(255) NOT NULL UNIQUE,
	typed_address   TEXT NOT NULL,
	name            TEXT NOT NULL,
	password_hash   TEXT NOT NULL,
	verified        BOOLEAN NOT NULL,
	second_factor   BOOLEAN NOT NULL,
	generation      BIGINT NOT NULL,
	last_sign_in    BIGINT
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS portal_sessions (
	token   VARBINARY(128) PRIMARY KEY,
	data    BLOB NOT NULL,
	expires BIGINT NOT NULL,
	INDEX portal_sessions_expires (expires)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS portal_resets (
	digest  VARBINARY(32) PRIMARY KEY,
	person  VARBINARY(128) NOT NULL UNIQUE,
	expires BIGINT NOT NULL,
	FOREIGN KEY (person) REFERENCES portal_people (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS portal_tries (
	purpose VARBINARY(32) NOT NULL,
	digest  VARBINARY(32) NOT NULL,
	tries   BIGINT NOT NULL,
	until   BIGINT NOT NULL,
	PRIMARY KEY (purpose, digest),
	INDEX portal_tries_until (until)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS portal_products (
	account VARBINARY(128) NOT NULL,
	kind    VARBINARY(32) NOT NULL,
	id      VARBINARY(32) NOT NULL,
	name    TEXT NOT NULL,
	state   TEXT NOT NULL,
	detail  TEXT NOT NULL,
	PRIMARY KEY (account, kind, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS portal_seeding (
	id    BIGINT PRIMARY KEY,
	until BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

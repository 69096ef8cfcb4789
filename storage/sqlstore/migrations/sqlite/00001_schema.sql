-- Rules that hold in every table: ids and canonical addresses compare byte for byte. Times are integers of UTC
-- microseconds since 1970; none is the first instant of the year 1, as in Go, -62135596800000000: before all others, and
-- no time that anything happens at. A text that isn't there is empty. Statuses, states and kinds are the numbers that
-- the Go constants promise. Columns that end in _fold hold access.Fold of their neighbour and are what prefixes are
-- searched in. No foreign key points at users: a membership may be known before its user is.

-- +goose Up
CREATE TABLE roster_accounts (
    id                   TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    owner_id             TEXT    NOT NULL CHECK (owner_id <> ''),
    parent_id            TEXT    NOT NULL DEFAULT '',
    status               INTEGER NOT NULL CHECK (status BETWEEN 1 AND 255),
    name                 TEXT    NOT NULL,
    name_fold            TEXT    NOT NULL,
    company              TEXT    NOT NULL,
    company_fold         TEXT    NOT NULL,
    billing_street       TEXT    NOT NULL,
    billing_city         TEXT    NOT NULL,
    billing_region       TEXT    NOT NULL,
    billing_postal_code  TEXT    NOT NULL,
    billing_country      TEXT    NOT NULL,
    postal_street        TEXT    NOT NULL,
    postal_city          TEXT    NOT NULL,
    postal_region        TEXT    NOT NULL,
    postal_postal_code   TEXT    NOT NULL,
    postal_country       TEXT    NOT NULL,
    phone                TEXT    NOT NULL,
    locale               TEXT    NOT NULL,
    time_zone            TEXT    NOT NULL,
    seats                INTEGER NOT NULL CHECK (seats >= 0),
    domains              TEXT    NOT NULL CHECK (json_type(domains) = 'array'),
    created_at           INTEGER NOT NULL,
    version              INTEGER NOT NULL CHECK (version > 0),
    head_count           INTEGER NOT NULL CHECK (head_count >= 0),
    head_hash            BLOB    NOT NULL CHECK (length(head_hash) = 32)
) STRICT;

CREATE TABLE roster_memberships (
    account_id    TEXT    NOT NULL,
    user_id       TEXT    NOT NULL CHECK (user_id <> ''),
    permissions   INTEGER NOT NULL CHECK (permissions >= 0),
    status        INTEGER NOT NULL CHECK (status BETWEEN 1 AND 255),
    starts_at     INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    label         TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    last_seen_at  INTEGER NOT NULL,
    PRIMARY KEY (account_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX roster_memberships_user ON roster_memberships (user_id, account_id);

CREATE TABLE roster_users (
    id               TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    address          TEXT    NOT NULL,
    canonical        TEXT    NOT NULL,
    verified         INTEGER NOT NULL CHECK (verified IN (0, 1)),
    name             TEXT    NOT NULL,
    name_fold        TEXT    NOT NULL,
    second_factor    INTEGER NOT NULL CHECK (second_factor IN (0, 1)),
    last_sign_in_at  INTEGER NOT NULL,
    CHECK ((address = '') = (canonical = ''))
) STRICT, WITHOUT ROWID;

CREATE INDEX roster_users_canonical ON roster_users (canonical);

-- pending is 1 or NULL. NULLs are distinct from each other in a unique key, which so holds pending invites only.
CREATE TABLE roster_invites (
    account_id         TEXT    NOT NULL,
    id                 TEXT    NOT NULL UNIQUE CHECK (id <> ''),
    address            TEXT    NOT NULL,
    canonical          TEXT    NOT NULL CHECK (canonical <> ''),
    permissions        INTEGER NOT NULL CHECK (permissions >= 0),
    member_starts_at   INTEGER NOT NULL,
    member_expires_at  INTEGER NOT NULL,
    label              TEXT    NOT NULL,
    inviter_kind       INTEGER NOT NULL CHECK (inviter_kind BETWEEN 1 AND 255),
    inviter_id         TEXT    NOT NULL CHECK (inviter_id <> ''),
    generation         INTEGER NOT NULL CHECK (generation BETWEEN 0 AND 65535),
    delivery           INTEGER NOT NULL CHECK (delivery BETWEEN 0 AND 255),
    state              INTEGER NOT NULL CHECK (state BETWEEN 1 AND 255),
    pending            INTEGER          CHECK (pending = 1),
    created_at         INTEGER NOT NULL,
    sent_at            INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    closed_at          INTEGER NOT NULL,
    accepted_by        TEXT    NOT NULL,
    secret             BLOB    NOT NULL CHECK (length(secret) = 16),
    key_id             TEXT    NOT NULL CHECK (key_id <> ''),
    PRIMARY KEY (account_id, id),
    UNIQUE (account_id, canonical, pending),
    CHECK ((state = 1) = (pending IS NOT NULL))
) STRICT;

CREATE INDEX roster_invites_live ON roster_invites (account_id, pending, expires_at);
CREATE INDEX roster_invites_waiting ON roster_invites (canonical, pending, id);
CREATE INDEX roster_invites_key ON roster_invites (pending, key_id, expires_at);

CREATE TABLE roster_contacts (
    account_id          TEXT    NOT NULL,
    id                  TEXT    NOT NULL CHECK (id <> ''),
    name                TEXT    NOT NULL,
    name_fold           TEXT    NOT NULL,
    address             TEXT    NOT NULL,
    canonical           TEXT    NOT NULL CHECK (canonical <> ''),
    company             TEXT    NOT NULL,
    postal_street       TEXT    NOT NULL,
    postal_city         TEXT    NOT NULL,
    postal_region       TEXT    NOT NULL,
    postal_postal_code  TEXT    NOT NULL,
    postal_country      TEXT    NOT NULL,
    phone               TEXT    NOT NULL,
    label               TEXT    NOT NULL,
    categories          INTEGER NOT NULL CHECK (categories >= 0),
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    PRIMARY KEY (account_id, id),
    UNIQUE (account_id, canonical)
) STRICT;

CREATE TABLE roster_preferences (
    account_id  TEXT    NOT NULL,
    user_id     TEXT    NOT NULL CHECK (user_id <> ''),
    categories  INTEGER NOT NULL CHECK (categories >= 0),
    PRIMARY KEY (account_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE roster_messages (
    id            TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    kind          TEXT    NOT NULL,
    group_id      TEXT    NOT NULL,
    ref           TEXT    NOT NULL,
    generation    INTEGER NOT NULL CHECK (generation >= 0),
    recipient_id  TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    state         INTEGER NOT NULL CHECK (state BETWEEN 1 AND 255),
    due_at        INTEGER NOT NULL,
    attempt       INTEGER NOT NULL CHECK (attempt >= 0),
    leased_until  INTEGER NOT NULL,
    done_at       INTEGER NOT NULL,
    reason        TEXT    NOT NULL,
    address       TEXT    NOT NULL,
    subject       TEXT    NOT NULL
) STRICT;

CREATE INDEX roster_messages_group ON roster_messages (group_id, id);
CREATE INDEX roster_messages_ref ON roster_messages (group_id, kind, ref, generation, id);
CREATE INDEX roster_messages_outbox ON roster_messages (due_at, id) WHERE state = 1;

-- Forgetting a person makes salt and text NULL and empties by_user_id, for_user_id, target_kind and target_id.
-- Everything else stays for ever.
CREATE TABLE roster_events (
    account_id         TEXT    NOT NULL,
    version            INTEGER NOT NULL CHECK (version > 0),
    idx                INTEGER NOT NULL CHECK (idx >= 0),
    id                 TEXT    NOT NULL CHECK (id <> ''),
    occurred_at        INTEGER NOT NULL,
    kind               TEXT    NOT NULL,
    public             BLOB    NOT NULL,
    actor_salt         BLOB,
    actor_text         BLOB,
    actor_commitment   BLOB    NOT NULL CHECK (length(actor_commitment) = 32),
    target_salt        BLOB,
    target_text        BLOB,
    target_commitment  BLOB    NOT NULL CHECK (length(target_commitment) = 32),
    by_user_id         TEXT    NOT NULL,
    for_user_id        TEXT    NOT NULL,
    target_kind        TEXT    NOT NULL,
    target_id          TEXT    NOT NULL,
    hash               BLOB    NOT NULL CHECK (length(hash) = 32),
    shard              INTEGER NOT NULL CHECK (shard BETWEEN 0 AND 63),
    number             INTEGER NOT NULL CHECK (number > 0),
    PRIMARY KEY (account_id, version, idx),
    UNIQUE (shard, number)
) STRICT;

-- The ends of the 64 shards of the change feed: how many events each has, and the id of its last.
CREATE TABLE roster_feed (
    shard   INTEGER NOT NULL PRIMARY KEY CHECK (shard BETWEEN 0 AND 63),
    number  INTEGER NOT NULL CHECK (number >= 0),
    tail    TEXT    NOT NULL
) STRICT;

INSERT INTO roster_feed (shard, number, tail)
WITH RECURSIVE shards (shard) AS (SELECT 0 UNION ALL SELECT shard + 1 FROM shards WHERE shard < 63)
SELECT shard, 0, '' FROM shards;

-- Limits, by the digests that name them. Who uses one locks its row first. It may go, with its uses, once kept_until
-- has passed, which is the latest of its uses' own.
CREATE TABLE roster_limits (
    digest      BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    kept_until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX roster_limits_passed ON roster_limits (kept_until, digest);

CREATE TABLE roster_limit_uses (
    digest      BLOB    NOT NULL CHECK (length(digest) = 32),
    used_at     INTEGER NOT NULL,
    uses        INTEGER NOT NULL CHECK (uses > 0),
    kept_until  INTEGER NOT NULL,
    PRIMARY KEY (digest, used_at)
) STRICT, WITHOUT ROWID;

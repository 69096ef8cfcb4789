-- Rules that hold in every table: ids and canonical addresses compare byte for byte, which is the collation "C". Times
-- are integers of UTC microseconds since 1970; none is the first instant of the year 1, as in Go, -62135596800000000:
-- before all others, and no time that anything happens at. A text that isn't there is empty. Statuses, states and kinds
-- are the numbers that the Go constants promise. Columns that end in _fold hold access.Fold of their neighbour and are
-- what prefixes are searched in. No foreign key points at users: a membership may be known before its user is.

-- +goose Up
CREATE TABLE roster_accounts (
    id                   TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (id <> ''),
    owner_id             TEXT COLLATE "C" NOT NULL CHECK (owner_id <> ''),
    parent_id            TEXT COLLATE "C" NOT NULL DEFAULT '',
    status               SMALLINT         NOT NULL CHECK (status BETWEEN 1 AND 255),
    name                 TEXT             NOT NULL,
    name_fold            TEXT COLLATE "C" NOT NULL,
    company              TEXT             NOT NULL,
    company_fold         TEXT COLLATE "C" NOT NULL,
    billing_street       TEXT             NOT NULL,
    billing_city         TEXT             NOT NULL,
    billing_region       TEXT             NOT NULL,
    billing_postal_code  TEXT             NOT NULL,
    billing_country      TEXT             NOT NULL,
    postal_street        TEXT             NOT NULL,
    postal_city          TEXT             NOT NULL,
    postal_region        TEXT             NOT NULL,
    postal_postal_code   TEXT             NOT NULL,
    postal_country       TEXT             NOT NULL,
    phone                TEXT             NOT NULL,
    locale               TEXT             NOT NULL,
    time_zone            TEXT             NOT NULL,
    seats                BIGINT           NOT NULL CHECK (seats >= 0),
    domains              TEXT             NOT NULL CHECK (json_typeof(domains::json) = 'array'),
    created_at           BIGINT           NOT NULL,
    version              BIGINT           NOT NULL CHECK (version > 0),
    head_count           BIGINT           NOT NULL CHECK (head_count >= 0),
    head_hash            BYTEA            NOT NULL CHECK (length(head_hash) = 32)
);

CREATE TABLE roster_memberships (
    account_id    TEXT COLLATE "C" NOT NULL,
    user_id       TEXT COLLATE "C" NOT NULL CHECK (user_id <> ''),
    permissions   BIGINT           NOT NULL CHECK (permissions >= 0),
    status        SMALLINT         NOT NULL CHECK (status BETWEEN 1 AND 255),
    starts_at     BIGINT           NOT NULL,
    expires_at    BIGINT           NOT NULL,
    label         TEXT             NOT NULL,
    created_at    BIGINT           NOT NULL,
    last_seen_at  BIGINT           NOT NULL,
    PRIMARY KEY (account_id, user_id)
);

CREATE INDEX roster_memberships_user ON roster_memberships (user_id, account_id);

CREATE TABLE roster_users (
    id               TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (id <> ''),
    address          TEXT             NOT NULL,
    canonical        TEXT COLLATE "C" NOT NULL,
    verified         SMALLINT         NOT NULL CHECK (verified IN (0, 1)),
    name             TEXT             NOT NULL,
    name_fold        TEXT COLLATE "C" NOT NULL,
    second_factor    SMALLINT         NOT NULL CHECK (second_factor IN (0, 1)),
    last_sign_in_at  BIGINT           NOT NULL,
    CHECK ((address = '') = (canonical = ''))
);

CREATE INDEX roster_users_canonical ON roster_users (canonical);

-- pending is 1 or NULL. NULLs are distinct from each other in a unique key, which so holds pending invites only.
CREATE TABLE roster_invites (
    account_id         TEXT COLLATE "C" NOT NULL,
    id                 TEXT COLLATE "C" NOT NULL UNIQUE CHECK (id <> ''),
    address            TEXT             NOT NULL,
    canonical          TEXT COLLATE "C" NOT NULL CHECK (canonical <> ''),
    permissions        BIGINT           NOT NULL CHECK (permissions >= 0),
    member_starts_at   BIGINT           NOT NULL,
    member_expires_at  BIGINT           NOT NULL,
    label              TEXT             NOT NULL,
    inviter_kind       SMALLINT         NOT NULL CHECK (inviter_kind BETWEEN 1 AND 255),
    inviter_id         TEXT COLLATE "C" NOT NULL CHECK (inviter_id <> ''),
    generation         BIGINT           NOT NULL CHECK (generation BETWEEN 0 AND 65535),
    delivery           SMALLINT         NOT NULL CHECK (delivery BETWEEN 0 AND 255),
    state              SMALLINT         NOT NULL CHECK (state BETWEEN 1 AND 255),
    pending            SMALLINT         CHECK (pending = 1),
    created_at         BIGINT           NOT NULL,
    sent_at            BIGINT           NOT NULL,
    expires_at         BIGINT           NOT NULL,
    closed_at          BIGINT           NOT NULL,
    accepted_by        TEXT COLLATE "C" NOT NULL,
    secret             BYTEA            NOT NULL CHECK (length(secret) = 16),
    key_id             TEXT COLLATE "C" NOT NULL CHECK (key_id <> ''),
    PRIMARY KEY (account_id, id),
    UNIQUE (account_id, canonical, pending),
    CHECK ((state = 1) = (pending IS NOT NULL))
);

CREATE INDEX roster_invites_live ON roster_invites (account_id, pending, expires_at);
CREATE INDEX roster_invites_waiting ON roster_invites (canonical, pending, id);
CREATE INDEX roster_invites_key ON roster_invites (pending, key_id, expires_at);

CREATE TABLE roster_contacts (
    account_id          TEXT COLLATE "C" NOT NULL,
    id                  TEXT COLLATE "C" NOT NULL CHECK (id <> ''),
    name                TEXT             NOT NULL,
    name_fold           TEXT COLLATE "C" NOT NULL,
    address             TEXT             NOT NULL,
    canonical           TEXT COLLATE "C" NOT NULL CHECK (canonical <> ''),
    company             TEXT             NOT NULL,
    postal_street       TEXT             NOT NULL,
    postal_city         TEXT             NOT NULL,
    postal_region       TEXT             NOT NULL,
    postal_postal_code  TEXT             NOT NULL,
    postal_country      TEXT             NOT NULL,
    phone               TEXT             NOT NULL,
    label               TEXT             NOT NULL,
    categories          BIGINT           NOT NULL CHECK (categories >= 0),
    created_at          BIGINT           NOT NULL,
    updated_at          BIGINT           NOT NULL,
    PRIMARY KEY (account_id, id),
    UNIQUE (account_id, canonical)
);

CREATE TABLE roster_preferences (
    account_id  TEXT COLLATE "C" NOT NULL,
    user_id     TEXT COLLATE "C" NOT NULL CHECK (user_id <> ''),
    categories  BIGINT           NOT NULL CHECK (categories >= 0),
    PRIMARY KEY (account_id, user_id)
);

CREATE TABLE roster_messages (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (id <> ''),
    kind          TEXT COLLATE "C" NOT NULL,
    group_id      TEXT COLLATE "C" NOT NULL,
    ref           TEXT COLLATE "C" NOT NULL,
    generation    BIGINT           NOT NULL CHECK (generation >= 0),
    recipient_id  TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT           NOT NULL,
    state         SMALLINT         NOT NULL CHECK (state BETWEEN 1 AND 255),
    due_at        BIGINT           NOT NULL,
    attempt       BIGINT           NOT NULL CHECK (attempt >= 0),
    leased_until  BIGINT           NOT NULL,
    done_at       BIGINT           NOT NULL,
    reason        TEXT             NOT NULL,
    address       TEXT             NOT NULL,
    subject       TEXT             NOT NULL
);

CREATE INDEX roster_messages_group ON roster_messages (group_id, id);
CREATE INDEX roster_messages_ref ON roster_messages (group_id, kind, ref, generation, id);
CREATE INDEX roster_messages_outbox ON roster_messages (due_at, id) WHERE state = 1;

-- Forgetting a person makes salt and text NULL and empties by_user_id, for_user_id, target_kind and target_id.
-- Everything else stays for ever.
CREATE TABLE roster_events (
    account_id         TEXT COLLATE "C" NOT NULL,
    version            BIGINT           NOT NULL CHECK (version > 0),
    idx                BIGINT           NOT NULL CHECK (idx >= 0),
    id                 TEXT COLLATE "C" NOT NULL CHECK (id <> ''),
    occurred_at        BIGINT           NOT NULL,
    kind               TEXT COLLATE "C" NOT NULL,
    public             BYTEA            NOT NULL,
    actor_salt         BYTEA,
    actor_text         BYTEA,
    actor_commitment   BYTEA            NOT NULL CHECK (length(actor_commitment) = 32),
    target_salt        BYTEA,
    target_text        BYTEA,
    target_commitment  BYTEA            NOT NULL CHECK (length(target_commitment) = 32),
    by_user_id         TEXT COLLATE "C" NOT NULL,
    for_user_id        TEXT COLLATE "C" NOT NULL,
    target_kind        TEXT COLLATE "C" NOT NULL,
    target_id          TEXT COLLATE "C" NOT NULL,
    hash               BYTEA            NOT NULL CHECK (length(hash) = 32),
    shard              SMALLINT         NOT NULL CHECK (shard BETWEEN 0 AND 63),
    number             BIGINT           NOT NULL CHECK (number > 0),
    PRIMARY KEY (account_id, version, idx),
    UNIQUE (shard, number)
);

-- The ends of the 64 shards of the change feed: how many events each has, and the id of its last. Every event updates a
-- row: the pages have room for that, so that no row moves to another page.
CREATE TABLE roster_feed (
    shard   SMALLINT         NOT NULL PRIMARY KEY CHECK (shard BETWEEN 0 AND 63),
    number  BIGINT           NOT NULL CHECK (number >= 0),
    tail    TEXT COLLATE "C" NOT NULL
) WITH (fillfactor = 10);

INSERT INTO roster_feed (shard, number, tail) SELECT shard, 0, '' FROM generate_series(0, 63) AS shards (shard);

-- Limits, by the digests that name them. Who uses one locks its row first. It may go, with its uses, once kept_until
-- has passed, which is the latest of its uses' own.
CREATE TABLE roster_limits (
    digest      BYTEA            NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    kept_until  BIGINT           NOT NULL
);

CREATE INDEX roster_limits_passed ON roster_limits (kept_until, digest);

CREATE TABLE roster_limit_uses (
    digest      BYTEA            NOT NULL CHECK (length(digest) = 32),
    used_at     BIGINT           NOT NULL,
    uses        INTEGER          NOT NULL CHECK (uses > 0),
    kept_until  BIGINT           NOT NULL,
    PRIMARY KEY (digest, used_at)
);

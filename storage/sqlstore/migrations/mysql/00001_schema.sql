-- Rules that hold in every table: ids and canonical addresses compare byte for byte. Times are integers of UTC
-- microseconds since 1970; none is the first instant of the year 1, as in Go, -62135596800000000: before all others, and
-- no time that anything happens at. A text that isn't there is empty. Statuses, states and kinds are the numbers that
-- the Go constants promise. Columns that end in _fold hold access.Fold of their neighbour and are what prefixes are
-- searched in. No foreign key points at users: a membership may be known before its user is.

-- +goose Up
CREATE TABLE IF NOT EXISTS roster_accounts (
    id                  VARBINARY(128)  NOT NULL PRIMARY KEY CHECK (id <> ''),
    owner_id            VARBINARY(128)  NOT NULL CHECK (owner_id <> ''),
    parent_id           VARBINARY(128)  NOT NULL DEFAULT '',
    status              SMALLINT        NOT NULL CHECK (status BETWEEN 1 AND 255),
    name                TEXT            NOT NULL,
    name_fold           BLOB            NOT NULL,
    company             TEXT            NOT NULL,
    company_fold        BLOB            NOT NULL,
    billing_street      TEXT            NOT NULL,
    billing_city        TEXT            NOT NULL,
    billing_region      TEXT            NOT NULL,
    billing_postal_code TEXT            NOT NULL,
    billing_country     TEXT            NOT NULL,
    postal_street       TEXT            NOT NULL,
    postal_city         TEXT            NOT NULL,
    postal_region       TEXT            NOT NULL,
    postal_postal_code  TEXT            NOT NULL,
    postal_country      TEXT            NOT NULL,
    phone               TEXT            NOT NULL,
    locale              TEXT            NOT NULL,
    time_zone           TEXT            NOT NULL,
    seats               BIGINT          NOT NULL CHECK (seats >= 0),
    domains             TEXT            NOT NULL CHECK (json_valid(domains)),
    created_at          BIGINT          NOT NULL,
    version             BIGINT          NOT NULL CHECK (version > 0),
    head_count          BIGINT          NOT NULL CHECK (head_count >= 0),
    head_hash           VARBINARY(32)   NOT NULL CHECK (length(head_hash) = 32)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS roster_memberships (
    account_id          VARBINARY(128)  NOT NULL,
    user_id             VARBINARY(128)  NOT NULL CHECK (user_id <> ''),
    permissions         BIGINT          NOT NULL CHECK (permissions >= 0),
    status              SMALLINT        NOT NULL CHECK (status BETWEEN 1 AND 255),
    starts_at           BIGINT          NOT NULL,
    expires_at          BIGINT          NOT NULL,
    label               TEXT            NOT NULL,
    created_at          BIGINT          NOT NULL,
    last_seen_at        BIGINT          NOT NULL,
    PRIMARY KEY (account_id, user_id),
    INDEX roster_memberships_user (user_id, account_id)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS roster_users (
    id                  VARBINARY(128)  NOT NULL PRIMARY KEY CHECK (id <> ''),
    address             TEXT            NOT NULL,
    canonical           VARBINARY(255)  NOT NULL,
    verified            SMALLINT        NOT NULL CHECK (verified IN (0, 1)),
    name                TEXT            NOT NULL,
    name_fold           BLOB            NOT NULL,
    second_factor       SMALLINT        NOT NULL CHECK (second_factor IN (0, 1)),
    last_sign_in_at     BIGINT          NOT NULL,
    CHECK ((address = '') = (canonical = '')),
    INDEX roster_users_canonical (canonical)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

-- pending is 1 or NULL. NULLs are distinct from each other in a unique key, which so holds pending invites only.
CREATE TABLE IF NOT EXISTS roster_invites (
    account_id          VARBINARY(128)  NOT NULL,
    id                  VARBINARY(128)  NOT NULL UNIQUE CHECK (id <> ''),
    address             TEXT            NOT NULL,
    canonical           VARBINARY(255)  NOT NULL CHECK (canonical <> ''),
    permissions         BIGINT          NOT NULL CHECK (permissions >= 0),
    member_starts_at    BIGINT          NOT NULL,
    member_expires_at   BIGINT          NOT NULL,
    label               TEXT            NOT NULL,
    inviter_kind        SMALLINT        NOT NULL CHECK (inviter_kind BETWEEN 1 AND 255),
    inviter_id          VARBINARY(128)  NOT NULL CHECK (inviter_id <> ''),
    generation          BIGINT          NOT NULL CHECK (generation BETWEEN 0 AND 65535),
    delivery            SMALLINT        NOT NULL CHECK (delivery BETWEEN 0 AND 255),
    state               SMALLINT        NOT NULL CHECK (state BETWEEN 1 AND 255),
    pending             SMALLINT                 CHECK (pending = 1),
    created_at          BIGINT          NOT NULL,
    sent_at             BIGINT          NOT NULL,
    expires_at          BIGINT          NOT NULL,
    closed_at           BIGINT          NOT NULL,
    accepted_by         VARBINARY(128)  NOT NULL,
    secret              VARBINARY(16)   NOT NULL CHECK (length(secret) = 16),
    key_id              VARBINARY(128)  NOT NULL CHECK (key_id <> ''),
    PRIMARY KEY (account_id, id),
    UNIQUE (account_id, canonical, pending),
    CHECK ((state = 1) = (pending IS NOT NULL)),
    INDEX roster_invites_live (account_id, pending, expires_at),
    INDEX roster_invites_waiting (canonical, pending, id),
    INDEX roster_invites_key (pending, key_id, expires_at)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS roster_contacts (
    account_id          VARBINARY(128)  NOT NULL,
    id                  VARBINARY(128)  NOT NULL CHECK (id <> ''),
    name                TEXT            NOT NULL,
    name_fold           BLOB            NOT NULL,
    address             TEXT            NOT NULL,
    canonical           VARBINARY(255)  NOT NULL CHECK (canonical <> ''),
    company             TEXT            NOT NULL,
    postal_street       TEXT            NOT NULL,
    postal_city         TEXT            NOT NULL,
    postal_region       TEXT            NOT NULL,
    postal_postal_code  TEXT            NOT NULL,
    postal_country      TEXT            NOT NULL,
    phone               TEXT            NOT NULL,
    label               TEXT            NOT NULL,
    categories          BIGINT          NOT NULL CHECK (categories >= 0),
    created_at          BIGINT          NOT NULL,
    updated_at          BIGINT          NOT NULL,
    PRIMARY KEY (account_id, id),
    UNIQUE (account_id, canonical)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS roster_preferences (
    account_id          VARBINARY(128)  NOT NULL,
    user_id             VARBINARY(128)  NOT NULL CHECK (user_id <> ''),
    categories          BIGINT          NOT NULL CHECK (categories >= 0),
    PRIMARY KEY (account_id, user_id)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS roster_messages (
    id                  VARBINARY(128)  NOT NULL PRIMARY KEY CHECK (id <> ''),
    kind                VARBINARY(64)   NOT NULL,
    group_id            VARBINARY(128)  NOT NULL,
    ref                 VARBINARY(128)  NOT NULL,
    generation          BIGINT          NOT NULL CHECK (generation >= 0),
    recipient_id        VARBINARY(128)  NOT NULL,
    created_at          BIGINT          NOT NULL,
    state               SMALLINT        NOT NULL CHECK (state BETWEEN 1 AND 255),
    due_at              BIGINT          NOT NULL,
    attempt             BIGINT          NOT NULL CHECK (attempt >= 0),
    leased_until        BIGINT          NOT NULL,
    done_at             BIGINT          NOT NULL,
    reason              TEXT            NOT NULL,
    address             TEXT            NOT NULL,
    subject             TEXT            NOT NULL,
    INDEX roster_messages_group (group_id, id),
    INDEX roster_messages_ref (group_id, kind, ref, generation, id),
    INDEX roster_messages_outbox (state, due_at, id)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

-- Forgetting a person makes salt and text NULL and empties by_user_id, for_user_id, target_kind and target_id.
-- Everything else stays for ever.
CREATE TABLE IF NOT EXISTS roster_events (
    account_id          VARBINARY(128)  NOT NULL,
    version             BIGINT          NOT NULL CHECK (version > 0),
    idx                 BIGINT          NOT NULL CHECK (idx >= 0),
    id                  VARBINARY(128)  NOT NULL CHECK (id <> ''),
    occurred_at         BIGINT          NOT NULL,
    kind                VARBINARY(64)   NOT NULL,
    public              MEDIUMBLOB      NOT NULL,
    actor_salt          MEDIUMBLOB,
    actor_text          MEDIUMBLOB,
    actor_commitment    VARBINARY(32)   NOT NULL CHECK (length(actor_commitment) = 32),
    target_salt         MEDIUMBLOB,
    target_text         MEDIUMBLOB,
    target_commitment   VARBINARY(32)   NOT NULL CHECK (length(target_commitment) = 32),
    by_user_id          VARBINARY(128)  NOT NULL,
    for_user_id         VARBINARY(128)  NOT NULL,
    target_kind         VARBINARY(64)   NOT NULL,
    target_id           VARBINARY(255)  NOT NULL,
    hash                VARBINARY(32)   NOT NULL CHECK (length(hash) = 32),
    shard               SMALLINT        NOT NULL CHECK (shard BETWEEN 0 AND 63),
    number              BIGINT          NOT NULL CHECK (number > 0),
    PRIMARY KEY (account_id, version, idx),
    UNIQUE (shard, number)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

-- The ends of the 64 shards of the change feed: how many events each has, and the id of its last.
CREATE TABLE IF NOT EXISTS roster_feed (
    shard               SMALLINT        NOT NULL PRIMARY KEY CHECK (shard BETWEEN 0 AND 63),
    number              BIGINT          NOT NULL CHECK (number >= 0),
    tail                VARBINARY(128)  NOT NULL
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

INSERT INTO roster_feed (shard, number, tail)
WITH RECURSIVE shards (shard) AS (SELECT 0 UNION ALL SELECT shard + 1 FROM shards WHERE shard < 63)
SELECT shard, 0, '' FROM shards WHERE NOT EXISTS (SELECT 1 FROM roster_feed);

-- Limits, by the digests that name them. Who uses one locks its row first. It may go, with its uses, once kept_until
-- has passed, which is the latest of its uses' own.
CREATE TABLE IF NOT EXISTS roster_limits (
    digest              VARBINARY(32)   NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    kept_until          BIGINT          NOT NULL,
    INDEX roster_limits_passed (kept_until, digest)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS roster_limit_uses (
    digest              VARBINARY(32)   NOT NULL CHECK (length(digest) = 32),
    used_at             BIGINT          NOT NULL,
    uses                BIGINT          NOT NULL CHECK (uses > 0),
    kept_until          BIGINT          NOT NULL,
    PRIMARY KEY (digest, used_at)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

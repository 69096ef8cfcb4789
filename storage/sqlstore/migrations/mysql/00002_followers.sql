-- Those that answer from memory, and what those that write wait for. Durations are in milliseconds.

-- +goose Up
-- What concerns all followers: the last ticket that was drawn, how long a follower may answer from memory after a poll,
-- and how long those wait who hear nothing from one.
CREATE TABLE IF NOT EXISTS roster_cluster (
    id            SMALLINT        NOT NULL PRIMARY KEY CHECK (id = 0),
    ticket        BIGINT          NOT NULL CHECK (ticket >= 0),
    lease_ms      BIGINT          NOT NULL CHECK (lease_ms > 0),
    wait_ms       BIGINT          NOT NULL CHECK (wait_ms > 0),
    CHECK (wait_ms >= lease_ms)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

INSERT INTO roster_cluster (id, ticket, lease_ms, wait_ms)
SELECT 0, 0, 1000, 1000 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM roster_cluster);

-- The followers, with the last ticket that each has acknowledged.
CREATE TABLE IF NOT EXISTS roster_followers (
    id            VARBINARY(128)  NOT NULL PRIMARY KEY CHECK (id <> ''),
    acknowledged  BIGINT          NOT NULL CHECK (acknowledged >= 0)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

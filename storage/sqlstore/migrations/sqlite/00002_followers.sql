-- Those that answer from memory, and what those that write wait for. Durations are in milliseconds.

-- +goose Up
-- What concerns all followers: the last ticket that was drawn, how long a follower may answer from memory after a poll,
-- and how long those wait who hear nothing from one.
CREATE TABLE roster_cluster (
    id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 0),
    ticket    INTEGER NOT NULL CHECK (ticket >= 0),
    lease_ms  INTEGER NOT NULL CHECK (lease_ms > 0),
    wait_ms   INTEGER NOT NULL CHECK (wait_ms > 0),
    CHECK (wait_ms >= lease_ms)
) STRICT;

INSERT INTO roster_cluster (id, ticket, lease_ms, wait_ms) VALUES (0, 0, 1000, 1000);

-- The followers, with the last ticket that each has acknowledged.
CREATE TABLE roster_followers (
    id            TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    acknowledged  INTEGER NOT NULL CHECK (acknowledged >= 0)
) STRICT, WITHOUT ROWID;

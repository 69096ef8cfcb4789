-- What is heard about addresses, and which of them get no mail. An address is no account's.

-- +goose Up
-- The record. The actor is empty for a report, and else who lifted the suppression.
CREATE TABLE roster_feedback (
    canonical    TEXT    NOT NULL CHECK (canonical <> ''),
    id           TEXT    NOT NULL CHECK (id <> ''),
    kind         INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 255),
    occurred_at  INTEGER NOT NULL,
    message_id   TEXT    NOT NULL,
    detail       TEXT    NOT NULL,
    actor        TEXT    NOT NULL,
    PRIMARY KEY (canonical, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX roster_feedback_time ON roster_feedback (canonical, occurred_at, id);

CREATE TABLE roster_suppressions (
    canonical    TEXT    NOT NULL PRIMARY KEY CHECK (canonical <> ''),
    kind         INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 255),
    since_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

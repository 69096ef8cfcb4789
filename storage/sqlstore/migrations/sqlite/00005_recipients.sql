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

-- What is said to the recipients of a category, once for all of them. Their messages refer to it.
CREATE TABLE roster_notices (
    account_id   TEXT    NOT NULL,
    id           TEXT    NOT NULL CHECK (id <> ''),
    kind         TEXT    NOT NULL,
    category     INTEGER NOT NULL CHECK (category > 0),
    resource     TEXT    NOT NULL,
    also         TEXT    NOT NULL CHECK (json_valid(also)),
    data         BLOB    NOT NULL,
    attachments  TEXT    NOT NULL CHECK (json_valid(attachments)),
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (account_id, id)
) STRICT;

-- The owner who said that the address of a contact is theirs too; empty if none did.
ALTER TABLE roster_contacts ADD COLUMN alternate_of TEXT NOT NULL DEFAULT '';

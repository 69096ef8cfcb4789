-- What is heard about addresses, and which of them get no mail. An address is no account's.

-- +goose Up
-- The record. The actor is empty for a report, and else who lifted the suppression.
CREATE TABLE roster_feedback (
    canonical    TEXT COLLATE "C" NOT NULL CHECK (canonical <> ''),
    id           TEXT COLLATE "C" NOT NULL CHECK (id <> ''),
    kind         SMALLINT         NOT NULL CHECK (kind BETWEEN 1 AND 255),
    occurred_at  BIGINT           NOT NULL,
    message_id   TEXT COLLATE "C" NOT NULL,
    detail       TEXT             NOT NULL,
    actor        TEXT             NOT NULL,
    PRIMARY KEY (canonical, id)
);

CREATE INDEX roster_feedback_time ON roster_feedback (canonical, occurred_at, id);

CREATE TABLE roster_suppressions (
    canonical    TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (canonical <> ''),
    kind         SMALLINT         NOT NULL CHECK (kind BETWEEN 1 AND 255),
    since_at     BIGINT           NOT NULL
);

-- What is said to the recipients of a category, once for all of them. Their messages refer to it.
CREATE TABLE roster_notices (
    account_id   TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL CHECK (id <> ''),
    kind         TEXT COLLATE "C" NOT NULL,
    category     BIGINT           NOT NULL CHECK (category > 0),
    resource     TEXT             NOT NULL,
    also         TEXT             NOT NULL,
    data         BYTEA            NOT NULL,
    attachments  TEXT             NOT NULL,
    created_at   BIGINT           NOT NULL,
    PRIMARY KEY (account_id, id)
);

-- The owner who said that the address of a contact is theirs too; empty if none did.
ALTER TABLE roster_contacts ADD COLUMN alternate_of TEXT COLLATE "C" NOT NULL DEFAULT '';

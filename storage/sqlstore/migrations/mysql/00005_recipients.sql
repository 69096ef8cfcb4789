-- What is heard about addresses, and which of them get no mail. An address is no account's.

-- +goose Up
-- The record. The actor is empty for a report, and else who lifted the suppression.
CREATE TABLE IF NOT EXISTS roster_feedback (
    canonical    VARBINARY(255)  NOT NULL CHECK (canonical <> ''),
    id           VARBINARY(128)  NOT NULL CHECK (id <> ''),
    kind         SMALLINT        NOT NULL CHECK (kind BETWEEN 1 AND 255),
    occurred_at  BIGINT          NOT NULL,
    message_id   VARBINARY(64)   NOT NULL,
    detail       TEXT            NOT NULL,
    actor        TEXT            NOT NULL,
    PRIMARY KEY (canonical, id),
    INDEX roster_feedback_time (canonical, occurred_at, id)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS roster_suppressions (
    canonical    VARBINARY(255)  NOT NULL PRIMARY KEY CHECK (canonical <> ''),
    kind         SMALLINT        NOT NULL CHECK (kind BETWEEN 1 AND 255),
    since_at     BIGINT          NOT NULL
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

-- What is said to the recipients of a category, once for all of them. Their messages refer to it.
CREATE TABLE IF NOT EXISTS roster_notices (
    account_id   VARBINARY(128)  NOT NULL,
    id           VARBINARY(128)  NOT NULL CHECK (id <> ''),
    kind         VARBINARY(64)   NOT NULL,
    category     BIGINT          NOT NULL CHECK (category > 0),
    resource     VARBINARY(128)  NOT NULL,
    also         TEXT            NOT NULL CHECK (json_valid(also)),
    data         MEDIUMBLOB      NOT NULL,
    attachments  TEXT            NOT NULL CHECK (json_valid(attachments)),
    created_at   BIGINT          NOT NULL,
    PRIMARY KEY (account_id, id)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

-- The owner who said that the address of a contact is theirs too; empty if none did. As in 00004, it is not done twice.
SET @roster_alter = IF(
    (SELECT COUNT(*) FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'roster_contacts' AND column_name = 'alternate_of') > 0,
    'DO 0',
    'ALTER TABLE roster_contacts ADD COLUMN alternate_of VARBINARY(128) NOT NULL DEFAULT ''''');
PREPARE roster_alter FROM @roster_alter;
EXECUTE roster_alter;
DEALLOCATE PREPARE roster_alter;

-- Whether the addresses of contacts are theirs, and what they switched off themselves.

-- +goose Up
-- When the address was verified, the categories that the contact switched off, and those of them that somebody asks it
-- to switch on again. A link knows a contact by its id alone. It is one statement, which is done or not, and is not done
-- again where another process was killed behind it: not every server can ADD COLUMN IF NOT EXISTS.
SET @roster_alter = IF(
    (SELECT COUNT(*) FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'roster_contacts' AND column_name = 'verified_at') > 0,
    'DO 0',
    'ALTER TABLE roster_contacts
        ADD COLUMN verified_at  BIGINT NOT NULL DEFAULT -62135596800000000,
        ADD COLUMN unsubscribed BIGINT NOT NULL DEFAULT 0 CHECK (unsubscribed >= 0),
        ADD COLUMN waiting      BIGINT NOT NULL DEFAULT 0 CHECK (waiting >= 0),
        ADD INDEX roster_contacts_id (id, account_id)');
PREPARE roster_alter FROM @roster_alter;
EXECUTE roster_alter;
DEALLOCATE PREPARE roster_alter;

-- The latest link by which a contact can verify its address. The secret is one half of what makes it, the host's key
-- the other.
CREATE TABLE IF NOT EXISTS roster_verifications (
    account_id  VARBINARY(128)  NOT NULL,
    contact_id  VARBINARY(128)  NOT NULL CHECK (contact_id <> ''),
    generation  BIGINT          NOT NULL CHECK (generation BETWEEN 0 AND 65535),
    secret      VARBINARY(16)   NOT NULL CHECK (length(secret) = 16),
    sent_at     BIGINT          NOT NULL,
    expires_at  BIGINT          NOT NULL,
    used_at     BIGINT          NOT NULL,
    PRIMARY KEY (account_id, contact_id)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

-- What addresses switched off that are no contact's any more, for when they are one's again.
CREATE TABLE IF NOT EXISTS roster_unsubscribed (
    account_id  VARBINARY(128)  NOT NULL,
    canonical   VARBINARY(255)  NOT NULL CHECK (canonical <> ''),
    categories  BIGINT          NOT NULL CHECK (categories > 0),
    PRIMARY KEY (account_id, canonical)
) ENGINE = InnoDB, DEFAULT CHARACTER SET utf8mb4, DEFAULT COLLATE utf8mb4_bin;

-- Whether the addresses of contacts are theirs, and what they switched off themselves.

-- +goose Up
-- When the address was verified, the categories that the contact switched off, and those of them that somebody asks it
-- to switch on again.
ALTER TABLE roster_contacts ADD COLUMN verified_at INTEGER NOT NULL DEFAULT -62135596800000000;
ALTER TABLE roster_contacts ADD COLUMN unsubscribed INTEGER NOT NULL DEFAULT 0 CHECK (unsubscribed >= 0);
ALTER TABLE roster_contacts ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0);

-- A link knows a contact by its id alone.
CREATE INDEX roster_contacts_id ON roster_contacts (id, account_id);

-- The latest link by which a contact can verify its address. The secret is one half of what makes it, the host's key
-- the other.
CREATE TABLE roster_verifications (
    account_id  TEXT    NOT NULL,
    contact_id  TEXT    NOT NULL CHECK (contact_id <> ''),
    generation  INTEGER NOT NULL CHECK (generation BETWEEN 0 AND 65535),
    secret      BLOB    NOT NULL CHECK (length(secret) = 16),
    sent_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    used_at     INTEGER NOT NULL,
    PRIMARY KEY (account_id, contact_id)
) STRICT, WITHOUT ROWID;

-- What addresses switched off that are no contact's any more, for when they are one's again.
CREATE TABLE roster_unsubscribed (
    account_id  TEXT    NOT NULL,
    canonical   TEXT    NOT NULL CHECK (canonical <> ''),
    categories  INTEGER NOT NULL CHECK (categories > 0),
    PRIMARY KEY (account_id, canonical)
) STRICT, WITHOUT ROWID;

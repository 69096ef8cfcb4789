-- The languages of people.

-- +goose Up
ALTER TABLE roster_users ADD COLUMN locale TEXT NOT NULL DEFAULT '';
ALTER TABLE roster_contacts ADD COLUMN locale TEXT NOT NULL DEFAULT '';

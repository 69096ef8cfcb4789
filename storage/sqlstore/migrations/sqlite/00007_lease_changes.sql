-- How often the lease has become another one, by which those who wait for a shorter one notice that somebody has set a third.

-- +goose Up
ALTER TABLE roster_cluster ADD COLUMN lease_changes INTEGER NOT NULL DEFAULT 0 CHECK (lease_changes >= 0);

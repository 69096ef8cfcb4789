-- How often the lease was set, by which those who wait for a shorter one notice that somebody has set another one.

-- +goose Up
ALTER TABLE roster_cluster ADD COLUMN lease_changes BIGINT NOT NULL DEFAULT 0 CHECK (lease_changes >= 0);

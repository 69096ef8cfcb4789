-- How often the lease has become another one, by which those who wait for a shorter one notice that somebody has set a third.

-- +goose Up
-- Not done again where another process was killed behind it: not every server can ADD COLUMN IF NOT EXISTS.
SET @roster_alter = IF(
    (SELECT COUNT(*) FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'roster_cluster' AND column_name = 'lease_changes') > 0,
    'DO 0',
    'ALTER TABLE roster_cluster ADD COLUMN lease_changes BIGINT NOT NULL DEFAULT 0 CHECK (lease_changes >= 0)');
PREPARE roster_alter FROM @roster_alter;
EXECUTE roster_alter;
DEALLOCATE PREPARE roster_alter;

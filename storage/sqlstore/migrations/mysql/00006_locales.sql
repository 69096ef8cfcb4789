-- The languages of people.

-- +goose Up
-- Not done again where another process was killed behind it: not every server can ADD COLUMN IF NOT EXISTS.
SET @roster_alter = IF(
    (SELECT COUNT(*) FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'roster_users' AND column_name = 'locale') > 0,
    'DO 0',
    'ALTER TABLE roster_users ADD COLUMN locale VARCHAR(35) NOT NULL DEFAULT ''''');
PREPARE roster_alter FROM @roster_alter;
EXECUTE roster_alter;
DEALLOCATE PREPARE roster_alter;

SET @roster_alter = IF(
    (SELECT COUNT(*) FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'roster_contacts' AND column_name = 'locale') > 0,
    'DO 0',
    'ALTER TABLE roster_contacts ADD COLUMN locale VARCHAR(35) NOT NULL DEFAULT ''''');
PREPARE roster_alter FROM @roster_alter;
EXECUTE roster_alter;
DEALLOCATE PREPARE roster_alter;

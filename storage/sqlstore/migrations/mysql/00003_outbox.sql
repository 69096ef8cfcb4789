-- The line of the outbox, which is served in turns, and what history shows of a mail.

-- +goose Up
-- uncounted is how many attempts don't count. turn is a message's place in the line, 0 for one that waits outside of it
-- until wakes_at, and for one that is done, which wakes at 0. said is what a mail said, without secrets.
-- Not every server has ADD COLUMN IF NOT EXISTS: who begins where another was killed finds out by a column.
SET @roster_outbox = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE roster_messages
    ADD COLUMN uncounted   BIGINT      NOT NULL DEFAULT 0 CHECK (uncounted >= 0),
    ADD COLUMN retried_at  BIGINT      NOT NULL DEFAULT -62135596800000000,
    ADD COLUMN said        MEDIUMTEXT  NOT NULL DEFAULT (''''),
    ADD COLUMN turn        BIGINT      NOT NULL DEFAULT 0 CHECK (turn >= 0),
    ADD COLUMN wakes_at    BIGINT      NOT NULL DEFAULT 0,
    DROP INDEX roster_messages_outbox,
    ADD INDEX roster_messages_places (state, turn, wakes_at, id),
    ADD INDEX roster_messages_turns (group_id, state, turn)')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'roster_messages' AND column_name = 'wakes_at');
PREPARE roster_outbox FROM @roster_outbox;
EXECUTE roster_outbox;
DEALLOCATE PREPARE roster_outbox;

UPDATE roster_messages SET wakes_at = CASE WHEN due_at > leased_until THEN due_at ELSE leased_until END
WHERE state = 1 AND turn = 0 AND wakes_at = 0;

-- The line of the outbox, which is served in turns, and what history shows of a mail.

-- +goose Up
-- uncounted is how many attempts don't count. said is what a mail said, without secrets. turn is a message's place in the
-- line, 0 for one that isn't due yet or is done.
-- Not every server has ADD COLUMN IF NOT EXISTS: who begins where another was killed finds out by a column.
SET @roster_outbox = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE roster_messages
    ADD COLUMN uncounted   BIGINT      NOT NULL DEFAULT 0 CHECK (uncounted >= 0),
    ADD COLUMN retried_at  BIGINT      NOT NULL DEFAULT -62135596800000000,
    ADD COLUMN said        MEDIUMTEXT  NOT NULL DEFAULT (''''),
    ADD COLUMN turn        BIGINT      NOT NULL DEFAULT 0 CHECK (turn >= 0),
    DROP INDEX roster_messages_outbox,
    ADD INDEX roster_messages_places (state, turn, due_at, id),
    ADD INDEX roster_messages_turns (group_id, state, turn),
    ADD INDEX roster_messages_dead (state, id)')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'roster_messages' AND column_name = 'turn');
PREPARE roster_outbox FROM @roster_outbox;
EXECUTE roster_outbox;
DEALLOCATE PREPARE roster_outbox;

-- The line of the outbox, which is served in turns, and what history shows of a mail.

-- +goose Up
-- uncounted is how many attempts don't count. said is what a mail said, without secrets. turn is a message's place in the
-- line, 0 for one that isn't due yet or is done.
ALTER TABLE roster_messages ADD COLUMN uncounted BIGINT NOT NULL DEFAULT 0 CHECK (uncounted >= 0);
ALTER TABLE roster_messages ADD COLUMN retried_at BIGINT NOT NULL DEFAULT -62135596800000000;
ALTER TABLE roster_messages ADD COLUMN said TEXT NOT NULL DEFAULT '';
ALTER TABLE roster_messages ADD COLUMN turn BIGINT NOT NULL DEFAULT 0 CHECK (turn >= 0);

DROP INDEX roster_messages_outbox;
CREATE INDEX roster_messages_places ON roster_messages (turn, due_at, id) WHERE state = 1;
CREATE INDEX roster_messages_turns ON roster_messages (group_id, turn) WHERE state = 1 AND turn > 0;
CREATE INDEX roster_messages_dead ON roster_messages (id) WHERE state = 4;

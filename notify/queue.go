package notify

import (
	"context"
	"time"
)

// A Queue is the outbox as workers see it, and those who look after them. Its methods are transactions of their own, and
// ask nobody for permission.
//
// Messages that are due stand in a line. It is served in turns, so that a group with many messages doesn't hold up
// another one with few: in each turn a group has one message, and who joins does so in the turn behind the first.
// Within a turn, those that were due first are first. Who isn't due yet waits outside of the line; who is leased keeps
// the place, for when the lease passes.
type Queue interface {
	// Claim leases up to n messages: the first in the line that are due at now and not leased beyond it. It raises their
	// Attempt, sets Leased to now+lease and returns them so changed, in the order of the line. While others write too it may
	// return fewer, or none, though there are more: a backend may pass over what another transaction has locked.
	//
	// First, messages that wait join the line if their time has come: up to MaxWoken, the longest due first.
	// Each is as many turns behind the first in the line as it has place among those of its group that join with it.
	Claim(ctx context.Context, now time.Time, lease time.Duration, n int) ([]Message, error)
	// Finish records what became of claimed messages, of all in one transaction. It changes nothing about those that are
	// no longer queued, or of which another attempt has begun, and returns their ids. No two results are about the same
	// message.
	Finish(ctx context.Context, results ...Result) (fenced []MessageID, err error)

	// Backlog says how much there is to do. It reads an index from end to end as far as messages are queued or dead.
	Backlog(ctx context.Context) (Backlog, error)
	// DeadLetters returns messages in state Dead of all groups, newest first by id: up to limit, and only those with an
	// id below before unless that is empty.
	DeadLetters(ctx context.Context, before MessageID, limit int) ([]Message, error)
	// Retry puts back those of the messages that are Dead, due now, with Retried set to now and no attempt that counts.
	// It returns how many they were.
	Retry(ctx context.Context, now time.Time, ids ...MessageID) (int, error)
	// Drop makes those of the messages that are Dead Dropped, with Done set to now, so that they aren't among the dead
	// letters any more but stay in the history. It returns how many they were.
	Drop(ctx context.Context, now time.Time, ids ...MessageID) (int, error)
}

// MaxWoken is how many messages that waited join the line in one Claim. It is more than workers usually claim, so that
// those of one group don't keep those of another waiting behind them for long.
const MaxWoken = 500

// A Result is what a worker reports of one attempt.
type Result struct {
	ID      MessageID
	Attempt int       // of the message as it was claimed
	State   State     // Sent, Cancelled or Dead; Queued to try again
	At      time.Time // when the attempt ended
	Due     time.Time // with Queued: not before
	// Uncounted says, with Queued, that the mail wasn't tried: the attempt doesn't count, and the message is put back as
	// it was, whatever Due and Reason say.
	Uncounted bool
	Reason    string // with Cancelled, Dead and Queued
	Address   string // with Sent: where it went
	Subject   string // with Sent
	Said      string // with Sent: what history keeps of its text, without secrets
}

// A Backlog is what a queue holds.
type Backlog struct {
	Queued int       // messages that wait for a worker, or for their next attempt
	Oldest time.Time // when the one of them with the lowest id was created; zero if there is none
	Dead   int       // messages that were given up, and neither retried nor dropped
}

package access

import (
	"context"
	"time"
)

// A Registry is where the processes that answer from memory are known to those that write: what a Cache follows the
// change feed with, and what a revocation that settles waits for. A Store is one. Every method is a unit of work of its
// own, and returns ErrNested with the context of another one.
//
// Time is not a matter of the registry: durations are kept in whole milliseconds, of which a part is cut off, and no
// clock of the database is read. A lease that CheckLease refuses is an error, and changes nothing.
type Registry interface {
	// Follow registers a follower, as one that has acknowledged the present ticket. ErrExists if the id is taken.
	Follow(ctx context.Context, id FollowerID) error
	// Poll reads, in one statement, all that a follower wants to know. It is no error that the follower isn't
	// registered.
	Poll(ctx context.Context, id FollowerID) (Position, error)
	// Acknowledge notes that a follower has seen all that was committed before a ticket was drawn. A ticket below the one
	// that it has acknowledged changes nothing. ErrNotFound if it isn't registered, or if that many tickets weren't drawn:
	// then it was another database, of which this one is a backup.
	Acknowledge(ctx context.Context, id FollowerID, ticket uint64) error
	// Followers returns all followers, ordered by their ids byte for byte.
	Followers(ctx context.Context) ([]Follower, error)
	// Unfollow deletes those of the followers that have acknowledged a ticket below the given one only. Those that aren't
	// registered are ignored.
	Unfollow(ctx context.Context, below uint64, ids ...FollowerID) error
	// DrawTicket draws the next ticket, and returns with it how long a follower that doesn't acknowledge it may answer
	// from memory at most.
	DrawTicket(ctx context.Context) (ticket uint64, wait time.Duration, err error)
	// SetLease sets how long followers may answer from memory after a poll. The wait of DrawTicket becomes no shorter.
	SetLease(ctx context.Context, lease time.Duration) error
	// ShortenWait sets the wait to the lease, if that has changed as often as the position said by which it was waited for:
	// a lease that was set since has others who wait for it.
	ShortenWait(ctx context.Context, leaseChanges uint64) error
}

// A FollowerID names one follower: a Cache that runs, or something else that answers from memory, as the watcher of
// casbinadapter does. It is 32 random characters, new each time one starts.
type FollowerID string

// A Follower is one that runs somewhere, as the registry knows it.
type Follower struct {
	ID           FollowerID
	Acknowledged uint64 // the ticket
}

// A Position is what a follower learns from one poll.
type Position struct {
	Registered bool          // whether the follower is
	Ticket     uint64        // the last that was drawn
	Lease      time.Duration // how long the follower may answer from memory, from before the poll on
	Wait       time.Duration // how long those who settle wait for who doesn't acknowledge: the lease, or longer
	// LeaseChanges is how often the lease has become another one.
	LeaseChanges uint64
	Heads        [Shards]FeedHead
}

// DefaultLease is the lease of a database in which none was set.
const DefaultLease = time.Second

// CheckLease returns an error of kind ErrInvalid for a lease of less than a millisecond, which nobody could keep.
// Backends call it in SetLease.
func CheckLease(lease time.Duration) error {
	if lease < time.Millisecond {
		return Invalid("lease", "lease.short", "is shorter than a millisecond")
	}
	return nil
}

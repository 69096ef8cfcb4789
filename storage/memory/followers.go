package memory

import (
	"context"
	"time"

	"github.com/rosterkit/roster/access"
)

// A registry is what is stored of those that follow the change feed.
type registry struct {
	followers    *tree[access.FollowerID, uint64] // what each has acknowledged
	ticket       uint64
	lease, wait  time.Duration
	leaseChanges uint64
}

func newRegistry() registry {
	return registry{lease: access.DefaultLease, wait: access.DefaultLease}
}

// Follow registers a follower. See access.Registry.
func (db *DB) Follow(ctx context.Context, id access.FollowerID) error {
	return db.update(ctx, func(tx *tx) error {
		r := &tx.registry
		if _, taken := r.followers.get(id); taken {
			return access.ErrExists
		}
		r.followers = r.followers.put(id, r.ticket)
		return nil
	})
}

// Poll reads what a follower wants to know. See access.Registry.
func (db *DB) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	if err := db.begin(ctx); err != nil {
		return access.Position{}, err
	}
	s := db.committed.Load()
	r := s.registry
	_, registered := r.followers.get(id)
	return access.Position{
		Registered: registered, Ticket: r.ticket, Lease: r.lease, Wait: r.wait, LeaseChanges: r.leaseChanges, Heads: s.heads(),
	}, nil
}

// Acknowledge notes what a follower has seen. See access.Registry.
func (db *DB) Acknowledge(ctx context.Context, id access.FollowerID, ticket uint64) error {
	return db.update(ctx, func(tx *tx) error {
		r := &tx.registry
		acknowledged, registered := r.followers.get(id)
		if !registered || ticket > r.ticket {
			return access.NotFound("follower")
		}
		r.followers = r.followers.put(id, max(acknowledged, ticket))
		return nil
	})
}

// Followers returns all followers. See access.Registry.
func (db *DB) Followers(ctx context.Context) ([]access.Follower, error) {
	if err := db.begin(ctx); err != nil {
		return nil, err
	}
	var all []access.Follower
	for id, acknowledged := range db.committed.Load().registry.followers.above("") {
		all = append(all, access.Follower{ID: id, Acknowledged: acknowledged})
	}
	return all, nil
}

// Unfollow deletes followers that are behind. See access.Registry.
func (db *DB) Unfollow(ctx context.Context, below uint64, ids ...access.FollowerID) error {
	return db.update(ctx, func(tx *tx) error {
		r := &tx.registry
		for _, id := range ids {
			if acknowledged, registered := r.followers.get(id); registered && acknowledged < below {
				r.followers = r.followers.remove(id)
			}
		}
		return nil
	})
}

// DrawTicket draws the next ticket. See access.Registry.
func (db *DB) DrawTicket(ctx context.Context) (ticket uint64, wait time.Duration, err error) {
	err = db.update(ctx, func(tx *tx) error {
		tx.registry.ticket++
		ticket, wait = tx.registry.ticket, tx.registry.wait
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	return ticket, wait, nil
}

// SetLease sets the lease. See access.Registry.
func (db *DB) SetLease(ctx context.Context, lease time.Duration) error {
	return db.update(ctx, func(tx *tx) error {
		if err := access.CheckLease(lease); err != nil {
			return err
		}
		r := &tx.registry
		if lease = lease.Truncate(time.Millisecond); lease != r.lease {
			r.lease, r.wait = lease, max(r.wait, lease)
			r.leaseChanges++
		}
		return nil
	})
}

// ShortenWait sets the wait to the lease. See access.Registry.
func (db *DB) ShortenWait(ctx context.Context, leaseChanges uint64) error {
	return db.update(ctx, func(tx *tx) error {
		if r := &tx.registry; r.leaseChanges == leaseChanges {
			r.wait = r.lease
		}
		return nil
	})
}

package sqlstore

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/rosterkit/roster/access"
)

const (
	// insertFollower fails where there is no row to take the ticket of.
	insertFollower = `INSERT INTO roster_followers (id, acknowledged)
		VALUES (?, (SELECT ticket FROM roster_cluster WHERE id = 0))
		ON CONFLICT (id) DO NOTHING`

	// selectPosition reads everything in one statement, and so at one moment: a follower that takes a ticket for drawn
	// sees what was committed before it was.
	selectPosition = `SELECT EXISTS (SELECT 1 FROM roster_followers WHERE id = ?),
			ticket, lease_ms, wait_ms, lease_changes, shard, number, tail
		FROM roster_cluster CROSS JOIN roster_feed WHERE id = 0`

	acknowledgeTicket = `UPDATE roster_followers SET acknowledged = CASE WHEN acknowledged < ? THEN ? ELSE acknowledged END
		WHERE id = ? AND EXISTS (SELECT 1 FROM roster_cluster WHERE roster_cluster.id = 0 AND ticket >= ?)`

	selectFollowers = `SELECT id, acknowledged FROM roster_followers ORDER BY id`

	deleteFollowers = `DELETE FROM roster_followers WHERE acknowledged < ? AND id IN (?...)`

	// drawTicket keeps its row locked to the end of the transaction, so that tickets are in the order of commits.
	drawTicket = `UPDATE roster_cluster SET ticket = ticket + 1 WHERE id = 0 RETURNING ticket, wait_ms`

	// drawTicketAndNotify is drawTicket for those who are told of it when it is committed.
	drawTicketAndNotify = `WITH drawn AS (UPDATE roster_cluster SET ticket = ticket + 1 WHERE id = 0 RETURNING ticket, wait_ms)
		SELECT ticket, wait_ms FROM drawn CROSS JOIN pg_notify(?, '')`

	// drawTicketOnly is drawTicket where UPDATE returns nothing: selectTicket follows.
	drawTicketOnly = `UPDATE roster_cluster SET ticket = ticket + 1 WHERE id = 0`

	selectTicket = `SELECT ticket, wait_ms FROM roster_cluster WHERE id = 0`

	// setLease counts first: MySQL assigns from left to right, and the lease is another one afterwards.
	setLease = `UPDATE roster_cluster SET lease_changes = CASE WHEN lease_ms <> ? THEN lease_changes + 1 ELSE lease_changes END,
			lease_ms = ?, wait_ms = CASE WHEN wait_ms < ? THEN ? ELSE wait_ms END
		WHERE id = 0`

	shortenWait = `UPDATE roster_cluster SET wait_ms = lease_ms WHERE id = 0 AND lease_changes = ?`
)

var errNoCluster = errors.New("sqlstore: the row of the cluster or one of the change feed is missing")

// A milliseconds reads a duration.
type milliseconds time.Duration

func (m *milliseconds) Scan(value any) error {
	n, err := asNumber(value)
	if err == nil {
		*m = milliseconds(time.Duration(n) * time.Millisecond)
	}
	return err
}

// Follow registers a follower, as access.Registry says.
func (db *DB) Follow(ctx context.Context, id access.FollowerID) error {
	return db.update(ctx, func(ctx context.Context, t *tx) error {
		return t.insert(ctx, "insert a follower", insertFollower, id)
	})
}

// Poll reads all that a follower wants to know, as access.Registry says.
func (db *DB) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	var p access.Position
	err := db.read(ctx, func(ctx context.Context, t *tx) error {
		shards, err := list(ctx, t, func(r row) (shard int, err error) {
			var head access.FeedHead
			err = r.Scan(&p.Registered, wholly(&p.Ticket), (*milliseconds)(&p.Lease), (*milliseconds)(&p.Wait),
				wholly(&p.LeaseChanges), &shard, wholly(&head.Number), &head.Tail)
			if err == nil {
				p.Heads[shard] = head
			}
			return shard, err
		}, "read a position", selectPosition, id)
		if err == nil && len(shards) != access.Shards {
			err = errNoCluster
		}
		return err
	})
	if err != nil {
		return access.Position{}, err
	}
	return p, nil
}

// Acknowledge notes what a follower has seen, as access.Registry says.
func (db *DB) Acknowledge(ctx context.Context, id access.FollowerID, ticket uint64) error {
	return db.update(ctx, func(ctx context.Context, t *tx) error {
		found, err := t.exec(ctx, "acknowledge a ticket", acknowledgeTicket, ticket, ticket, id, ticket)
		if err == nil && found == 0 {
			err = access.NotFound("follower")
		}
		return err
	})
}

// Followers returns all followers, as access.Registry says.
func (db *DB) Followers(ctx context.Context) ([]access.Follower, error) {
	var all []access.Follower
	err := db.read(ctx, func(ctx context.Context, t *tx) (err error) {
		all, err = list(ctx, t, readFollower, "list followers", selectFollowers)
		return err
	})
	return all, err
}

func readFollower(r row) (access.Follower, error) {
	var f access.Follower
	err := r.Scan(&f.ID, wholly(&f.Acknowledged))
	return f, err
}

// Unfollow deletes followers that are behind, as access.Registry says.
func (db *DB) Unfollow(ctx context.Context, below uint64, ids ...access.FollowerID) error {
	below = min(below, math.MaxInt64) // no ticket is above
	return db.update(ctx, func(ctx context.Context, t *tx) error {
		for some := range slices.Chunk(ids, maxList) {
			statement, args := in(deleteFollowers, some)
			if _, err := t.exec(ctx, "delete followers", statement, append([]any{below}, args...)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// DrawTicket draws the next ticket, as access.Registry says.
func (db *DB) DrawTicket(ctx context.Context) (ticket uint64, wait time.Duration, err error) {
	var d draw
	err = db.update(ctx, func(ctx context.Context, t *tx) (err error) {
		d, err = t.draw(ctx)
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	return d.ticket, d.wait, nil
}

// A draw is a ticket that was drawn, and how long to wait for who doesn't acknowledge it.
type draw struct {
	ticket uint64
	wait   time.Duration
}

func readDraw(r row) (draw, error) {
	var d draw
	err := r.Scan(wholly(&d.ticket), (*milliseconds)(&d.wait))
	return d, err
}

func (t *tx) draw(ctx context.Context) (draw, error) {
	statement, args := drawTicket, []any(nil)
	switch {
	case t.db.config.Notify != "":
		statement, args = drawTicketAndNotify, []any{t.db.config.Notify}
	case !t.db.engine.returning:
		if _, err := t.exec(ctx, "draw a ticket", drawTicketOnly); err != nil {
			return draw{}, err
		}
		statement = selectTicket
	}
	d, found, err := one(ctx, t, readDraw, "draw a ticket", statement, args...)
	if err == nil && !found {
		err = errNoCluster
	}
	return d, err
}

// SetLease sets the lease, as access.Registry says.
func (db *DB) SetLease(ctx context.Context, lease time.Duration) error {
	return db.update(ctx, func(ctx context.Context, t *tx) error {
		if err := access.CheckLease(lease); err != nil {
			return err
		}
		ms := lease.Milliseconds()
		found, err := t.exec(ctx, "set the lease", setLease, ms, ms, ms, ms)
		if err == nil && found == 0 {
			err = errNoCluster
		}
		return err
	})
}

// ShortenWait sets the wait to the lease, as access.Registry says.
func (db *DB) ShortenWait(ctx context.Context, leaseChanges uint64) error {
	leaseChanges = min(leaseChanges, math.MaxInt64) // so often it can't be
	return db.update(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, "shorten the wait", shortenWait, leaseChanges)
		return err
	})
}

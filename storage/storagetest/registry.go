package storagetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// registry is all that is kept of followers.
func (d database) registry() string {
	d.t.Helper()
	p := d.position("nobody")
	p.Heads = [access.Shards]access.FeedHead{}
	return fmt.Sprint(d.followers(), p)
}

// A registryCall is a method of access.Registry.
type registryCall struct {
	name string
	do   func(ctx context.Context, db storage.DB) error
}

// registryCalls call every method so that each that changes something would do so where "there" follows and has
// acknowledged nothing of one ticket that was drawn.
func registryCalls() []registryCall {
	return []registryCall{
		{"Follow", func(ctx context.Context, db storage.DB) error { return db.Follow(ctx, "new") }},
		{"Poll", func(ctx context.Context, db storage.DB) error {
			p, err := db.Poll(ctx, "there")
			return withoutResult(p != access.Position{}, err)
		}},
		{"Acknowledge", func(ctx context.Context, db storage.DB) error { return db.Acknowledge(ctx, "there", 1) }},
		{"Followers", func(ctx context.Context, db storage.DB) error {
			followers, err := db.Followers(ctx)
			return withoutResult(len(followers) > 0, err)
		}},
		{"Unfollow", func(ctx context.Context, db storage.DB) error { return db.Unfollow(ctx, 1, "there") }},
		{"DrawTicket", func(ctx context.Context, db storage.DB) error {
			ticket, wait, err := db.DrawTicket(ctx)
			return withoutResult(ticket > 0 || wait > 0, err)
		}},
		{"SetLease", func(ctx context.Context, db storage.DB) error { return db.SetLease(ctx, 2*time.Second) }},
		{"ShortenWait", func(ctx context.Context, db storage.DB) error { return db.ShortenWait(ctx, 2) }},
	}
}

var errResult = errors.New("storagetest: an error comes with a result")

// withoutResult returns the error of a call, and another one if a result came with it.
func withoutResult(result bool, err error) error {
	if err != nil && result {
		return errResult
	}
	return err
}

// prepareRegistry makes what registryCalls need, with a wait that is longer than the lease.
func prepareRegistry(db database) {
	db.t.Helper()
	db.follow("there")
	db.draw()
	require.NoError(db.t, db.SetLease(db.ctx, 3*time.Second/2))
	require.NoError(db.t, db.SetLease(db.ctx, access.DefaultLease))
}

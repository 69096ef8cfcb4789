package casbinadapter_test

import (
	"context"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// A switched is a store that can be exchanged and can fail.
type switched struct {
	storage.DB
	fail func(method string) error
}

func (s *switched) View(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	if err := s.failed("View"); err != nil {
		return err
	}
	return s.DB.View(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, &failing{tx, s}) })
}

func (s *switched) Follow(ctx context.Context, id access.FollowerID) error {
	if err := s.failed("Follow"); err != nil {
		return err
	}
	return s.DB.Follow(ctx, id)
}

func (s *switched) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	if err := s.failed("Poll"); err != nil {
		return access.Position{}, err
	}
	return s.DB.Poll(ctx, id)
}

func (s *switched) Acknowledge(ctx context.Context, id access.FollowerID, ticket uint64) error {
	if err := s.failed("Acknowledge"); err != nil {
		return err
	}
	return s.DB.Acknowledge(ctx, id, ticket)
}

func (s *switched) failed(method string) error {
	if s.fail == nil {
		return nil
	}
	return s.fail(method)
}

// A failing is a transaction of a switched store.
type failing struct {
	storage.Tx
	store *switched
}

func (f *failing) Feed(ctx context.Context) (heads [access.Shards]access.FeedHead, err error) {
	if err := f.store.failed("Feed"); err != nil {
		return heads, err
	}
	return f.Tx.Feed(ctx)
}

func (f *failing) Changes(ctx context.Context, shard int, after uint64, limit int) ([]access.Record, error) {
	if err := f.store.failed("Changes"); err != nil {
		return nil, err
	}
	return f.Tx.Changes(ctx, shard, after, limit)
}

func (f *failing) Account(ctx context.Context, id access.AccountID) (access.Account, error) {
	if err := f.store.failed("Account"); err != nil {
		return access.Account{}, err
	}
	return f.Tx.Account(ctx, id)
}

func (f *failing) Members(ctx context.Context, account access.AccountID, filter access.MemberFilter, after access.UserID, limit int) ([]access.Member, error) {
	if err := f.store.failed("Members"); err != nil {
		return nil, err
	}
	return f.Tx.Members(ctx, account, filter, after, limit)
}

// A pruned is a store whose feed has lost the first event of each shard.
type pruned struct{ storage.DB }

func (p *pruned) View(ctx context.Context, fn func(context.Context, storage.Tx) error) error {
	return p.DB.View(ctx, func(ctx context.Context, tx storage.Tx) error { return fn(ctx, &prunedTx{tx}) })
}

type prunedTx struct{ storage.Tx }

func (p *prunedTx) Changes(ctx context.Context, shard int, after uint64, limit int) ([]access.Record, error) {
	return p.Tx.Changes(ctx, shard, max(after, 1), limit)
}

package access

import (
	"context"
	"slices"
	"time"
)

// SyncUser tells the directory about one user: everything but LastSignIn, which is kept if it is zero. The host calls
// it when a person signs up, changes their profile, or is seen for the first time; no verb needs it first. It grants
// nothing. ErrInvalid.
func (s *Service) SyncUser(ctx context.Context, user User) error { return s.SyncUsers(ctx, user) }

// SyncUsers is SyncUser for many: all of them, or none. It is for a backfill; call it with some hundreds at a time.
func (s *Service) SyncUsers(ctx context.Context, users ...User) error {
	users = slices.Clone(users)
	for i, u := range users {
		if err := u.Check(); err != nil {
			return err
		}
		users[i].LastSignIn = stored(u.LastSignIn)
	}
	return s.update(ctx, func(ctx context.Context, tx Tx) error { return tx.PutUsers(ctx, users...) })
}

// RecordSignIn tells the directory that a user has signed in now. A user who isn't there is added by id.
func (s *Service) RecordSignIn(ctx context.Context, user UserID) error {
	if err := user.Check(); err != nil {
		return err
	}
	return s.update(ctx, func(ctx context.Context, tx Tx) error {
		return tx.SignedIn(ctx, user, s.Now())
	})
}

// User returns what the directory knows about a user. ErrNotFound.
func (s *Service) User(ctx context.Context, user UserID) (User, error) {
	if err := user.Check(); err != nil {
		return User{}, err
	}
	var u User
	err := s.read(ctx, func(ctx context.Context, tx Tx) (err error) {
		u, err = tx.User(ctx, user)
		return err
	})
	return orZero(u, err)
}

// seenEvery is how far apart two writes of the same LastSeen are.
const seenEvery = 5 * time.Minute

// RecordSeen notes that a user with this grant is using an account now, for the "last seen" of its lists. It writes
// once in five minutes and membership, takes no lock, and does nothing for strangers. ErrInvalid.
func (s *Service) RecordSeen(ctx context.Context, user UserID, account AccountID, grant Grant) error {
	if err := user.Check(); err != nil {
		return err
	}
	if err := account.Check(); err != nil {
		return err
	}
	now := s.Now()
	if !grant.Member() || now.Before(grant.LastSeen.Add(seenEvery)) {
		return nil
	}
	return s.update(ctx, func(ctx context.Context, tx Tx) error {
		return tx.Touch(ctx, account, user, now, now.Add(-seenEvery))
	})
}

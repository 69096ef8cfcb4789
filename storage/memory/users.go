package memory

import (
	"context"
	"time"

	"github.com/rosterkit/roster/access"
)

func (tx *tx) User(ctx context.Context, id access.UserID) (access.User, error) {
	if err := tx.read(ctx); err != nil {
		return access.User{}, err
	}
	u, ok := tx.users.get(id)
	if !ok {
		return access.User{}, access.NotFound("user")
	}
	return u, nil
}

func (tx *tx) Users(ctx context.Context, ids []access.UserID) (map[access.UserID]access.User, error) {
	if err := tx.read(ctx); err != nil {
		return nil, err
	}
	known := make(map[access.UserID]access.User)
	for _, id := range ids {
		if u, ok := tx.users.get(id); ok {
			known[id] = u
		}
	}
	return known, nil
}

func (tx *tx) PutUsers(ctx context.Context, users ...access.User) error {
	if err := tx.write(ctx); err != nil {
		return err
	}
	for _, u := range users {
		u.LastSignIn = stored(u.LastSignIn)
		if old, ok := tx.users.get(u.ID); ok && old.LastSignIn.After(u.LastSignIn) {
			u.LastSignIn = old.LastSignIn
		}
		tx.users = tx.users.put(u.ID, u)
	}
	return nil
}

func (tx *tx) SignedIn(ctx context.Context, id access.UserID, at time.Time) error {
	if err := tx.write(ctx); err != nil {
		return err
	}
	u, ok := tx.users.get(id)
	if !ok {
		u.ID = id
	}
	if at = stored(at); at.After(u.LastSignIn) {
		u.LastSignIn = at
	}
	tx.users = tx.users.put(id, u)
	return nil
}

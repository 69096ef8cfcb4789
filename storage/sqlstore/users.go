package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/rosterkit/roster/access"
)

const (
	userColumns = `id, address, canonical, verified, name, second_factor, last_sign_in_at, locale`

	selectUser = `SELECT ` + userColumns + ` FROM roster_users WHERE id = ?`

	selectUsers = `SELECT ` + userColumns + ` FROM roster_users WHERE id IN (?...)`

	putUser = `INSERT INTO roster_users
			(id, address, canonical, verified, name, name_fold, second_factor, last_sign_in_at, locale)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET address = excluded.address, canonical = excluded.canonical,
			verified = excluded.verified, name = excluded.name, name_fold = excluded.name_fold,
			second_factor = excluded.second_factor, locale = excluded.locale,
			` + laterSignIn

	putSignIn = `INSERT INTO roster_users
			(id, address, canonical, verified, name, name_fold, second_factor, last_sign_in_at)
		VALUES (?, '', '', 0, '', '', 0, ?)
		ON CONFLICT (id) DO UPDATE SET ` + laterSignIn

	laterSignIn = `last_sign_in_at = CASE WHEN excluded.last_sign_in_at > roster_users.last_sign_in_at
				THEN excluded.last_sign_in_at ELSE roster_users.last_sign_in_at END`
)

func readUser(r row) (access.User, error) {
	var u access.User
	err := r.Scan(&u.ID, (*original)(&u.Address), (*canonical)(&u.Address), &u.Verified, &u.Name, &u.SecondFactor,
		(*moment)(&u.LastSignIn), &u.Locale)
	return u, err
}

func (t *tx) User(ctx context.Context, id access.UserID) (access.User, error) {
	return find(ctx, t, readUser, "user", selectUser, id)
}

func (t *tx) Users(ctx context.Context, ids []access.UserID) (map[access.UserID]access.User, error) {
	users := make(map[access.UserID]access.User)
	for some := range slices.Chunk(ids, maxList) {
		statement, args := in(selectUsers, some)
		found, err := list(ctx, t, readUser, "read users", statement, args...)
		if err != nil {
			return nil, err
		}
		for _, u := range found {
			users[u.ID] = u
		}
	}
	return users, nil
}

func (t *tx) PutUsers(ctx context.Context, users ...access.User) error {
	if err := t.writable(ctx); err != nil {
		return err
	}
	// In one order everywhere, so that two units don't wait for each other; of one id, the last counts.
	ascending := slices.SortedStableFunc(slices.Values(users), func(a, b access.User) int { return cmp.Compare(a.ID, b.ID) })
	var rows [][]any
	for i, u := range ascending {
		if i+1 < len(ascending) && ascending[i+1].ID == u.ID { // of a sign-in, the latest counts
			if next := &ascending[i+1]; u.LastSignIn.After(next.LastSignIn) {
				next.LastSignIn = u.LastSignIn
			}
			continue
		}
		rows = append(rows, []any{u.ID, u.Address.Original(), u.Address.Canonical(), bit(u.Verified), u.Name,
			access.Fold(u.Name), bit(u.SecondFactor), micros(u.LastSignIn), u.Locale})
	}
	return t.insertMany(ctx, "put users", putUser, rows)
}

func (t *tx) SignedIn(ctx context.Context, id access.UserID, at time.Time) error {
	_, err := t.exec(ctx, "put a sign-in", putSignIn, id, micros(at))
	return err
}

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesshttp"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore/pgxtx"
)

// A user is a row of the users' table.
type user struct {
	ID        int64  `json:"id"`
	Email     string `json:"email"`
	Name      string `json:"name"`
	Confirmed bool   `json:"-"`
}

// entry is what roster's directory is told about a user. An address that is none, which old rows may have, is left out:
// then the user gets no mail, and may do everything else.
func (u user) entry() (entry access.User, reachable bool) {
	address, err := access.ParseAddress(u.Email)
	return access.User{ID: userID(u.ID), Name: u.Name, Address: address, Verified: u.Confirmed && err == nil}, err == nil
}

// principal tells roster's guard who is signed in, by the application's own sessions.
func (a *application) principal(r *http.Request) (accesshttp.Principal, error) {
	cookie, err := r.Cookie("session")
	if err != nil {
		return accesshttp.Principal{}, accesshttp.ErrAnonymous
	}
	digest := sha256.Sum256([]byte(cookie.Value))
	rows, err := a.pool.Query(r.Context(), `SELECT u.id, u.email, u.name, u.confirmed
		FROM sessions AS s JOIN users AS u ON u.id = s.user_id WHERE s.digest = $1`, digest[:])
	if err != nil {
		return accesshttp.Principal{}, err
	}
	u, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[user])
	if errors.Is(err, pgx.ErrNoRows) {
		return accesshttp.Principal{}, accesshttp.ErrAnonymous
	}
	entry, _ := u.entry()
	return accesshttp.Principal{User: entry.ID, Address: entry.Address, Verified: entry.Verified}, err
}

// rename changes a user's name, and tells roster, as everything does that changes a user.
func (a *application) rename(ctx context.Context, id int64, name string) (u user, err error) {
	err = pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `UPDATE users SET name = $2 WHERE id = $1 RETURNING id, email, name, confirmed`, id, name)
		if err != nil {
			return err
		}
		if u, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[user]); err != nil {
			return err
		}
		return pgxtx.Join(ctx, a.db, tx, func(ctx context.Context, unit storage.Tx) error {
			entry, _ := u.entry()
			return a.members.Within(unit).SyncUser(ctx, entry)
		})
	})
	return u, err
}

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore/pgxtx"
)

// batch is how many rows are read at once.
const batch = 500

// backfill tells roster about the users above an id, and makes an account of every customer. It may run while the
// application is in use, and again: what is there then is left as it is, or told once more.
func (a *application) backfill(ctx context.Context, after int64) error {
	users, err := a.eachBatch(ctx, "users", after, a.syncUsers)
	if err != nil {
		return fmt.Errorf("telling roster about users: %w", err)
	}
	customers, err := a.eachBatch(ctx, "customers", 0, a.createAccounts)
	if err != nil {
		return fmt.Errorf("making accounts of customers: %w", err)
	}
	a.log.Info("roster knows all", "users", users, "customers", customers)
	return nil
}

// eachBatch calls do with the last id of the batch before, until there are no rows, and returns how many there were. The
// log says how far it has come.
func (a *application) eachBatch(ctx context.Context, of string, after int64,
	do func(ctx context.Context, after int64) (rows int, last int64, err error)) (count int, err error) {
	for {
		rows, last, err := do(ctx, after)
		if err != nil || rows == 0 {
			return count, err
		}
		count, after = count+rows, last
		a.log.Info("backfill", "of", of, "rows", count, "up to id", last)
	}
}

// syncUsers tells the directory about a batch of users: all of them, or none. They are locked meanwhile, so that a change
// in between, and what rename tells, can't be overtaken by what was read before.
func (a *application) syncUsers(ctx context.Context, after int64) (rows int, last int64, err error) {
	err = pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		found, err := tx.Query(ctx, `SELECT id, email, name, confirmed FROM users WHERE id > $1 ORDER BY id LIMIT $2 FOR SHARE`, after, batch)
		if err != nil {
			return err
		}
		users, err := pgx.CollectRows(found, pgx.RowToStructByPos[user])
		if err != nil || len(users) == 0 {
			return err
		}
		entries := make([]access.User, len(users))
		for i, u := range users {
			var reachable bool
			if entries[i], reachable = u.entry(); !reachable {
				a.log.Warn("no mail can be sent to the address of a user", "user", u.ID)
			}
		}
		rows, last = len(users), users[len(users)-1].ID
		return pgxtx.Join(ctx, a.db, tx, func(ctx context.Context, unit storage.Tx) error {
			return a.members.Within(unit).SyncUsers(ctx, entries...)
		})
	})
	return rows, last, err
}

// createAccounts makes accounts of a batch of customers, each owned by who owned the customer. One that is there,
// whatever has become of it since, is left alone.
func (a *application) createAccounts(ctx context.Context, after int64) (rows int, last int64, err error) {
	found, err := a.pool.Query(ctx, `SELECT id, name, owner_id FROM customers WHERE id > $1 ORDER BY id LIMIT $2`, after, batch)
	if err != nil {
		return 0, 0, err
	}
	customers, err := pgx.CollectRows(found, pgx.RowToStructByPos[customer])
	if err != nil || len(customers) == 0 {
		return 0, 0, err
	}
	for _, c := range customers {
		account := access.NewAccount{ID: accountID(c.ID), Owner: userID(c.OwnerID), Profile: access.Profile{Name: c.Name}}
		_, err := a.members.CreateAccount(ctx, access.AsSystem("backfill"), account)
		if err != nil && !errors.Is(err, access.ErrExists) {
			return 0, 0, fmt.Errorf("customer %d: %w", c.ID, err)
		}
	}
	return len(customers), customers[len(customers)-1].ID, nil
}

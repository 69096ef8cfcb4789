package main

import (
	"context"
	"database/sql"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesshttp"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// An application is what it always was, a pool and a log, and what roster added.
type application struct {
	pool *pgxpool.Pool
	log  *slog.Logger
	now  func() time.Time

	handle  *sql.DB // on the same pool: roster works through database/sql
	db      *sqlstore.DB
	members *access.Service
	guard   *accesshttp.Guard
}

// open makes roster's tables beside the application's, and its services. What needs neither goes on as before.
func open(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) (*application, error) {
	a := &application{pool: pool, log: log, now: time.Now, handle: stdlib.OpenDBFromPool(pool)}
	a.db = sqlstore.New(a.handle, sqlstore.Postgres, sqlstore.Config{})
	a.members = access.New(a.db, access.Config{})
	var err error
	if a.guard, err = accesshttp.New(a.members, accesshttp.Config{Principal: a.principal}); err == nil {
		err = a.db.Migrate(ctx)
	}
	if err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// close gives back what roster has of the pool, which is the application's to close.
func (a *application) close() {
	a.db.Close()
	a.handle.Close()
}

// Ids are texts to roster: integers in decimal, in the one form that they have.

func userID(id int64) access.UserID       { return access.UserID(strconv.FormatInt(id, 10)) }
func accountID(id int64) access.AccountID { return access.AccountID(strconv.FormatInt(id, 10)) }

// number is the way back. The ids that roster knows are numbers, because this application gave them.
func number[ID access.UserID | access.AccountID](id ID) (int64, error) {
	return strconv.ParseInt(string(id), 10, 64)
}

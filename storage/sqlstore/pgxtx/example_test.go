package pgxtx_test

import (
	"context"
	"log"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/sqlstore/pgxtx"
)

// A host places an order, which makes the buyer a member of the account that it is for: both, or neither.
func ExampleJoin() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, "postgres://billing@localhost/billing")
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	handle := stdlib.OpenDBFromPool(pool)
	defer handle.Close()
	db := sqlstore.New(handle, sqlstore.Postgres, sqlstore.Config{})
	defer db.Close()
	members := access.New(db, access.Config{})

	if err := placeOrder(ctx, pool, db, members, "ann", "acme"); err != nil {
		log.Fatal(err)
	}
}

func placeOrder(ctx context.Context, pool *pgxpool.Pool, db *sqlstore.DB, members *access.Service,
	buyer access.UserID, account access.AccountID) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO orders (buyer) VALUES ($1)`, string(buyer)); err != nil {
			return err
		}
		// Last, because what it locks stays locked until the commit.
		return pgxtx.Join(ctx, db, tx, func(ctx context.Context, unit storage.Tx) error {
			terms := access.Terms{Permissions: access.ViewProducts}
			_, err := members.Within(unit).AddMember(ctx, access.AsSystem("orders"), account, buyer, terms)
			return err
		})
	})
}

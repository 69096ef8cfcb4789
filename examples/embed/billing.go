package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore/pgxtx"
)

// A customer is a row of the customers' table.
type customer struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	OwnerID int64  `json:"-"` // as it was in the beginning: roster knows who it is now
}

// An order is a row of the orders' table.
type order struct {
	ID      int64  `json:"id"`
	Product string `json:"product"`
}

// An invoice is a row of the invoices' table.
type invoice struct {
	ID     int64 `json:"id"`
	Amount int   `json:"amount"` // in cents
}

var errNoProduct = errors.New("there is no such product")

// createCustomer makes a customer, and the account that its owner shares with others: both, or neither.
func (a *application) createCustomer(ctx context.Context, owner int64, name string) (customer, error) {
	c := customer{Name: name, OwnerID: owner}
	err := pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `INSERT INTO customers (name, owner_id) VALUES ($1, $2) RETURNING id`, name, owner).Scan(&c.ID)
		if err != nil {
			return err
		}
		return pgxtx.Join(ctx, a.db, tx, func(ctx context.Context, unit storage.Tx) error {
			account := access.NewAccount{ID: accountID(c.ID), Owner: userID(owner), Profile: access.Profile{Name: name}}
			_, err := a.members.Within(unit).CreateAccount(ctx, access.As(userID(owner)), account)
			return err
		})
	})
	return c, err
}

// placeOrder orders a product and invoices it. If it comes with one of our specialists, they are a member for thirty
// days: order, invoice and membership are there all, or none of them is.
func (a *application) placeOrder(ctx context.Context, customer, buyer int64, product string) (order, error) {
	o := order{Product: product}
	err := pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error {
		var price int
		var specialist *int64
		err := tx.QueryRow(ctx, `SELECT price, specialist_id FROM products WHERE code = $1`, product).Scan(&price, &specialist)
		if errors.Is(err, pgx.ErrNoRows) {
			return errNoProduct
		}
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `INSERT INTO orders (customer_id, user_id, product) VALUES ($1, $2, $3) RETURNING id`,
			customer, buyer, product).Scan(&o.ID)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO invoices (customer_id, order_id, amount) VALUES ($1, $2, $3)`, customer, o.ID, price)
		if err != nil || specialist == nil {
			return err
		}
		// Last, because the account stays locked until the commit.
		return pgxtx.Join(ctx, a.db, tx, func(ctx context.Context, unit storage.Tx) error {
			terms := access.Terms{
				Permissions: access.ViewProducts | access.OpenTickets,
				Expires:     a.now().Add(30 * 24 * time.Hour),
				Label:       "Order " + strconv.FormatInt(o.ID, 10),
			}
			_, err := a.members.Within(unit).AddMember(ctx, access.AsSystem("orders"), accountID(customer), userID(*specialist), terms)
			return err
		})
	})
	return o, err
}

// invoices returns the invoices of a customer.
func (a *application) invoices(ctx context.Context, customer int64) ([]invoice, error) {
	rows, err := a.pool.Query(ctx, `SELECT id, amount FROM invoices WHERE customer_id = $1 ORDER BY id`, customer)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[invoice])
}

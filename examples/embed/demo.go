package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// demonstrate fills an empty database with what a billing application may have before it meets roster, and prints how
// to try it. The ids are the database's, and begin at 1 only where no start before was undone.
func demonstrate(ctx context.Context, pool *pgxpool.Pool, address string, out io.Writer) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// Of several processes that start together, one finds no users.
		if _, err := tx.Exec(ctx, `LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		var used bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM users)`).Scan(&used); err != nil || used {
			return err
		}
		ann, err := demoUser(ctx, tx, "Ann", "ann@acme.example", out)
		if err != nil {
			return err
		}
		bob, err := demoUser(ctx, tx, "Bob", "bob@books.example", out)
		if err != nil {
			return err
		}
		sue, err := demoUser(ctx, tx, "Sue", "sue@billing.example", out)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO products (code, price, specialist_id) VALUES ('hosting', 900, NULL), ('onboarding', 12000, $1)`, sue)
		if err != nil {
			return err
		}
		customer, err := demoCustomer(ctx, tx, "Acme Ltd", ann)
		if err != nil {
			return err
		}
		if _, err := demoCustomer(ctx, tx, "Books & Co", bob); err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, `
curl -b $ann http://%[1]s/customers/%[2]d/invoices                        # Ann owns customer %[2]d
curl -b $sue http://%[1]s/customers                                   # Sue, a specialist, sees no customer
curl -b $ann http://%[1]s/customers/%[2]d/orders -d product=onboarding    # ... until one orders her help
curl -b $sue http://%[1]s/customers
curl -b $sue http://%[1]s/customers/%[2]d/invoices                        # which doesn't include invoices

`, address, customer)
		return err
	})
}

// demoUser adds a user who is signed in, and prints the cookie.
func demoUser(ctx context.Context, tx pgx.Tx, name, email string, out io.Writer) (id int64, err error) {
	token := rand.Text()
	digest := sha256.Sum256([]byte(token))
	err = tx.QueryRow(ctx, `INSERT INTO users (email, name, confirmed) VALUES ($1, $2, true) RETURNING id`, email, name).Scan(&id)
	if err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO sessions (digest, user_id) VALUES ($1, $2)`, digest[:], id); err != nil {
		return 0, err
	}
	_, err = fmt.Fprintf(out, "%s=session=%s\n", strings.ToLower(name), token)
	return id, err
}

// demoCustomer adds a customer with an order and its invoice.
func demoCustomer(ctx context.Context, tx pgx.Tx, name string, owner int64) (id int64, err error) {
	err = tx.QueryRow(ctx, `
		WITH customer AS (INSERT INTO customers (name, owner_id) VALUES ($1, $2) RETURNING id, owner_id),
			ordered AS (INSERT INTO orders (customer_id, user_id, product) SELECT id, owner_id, 'hosting' FROM customer
				RETURNING id, customer_id)
		INSERT INTO invoices (customer_id, order_id, amount) SELECT customer_id, id, 900 FROM ordered
		RETURNING customer_id`, name, owner).Scan(&id)
	return id, err
}

package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// demonstrate fills an empty database with what a billing application may have before it meets roster, and prints how
// to try it.
func demonstrate(ctx context.Context, pool *pgxpool.Pool, address string, out io.Writer) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var used bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM users)`).Scan(&used); err != nil || used {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO users (email, name, confirmed) VALUES
				('ann@acme.example', 'Ann', true), ('bob@books.example', 'Bob', true), ('sue@billing.example', 'Sue', true);
			INSERT INTO customers (name, owner_id) VALUES ('Acme Ltd', 1), ('Books & Co', 2);
			INSERT INTO products (code, price, specialist_id) VALUES ('hosting', 900, NULL), ('onboarding', 12000, 3);
			INSERT INTO orders (customer_id, user_id, product) VALUES (1, 1, 'hosting'), (2, 2, 'hosting');
			INSERT INTO invoices (customer_id, order_id, amount) VALUES (1, 1, 900), (2, 2, 900)`)
		if err != nil {
			return err
		}
		for i, name := range []string{"ann", "bob", "sue"} {
			token := rand.Text()
			digest := sha256.Sum256([]byte(token))
			if _, err := tx.Exec(ctx, `INSERT INTO sessions (digest, user_id) VALUES ($1, $2)`, digest[:], i+1); err != nil {
				return err
			}
			fmt.Fprintf(out, "%s=session=%s\n", name, token)
		}
		_, err = fmt.Fprintf(out, `
curl -b $ann http://%[1]s/customers/1/invoices                        # Ann owns customer 1
curl -b $sue http://%[1]s/customers                                   # Sue, a specialist, sees no customer
curl -b $ann http://%[1]s/customers/1/orders -d product=onboarding    # ... until one orders her help
curl -b $sue http://%[1]s/customers
curl -b $sue http://%[1]s/customers/1/invoices                        # which doesn't include invoices

`, address)
		return err
	})
}

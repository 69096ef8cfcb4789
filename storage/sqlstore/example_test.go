package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // The driver "sqlite".

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
)

// A host has orders of its own in the same database. An order makes its buyer a member of the account that it is for:
// both are there, or neither.
func ExampleDB_Join() {
	ctx := context.Background()
	folder := must(os.MkdirTemp("", "shop"))
	defer os.RemoveAll(folder)
	// Transactions of SQLite that will write have to say so when they begin: _txlock=immediate.
	handle := must(sql.Open("sqlite", "file:"+filepath.Join(folder, "shop.db")+
		"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)"))
	defer handle.Close()
	must(handle.ExecContext(ctx, `CREATE TABLE orders (id INTEGER PRIMARY KEY, buyer TEXT NOT NULL)`))

	db := sqlstore.New(handle, sqlstore.SQLite, sqlstore.Config{})
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	members := access.New(db, access.Config{})
	acme := access.NewAccount{ID: "acme", Owner: "olga", Profile: access.Profile{Name: "Acme Ltd"}}
	must(members.CreateAccount(ctx, access.As("olga"), acme))

	place := func(buyer access.UserID, account access.AccountID) error {
		tx, err := handle.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, `INSERT INTO orders (buyer) VALUES (?)`, string(buyer)); err != nil {
			return err
		}
		// Last, because what it locks stays locked until the commit.
		err = db.Join(ctx, tx, func(ctx context.Context, unit storage.Tx) error {
			terms := access.Terms{Permissions: access.ViewProducts}
			_, err := members.Within(unit).AddMember(ctx, access.AsSystem("orders"), account, buyer, terms)
			return err
		})
		if err != nil {
			return err
		}
		return tx.Commit()
	}
	fmt.Println("ann orders for acme:", place("ann", "acme"))
	fmt.Println("bob orders for nobody:", place("bob", "nobody"))

	var orders int
	if err := handle.QueryRowContext(ctx, `SELECT COUNT(*) FROM orders`).Scan(&orders); err != nil {
		log.Fatal(err)
	}
	fmt.Println("orders:", orders)
	fmt.Println("ann sees products:", must(members.Can(ctx, "ann", "acme", access.ViewProducts)))
	// Output:
	// ann orders for acme: <nil>
	// bob orders for nobody: roster: account is not there
	// orders: 1
	// ann sees products: true
}

// must is for examples: your code looks at the error.
func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

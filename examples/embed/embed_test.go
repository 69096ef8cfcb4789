package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage/storagetest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		servertest.Stop()
		os.Exit(code)
	}))
}

// users is how many the application of the tests has: more than two batches.
const users = 2*batch + 10

// newPool returns the pool of an application that hasn't met roster yet. User 1 owns customer 1, and so on up to 9; user
// 20 is the specialist of a product; user 30 has an address that is none. The token of each session is the user's id.
func newPool(t *testing.T) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), servertest.Postgres(t).Database(t))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	require.NoError(t, migrate(t.Context(), pool))
	_, err = pool.Exec(t.Context(), fmt.Sprintf(`
		INSERT INTO users (email, name, confirmed) SELECT CASE n WHEN 30 THEN 'unknown' ELSE 'user' || n || '@example.com' END,
			'User ' || n, true FROM generate_series(1, %d) AS n;
		INSERT INTO sessions (digest, user_id) SELECT sha256(convert_to(id::text, 'UTF8')), id FROM users;
		INSERT INTO customers (name, owner_id) SELECT 'Customer ' || id, id FROM users WHERE id < 10 ORDER BY id;
		INSERT INTO products (code, price, specialist_id) VALUES ('hosting', 900, NULL), ('onboarding', 12000, 20);
		INSERT INTO orders (customer_id, user_id, product) VALUES (1, 1, 'hosting');
		INSERT INTO invoices (customer_id, order_id, amount) VALUES (1, 1, 900)`, users))
	require.NoError(t, err)
	return pool
}

func newApplication(t *testing.T, pool *pgxpool.Pool, log *slog.Logger) *application {
	t.Helper()
	app, err := open(t.Context(), pool, log)
	require.NoError(t, err)
	t.Cleanup(app.close)
	return app
}

var quiet = slog.New(slog.DiscardHandler)

// A browser asks the application as one of its users.
type browser struct {
	t       *testing.T
	address string
}

func (b browser) get(user, path string) string { return b.do(user, "GET", path, nil) }

func (b browser) post(user, path string, form url.Values) string {
	return b.do(user, "POST", path, form)
}

// do returns the status and the text of an answer.
func (b browser) do(user, method, path string, form url.Values) string {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.address+path, strings.NewReader(form.Encode()))
	require.NoError(b.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if user != "" {
		r.AddCookie(&http.Cookie{Name: "session", Value: user})
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(b.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return fmt.Sprint(response.StatusCode, " ", strings.TrimSpace(string(text)))
}

// column returns the values of the one column that a statement selects.
func column(t *testing.T, pool *pgxpool.Pool, statement string) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), statement)
	require.NoError(t, err)
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return values
}

// TestStory takes roster into an application that is running, uses it, and takes it out again.
func TestStory(t *testing.T) {
	pool := newPool(t)
	const own = `SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name NOT LIKE 'roster\_%' ORDER BY table_name, ordinal_position`
	tables := column(t, pool, own)
	app := newApplication(t, pool, quiet)
	require.NoError(t, app.backfill(t.Context(), 0))
	server := httptest.NewServer(app.routes())
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	t.Cleanup(server.Close)
	b := browser{t, server.URL}

	// Everybody sees what they saw before.
	require.Equal(t, `200 [{"id":1,"name":"Customer 1"}]`, b.get("1", "/customers"))
	require.Equal(t, `200 [{"id":1,"amount":900}]`, b.get("1", "/customers/1/invoices"))
	require.Equal(t, "401 Unauthorized", b.get("", "/customers/1/invoices"))
	require.Equal(t, "401 Unauthorized", b.get("nobody", "/customers"))
	for _, path := range []string{"/customers/2/invoices", "/customers/01/invoices", "/customers/+1/invoices", "/customers/12345/invoices"} {
		require.Equal(t, "404 Not Found", b.get("1", path))
	}
	require.Equal(t, "404 Not Found", b.post("2", "/customers/1/orders", url.Values{"product": {"hosting"}}))

	// An order brings a specialist, who sees what they have to, and no more.
	require.Equal(t, "200 []", b.get("20", "/customers"))
	require.Equal(t, `200 {"id":2,"product":"hosting"}`, b.post("1", "/customers/1/orders", url.Values{"product": {"hosting"}}))
	require.Equal(t, "200 []", b.get("20", "/customers"))
	require.Equal(t, `200 {"id":3,"product":"onboarding"}`, b.post("1", "/customers/1/orders", url.Values{"product": {"onboarding"}}))
	require.Equal(t, `200 [{"id":1,"name":"Customer 1"}]`, b.get("20", "/customers"))
	require.Equal(t, "403 Forbidden", b.get("20", "/customers/1/invoices"))
	member, err := app.members.Member(t.Context(), access.As("1"), "1", "20")
	require.NoError(t, err)
	require.Equal(t, "Order 3", member.Label)
	require.WithinDuration(t, time.Now().AddDate(0, 0, 30), member.Expires, time.Hour)

	// What is refused leaves nothing: no order, no invoice, no customer.
	require.Equal(t, "409 roster: user is a member already", b.post("1", "/customers/1/orders", url.Values{"product": {"onboarding"}}))
	require.Equal(t, "404 there is no such product", b.post("1", "/customers/1/orders", url.Values{"product": {"none"}}))
	require.Equal(t, "400 roster: name is empty", b.post("1", "/customers", nil))
	orders := column(t, pool, `SELECT id || ' ' || product FROM orders ORDER BY id`)
	require.Equal(t, []string{"1 hosting", "2 hosting", "3 onboarding"}, orders)
	require.Equal(t, `200 [{"id":1,"amount":900},{"id":2,"amount":900},{"id":3,"amount":12000}]`, b.get("1", "/customers/1/invoices"))
	require.Equal(t, []string{"9"}, column(t, pool, `SELECT count(*)::text FROM customers`))

	// New customers and new names are known to both at once.
	require.Equal(t, `200 {"id":11,"name":"New Ltd"}`, b.post("1", "/customers", url.Values{"name": {"New Ltd"}}))
	require.Equal(t, "200 []", b.get("1", "/customers/11/invoices"))
	require.Equal(t, "404 Not Found", b.get("2", "/customers/11/invoices"))
	require.Equal(t, `200 {"id":1,"email":"user1@example.com","name":"Ann"}`, b.post("1", "/profile", url.Values{"name": {"Ann"}}))
	entry, err := app.members.User(t.Context(), "1")
	require.NoError(t, err)
	require.Equal(t, "Ann", entry.Name)
	require.Contains(t, b.post("1", "/profile", url.Values{"name": {strings.Repeat("n", 1000)}}), "400 ")
	require.Equal(t, []string{"Ann"}, column(t, pool, `SELECT name FROM users WHERE id = 1`))

	// Its own tables were left alone, and it can go back to them.
	require.Equal(t, tables, column(t, pool, own))
	_, err = pool.Exec(t.Context(), "DROP TABLE "+strings.Join(column(t, pool, `SELECT tablename::text FROM pg_tables
		WHERE schemaname = current_schema() AND tablename LIKE 'roster\_%'`), ", "))
	require.NoError(t, err)
	require.NoError(t, migrate(t.Context(), pool))
	require.Equal(t, tables, column(t, pool, own))
	require.Equal(t, []string{"Customer 1", "New Ltd"}, column(t, pool, `SELECT name FROM customers WHERE owner_id = 1 ORDER BY id`))
}

// TestBackfill interrupts a backfill, goes on where it was, and does it again.
func TestBackfill(t *testing.T) {
	pool := newPool(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	app := newApplication(t, pool, slog.New(slog.NewTextHandler(writer(func(line string) {
		if strings.Contains(line, "msg=backfill") {
			cancel()
		}
	}), nil)))
	known := func() []string { return column(t, pool, `SELECT id FROM roster_users ORDER BY id::bigint`) }
	require.ErrorIs(t, app.backfill(ctx, 0), context.Canceled)
	require.Len(t, known(), batch)
	_, err := pool.Exec(t.Context(), `UPDATE roster_users SET name = 'kept' WHERE id = '7'`)
	require.NoError(t, err)

	require.NoError(t, app.backfill(t.Context(), batch))
	require.Len(t, known(), users)
	entry, err := app.members.User(t.Context(), "7")
	require.NoError(t, err)
	require.Equal(t, "kept", entry.Name, "it began again")
	entry, err = app.members.User(t.Context(), "30")
	require.NoError(t, err)
	require.Equal(t, access.User{ID: "30", Name: "User 30"}, entry)

	require.NoError(t, app.backfill(t.Context(), 0))
	before := dump(t, app)
	require.Contains(t, before, "user9@example.com")
	require.NoError(t, app.backfill(t.Context(), 0))
	require.Equal(t, before, dump(t, app), "doing it again changed something")

	_, err = app.members.UpdateAccount(t.Context(), access.As("2"), "2", access.Profile{Name: "Renamed"})
	require.NoError(t, err)
	renamed := dump(t, app)
	require.NoError(t, app.backfill(t.Context(), 0))
	require.Equal(t, renamed, dump(t, app), "it undid what an owner did")
}

func dump(t *testing.T, app *application) string {
	t.Helper()
	text, err := storagetest.Dump(t.Context(), app.db, []access.AccountID{"1", "2", "9"}, []access.UserID{"1", "7", "9", "30"})
	require.NoError(t, err)
	return text
}

// TestBackfillBesideRename changes a user's name while a batch that has read the old one isn't told yet. Roster ends up
// with the name that is in the table.
func TestBackfillBesideRename(t *testing.T) {
	pool := newPool(t)
	app := newApplication(t, pool, quiet)
	renamed := make(chan error)
	app.log = slog.New(slog.NewTextHandler(writer(func(line string) {
		if !strings.Contains(line, "no mail") { // the batch was read, and isn't told yet
			return
		}
		go func() {
			_, err := app.rename(t.Context(), 30, "Ann")
			renamed <- err
		}()
		requireWaiting(t, pool)
	}), nil))
	require.NoError(t, app.backfill(t.Context(), 0))
	require.NoError(t, <-renamed)
	entry, err := app.members.User(t.Context(), "30")
	require.NoError(t, err)
	require.Equal(t, "Ann", entry.Name)
}

// A writer hands on what is written to it.
type writer func(string)

func (w writer) Write(text []byte) (int, error) {
	w(string(text))
	return len(text), nil
}

// TestMigrateNewer starts a program on a database that a newer one has migrated.
func TestMigrateNewer(t *testing.T) {
	pool := newPool(t)
	_, err := pool.Exec(t.Context(), `UPDATE schema_version SET version = 7`)
	require.NoError(t, err)
	require.EqualError(t, migrate(t.Context(), pool),
		"the database has version 7 of the tables, and this program is older: it knows version 2")
	require.Equal(t, []string{"7"}, column(t, pool, `SELECT version::text FROM schema_version`))
}

// TestMigrateTogether migrates while another process, which began earlier, hasn't finished.
func TestMigrateTogether(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), servertest.Postgres(t).Database(t))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	earlier, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer earlier.Rollback(context.Background())
	_, err = earlier.Exec(t.Context(), migrateAlone)
	require.NoError(t, err)
	_, err = earlier.Exec(t.Context(), `CREATE TABLE schema_version (version INTEGER NOT NULL)`)
	require.NoError(t, err)

	migrated := make(chan error, 1)
	go func() { migrated <- migrate(t.Context(), pool) }()
	requireWaiting(t, pool)
	require.NoError(t, earlier.Commit(t.Context()))
	require.NoError(t, <-migrated)
	require.NoError(t, demonstrate(t.Context(), pool, "", io.Discard))
}

// TestDemonstrateTogether fills a database while another process, which began earlier, hasn't finished.
func TestDemonstrateTogether(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), servertest.Postgres(t).Database(t))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	require.NoError(t, migrate(t.Context(), pool))
	demonstrated := make(chan error, 1)
	var later sync.Once
	require.NoError(t, demonstrate(t.Context(), pool, "", writer(func(string) {
		later.Do(func() { // the first user is there, and not for others yet
			go func() { demonstrated <- demonstrate(t.Context(), pool, "", io.Discard) }()
			requireWaiting(t, pool)
		})
	})))
	require.NoError(t, <-demonstrated)
	require.Equal(t, []string{"Ann", "Bob", "Sue"}, column(t, pool, `SELECT name FROM users ORDER BY name`))
}

// requireWaiting waits until a session of the database waits for another one.
func requireWaiting(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	waiting := func() bool {
		return column(t, pool, `SELECT count(*)::text FROM pg_stat_activity
			WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`)[0] != "0"
	}
	require.Eventually(t, waiting, 10*time.Second, time.Millisecond, "nobody waits")
}

// TestDemonstrateAgain fills a database after a start that was undone, and has used ids.
func TestDemonstrateAgain(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), servertest.Postgres(t).Database(t))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	require.NoError(t, migrate(t.Context(), pool))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	undone := demonstrate(ctx, pool, "localhost", writer(func(text string) {
		if strings.Contains(text, "curl") {
			cancel()
		}
	}))
	require.ErrorIs(t, undone, context.Canceled)
	require.Empty(t, column(t, pool, `SELECT name FROM users`))

	var output strings.Builder
	require.NoError(t, demonstrate(t.Context(), pool, "localhost", &output))
	owned := column(t, pool, `SELECT c.id::text FROM customers c JOIN users u ON u.id = c.owner_id JOIN orders o ON o.customer_id = c.id
		JOIN invoices i ON i.order_id = o.id AND i.customer_id = c.id WHERE o.user_id = u.id AND u.name = 'Ann' AND c.name = 'Acme Ltd'`)
	require.Len(t, owned, 1)
	require.NotEqual(t, "1", owned[0], "the start that was undone used no ids")
	require.Contains(t, output.String(), "/customers/"+owned[0]+"/invoices")
	require.Equal(t, []string{"Sue"}, column(t, pool, `SELECT name FROM products JOIN users ON id = specialist_id`))
	for _, name := range []string{"Ann", "Bob", "Sue"} {
		_, rest, found := strings.Cut(output.String(), strings.ToLower(name)+"=session=")
		require.True(t, found)
		token, _, _ := strings.Cut(rest, "\n")
		require.Equal(t, []string{name}, column(t, pool, `SELECT name FROM users JOIN sessions ON user_id = id
			WHERE digest = sha256('`+token+`')`))
	}
}

// TestCommand runs the command on an empty database until it listens, and again.
func TestCommand(t *testing.T) {
	source := servertest.Postgres(t).Database(t)
	for _, again := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		var output strings.Builder
		err := run(ctx, []string{"-db", source, "-addr", "127.0.0.1:0"}, writer(func(text string) {
			output.WriteString(text)
			if strings.Contains(text, "listening") {
				cancel()
			}
		}))
		cancel()
		require.NoError(t, err)
		require.Contains(t, output.String(), "users=3 customers=2")
		require.Equal(t, again, !strings.Contains(output.String(), "session="), "demo data")
	}
	require.EqualError(t, run(t.Context(), nil, io.Discard), "which database? Name it with -db postgres://user@host/database")
}

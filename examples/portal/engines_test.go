package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/access/accesstest"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

func TestMain(m *testing.M) {
	if os.Getenv(asPortal) != "" {
		main()
		return
	}
	code := m.Run()
	servertest.Stop()
	os.Exit(code)
}

// onEachEngine runs a test with an empty database of each kind, as -db names it.
func onEachEngine(t *testing.T, test func(t *testing.T, source string)) {
	t.Helper()
	for _, engine := range servertest.Engines() {
		t.Run(engine, func(t *testing.T) { test(t, freshSource(t, engine)) })
	}
}

// freshSource is the setting -db for an empty database.
func freshSource(t *testing.T, engine string) string {
	t.Helper()
	switch engine {
	case "postgres":
		return postgresURL(t, servertest.Fresh(t, engine).Source)
	case "mysql":
		return mysqlURL(t, servertest.Fresh(t, engine).Source)
	}
	return "sqlite:" + filepath.Join(t.TempDir(), "portal.db")
}

func postgresURL(t *testing.T, source string) string {
	t.Helper()
	if strings.HasPrefix(source, "postgres") {
		return source
	}
	config, err := pgx.ParseConfig(source)
	require.NoError(t, err)
	settings := url.Values{"host": {config.Host}, "port": {strconv.Itoa(int(config.Port))}, "sslmode": {"require"}}
	if config.TLSConfig == nil {
		settings.Set("sslmode", "disable")
	}
	return (&url.URL{Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Path: "/" + config.Database,
		RawQuery: settings.Encode()}).String()
}

func mysqlURL(t *testing.T, source string) string {
	t.Helper()
	config, err := mysql.ParseDSN(source)
	require.NoError(t, err)
	server := &url.URL{Scheme: "mysql", User: url.UserPassword(config.User, config.Passwd), Host: config.Addr, Path: "/" + config.DBName}
	settings := url.Values{}
	if config.Net == "unix" {
		server.Host = ""
		settings.Set("socket", config.Addr)
	}
	if config.TLSConfig != "" {
		settings.Set("tls", config.TLSConfig)
	}
	server.RawQuery = settings.Encode()
	return server.String()
}

// newDatabaseOn opens a database as the portal does.
func newDatabaseOn(t *testing.T, source string) *database {
	t.Helper()
	db, err := openDatabase(t.Context(), source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.handle.Close()) })
	return db
}

// everythingIn is all that is in all tables of a database, by table.
func everythingIn(t *testing.T, db *database) map[string]string {
	t.Helper()
	list := `SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'portal%' OR table_name LIKE 'roster%'`
	switch db.engine.dialect {
	case sqlstore.SQLite:
		list = `SELECT name FROM sqlite_master WHERE type = 'table'`
	case sqlstore.MySQL:
		list = `SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()`
	}
	kept := make(map[string]string)
	for _, row := range rowsOf(t, db, list) {
		table := fmt.Sprintf("%s", row[0])
		for _, row := range rowsOf(t, db, "SELECT * FROM "+table) {
			kept[table] += fmt.Sprintf("%s\n", row)
		}
	}
	return kept
}

func rowsOf(t *testing.T, db *database, statement string) (all [][]any) {
	t.Helper()
	rows, err := db.query(t.Context(), statement)
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		row, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			targets[i] = &row[i]
		}
		require.NoError(t, rows.Scan(targets...))
		all = append(all, row)
	}
	require.NoError(t, rows.Err())
	return all
}

// together calls fn from many goroutines at once, and returns what came of it.
func together(count int, fn func(number int) error) []error {
	results, start := make([]error, count), make(chan struct{})
	var group sync.WaitGroup
	for number := range count {
		group.Go(func() {
			<-start
			results[number] = fn(number)
		})
	}
	close(start)
	group.Wait()
	return results
}

// requireOnly checks that so many of the results are successes, and all others a certain error.
func requireOnly(t *testing.T, successes int, other error, results []error) {
	t.Helper()
	count := 0
	for _, err := range results {
		if err == nil {
			count++
			continue
		}
		require.ErrorIs(t, err, other)
	}
	require.Equal(t, successes, count)
}

func newPerson(t *testing.T, id, address string) person {
	t.Helper()
	parsed, err := access.ParseAddress(address)
	require.NoError(t, err)
	return person{ID: id, Address: parsed, Name: "Änn 🌊 O'Hara", SecondFactor: true}
}

func TestAddressesAreUnique(t *testing.T) {
	onEachEngine(t, func(t *testing.T, source string) {
		directory := people{newDatabaseOn(t, source)}
		empty, err := directory.empty(t.Context())
		require.NoError(t, err)
		require.True(t, empty)

		results := together(20, func(number int) error {
			address := []string{"ann@example.com", "Ann@Example.com"}[number%2]
			return directory.add(t.Context(), newPerson(t, "id"+strconv.Itoa(number), address), "a hash")
		})
		requireOnly(t, 1, errAddressTaken, results)

		who, err := directory.byAddress(t.Context(), newPerson(t, "", "ANN@example.com").Address)
		require.NoError(t, err)
		require.Equal(t, "Änn 🌊 O'Hara", who.Name)
		require.Equal(t, "a hash", who.passwordHash)
		require.True(t, who.SecondFactor)
		require.False(t, who.Verified)
		require.Zero(t, who.LastSignIn)
		empty, err = directory.empty(t.Context())
		require.NoError(t, err)
		require.False(t, empty)
	})
}

func TestPeopleAreFoundByteForByte(t *testing.T) {
	onEachEngine(t, func(t *testing.T, source string) {
		directory := people{newDatabaseOn(t, source)}
		for number, id := range []string{"ann", "Ann", "änn", "ann "} {
			require.NoError(t, directory.add(t.Context(), newPerson(t, id, "ann"+strconv.Itoa(number)+"@example.com"), "a hash"), "%q", id)
		}
		require.NoError(t, directory.verified(t.Context(), "Ann"))
		require.NoError(t, directory.signedIn(t.Context(), "Ann", accesstest.Epoch))
		for id, changed := range map[string]bool{"ann": false, "Ann": true, "änn": false, "ann ": false} {
			who, err := directory.byID(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, id, who.ID)
			require.Equal(t, changed, who.Verified, id)
			require.Equal(t, changed, who.LastSignIn.Equal(accesstest.Epoch), id)
		}
		_, err := directory.byID(t.Context(), "ANN")
		require.ErrorIs(t, err, errNoPerson)
	})
}

func TestResetLinkIsUsedOnce(t *testing.T) {
	onEachEngine(t, func(t *testing.T, source string) {
		db := newDatabaseOn(t, source)
		directory, links := people{db}, resets{db}
		require.NoError(t, directory.add(t.Context(), newPerson(t, "ann", "ann@example.com"), "a hash"))
		token, err := links.create(t.Context(), "ann", accesstest.Epoch)
		require.NoError(t, err)

		results := together(10, func(number int) error {
			return links.use(t.Context(), token, testPassword+strconv.Itoa(number), accesstest.Epoch)
		})
		requireOnly(t, 1, errResetLink, results)
		who, err := directory.byID(t.Context(), "ann")
		require.NoError(t, err)
		require.Equal(t, 1, who.Generation)
		require.True(t, who.Verified)
		for number, result := range results {
			same, err := samePassword(who.passwordHash, testPassword+strconv.Itoa(number))
			require.NoError(t, err)
			require.Equal(t, result == nil, same)
		}
	})
}

func TestOneResetLinkIsLeft(t *testing.T) {
	onEachEngine(t, func(t *testing.T, source string) {
		db := newDatabaseOn(t, source)
		links := resets{db}
		for _, id := range []string{"ann", "bob"} {
			require.NoError(t, people{db}.add(t.Context(), newPerson(t, id, id+"@example.com"), "a hash"))
		}
		of := func(number int) string { return []string{"ann", "bob"}[number%2] }
		tokens := make([]string, 20)
		for _, err := range together(len(tokens), func(number int) (err error) {
			tokens[number], err = links.create(t.Context(), of(number), accesstest.Epoch)
			return err
		}) {
			require.NoError(t, err)
		}
		var owners []string
		for number, token := range tokens {
			owner, err := links.owner(t.Context(), token, accesstest.Epoch)
			if !errors.Is(err, errResetLink) {
				require.NoError(t, err)
				require.Equal(t, of(number), owner)
				owners = append(owners, owner)
			}
		}
		require.ElementsMatch(t, []string{"ann", "bob"}, owners)

		later := accesstest.Epoch.Add(resetLifetime)
		for _, token := range tokens {
			require.ErrorIs(t, links.use(t.Context(), token, testPassword, later), errResetLink)
		}
	})
}

func TestAttemptsAreCountedTogether(t *testing.T) {
	onEachEngine(t, func(t *testing.T, source string) {
		tried := attempts{newDatabaseOn(t, source)}
		begin := func(address string, now time.Time) func(int) error {
			return func(int) error { return tried.begin(t.Context(), attemptSignIn, address, now) }
		}
		for round := range 5 {
			address := "carl" + strconv.Itoa(round) + "@example.com"
			requireOnly(t, attemptLimit, nil, together(attemptLimit, begin(address, accesstest.Epoch)))
		}
		requireOnly(t, attemptLimit, errTooManyAttempts, together(3*attemptLimit, begin("ann@example.com", accesstest.Epoch)))
		require.NoError(t, begin("bob@example.com", accesstest.Epoch)(0), "another address")
		require.NoError(t, tried.begin(t.Context(), attemptReset, "ann@example.com", accesstest.Epoch), "another purpose")
		almost := accesstest.Epoch.Add(attemptWindow - time.Microsecond)
		require.ErrorIs(t, begin("ann@example.com", almost)(0), errTooManyAttempts)

		later := accesstest.Epoch.Add(attemptWindow)
		requireOnly(t, attemptLimit, errTooManyAttempts, together(3*attemptLimit, begin("ann@example.com", later)))
		require.NoError(t, tried.forget(t.Context(), attemptSignIn, "ann@example.com"))
		require.NoError(t, begin("ann@example.com", later)(0))
	})
}

func TestSessionsAreKept(t *testing.T) {
	onEachEngine(t, func(t *testing.T, source string) {
		store := sessionStore{newDatabaseOn(t, source)}
		_, found, err := store.FindCtx(t.Context(), "token")
		require.NoError(t, err)
		require.False(t, found)

		hour := time.Now().Add(time.Hour)
		for _, err := range together(10, func(number int) error {
			return store.CommitCtx(t.Context(), "token", []byte{0, 0xff, byte(number)}, hour)
		}) {
			require.NoError(t, err)
		}
		require.NoError(t, store.CommitCtx(t.Context(), "token", []byte{0, 0xff, '\n'}, hour))
		require.NoError(t, store.CommitCtx(t.Context(), "Token", []byte("another"), hour))
		data, found, err := store.FindCtx(t.Context(), "token")
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, []byte{0, 0xff, '\n'}, data)

		require.NoError(t, store.CommitCtx(t.Context(), "token", data, time.Now().Add(-time.Second)))
		_, found, err = store.FindCtx(t.Context(), "token")
		require.NoError(t, err)
		require.False(t, found, "it is over")
		require.NoError(t, store.DeleteCtx(t.Context(), "Token"))
		_, found, err = store.FindCtx(t.Context(), "Token")
		require.NoError(t, err)
		require.False(t, found)
		require.NoError(t, store.DeleteCtx(t.Context(), "nobody's"))
	})
}

func TestProductsAreNumbered(t *testing.T) {
	onEachEngine(t, func(t *testing.T, source string) {
		shelf := products{newDatabaseOn(t, source)}
		for _, err := range together(20, func(number int) error {
			return shelf.add(t.Context(), "acme", kindOrder, product{Name: "Größe " + strconv.Itoa(number), State: "received"})
		}) {
			require.NoError(t, err)
		}
		require.NoError(t, shelf.add(t.Context(), "Acme", kindOrder, product{Name: "another account's"}))
		found, err := shelf.list(t.Context(), "acme", kindOrder)
		require.NoError(t, err)
		require.Len(t, found, 20)
		for index, one := range found {
			require.Equal(t, "O-"+strconv.Itoa(1020-index), one.ID)
		}
		require.NoError(t, shelf.change(t.Context(), "acme", kindOrder, "O-1001", "received", ""), "a change to what it was already")
		require.ErrorIs(t, shelf.change(t.Context(), "acme", kindOrder, "o-1001", "paid", ""), errNotFound)
		for _, id := range []string{"o-1001", "O-1001 ", "O-1001\x00", "\xff", strings.Repeat("O", 1000)} {
			_, err := shelf.find(t.Context(), "acme", kindOrder, id)
			require.ErrorIs(t, err, errNotFound, "%q", id)
		}
	})
}

func TestSignInOnEachEngine(t *testing.T) {
	onEachEngine(t, func(t *testing.T, source string) {
		s := newSiteOn(t, source)
		s.addAccount(t, "acme", "Acme", s.addPerson(t, "Ann@example.com", "Ann Archer"))
		browser := s.browser(t)
		wrong := url.Values{"address": {"ann@example.com"}, "password": {"not the password"}}
		require.Equal(t, http.StatusUnauthorized, browser.post("/sign-in", wrong).status)
		page := browser.signIn("ANN@example.com", testPassword)
		require.Contains(t, page.text(), "Ann Archer")
		require.Equal(t, http.StatusNotFound, browser.get("/accounts/acme/services/%00/passwords").status)
		page = page.follow("Order").submit("Place Order", url.Values{"plan": {"Managed WordPress"}})
		require.Contains(t, page.text(), "O-1001")

		browser.post("/forgotten-password", url.Values{"address": {"ann@example.com"}})
		link := s.linkTo(t, "Ann@example.com")
		page = s.browser(t).get(link).submit("Save the new password",
			url.Values{"password": {"correct horse battery"}, "repeat": {"correct horse battery"}})
		require.Contains(t, page.text(), "Your new password is set.")
		require.Equal(t, "/sign-in", browser.get("/").path, "the new password ends earlier sessions")
		page = browser.signIn("ann@example.com", "correct horse battery")
		page.submit("Sign out", nil)
		require.Equal(t, "/sign-in", browser.get("/").path)

		for range attemptLimit {
			browser.post("/sign-in", wrong)
		}
		require.Equal(t, http.StatusTooManyRequests, browser.post("/sign-in", wrong).status)
		require.NotContains(t, s.logged.String(), "level=ERROR")
	})
}

func TestErrorsOfADatabaseHoldNoPassword(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, nobody.Close()) // Nobody listens there any more.
	at := nobody.Addr().String()
	for source, problem := range map[string]string{
		"postgres://user:secret@" + at + "/name":                   "connection refused",
		"postgres://user:secret@/name?host=/missing/folder":        "no such file or directory",
		"postgres://user:secret@localhost:1,localhost:2/name":      "connection refused",
		"mysql://user:secret@" + at + "/name":                      "connection refused",
		"mysql://user:secret@/name?socket=/missing/folder/socket":  "no such file or directory",
		"mysql://user:secret@" + at + "/name?tls=skip-verify":      "connection refused",
		"postgres://user:secret@" + at + "/name?sslmode=require":   "connection refused",
		"postgresql://user:secret%40%2f@" + at + "/name":           "connection refused",
		"postgres://user:secret@" + at + "/name?connect_timeout=1": "connection refused",
	} {
		_, err := openDatabase(t.Context(), source)
		require.ErrorContains(t, err, "can't use the database that -db names")
		require.ErrorContains(t, err, problem)
		require.NotContains(t, err.Error(), "secret")
		require.NotContains(t, err.Error(), "user")
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestRefusalsOfAServerNameNobody(t *testing.T) {
	for _, engine := range []string{"postgres", "mysql"} {
		t.Run(engine, func(t *testing.T) {
			server, err := url.Parse(freshSource(t, engine))
			require.NoError(t, err)
			missing := *server
			missing.Path = "/no_such_database"
			_, err = openDatabase(t.Context(), missing.String())
			code := map[string]string{"postgres": "SQLSTATE 3D000", "mysql": "error 1049"}[engine]
			require.EqualError(t, err,
				"can't use the database that -db names: no connection: the server has no such database ("+code+")")

			stranger := *server
			stranger.User = url.UserPassword("roster_stranger", "hunter2")
			_, err = openDatabase(t.Context(), stranger.String())
			code = map[string]string{"postgres": "SQLSTATE 28", "mysql": "error 1"}[engine]
			require.ErrorContains(t, err,
				"can't use the database that -db names: no connection: the server refused the user or the password ("+code)
			require.NotContains(t, err.Error(), "roster_stranger")
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestConnectErrorsNameNobody(t *testing.T) {
	secrets := "user@host.example/name"
	for reason, cause := range map[string]error{
		"the server refused the user or the password (SQLSTATE 28000)":        &pgconn.PgError{Code: "28000", Message: secrets},
		"the server doesn't let this user into the database (SQLSTATE 42501)": &pgconn.PgError{Code: "42501", Message: secrets},
		"the server has too many connections (SQLSTATE 53300)":                &pgconn.PgError{Code: "53300", Message: secrets},
		"the server is starting or stopping (SQLSTATE 57P03)":                 &pgconn.PgError{Code: "57P03", Message: secrets},
		"the server refused (SQLSTATE 55000)":                                 &pgconn.PgError{Code: "55000", Message: secrets},
		"the server refused the user or the password (error 1045)":            &mysql.MySQLError{Number: 1045, Message: secrets},
		"the server doesn't let this user into the database (error 1044)":     &mysql.MySQLError{Number: 1044, Message: secrets},
		"the server accepts nobody from here (error 1130)":                    &mysql.MySQLError{Number: 1130, Message: secrets},
		"the server has too many connections (error 1203)":                    &mysql.MySQLError{Number: 1203, Message: secrets},
		"the server is starting or stopping (error 1053)":                     &mysql.MySQLError{Number: 1053, Message: secrets},
		"the server refused (error 1105)":                                     &mysql.MySQLError{Number: 1105, Message: secrets},
		"no such host":                                                        &net.DNSError{Err: "no such host", Name: secrets, Server: secrets},
		"the server's certificate can't be trusted":                           &tls.CertificateVerificationError{Err: errors.New(secrets)},
	} {
		err := connectError{fmt.Errorf("%s: %w", secrets, cause)}
		require.EqualError(t, err, "no connection: "+reason)
		require.ErrorIs(t, err, cause)
	}
}

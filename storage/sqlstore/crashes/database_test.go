package crashes_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/sqlstore"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// servers are those of this package, which bring each commit to the disk before they answer: what is killed here is to
// show what crashes leave. Each is started by the first test that needs it.
var servers struct {
	postgres, mysql durableServer
}

type durableServer struct {
	once   sync.Once
	server *servertest.Server
	err    error
}

// durable returns the server of an engine, or skips the test where there is none. If the environment names one, it is
// that one, whatever its settings.
func durable(t testing.TB, engine string) *servertest.Server {
	t.Helper()
	shared, start, s := servertest.Postgres, servertest.StartPostgres, &servers.postgres
	if engine == "mysql" {
		shared, start, s = servertest.MySQL, servertest.StartMySQL, &servers.mysql
	}
	if os.Getenv(serverVariable(engine)) != "" {
		return shared(t)
	}
	s.once.Do(func() { s.server, s.err = start(servertest.Options{Durable: true}) })
	if errors.Is(s.err, exec.ErrNotFound) {
		return shared(t) // which skips
	}
	require.NoError(t, s.err)
	return s.server
}

// serverVariable names, in the environment, a server to test on.
func serverVariable(engine string) string { return "ROSTER_TEST_" + strings.ToUpper(engine) }

func stopServers() {
	for _, s := range []*servertest.Server{servers.postgres.server, servers.mysql.server} {
		if s != nil {
			s.Stop()
		}
	}
	servertest.Stop()
}

// A database is one that several processes open.
type database struct {
	servertest.Database
	server *servertest.Server // nil for SQLite, and in a child
}

// fresh returns a database with roster's tables, gone with the test.
func fresh(t testing.TB, engine string) database {
	t.Helper()
	var d database
	if engine == "sqlite" {
		d.Database = servertest.Fresh(t, engine) // which is durable
	} else {
		d.server = durable(t, engine)
		d.Database = servertest.Database{Engine: engine, Driver: d.server.Driver(), Source: d.server.Database(t)}
	}
	d.migrate(t)
	return d
}

func (d database) migrate(t testing.TB) {
	t.Helper()
	handle, err := sql.Open(d.Driver, d.Source)
	require.NoError(t, err)
	defer handle.Close()
	require.NoError(t, d.on(handle).Migrate(t.Context()))
}

// on returns roster's data behind a handle.
func (d database) on(handle *sql.DB) *sqlstore.DB {
	return sqlstore.New(handle, processtest.Dialect(d.Engine), sqlstore.Config{})
}

// through opens the database with hooks between database/sql and the driver.
func (d database) through(hooks *hooks) (*sql.DB, error) {
	plain, err := sql.Open(d.Driver, d.Source)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	connector := driver.Connector(source{plain.Driver(), d.Source})
	if opener, ok := plain.Driver().(driver.DriverContext); ok {
		if connector, err = opener.OpenConnector(d.Source); err != nil {
			return nil, err
		}
	}
	return sql.OpenDB(hooked{connector, hooks}), nil
}

// A source connects with a driver that has no connectors.
type source struct {
	driver driver.Driver
	name   string
}

func (s source) Connect(context.Context) (driver.Conn, error) { return s.driver.Open(s.name) }

func (s source) Driver() driver.Driver { return s.driver }

// awaitRest waits until nobody is connected to the database.
func (d database) awaitRest(t testing.TB) {
	t.Helper()
	handle, err := sql.Open(d.Driver, d.Source)
	require.NoError(t, err)
	defer handle.Close()
	require.NoError(t, d.atRest(t.Context(), handle))
}

// atRest waits until nobody is connected to the database but the handle, by one connection: a server may take a moment to
// notice that a client was killed, and ends what the client had begun only then.
func (d database) atRest(ctx context.Context, handle *sql.DB) error {
	var others string
	switch d.Engine {
	case "postgres":
		others = `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
	case "mysql":
		others = `SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()`
	default:
		return nil // the kernel releases a dead process's locks before anybody hears of its death
	}
	handle.SetMaxOpenConns(1)
	for patience := time.Now().Add(20 * time.Second); ; {
		var n int
		if err := handle.QueryRowContext(ctx, others).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		if time.Now().After(patience) {
			return fmt.Errorf("%d connections of dead processes are still there", n)
		}
		time.Sleep(2 * time.Millisecond) // a server doesn't tell
	}
}

// open opens the database and closes it again, for what fn does in between.
func (d database) open(t testing.TB, fn func(storage.DB)) {
	t.Helper()
	handle, err := sql.Open(d.Driver, d.Source)
	require.NoError(t, err)
	db := d.on(handle)
	fn(db)
	require.NoError(t, db.Close())
	require.NoError(t, handle.Close())
}

package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/storage/sqlstore"
)

// postgresVariable names, in the environment, the data source of a server to test on. Its role must be allowed to make
// databases. Without it, a server is started from the programs on this machine.
const postgresVariable = "ROSTER_TEST_POSTGRES"

// A postgresServer makes fresh databases.
type postgresServer struct {
	source   string // of the database from which others are made
	template string // the name of a database that was migrated
	stop     func()
}

// servers are those that the tests of this process share. A server is started by the first test that needs it.
var servers struct {
	postgres     *postgresServer
	postgresOnce sync.Once
	postgresErr  error
}

// postgres returns the server, or skips the test where there is none.
func postgres(t testing.TB) *postgresServer {
	t.Helper()
	servers.postgresOnce.Do(func() { servers.postgres, servers.postgresErr = startPostgres() })
	if os.IsNotExist(servers.postgresErr) && os.Getenv("ROSTER_TEST_ALL") == "" {
		t.Skipf("there are no programs of PostgreSQL here (%v): install them, or set %s", servers.postgresErr, postgresVariable)
	}
	require.NoError(t, servers.postgresErr)
	return servers.postgres
}

// stopServers ends what postgres started.
func stopServers() {
	if servers.postgres != nil {
		servers.postgres.stop()
	}
}

// startPostgres returns the server of the environment, or one that it starts.
func startPostgres() (*postgresServer, error) {
	server := &postgresServer{source: os.Getenv(postgresVariable), stop: func() {}}
	if server.source == "" {
		if err := server.start(); err != nil {
			server.stop()
			return nil, err
		}
	}
	end := server.stop
	server.template = "roster_test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	server.stop = func() {
		_ = server.administer("DROP DATABASE IF EXISTS " + server.template)
		end()
	}
	if err := server.prepareTemplate(); err != nil {
		server.stop()
		return nil, err
	}
	return server, nil
}

// prepareTemplate makes a database that was migrated, of which the tests get copies.
func (s *postgresServer) prepareTemplate() error {
	if err := s.administer("CREATE DATABASE " + s.template + " ENCODING 'UTF8' TEMPLATE template0"); err != nil {
		return err
	}
	handle, err := s.open(s.template)
	if err != nil {
		return err
	}
	defer handle.Close()
	return sqlstore.New(handle, sqlstore.Postgres, sqlstore.Config{}).Migrate(context.Background())
}

// start starts a server in a temporary directory, which can be reached by a socket in there.
func (s *postgresServer) start() (err error) {
	initdb, err := postgresProgram("initdb")
	if err != nil {
		return err
	}
	program, err := postgresProgram("postgres")
	if err != nil {
		return err
	}
	attributes, owner, err := unprivileged()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "roster-postgres-")
	if err != nil {
		return err
	}
	s.stop = func() { os.RemoveAll(folder) }
	if err := os.Chown(folder, owner, -1); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	command := func(program string, args ...string) *exec.Cmd {
		command := exec.Command(program, args...)
		command.Dir, command.SysProcAttr, command.Stdout, command.Stderr = folder, attributes, log, log
		return command
	}
	output := func(err error) error {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%w\n%s", err, text)
	}
	data := filepath.Join(folder, "data")
	initialize := []string{"-D", data, "-U", "roster", "-A", "trust", "-E", "UTF8", "--no-sync"}
	// In a language, so that texts sort otherwise than by their bytes wherever a column doesn't say that they must.
	if command(initdb, append(initialize, "--locale=C", "--locale-provider=icu", "--icu-locale=en")...).Run() != nil {
		if err := command(initdb, append(initialize, "--locale=C")...).Run(); err != nil {
			return output(err)
		}
	}
	process := command(program, "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "full_page_writes=off", "-c", "max_connections=300", "-c", "deadlock_timeout=50ms", "-c", "timezone=Asia/Tokyo")
	if err := process.Start(); err != nil {
		return output(err)
	}
	s.stop = func() {
		_ = process.Process.Signal(syscall.SIGQUIT) // at once: nobody wants the data
		_ = process.Wait()
		os.RemoveAll(folder)
	}
	s.source = "host=" + folder + " user=roster dbname=postgres sslmode=disable"
	for patience := time.Now().Add(time.Minute); ; {
		err := s.administer("SELECT 1")
		if err == nil {
			return nil
		}
		if time.Now().After(patience) {
			return output(err)
		}
		time.Sleep(20 * time.Millisecond) // a server doesn't tell when it is ready
	}
}

// postgresProgram finds a program of the newest PostgreSQL on this machine.
func postgresProgram(name string) (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		version := func(path string) int {
			n, _ := strconv.Atoi(strings.Split(path, "/")[4])
			return n
		}
		return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, os.ErrNotExist)
	}
	return path, nil
}

// unprivileged returns how to start a process that is ended with this one, and the user that it runs as: another one if
// this is root, as which PostgreSQL doesn't run.
func unprivileged() (*syscall.SysProcAttr, int, error) {
	attributes := endedWithThis()
	if os.Getuid() != 0 {
		return attributes, os.Getuid(), nil
	}
	somebody, err := user.Lookup("postgres")
	if err != nil {
		if somebody, err = user.Lookup("nobody"); err != nil {
			return nil, 0, err
		}
	}
	uid, err := strconv.ParseUint(somebody.Uid, 10, 32)
	if err != nil {
		return nil, 0, err
	}
	gid, err := strconv.ParseUint(somebody.Gid, 10, 32)
	if err != nil {
		return nil, 0, err
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attributes, int(uid), nil
}

// config is the data source of one of the server's databases.
func (s *postgresServer) config(database string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(s.source)
	if err == nil && database != "" {
		config.Database = database
	}
	return config, err
}

// open opens one of the server's databases.
func (s *postgresServer) open(database string) (*sql.DB, error) {
	config, err := s.config(database)
	if err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*config), nil
}

// connect returns how to connect to a database that was migrated.
func (s *postgresServer) connect(t testing.TB) func(context.Context) (driver.Conn, error) {
	t.Helper()
	config, err := s.config(s.newDatabase(t, "TEMPLATE "+s.template))
	require.NoError(t, err)
	return stdlib.GetConnector(*config).Connect
}

// hasICU reports whether databases of this server choose where their locales come from.
func (s *postgresServer) hasICU(t testing.TB) bool {
	t.Helper()
	handle := s.handle(t, "")
	return value(t, handle, `SELECT current_setting('server_version_num')::integer >= 150000`) == "true"
}

// administer runs a statement outside the databases of the tests.
func (s *postgresServer) administer(statement string) error {
	handle, err := s.open("")
	if err != nil {
		return err
	}
	defer handle.Close()
	_, err = handle.Exec(statement)
	return err
}

// newDatabase makes a database, with what is given behind its name, for as long as a test runs.
func (s *postgresServer) newDatabase(t testing.TB, options string) string {
	t.Helper()
	name := "roster_test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	require.NoError(t, s.administer("CREATE DATABASE "+name+" "+options))
	t.Cleanup(func() { require.NoError(t, s.administer("DROP DATABASE "+name+" WITH (FORCE)")) })
	return name
}

// empty returns a handle to a database in which nothing is.
func (s *postgresServer) empty(t testing.TB) *sql.DB {
	t.Helper()
	return s.handle(t, s.newDatabase(t, "ENCODING 'UTF8' TEMPLATE template0"))
}

// migrated returns a handle to a database that was migrated.
func (s *postgresServer) migrated(t testing.TB) *sql.DB {
	t.Helper()
	return s.handle(t, s.newDatabase(t, "TEMPLATE "+s.template))
}

func (s *postgresServer) handle(t testing.TB, database string) *sql.DB {
	t.Helper()
	handle, err := s.open(database)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, handle.Close()) })
	return handle
}

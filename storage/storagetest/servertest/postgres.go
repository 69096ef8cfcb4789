package servertest

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // The driver "pgx".
)

// StartPostgres starts a PostgreSQL server of one's own, that the caller stops. The error is exec.ErrNotFound where its
// programs aren't installed.
func StartPostgres(o Options) (*Server, error) {
	initdb, err := postgresProgram("initdb")
	if err != nil {
		return nil, err
	}
	program, err := postgresProgram("postgres")
	if err != nil {
		return nil, err
	}
	home, err := newHome("postgres")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(home.folder, "data")
	s := &Server{
		engine: postgresEngine{},
		source: "host=" + home.folder + " port=5432 user=roster dbname=postgres sslmode=disable",

		home:      home,
		program:   program,
		arguments: []string{"-D", data, "-k", home.folder},
		leftovers: []string{"data/postmaster.pid", ".s.PGSQL.5432", ".s.PGSQL.5432.lock"},
	}
	durable := "off"
	if o.Durable {
		durable = "on"
	}
	for _, setting := range []string{
		"listen_addresses=", "port=5432", "max_connections=300", "deadlock_timeout=50ms", "timezone=Asia/Tokyo",
		"fsync=" + durable, "full_page_writes=" + durable,
		"dynamic_shared_memory_type=mmap", // in the folder, with which it goes after a crash
	} {
		s.arguments = append(s.arguments, "-c", setting)
	}
	initialize := []string{"-D", data, "-U", "roster", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"}
	// In a language, so that texts sort otherwise than by their bytes wherever a column doesn't say that they must. Before
	// PostgreSQL 15 that depends on the locales of the machine.
	err = home.run(initdb, append(initialize, "--locale-provider=icu", "--icu-locale=en")...)
	if err != nil {
		err = home.run(initdb, initialize...)
	}
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// postgresProgram finds a program of the newest PostgreSQL on this machine.
func postgresProgram(name string) (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return findProgram(name)
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4])
		return n
	}
	return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
}

type postgresEngine struct{}

func (postgresEngine) driver() string { return "pgx" }

func (postgresEngine) within(source, database string) (string, error) {
	if _, err := pgx.ParseConfig(source); err != nil {
		return "", err // without the password
	}
	if database == "" {
		return source, nil
	}
	if !strings.HasPrefix(source, "postgres://") && !strings.HasPrefix(source, "postgresql://") {
		return source + " dbname=" + database, nil // the last one counts
	}
	address, err := url.Parse(source)
	if err != nil {
		return "", errors.New("servertest: the data source is no URL") // err would show it
	}
	query := address.Query()
	query.Del("dbname")
	query.Del("database")
	address.Path, address.RawQuery = "/"+database, query.Encode()
	return address.String(), nil
}

func (postgresEngine) create(database string) string {
	return "CREATE DATABASE " + database + " ENCODING 'UTF8' TEMPLATE template0"
}

func (postgresEngine) drop(database string) string {
	return "DROP DATABASE " + database + " WITH (FORCE)"
}

func (postgresEngine) version(ctx context.Context, handle *sql.DB) (string, error) {
	var version string
	err := handle.QueryRowContext(ctx, "SHOW server_version").Scan(&version)
	version, _, _ = strings.Cut(version, " ")
	return "PostgreSQL " + version, err
}

// shutdown has the server end its connections and leave the rest to recovery.
func (postgresEngine) shutdown() syscall.Signal { return syscall.SIGQUIT }

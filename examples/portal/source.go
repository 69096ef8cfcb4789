package main

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// A source is a database that the setting -db names. The setting may hold a password, so that no error repeats it, or
// the text of a driver that may.
type source struct {
	engine engine
	open   func() (*sql.DB, error)
	file   string // Of SQLite.
}

// keyFile is where the key for links is by default.
func (s source) keyFile() string {
	if s.file != "" {
		return s.file + ".key"
	}
	return "portal.key"
}

// The forms of the setting.
const (
	sqliteForm   = "sqlite:FILE"
	postgresForm = "postgres://USER:PASSWORD@HOST:PORT/NAME"
	mysqlForm    = "mysql://USER:PASSWORD@HOST:PORT/NAME"
)

const (
	serverConnections = 16               // That one portal keeps: a server may have a hundred for all.
	serverPatience    = 10 * time.Second // For a server that doesn't answer when a connection is made.
	serverIdle        = time.Minute      // After which servers and what is on the way to them may have hung up.
)

// parseSource reads the setting. What can't be used is a usageError.
func parseSource(value string) (source, error) {
	scheme, rest, _ := strings.Cut(value, ":")
	switch {
	case rest == "":
		return source{}, usageError{"-db: the value must look like " + sqliteForm + ", " + postgresForm + " or " + mysqlForm}
	case scheme == "sqlite":
		return sqliteSource(rest)
	case scheme == "postgres" || scheme == "postgresql":
		return postgresSource(value)
	case scheme == "mysql":
		return mysqlSource(value)
	}
	return source{}, usageError{"-db: this portal knows the databases " + sqliteForm + ", " + postgresForm + " and " + mysqlForm}
}

func sqliteSource(file string) (source, error) {
	if strings.HasPrefix(file, ":") {
		return source{}, usageError{"-db: sqlite: needs the name of a file"}
	}
	options := url.Values{
		// An immediate transaction takes the write lock, and so fails on a file that is only readable.
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"},
	}
	name := "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + options.Encode()
	return source{engine: onSQLite(), file: file, open: func() (*sql.DB, error) { return sql.Open("sqlite", name) }}, nil
}

// postgresSource leaves the reading to the driver, which knows many settings, and the variables PGPASSWORD and the like.
func postgresSource(value string) (source, error) {
	if _, err := parseServer(value, postgresForm); err != nil {
		return source{}, err
	}
	config, err := pgx.ParseConfig(value)
	if err != nil {
		return source{}, usageError{"-db: the value has a setting that PostgreSQL's driver can't use"}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = serverPatience
	}
	return serverSource(onPostgres(), stdlib.GetConnector(*config)), nil
}

// mysqlSource reads a URL, as of which the driver knows nothing: ?tls=true as the driver has it, and ?socket=/path
// instead of host and port.
func mysqlSource(value string) (source, error) {
	server, err := parseServer(value, mysqlForm)
	if err != nil {
		return source{}, err
	}
	config := mysql.NewConfig()
	config.User = server.User.Username()
	config.Passwd, _ = server.User.Password()
	config.DBName = strings.TrimPrefix(server.Path, "/")
	config.ClientFoundRows = true // The library counts the rows that a statement found.
	config.Timeout = serverPatience
	config.Logger = &mysql.NopLogger{}
	if err := config.Apply(mysql.Charset("utf8mb4", "")); err != nil {
		return source{}, err
	}
	port := server.Port()
	if port == "" {
		port = "3306"
	}
	config.Net, config.Addr = "tcp", net.JoinHostPort(server.Hostname(), port)
	for name, values := range server.Query() {
		switch name {
		case "socket":
			config.Net, config.Addr = "unix", values[0]
		case "tls":
			config.TLSConfig = values[0]
		default:
			return source{}, usageError{"-db: a mysql: URL has no settings but socket and tls"}
		}
	}
	if config.DBName == "" || config.Net == "tcp" && server.Hostname() == "" {
		return source{}, usageError{"-db: a mysql: URL needs a host or ?socket=, and the name of a database: " + mysqlForm}
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return source{}, usageError{"-db: the value has a setting that MySQL's driver can't use"}
	}
	return serverSource(onMySQL(), connector), nil
}

// parseServer reads the URL of a server. A password with special characters ends too early if it isn't escaped, and its
// rest would be taken for a host or a name, and shown: there may be no @ after the host.
func parseServer(value, form string) (*url.URL, error) {
	server, err := url.Parse(value)
	_, rest, isURL := strings.Cut(value, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 && strings.Contains(rest[end:], "@") {
		isURL = false
	}
	if err != nil || !isURL || server.Fragment != "" {
		return nil, usageError{"-db: the value must look like " + form + ", with special characters of the password as %40 and the like"}
	}
	return server, nil
}

// serverSource is a source that connects by a driver.
func serverSource(engine engine, driver driver.Connector) source {
	return source{engine: engine, open: func() (*sql.DB, error) {
		handle := sql.OpenDB(connector{driver})
		handle.SetMaxOpenConns(serverConnections)
		handle.SetMaxIdleConns(serverConnections)
		handle.SetConnMaxIdleTime(serverIdle)
		return handle, nil
	}}
}

// openDatabase opens the database that -db names, creates the host's tables where they are missing, and makes sure that
// it can be written. It creates an SQLite file.
func openDatabase(ctx context.Context, value string) (*database, error) {
	source, err := parseSource(value)
	if err != nil {
		return nil, err
	}
	handle, err := source.open()
	if err != nil {
		return nil, err
	}
	db, err := newDatabase(ctx, handle, source.engine)
	if err == nil {
		return db, nil
	}
	handle.Close()
	if source.file != "" {
		return nil, fmt.Errorf("can't create or write the database file %s: %w", source.file, err)
	}
	return nil, fmt.Errorf("can't use the database that -db names: %w", err)
}

// A connector makes connections, and errors that don't repeat who wanted to connect where: a connectError.
type connector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, connectError{err}
	}
	return conn, nil
}

// A connectError is why there is no connection, in words that name no user, host or database. What servers and drivers
// say often does.
type connectError struct{ cause error }

func (e connectError) Error() string { return "no connection: " + e.reason() }

func (e connectError) Unwrap() error { return e.cause }

func (e connectError) reason() string {
	if refused, ok := errors.AsType[*pgconn.PgError](e.cause); ok {
		return postgresRefusal(refused.Code) + " (SQLSTATE " + refused.Code + ")"
	}
	if refused, ok := errors.AsType[*mysql.MySQLError](e.cause); ok {
		return fmt.Sprintf("%s (error %d)", mysqlRefusal(refused.Number), refused.Number)
	}
	if failed, ok := errors.AsType[*net.DNSError](e.cause); ok {
		return failed.Err
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](e.cause); ok {
		return "the server's certificate can't be trusted"
	}
	return rootCause(e.cause).Error()
}

// What servers refuse.
const (
	refusedAuthentication = "the server refused the user or the password"
	refusedDatabase       = "the server doesn't let this user into the database"
	unknownDatabase       = "the server has no such database"
	refusedHost           = "the server accepts nobody from here"
	tooManyConnections    = "the server has too many connections"
	notReady              = "the server is starting or stopping"
	refusedOtherwise      = "the server refused"
)

func postgresRefusal(code string) string {
	switch code {
	case "28P01", "28000": // A wrong password; no such role, or no entry in pg_hba.conf.
		return refusedAuthentication
	case "42501":
		return refusedDatabase
	case "3D000":
		return unknownDatabase
	case "53300":
		return tooManyConnections
	case "57P01", "57P02", "57P03":
		return notReady
	}
	return refusedOtherwise
}

func mysqlRefusal(number uint16) string {
	switch number {
	case 1045, 1698: // A wrong password or no such user; a user who can't have one.
		return refusedAuthentication
	case 1044:
		return refusedDatabase
	case 1049:
		return unknownDatabase
	case 1129, 1130: // A host with too many errors; a host that nobody may come from.
		return refusedHost
	case 1040, 1203, 1226: // Of all, of this user, and by what this user was given.
		return tooManyConnections
	case 1053:
		return notReady
	}
	return refusedOtherwise
}

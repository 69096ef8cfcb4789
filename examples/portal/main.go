// Command portal is a client portal built on roster: the host's side of the library, for real.
// It owns what the library leaves to the host (logins, sessions, passwords, pages) and asks the
// library for the rest: who may do what, who is invited, who hears about what.
//
// Run it with
//
//	go run ./examples/portal
//
// It creates its SQLite file, fills it with demo data on the first start, and prints the address
// and the demo logins. With a database on a server, which has to be there and may be empty, it is
//
//	go run ./examples/portal -db postgres://USER:PASSWORD@HOST:PORT/NAME
//	go run ./examples/portal -db mysql://USER:PASSWORD@HOST:PORT/NAME
//
// and behaves the same. Give the value in the environment variable PORTAL_DB to keep the password
// out of lists of processes, with special characters of the password escaped as in any URL. A
// PostgreSQL URL has the settings that pgx knows (?sslmode=verify-full), a MySQL URL ?tls=true, as
// go-sql-driver has it; a Unix socket is ?host=/folder on PostgreSQL and ?socket=/path on MySQL.
//
// Mail stays in a development mailbox, which the portal shows to everybody, unless -smtp names the server that it goes
// to, of a mail provider say:
//
//	PORTAL_SMTP_PASSWORD=... go run ./examples/portal -smtp 'smtp://USER@HOST:587?from=portal@example.com'
//
// The connection turns to TLS before anything is said (port 587), or is TLS from the start (smtps:, port 465); a server that
// can't do that gets no mail. &security=unprotected is for one on the same machine. &ca=FILE names the certificates of those
// who vouch for a server that isn't publicly known, &name= what is shown beside the sender's address. The password is in
// the environment, or in the file that -smtp-password-file names, and never in the URL, which lists of processes show.
// Where mail leaves, demo data mails nobody, and there is no mailbox to look into.
//
// Several portals may share a database on a server, if they have the same -key file: the secret
// from which the links of invites are derived. It is FILE.key beside an SQLite file and portal.key
// in the working directory otherwise, and made on the first start.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // Accounts have time zones; the machine need not know them.
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // A second signal ends the process at once.
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "portal:", err)
	if _, ok := errors.AsType[usageError](err); ok {
		os.Exit(2)
	}
	os.Exit(1)
}

// run serves the portal until ctx ends and then stops it cleanly: requests finish, the worker
// stops, the database closes. It prints the address and the demo logins to stdout and its log to
// stderr. Settings that make no sense are a usageError.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	settings, err := readSettings(args, getenv, stdout)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", settings.address)
	if err != nil {
		return fmt.Errorf("can't listen on %s: %w (choose another address with -addr)", settings.address, rootCause(err))
	}
	defer listener.Close()

	baseURL := settings.baseURL
	if baseURL == nil {
		baseURL = reachableURL(listener.Addr())
	}
	db, err := openDatabase(ctx, settings.database)
	if err != nil {
		return err
	}
	defer db.handle.Close()

	key, newKey, err := readKey(settings.keyFile)
	if err != nil {
		return err
	}
	c := config{database: db, key: key, baseURL: baseURL, log: slog.New(slog.NewTextHandler(stderr, nil)), now: time.Now}
	if settings.relay != nil {
		mailer, err := settings.relay.mailer()
		if err != nil {
			return err
		}
		defer mailer.Close()
		c.mailer = mailer
	}
	p, err := newPortal(ctx, c)
	if err != nil {
		return err
	}
	defer p.close()
	if settings.seed {
		if err := p.seedOnce(ctx, c); err != nil {
			return fmt.Errorf("filling the database with demo data: %w", err)
		}
	}
	fmt.Fprintf(stdout, "The portal is at %s\n", baseURL)
	if _, err := p.people.byID(ctx, demoLogins[0].id); err == nil {
		printLogins(stdout)
	}
	if newKey {
		fmt.Fprintf(stdout, "Its secret for the links of invites is new, in %s: keep the file, without it they don't work.\n", settings.keyFile)
	}
	if settings.relay != nil {
		fmt.Fprintf(stdout, "Its mail goes to %s\n", settings.relay.server)
	}
	if settings.relay == nil && !loopback(listener.Addr()) {
		fmt.Fprintln(stdout, "Careful: it listens beyond this machine, and its development mailbox shows every mail to everybody.")
	}
	return p.serve(ctx, listener)
}

// serve answers requests, sends mail and follows what other portals change until ctx ends or the listener fails.
func (p *portal) serve(ctx context.Context, listener net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	server := &http.Server{
		Handler:           p.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelWarn),
	}
	served, carried := make(chan error, 1), make(chan error, 1)
	worked, followed := make(chan error, 1), make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	go func() { worked <- p.worker.Run(ctx) }()
	go func() { followed <- p.cache.Run(ctx) }()
	late, stopLate := context.WithCancel(context.WithoutCancel(ctx)) // Until the last request has ended.
	go func() { carried <- p.carry(late) }()

	var err error
	select {
	case err = <-served:
		err = fmt.Errorf("the server stopped: %w", err)
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		err = server.Shutdown(grace)
		cancel()
	}
	stop()
	stopLate()
	return errors.Join(err, <-worked, <-followed, <-carried)
}

// carry sends the portal's own mail until ctx ends, where it leaves.
func (p *portal) carry(ctx context.Context) error {
	if p.courier == nil {
		return nil
	}
	return p.courier.Run(ctx)
}

// rootCause is the innermost error, of several the last: "address already in use" instead of the call chain around it.
func rootCause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return rootCause(inner)
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 0 {
		return rootCause(joined.Unwrap()[len(joined.Unwrap())-1])
	}
	return err
}

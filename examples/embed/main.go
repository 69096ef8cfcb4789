// Command embed is a billing application that was there before roster: with users of its own, whose ids are integers,
// with customers, orders and invoices, and with a pool of pgx. It shows how such an application takes roster in; the
// README says what was changed, and what wasn't.
//
//	go run ./examples/embed -db postgres://...
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
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

// run serves the application until ctx ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("embed", flag.ContinueOnError)
	source := flags.String("db", "", "the PostgreSQL database, postgres://user@host/database, which may be empty")
	address := flags.String("addr", "localhost:8080", "the address to listen on")
	after := flags.Int64("after", 0, "tell roster about users above this id only: where a backfill that was interrupted goes on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *source == "" {
		return errors.New("which database? Name it with -db postgres://user@host/database")
	}
	pool, err := pgxpool.New(ctx, *source)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := migrate(ctx, pool); err != nil {
		return err
	}
	if err := demonstrate(ctx, pool, *address, out); err != nil {
		return err
	}
	app, err := open(ctx, pool, slog.New(slog.NewTextHandler(out, nil)))
	if err != nil {
		return err
	}
	defer app.close()
	if err := app.backfill(ctx, *after); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}
	app.log.Info("listening", "address", listener.Addr().String())
	return app.serve(ctx, listener)
}

// serve answers requests until ctx ends, and finishes those that are under way.
func (a *application) serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: a.routes(), ReadHeaderTimeout: 5 * time.Second}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	})
	err := server.Serve(listener)
	if !stop() {
		return <-stopped
	}
	return err
}

package pgxtx

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Listen returns what an access.CacheConfig has as its Listen: it is woken by revocations that settle through a
// sqlstore.DB with the channel as its Config's Notify.
//
//	config := pool.Config().ConnConfig
//	db := sqlstore.New(handle, sqlstore.Postgres, sqlstore.Config{Notify: "roster_revocations"})
//	...
//	cache := access.NewCache(members, access.CacheConfig{Poll: time.Second / 2, Listen: pgxtx.Listen(config, "roster_revocations")})
//
// While it runs it has a connection of its own to the database, which must be the server's: a connection pooler that pools
// transactions forgets who listens. A process whose Notify is another one or none wakes nobody, nor does what is said on a
// connection that has died unnoticed: followers poll all the same.
//
// Its errors say no more of why a connection was refused or lost than the code of PostgreSQL's; errors.As finds the
// driver's. It panics if there is no configuration or no channel.
func Listen(config *pgx.ConnConfig, channel string) func(ctx context.Context, woken func()) error {
	if config == nil || channel == "" {
		panic("pgxtx: Listen without a configuration or a channel")
	}
	return func(ctx context.Context, woken func()) error {
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return &failure{"connect", err}
		}
		defer hangUp(ctx, conn)
		if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
			return &failure{"listen", err}
		}
		for {
			woken() // the first time, since what was said before is past
			if _, err := conn.WaitForNotification(ctx); err != nil {
				return &failure{"wait for a notification", err}
			}
		}
	}
}

// hangUp closes a connection, politely if there is somebody at the other end.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// A failure is an error of the driver, whose own text may say who wanted to connect to what.
type failure struct {
	what string
	err  error
}

func (f *failure) Error() string {
	text := "pgxtx: can't " + f.what
	var refused *pgconn.PgError
	if errors.As(f.err, &refused) {
		text += ": error " + refused.Code + " of the database"
	}
	return text
}

func (f *failure) Unwrap() error { return f.err }

package revocations_test

import (
	"context"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
)

// A checker asks all questions, round after round.
type checker struct {
	authorizer access.Authorizer
	pace       time.Duration // from the end of one round to the next
	checks     []check
	failures   []string
}

func (c *checker) run(ctx context.Context) {
	for ctx.Err() == nil {
		c.round(ctx)
		pause(ctx, c.pace)
	}
}

func (c *checker) round(ctx context.Context) {
	for i, q := range questions() {
		made := check{Call: processtest.Now(), Question: uint8(i)}
		yes, err := c.authorizer.Can(ctx, q.user, q.account, q.bit)
		made.Return, made.Yes = processtest.Now(), yes
		switch {
		case err == nil || yes:
			c.checks = append(c.checks, made)
		case ctx.Err() == nil:
			c.failures = append(c.failures, err.Error())
		}
	}
}

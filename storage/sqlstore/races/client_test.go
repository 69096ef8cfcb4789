package races_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
)

// A client does one random operation after the other.
type client struct {
	number  int
	random  *rand.Rand
	host    *host
	journal *journal
	task    task

	stage int
}

// themes are what the accounts of a stage are for: which operations are done on them, and how often.
func themes() map[string]map[string]int {
	return map[string]map[string]int{
		"readers":  {can: 60, grant: 8, set: 18, suspend: 3, reinstate: 4, remove: 3, add: 4},
		"managers": {can: 20, grant: 5, look: 5, set: 30, suspend: 5, reinstate: 6, remove: 5, add: 10, leave: 2, send: 6, revoke: 2, accept: 6},
		"seats":    {can: 6, look: 8, add: 14, send: 14, accept: 22, remove: 16, revoke: 8, leave: 4, set: 4},
		"links":    {can: 6, look: 6, send: 14, resend: 16, revoke: 8, accept: 30, remove: 10, set: 8, suspend: 2, reinstate: 3},
		"owners":   {create: 2, can: 16, grant: 6, look: 10, transfer: 20, set: 18, add: 8, remove: 6, send: 6, accept: 6},
	}
}

// patience is how long an operation may take.
const patience = 10 * time.Second

// run goes from stage to stage. All clients of all processes are at the same one at about the same time; each stage has
// accounts and users of its own, so that no history grows too long to be checked.
func (c *client) run(ctx context.Context) {
	c.stage = -1
	if c.prepares() {
		c.prepare(ctx)
	}
	for at := processtest.Now(); at < c.task.End && ctx.Err() == nil; at = processtest.Now() {
		if stage := int((at - c.task.Start) / c.task.Stage); stage != c.stage {
			c.stage = stage
			if c.prepares() {
				c.prepare(ctx)
			}
		}
		c.do(ctx, c.choose(), c.patience())
	}
}

// patience is mostly long; now and then somebody gives up in the middle.
func (c *client) patience() time.Duration {
	if c.task.Hasty && c.random.IntN(100) == 0 {
		return time.Duration(c.random.IntN(int(10 * time.Millisecond)))
	}
	return patience
}

// prepare makes the accounts of the next stage, most with two managers. One client of each team in each process does, all
// at the same time.
func (c *client) prepare(ctx context.Context) {
	next := *c
	next.stage++
	for _, theme := range c.task.Themes {
		id := next.account(theme)
		c.do(ctx, operation{Kind: create, Account: id, User: next.user(0)}, patience)
		if theme != "seats" {
			c.do(ctx, operation{Kind: add, Account: id, User: next.user(1), Bits: managing}, patience)
			c.do(ctx, operation{Kind: add, Account: id, User: next.user(2), Bits: managing}, patience)
		}
	}
}

func (c *client) prepares() bool { return c.number%c.task.Clients < teams }

// teams is how many accounts of a theme a stage has, each for a part of every process's clients: the more operations go
// on at once, the longer the search for an order takes, and exponentially so.
const teams = 2

// do performs an operation and writes it down.
func (c *client) do(ctx context.Context, o operation, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	l := line{Client: c.number, Operation: o, Call: processtest.Now()}
	l.Result = c.host.perform(ctx, o)
	l.Return = processtest.Now()
	if l.Result.Unknown {
		l.Return = forever
	}
	if o.reads() && l.Result.Unknown {
		return // it tells nothing
	}
	c.journal.write(l)
}

const managing = access.ManageUsers | access.PayInvoices | access.OpenTickets

// choose draws an operation.
func (c *client) choose() operation {
	theme := one(c, c.task.Themes...)
	o := operation{Kind: c.kind(themes()[theme]), Account: c.account(theme), User: c.user(c.random.IntN(6))}
	o.Bits = one(c, managing, managing, access.All, access.PayInvoices, access.OpenTickets, access.PayInvoices|access.OpenTickets)
	switch o.Kind {
	case create:
		o.User = c.user(0)
	case can:
		o.Bits = one(c, access.ManageUsers, access.PayInvoices, access.OpenTickets, access.ViewDomains)
	case leave:
		o.Actor, o.User = o.User, ""
	case transfer:
		o.User = c.user(c.random.IntN(3))
		o.Bits = one(c, 0, managing, access.All, access.PayInvoices)
	case send:
		o.Actor, o.Address, o.User = c.manager(), string(o.User)+"@example.com", ""
	case resend, revoke:
		o.Actor, o.User = c.manager(), ""
		return c.aboutLetter(o)
	case accept:
		return c.aboutLetter(o)
	case set, suspend, reinstate, remove:
		o.Actor = c.manager()
	}
	return o
}

// manager is somebody who may well manage an account: it begins with u0 as the owner, and u1 and u2 as managers.
func (c *client) manager() access.UserID {
	return one(c, "", c.user(0), c.user(0), c.user(0), c.user(1), c.user(1), c.user(2), c.user(2), c.user(3))
}

// aboutLetter makes an operation about one of the latest tokens. Without any it looks.
func (c *client) aboutLetter(o operation) operation {
	letters := c.host.letters(o.Account)
	if len(letters) == 0 {
		return operation{Kind: look, Account: o.Account}
	}
	const latest = 6
	l := one(c, letters[max(0, len(letters)-latest):]...)
	o.Invite, o.Generation = l.invite, l.generation
	return o
}

func (c *client) kind(weights map[string]int) string {
	total := 0
	for _, weight := range weights {
		total += weight
	}
	n := c.random.IntN(total)
	for _, kind := range slices.Sorted(maps.Keys(weights)) {
		if n -= weights[kind]; n < 0 {
			return kind
		}
	}
	panic("races: no weight")
}

func one[T any](c *client, choice ...T) T { return choice[c.random.IntN(len(choice))] }

func (c *client) account(theme string) access.AccountID {
	return access.AccountID(fmt.Sprintf("%s-%d-%d", theme, c.stage, c.number%teams))
}

func (c *client) user(n int) access.UserID { return access.UserID(fmt.Sprintf("u%d-%d", n, c.stage)) }

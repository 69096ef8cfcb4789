package revocations_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage/sqlstore/internal/processtest"
)

// The kinds of verbs.
const (
	add       = "add"
	set       = "set"
	suspend   = "suspend"
	reinstate = "reinstate"
	remove    = "remove"
)

// A writer does one verb after the other, and leaves others some time to notice.
type writer struct {
	task    task
	members *access.Service
	random  *rand.Rand
	verbs   []verb
}

// patience is how long a verb may take.
const patience = 10 * time.Second

func (w *writer) run(ctx context.Context, until int64) {
	for processtest.Now() < until && ctx.Err() == nil {
		v := verb{Kind: one(w, add, add, add, set, set, set, set, suspend, reinstate, reinstate, remove),
			Account: one(w, accounts()...), User: one(w, users()...)}
		for v.Bits == 0 {
			for _, bit := range bits() {
				v.Bits |= one(w, 0, bit)
			}
		}
		limit := patience
		if w.task.Hasty && w.random.IntN(20) == 0 {
			limit = time.Duration(w.random.IntN(int(20 * time.Millisecond)))
		}
		v = do(ctx, w.members, v, limit)
		if v.Answer == done && v.Kind != remove && v.Kind != suspend && w.random.IntN(4) == 0 { // those two settle by themselves
			v = settle(ctx, w.members, v, limit)
		}
		w.verbs = append(w.verbs, v)
		pause(ctx, time.Duration(w.random.IntN(int(10*time.Millisecond))))
	}
}

func one[T any](w *writer, choice ...T) T { return choice[w.random.IntN(len(choice))] }

// do does a verb, and writes down what became of it.
func do(ctx context.Context, members *access.Service, v verb, limit time.Duration) verb {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	v.Call = processtest.Now()
	revision, err := v.perform(context.WithValue(ctx, overKey{}, &v.Over), members)
	v.Return = processtest.Now()
	v.Version = revision.Version
	if err != nil {
		v.Cause = err.Error()
	}
	var refused *access.Error
	switch {
	case err == nil:
		v.Answer = done
	case errors.Is(err, access.ErrUnsettled):
		v.Answer = unsettled
		if ctx.Err() == nil {
			v.Failure = err.Error()
		}
	case errors.Is(err, access.ErrUnknownOutcome), ctx.Err() != nil:
		v.Answer = unknown
	case errors.As(err, &refused):
		v.Answer = refused.Code
	default:
		v.Failure = err.Error()
	}
	return v
}

// settle waits until all have heard of a verb, whatever it did.
func settle(ctx context.Context, members *access.Service, v verb, limit time.Duration) verb {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	switch err := members.Settle(ctx, access.Revision{Account: v.Account, Version: v.Version}); {
	case err == nil:
		v.Settled = processtest.Now()
	case ctx.Err() == nil:
		v.Failure = err.Error()
	}
	return v
}

func (v verb) perform(ctx context.Context, members *access.Service) (access.Revision, error) {
	actor := access.AsSystem("revocations")
	switch v.Kind {
	case add:
		return members.AddMember(ctx, actor, v.Account, v.User, access.Terms{Permissions: v.Bits})
	case set:
		return members.SetPermissions(ctx, actor, v.Account, v.User, v.Bits)
	case suspend:
		return members.Suspend(ctx, actor, v.Account, v.User)
	case reinstate:
		return members.Reinstate(ctx, actor, v.Account, v.User)
	case remove:
		return members.Remove(ctx, actor, v.Account, v.User)
	}
	panic("revocations: there is no verb " + v.Kind)
}

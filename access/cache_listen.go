package access

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// errHeardNothing is what it is when Listen returns nothing.
var errHeardNothing = errors.New("access: nobody listens any more")

// listen has the Config's Listen wake the Cache, again and again until the context ends. With a connection that is lost
// the database may have become another one: nothing counts then before it was heard anew. Where nobody could listen in
// the first place, nothing was lost.
func (c *Cache) listen(ctx context.Context, wake func()) {
	failed := false
	for ctx.Err() == nil {
		var listened atomic.Bool
		err := c.config.Listen(ctx, func() {
			listened.Store(true)
			wake()
		})
		if ctx.Err() != nil {
			return
		}
		if listened.Load() {
			c.following.drop()
			wake()
			failed = false
		}
		if err == nil {
			err = errHeardNothing
		}
		if !failed {
			c.config.Log.WarnContext(ctx, "nobody wakes the cache for now", "reason", err.Error())
		}
		failed = true
		pause(ctx, c.config.Poll)
	}
}

// alarm returns a channel that has something after wake was called, however often.
func alarm() (woken <-chan struct{}, wake func()) {
	c := make(chan struct{}, 1)
	return c, func() {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// pauseUntil waits until it is woken, for a while at most, or for the end of the context.
func pauseUntil(ctx context.Context, woken <-chan struct{}, while time.Duration) {
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-woken:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// pause waits for a while, or for the end of the context.
func pause(ctx context.Context, while time.Duration) { pauseUntil(ctx, nil, while) }

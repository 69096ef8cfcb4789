package access_test

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rosterkit/roster/access"
)

// drawing returns what is closed when the next ticket is drawn.
func (s *simulation) drawing() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nextTicket
}

// drawn wakes those who listen.
func (s *simulation) drawn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.nextTicket)
	s.nextTicket = make(chan struct{})
}

// listen wakes an instance when a ticket was drawn: some time later, or never. It ends when the database can't be reached,
// and by itself after a while.
func (i *instance) listen(ctx context.Context, woken func()) error {
	i.hold("to Listen", 1)
	if _, err := i.reached(); err != nil {
		return err
	}
	lost := time.NewTimer(time.Duration(i.draw("Listen", i.number).Int64N(int64(4 * time.Second))))
	defer lost.Stop()
	if trusting, ok := i.database.(*trustsWakeUps); ok {
		woken = trusting.told(woken)
		defer trusting.listens.Store(false)
	}
	for {
		next := i.drawing()
		if i.here("lost wake-up", i.number)>>8%10 > 0 {
			woken()
			i.count(func(t *tally) { t.Woken++ })
		}
		select {
		case <-next:
			i.hold("from Listen", 2)
		case <-lost.C:
			return errUnreachable
		case <-ctx.Done():
			return ctx.Err()
		}
		if _, err := i.reached(); err != nil {
			return err
		}
	}
}

// trustsWakeUps takes it that nothing happens of which it isn't told while it listens: it has its lease renewed without
// polling.
type trustsWakeUps struct {
	*simulatedStore
	listens, woken atomic.Bool
	polled         access.FollowerID
	position       access.Position
}

// told returns what to call instead of woken.
func (s *trustsWakeUps) told(woken func()) func() {
	return func() {
		s.woken.Store(true)
		s.listens.Store(true)
		woken()
	}
}

func (s *trustsWakeUps) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	if id == "" {
		return s.simulatedStore.Poll(ctx, id)
	}
	if !s.woken.Swap(false) && s.listens.Load() && id == s.polled {
		return s.position, nil
	}
	position, err := s.simulatedStore.Poll(ctx, id)
	if err == nil {
		s.polled, s.position = id, position
	}
	return position, err
}

package storagetest_test

import (
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/storage"
)

// followerMutants break rules of access.Registry.
func followerMutants() map[string]mutant {
	return map[string]mutant{
		"follows from the beginning": {
			"a follower has acknowledged the present ticket", "followers/registered",
			func(db storage.DB) storage.DB { return followsFromZero{db} },
		},
		"gives an id twice": {
			"an id that is taken is refused", "followers/taken", func(db storage.DB) storage.DB { return followsAgain{db} },
		},
		"registers strangers": {
			"who was deleted can't acknowledge", "followers/not_registered",
			func(db storage.DB) storage.DB { return registersStrangers{db} },
		},
		"acknowledges any ticket": {
			"an acknowledged ticket never goes back", "followers/acknowledged",
			func(db storage.DB) storage.DB { return goesBack{db, make(map[access.FollowerID]uint64)} },
		},
		"unfollows who is up to date": {
			"only who is behind is deleted", "followers/unfollowed", func(db storage.DB) storage.DB { return unfollowsMore{db} },
		},
		"unfollows without a second look": {
			"whoever has acknowledged isn't deleted", "followers/acknowledged_or_unfollowed",
			func(db storage.DB) storage.DB { return unfollowsAnyhow{db} },
		},
		"sorts followers by their tickets": {
			"followers are sorted byte for byte", "followers/ids", func(db storage.DB) storage.DB { return sortsByTicket{db} },
		},
		"folds followers": {
			"ids of followers compare byte for byte", "followers/ids", func(db storage.DB) storage.DB { return foldsFollowers{db} },
		},
		"refuses strangers": {
			"a poll of a stranger is no error", "followers/strangers", func(db storage.DB) storage.DB { return refusesStrangers{db} },
		},
		"polls in two statements": {
			"a poll reads one moment", "followers/one_moment", func(db storage.DB) storage.DB { return pollsTwice{db} },
		},
		"draws without a lock": {
			"each ticket is drawn once", "followers/tickets_at_once", func(db storage.DB) storage.DB { return drawsByPolling{db} },
		},
		"waits for the lease only": {
			"a shorter lease leaves the wait", "followers/lease", func(db storage.DB) storage.DB { return waitsShort{db} },
		},
		"shortens any wait": {
			"a wait is shortened to the present lease only", "followers/wait",
			func(db storage.DB) storage.DB { return shortensAlways{db} },
		},
		"rounds a lease up": {
			"a part of a millisecond is cut off", "followers/milliseconds",
			func(db storage.DB) storage.DB { return roundsUp{db} },
		},
		"polls within a unit": {
			"a poll within a unit is ErrNested", "units/nested", func(db storage.DB) storage.DB { return pollsWithin{db} },
		},
		"polls when it is over": {
			"nothing is done with a context that is over", "cancellation/before",
			func(db storage.DB) storage.DB { return pollsWithin{db} },
		},
	}
}

type followsFromZero struct{ storage.DB }

func (m followsFromZero) Followers(ctx context.Context) ([]access.Follower, error) {
	followers, err := m.DB.Followers(ctx)
	for i := range followers {
		followers[i].Acknowledged = 0
	}
	return followers, err
}

type followsAgain struct{ storage.DB }

func (m followsAgain) Follow(ctx context.Context, id access.FollowerID) error {
	return errors.Join(m.Unfollow(ctx, math.MaxUint64, id), m.DB.Follow(ctx, id))
}

type registersStrangers struct{ storage.DB }

func (m registersStrangers) Acknowledge(ctx context.Context, id access.FollowerID, ticket uint64) error {
	if err := m.Follow(ctx, id); err != nil && !errors.Is(err, access.ErrExists) {
		return err
	}
	return m.DB.Acknowledge(ctx, id, ticket)
}

type goesBack struct {
	storage.DB
	last map[access.FollowerID]uint64
}

func (m goesBack) Acknowledge(ctx context.Context, id access.FollowerID, ticket uint64) error {
	m.last[id] = ticket
	return m.DB.Acknowledge(ctx, id, ticket)
}

func (m goesBack) Followers(ctx context.Context) ([]access.Follower, error) {
	followers, err := m.DB.Followers(ctx)
	for i := range followers {
		followers[i].Acknowledged = m.last[followers[i].ID]
	}
	return followers, err
}

type unfollowsMore struct{ storage.DB }

func (m unfollowsMore) Unfollow(ctx context.Context, below uint64, ids ...access.FollowerID) error {
	return m.DB.Unfollow(ctx, below+1, ids...)
}

// unfollowsAnyhow looks who is below the ticket, and deletes them after a while.
type unfollowsAnyhow struct{ storage.DB }

func (m unfollowsAnyhow) Unfollow(ctx context.Context, below uint64, ids ...access.FollowerID) error {
	followers, err := m.Followers(ctx)
	for _, f := range followers {
		for range 100 {
			runtime.Gosched()
		}
		if slices.Contains(ids, f.ID) && f.Acknowledged < below {
			err = errors.Join(err, m.DB.Unfollow(ctx, math.MaxUint64, f.ID))
		}
	}
	return err
}

type sortsByTicket struct{ storage.DB }

func (m sortsByTicket) Followers(ctx context.Context) ([]access.Follower, error) {
	followers, err := m.DB.Followers(ctx)
	slices.SortStableFunc(followers, func(a, b access.Follower) int { return cmp.Compare(a.Acknowledged, b.Acknowledged) })
	return followers, err
}

type foldsFollowers struct{ storage.DB }

func (m foldsFollowers) Follow(ctx context.Context, id access.FollowerID) error {
	return m.DB.Follow(ctx, access.FollowerID(strings.TrimRight(string(id), " ")))
}

type refusesStrangers struct{ storage.DB }

func (m refusesStrangers) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	p, err := m.DB.Poll(ctx, id)
	if err == nil && !p.Registered {
		return access.Position{}, access.ErrNotFound
	}
	return p, err
}

// pollsTwice reads the heads first and then the rest, in between waiting a while for somebody to draw a ticket.
type pollsTwice struct{ storage.DB }

func (m pollsTwice) Poll(ctx context.Context, id access.FollowerID) (access.Position, error) {
	before, err := m.DB.Poll(ctx, id)
	p := before
	for i := 0; i < 10_000 && err == nil && p.Ticket == before.Ticket; i++ {
		runtime.Gosched()
		p, err = m.DB.Poll(ctx, id)
	}
	p.Heads = before.Heads
	return p, err
}

type drawsByPolling struct{ storage.DB }

func (m drawsByPolling) DrawTicket(ctx context.Context) (uint64, time.Duration, error) {
	before, err := m.Poll(ctx, "")
	if err != nil {
		return 0, 0, err
	}
	runtime.Gosched()
	_, wait, err := m.DB.DrawTicket(ctx)
	return before.Ticket + 1, wait, err
}

type waitsShort struct{ storage.DB }

func (m waitsShort) SetLease(ctx context.Context, lease time.Duration) error {
	err := m.DB.SetLease(ctx, lease)
	p, polled := m.Poll(ctx, "")
	return errors.Join(err, polled, m.ShortenWait(ctx, p.LeaseChanges))
}

type shortensAlways struct{ storage.DB }

func (m shortensAlways) ShortenWait(ctx context.Context, _ uint64) error {
	p, err := m.Poll(ctx, "")
	return errors.Join(err, m.DB.ShortenWait(ctx, p.LeaseChanges))
}

type roundsUp struct{ storage.DB }

func (m roundsUp) SetLease(ctx context.Context, lease time.Duration) error {
	return m.DB.SetLease(ctx, lease+time.Millisecond-time.Nanosecond)
}

type pollsWithin struct{ storage.DB }

func (m pollsWithin) Poll(_ context.Context, id access.FollowerID) (access.Position, error) {
	return m.DB.Poll(context.Background(), id)
}
